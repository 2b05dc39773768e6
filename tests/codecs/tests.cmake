find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(GODWIT_TEST_XXHASH REQUIRED IMPORTED_TARGET libxxhash)

# Models made in memory; the fuzz targets use them too.
add_library(codec_test_model STATIC codecs/test_model.cc)
target_link_libraries(codec_test_model PUBLIC godwit::image PRIVATE godwit_flags)

include(${CMAKE_CURRENT_LIST_DIR}/lossless_tests.cmake)
godwit_test(codecs/array_golden_test.cc godwit::array)
target_compile_definitions(array_golden_test PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
godwit_test(codecs/array_codec_test.cc godwit::array godwit::io)
godwit_test(codecs/audio_codec_test.cc godwit::audio godwit::io)
godwit_test(codecs/audio_golden_test.cc godwit::audio godwit::io)
target_compile_definitions(audio_golden_test PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
godwit_test(codecs/lapped_transform_test.cc godwit::audio)
godwit_test(codecs/image_allocation_test.cc codec_test_model)
godwit_test(codecs/image_codec_test.cc codec_test_model godwit::io)
godwit_test(codecs/image_decoder_test.cc codec_test_model)
godwit_test(codecs/image_effort_test.cc codec_test_model godwit::io)
godwit_test(codecs/swift_coarse_transform_test.cc godwit::image)
godwit_test(codecs/swift_context_test.cc godwit::image)
godwit_test(codecs/swift_msssim_limits_test.cc godwit::image)
godwit_test(codecs/full_model_test.cc codec_test_model)
godwit_test(codecs/image_repack_test.cc codec_test_model godwit::io)
godwit_test(codecs/image_header_test.cc codec_test_model godwit::io)
godwit_test(codecs/row_order_test.cc codec_test_model godwit::io)
godwit_test(codecs/bad_streams_test.cc codec_test_model)
godwit_test(codecs/golden_test.cc codec_test_model godwit::io nlohmann_json::nlohmann_json
            PkgConfig::GODWIT_TEST_XXHASH)
foreach(name image_codec_test image_effort_test bad_streams_test golden_test)
  target_compile_definitions(${name} PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endforeach()

# Rewrites testdata/v1, testdata/bad and some of testdata/fuzz; run by hand, with the format.
add_executable(make_goldens codecs/make_goldens.cc)
target_link_libraries(make_goldens PRIVATE codec_test_model godwit::io GTest::gtest godwit_flags
                      nlohmann_json::nlohmann_json PkgConfig::GODWIT_TEST_XXHASH)
