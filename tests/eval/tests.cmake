godwit_test(eval/metric_test.cc godwit::eval godwit::io)
godwit_test(eval/array_codec_eval_test.cc godwit::eval godwit::io)
godwit_test(eval/array_error_test.cc godwit::eval)
godwit_test(eval/array_rate_test.cc godwit::eval)
godwit_test(eval/bd_rate_test.cc godwit::eval)
godwit_test(eval/codec_test.cc godwit::eval godwit::io codec_test_model)
godwit_test(eval/eval_item_test.cc godwit::eval godwit::io)
godwit_test(eval/report_test.cc godwit::eval)
godwit_test(eval/results_test.cc godwit::eval godwit::io)
godwit_test(eval/run_test.cc godwit::eval godwit::io)
godwit_test(eval/shared_settings_test.cc godwit::eval)
godwit_test(eval/sound_codec_test.cc godwit::eval godwit::io)
godwit_test(eval/sound_metrics_test.cc godwit::eval)
foreach(name metric_test bd_rate_test codec_test results_test sound_metrics_test)
  target_compile_definitions(${name} PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endforeach()

# A browser opens the report and uses it; skipped without one.
add_test(NAME ReportWorksInABrowser
         COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/report_test.bash $<TARGET_FILE:godwit>
                 ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/report_test)
set_tests_properties(ReportWorksInABrowser PROPERTIES SKIP_RETURN_CODE 77)
