godwit_test(models/safetensors_test.cc godwit::models)
godwit_test(models/network_test.cc godwit::models)
godwit_test(models/network_refusal_test.cc godwit::models)
godwit_test(models/network_allocation_test.cc godwit::models)
