# Include from bench/CMakeLists.txt. libavif is a rival only, so the program does without it.
find_package(JPEG REQUIRED)  # as io/ does
find_package(PkgConfig REQUIRED)
pkg_check_modules(GODWIT_AVIF IMPORTED_TARGET libavif)
if(NOT GODWIT_AVIF_FOUND)
  message(STATUS "libavif not found: image_bench does without it")
endif()

godwit_bench(image_bench godwit::image godwit::io godwit::models JPEG::JPEG OpenMP::OpenMP_CXX
             $<TARGET_NAME_IF_EXISTS:PkgConfig::GODWIT_AVIF>)

# The commit as of the last configuration, which a new commit repeats.
execute_process(COMMAND git describe --always --dirty --abbrev=12 --exclude=*
                WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(EXISTS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
endif()
target_compile_definitions(image_bench PRIVATE
  GODWIT_BENCH_AVIF=$<BOOL:${GODWIT_AVIF_FOUND}>
  GODWIT_BENCH_COMMIT="$<IF:$<BOOL:${commit}>,${commit},none>"
  GODWIT_BENCH_PICTURE="${PROJECT_SOURCE_DIR}/testdata/demo.png")
