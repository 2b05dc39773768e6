# Include from bench/CMakeLists.txt.
godwit_bench(entropy_bench godwit::entropy)
