godwit_test(transforms/block_transform_test.cc godwit::transforms)
godwit_test(transforms/packets_test.cc godwit::transforms)
