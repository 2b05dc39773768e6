godwit_test(tensor/conv_kernels_test.cc godwit::tensor)
godwit_test(tensor/element_kernels_test.cc godwit::tensor)
