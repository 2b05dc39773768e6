find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

# Those that run the built program.
foreach(name array_test conceal_test encode_test decode_test bad_input_test eval_test inspect_test repack_test
             sound_test)
  godwit_test(apps/${name}.cc codec_test_model godwit::io nlohmann_json::nlohmann_json)
  target_compile_definitions(${name} PRIVATE GODWIT_PROGRAM="$<TARGET_FILE:godwit>"
                             GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             GODWIT_HELP_FILE="${PROJECT_SOURCE_DIR}/tests/apps/help.txt")
  add_dependencies(${name} godwit)
endforeach()

godwit_test(apps/rate_target_test.cc godwit::image fmt::fmt nlohmann_json::nlohmann_json)
target_sources(rate_target_test PRIVATE ${PROJECT_SOURCE_DIR}/apps/console.cc
               ${PROJECT_SOURCE_DIR}/apps/option_parser.cc ${PROJECT_SOURCE_DIR}/apps/rate_target.cc)

# bash itself loads the completions and uses them.
add_test(NAME BashCompletesTheProgram
         COMMAND bash ${PROJECT_SOURCE_DIR}/tests/apps/completion_test.bash
                 ${PROJECT_SOURCE_DIR}/apps/completions/godwit.bash)
