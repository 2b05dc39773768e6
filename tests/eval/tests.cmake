find_package(nlohmann_json REQUIRED)

godwit_test(eval/metric_test.cc godwit::eval godwit::io nlohmann_json::nlohmann_json)
godwit_test(eval/bd_rate_test.cc godwit::eval nlohmann_json::nlohmann_json)
godwit_test(eval/codec_test.cc godwit::eval godwit::io codec_test_model)
godwit_test(eval/eval_picture_test.cc godwit::eval godwit::io)
foreach(name metric_test bd_rate_test codec_test)
  target_compile_definitions(${name} PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endforeach()
