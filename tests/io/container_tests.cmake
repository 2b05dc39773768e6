# Include from tests/io/tests.cmake.
godwit_test(io/container_test.cc godwit::io)
target_compile_definitions(container_test PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
