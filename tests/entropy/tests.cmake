godwit_test(entropy/range_coder_test.cc godwit::entropy)
godwit_test(entropy/adaptive_bit_test.cc godwit::entropy)
godwit_test(entropy/bit_mixer_test.cc godwit::entropy)
godwit_test(entropy/decision_list_test.cc godwit::entropy)
