#include "transforms/lifting.h"

namespace godwit {
namespace {

int32_t Add(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
int32_t Subtract(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
}
int32_t Scaled(int32_t sum, int32_t factor) {
  return static_cast<int32_t>((int64_t{factor} * sum + (1 << 15)) >> 16);
}

void Predict53(int32_t* x, const int32_t* a, const int32_t* b, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] = Subtract(x[i], Add(a[i], b[i]) >> 1);
}
void Unpredict53(int32_t* x, const int32_t* a, const int32_t* b, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] = Add(x[i], Add(a[i], b[i]) >> 1);
}
void Update53(int32_t* x, const int32_t* a, const int32_t* b, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] = Add(x[i], Add(Add(a[i], b[i]), 2) >> 2);
}
void Unupdate53(int32_t* x, const int32_t* a, const int32_t* b, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] = Subtract(x[i], Add(Add(a[i], b[i]), 2) >> 2);
}
void Lift(int32_t* x, const int32_t* a, const int32_t* b, size_t n, int32_t factor) {
  for (size_t i = 0; i < n; ++i) x[i] = Add(x[i], Scaled(Add(a[i], b[i]), factor));
}
void Unlift(int32_t* x, const int32_t* a, const int32_t* b, size_t n, int32_t factor) {
  for (size_t i = 0; i < n; ++i) x[i] = Subtract(x[i], Scaled(Add(a[i], b[i]), factor));
}
void Split(const int32_t* x, size_t n, int32_t* even, int32_t* odd) {
  for (size_t i = 0; i < n; ++i) (i % 2 == 0 ? even : odd)[i / 2] = x[i];
}
void Merge(const int32_t* even, const int32_t* odd, size_t n, int32_t* x) {
  for (size_t i = 0; i < n; ++i) x[i] = (i % 2 == 0 ? even : odd)[i / 2];
}
void Butterfly(int32_t* a, int32_t* b, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const int32_t sum = Add(a[i], b[i]);
    b[i] = Subtract(a[i], b[i]);
    a[i] = sum;
  }
}

}  // namespace

namespace lifting_internal {
constinit const LiftingKernels kScalarKernels = {Predict53, Unpredict53, Update53, Unupdate53, Lift,
                                                 Unlift,    Split,       Merge,    Butterfly};
}  // namespace lifting_internal

const LiftingKernels& LiftingKernelsFor(SimdLevel level) {
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return lifting_internal::kAvx512Kernels;
  if (level == SimdLevel::kAvx2) return lifting_internal::kAvx2Kernels;
#endif
  (void)level;
  return lifting_internal::kScalarKernels;
}

}  // namespace godwit
