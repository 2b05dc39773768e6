godwit_test(base/bytes_test.cc godwit::base)
godwit_test(base/cpu_test.cc godwit::base)
godwit_test(base/crc32c_test.cc godwit::base)
godwit_test(base/status_test.cc godwit::base)
