# Include from tests/codecs/tests.cmake.
find_package(PNG REQUIRED)
godwit_test(codecs/lossless_plane_test.cc godwit::image PNG::PNG)
