#include "codecs/audio/lapped_kernels.h"

namespace godwit::audio {
namespace {

inline int32_t Sum(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
inline int32_t Less(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
}
// (a * x + b * y) / 2^shift, rounded. Of the sum only 32 bits are wanted: a logical shift does.
template <int kShift>
inline int32_t Scaled(int32_t a, int32_t x, int32_t b, int32_t y) {
  const uint64_t sum =
      static_cast<uint64_t>(int64_t{a} * x) + static_cast<uint64_t>(int64_t{b} * y);
  return static_cast<int32_t>((sum + (uint64_t{1} << (kShift - 1))) >> kShift);
}
template <int kShift>
inline int32_t ScaledLess(int32_t a, int32_t x, int32_t b, int32_t y) {
  const uint64_t sum =
      static_cast<uint64_t>(int64_t{a} * x) - static_cast<uint64_t>(int64_t{b} * y);
  return static_cast<int32_t>((sum + (uint64_t{1} << (kShift - 1))) >> kShift);
}
inline int32_t Half(int32_t x) { return Sum(x, 1) >> 1; }

void Fold(int32_t *__restrict left, int32_t *__restrict right, const int32_t *__restrict c,
          const int32_t *__restrict s, size_t n) {
  int32_t *const first = left - (n - 1);
  for (size_t i = 0; i < n; ++i) {
    const int32_t a = first[n - 1 - i], b = right[i];
    first[n - 1 - i] = ScaledLess<30>(c[i], a, s[i], b);
    right[i] = Scaled<30>(s[i], a, c[i], b);
  }
}
void Unfold(int32_t *__restrict left, int32_t *__restrict right, const int32_t *__restrict c,
            const int32_t *__restrict s, size_t n) {
  int32_t *const first = left - (n - 1);
  for (size_t i = 0; i < n; ++i) {
    const int32_t a = first[n - 1 - i], b = right[i];
    first[n - 1 - i] = Scaled<30>(c[i], a, s[i], b);
    right[i] = ScaledLess<30>(c[i], b, s[i], a);
  }
}

void Before(const int32_t *__restrict x, ConstComplex factor, Complex out, size_t n) {
  const int32_t *__restrict cr = factor.re, *__restrict ci = factor.im;
  int32_t *__restrict yr = out.re, *__restrict yi = out.im;
  for (size_t i = 0; i < n; ++i) {
    const int32_t a = x[2 * i], b = x[2 * n - 1 - 2 * i];
    yr[i] = ScaledLess<30>(cr[i], a, ci[i], b);
    yi[i] = Scaled<30>(ci[i], a, cr[i], b);
  }
}
void After(ConstComplex in, ConstComplex factor, int32_t *__restrict x, size_t n) {
  const int32_t *__restrict cr = factor.re, *__restrict ci = factor.im;
  const int32_t *__restrict xr = in.re, *__restrict xi = in.im;
  for (size_t i = 0; i < n; ++i) {
    const size_t k = n - 1 - i;  // its negated imaginary part stands beside the real part of i
    x[2 * i] = ScaledLess<30>(cr[i], xr[i], ci[i], xi[i]);
    x[2 * i + 1] = Less(0, Scaled<30>(ci[k], xr[k], cr[k], xi[k]));
  }
}

// Both parts of factor * (a + j b), shifted by kShift.
#define GODWIT_STORE(shift, index, fr, fi, a, b) \
  do {                                           \
    yr[index] = ScaledLess<shift>(fr, a, fi, b); \
    yi[index] = Scaled<shift>(fi, a, fr, b);     \
  } while (0)

// The butterfly of radix 4 on points i, i + gap, i + 2 gap and i + 3 gap.
#define GODWIT_BUTTERFLY4(i, gap)                                                             \
  const int32_t ar = xr[i], ai = xi[i], br = xr[(i) + (gap)], bi = xi[(i) + (gap)],           \
                cr = xr[(i) + 2 * (gap)], ci = xi[(i) + 2 * (gap)], dr = xr[(i) + 3 * (gap)], \
                di = xi[(i) + 3 * (gap)];                                                     \
  const int32_t pr = Sum(ar, cr), pi = Sum(ai, ci), mr = Less(ar, cr), mi = Less(ai, ci),     \
                qr = Sum(br, dr), qi = Sum(bi, di), nr = Less(br, dr), ni = Less(bi, di)

void Pass4(ConstComplex in, ConstComplex factor, Complex out, size_t n, size_t stride) {
  const int32_t *__restrict xr = in.re, *__restrict xi = in.im;
  const int32_t *__restrict wr = factor.re, *__restrict wi = factor.im;
  int32_t *__restrict yr = out.re, *__restrict yi = out.im;
  if (stride == 1) {
    for (size_t p = 0; p < n; ++p) {
      GODWIT_BUTTERFLY4(p, n);
      yr[4 * p] = Half(Sum(pr, qr));
      yi[4 * p] = Half(Sum(pi, qi));
      GODWIT_STORE(31, 4 * p + 1, wr[p], wi[p], Sum(mr, ni), Less(mi, nr));
      GODWIT_STORE(31, 4 * p + 2, wr[n + p], wi[n + p], Less(pr, qr), Less(pi, qi));
      GODWIT_STORE(31, 4 * p + 3, wr[2 * n + p], wi[2 * n + p], Less(mr, ni), Sum(mi, nr));
    }
    return;
  }
  for (size_t p = 0; p < n; ++p) {
    const int32_t w1r = wr[p], w1i = wi[p], w2r = wr[n + p], w2i = wi[n + p], w3r = wr[2 * n + p],
                  w3i = wi[2 * n + p];
    const size_t from = stride * p, to = 4 * stride * p;
    for (size_t q = 0; q < stride; ++q) {
      GODWIT_BUTTERFLY4(from + q, n * stride);
      yr[to + q] = Half(Sum(pr, qr));
      yi[to + q] = Half(Sum(pi, qi));
      GODWIT_STORE(31, to + stride + q, w1r, w1i, Sum(mr, ni), Less(mi, nr));
      GODWIT_STORE(31, to + 2 * stride + q, w2r, w2i, Less(pr, qr), Less(pi, qi));
      GODWIT_STORE(31, to + 3 * stride + q, w3r, w3i, Less(mr, ni), Sum(mi, nr));
    }
  }
}

void Pass2(ConstComplex in, ConstComplex factor, Complex out, size_t n, size_t stride) {
  const int32_t *__restrict xr = in.re, *__restrict xi = in.im;
  int32_t *__restrict yr = out.re, *__restrict yi = out.im;
  for (size_t p = 0; p < n; ++p) {
    const int32_t w1r = factor.re[p], w1i = factor.im[p];
    for (size_t q = 0; q < stride; ++q) {
      const size_t i = stride * p + q, j = i + n * stride, to = 2 * stride * p + q;
      yr[to] = Sum(xr[i], xr[j]);
      yi[to] = Sum(xi[i], xi[j]);
      GODWIT_STORE(30, to + stride, w1r, w1i, Less(xr[i], xr[j]), Less(xi[i], xi[j]));
    }
  }
}

void Pass5(ConstComplex in, ConstComplex factor, Complex out, size_t n, size_t stride) {
  // cos and sin of 2 pi / 5 and of 4 pi / 5 in 2^-30.
  constexpr int32_t c1 = 331804471, c2 = -868675383, s1 = 1021189159, s2 = 631129609;
  const int32_t *__restrict xr = in.re, *__restrict xi = in.im;
  const int32_t *__restrict wr = factor.re, *__restrict wi = factor.im;
  int32_t *__restrict yr = out.re, *__restrict yi = out.im;
  const size_t gap = n * stride;
  for (size_t p = 0; p < n; ++p) {
    for (size_t q = 0; q < stride; ++q) {
      const size_t i = stride * p + q, to = 5 * stride * p + q;
      const int32_t t1r = Sum(xr[i + gap], xr[i + 4 * gap]),
                    t1i = Sum(xi[i + gap], xi[i + 4 * gap]);
      const int32_t t2r = Sum(xr[i + 2 * gap], xr[i + 3 * gap]),
                    t2i = Sum(xi[i + 2 * gap], xi[i + 3 * gap]);
      const int32_t t3r = Less(xr[i + gap], xr[i + 4 * gap]),
                    t3i = Less(xi[i + gap], xi[i + 4 * gap]);
      const int32_t t4r = Less(xr[i + 2 * gap], xr[i + 3 * gap]),
                    t4i = Less(xi[i + 2 * gap], xi[i + 3 * gap]);
      const int32_t m1r = Sum(xr[i], Scaled<30>(c1, t1r, c2, t2r)),
                    m1i = Sum(xi[i], Scaled<30>(c1, t1i, c2, t2i)),
                    m2r = Sum(xr[i], Scaled<30>(c2, t1r, c1, t2r)),
                    m2i = Sum(xi[i], Scaled<30>(c2, t1i, c1, t2i));
      const int32_t n1r = Scaled<30>(s1, t3r, s2, t4r), n1i = Scaled<30>(s1, t3i, s2, t4i),
                    n2r = ScaledLess<30>(s2, t3r, s1, t4r), n2i = ScaledLess<30>(s2, t3i, s1, t4i);
      yr[to] = Sum(xr[i], Sum(t1r, t2r));
      yi[to] = Sum(xi[i], Sum(t1i, t2i));
      GODWIT_STORE(30, to + stride, wr[p], wi[p], Sum(m1r, n1i), Less(m1i, n1r));
      GODWIT_STORE(30, to + 2 * stride, wr[n + p], wi[n + p], Sum(m2r, n2i), Less(m2i, n2r));
      GODWIT_STORE(30, to + 3 * stride, wr[2 * n + p], wi[2 * n + p], Less(m2r, n2i),
                   Sum(m2i, n2r));
      GODWIT_STORE(30, to + 4 * stride, wr[3 * n + p], wi[3 * n + p], Less(m1r, n1i),
                   Sum(m1i, n1r));
    }
  }
}

#undef GODWIT_BUTTERFLY4
#undef GODWIT_STORE

}  // namespace

constinit const LappedKernels lapped_internal::kScalarKernels = {Fold,  Unfold, Before, After,
                                                                 Pass4, Pass2,  Pass5};

const LappedKernels &LappedKernelsFor(SimdLevel level) {
#if defined(__x86_64__)
  // Wider vectors would serve the last passes only.
  if (level != SimdLevel::kScalar) return lapped_internal::kAvx2Kernels;
#endif
  (void)level;
  return lapped_internal::kScalarKernels;
}

}  // namespace godwit::audio
