godwit_test(transforms/block_transform_test.cc godwit::transforms)
