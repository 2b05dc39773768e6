# Include from bench/CMakeLists.txt.
godwit_bench(image_bench godwit::eval godwit::image godwit::io godwit::models OpenMP::OpenMP_CXX)

# The commit as of the last configuration, which a new commit repeats.
execute_process(COMMAND git describe --always --dirty --abbrev=12 --exclude=*
                WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(EXISTS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
endif()
target_compile_definitions(image_bench PRIVATE
  GODWIT_BENCH_COMMIT="$<IF:$<BOOL:${commit}>,${commit},none>"
  GODWIT_BENCH_PICTURE="${PROJECT_SOURCE_DIR}/testdata/demo.png")
godwit_bench(repack_bench godwit::image godwit::io godwit::models OpenMP::OpenMP_CXX)
