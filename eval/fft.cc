#include "eval/fft.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numbers>

namespace godwit {

PowerSpectrum::PowerSpectrum(size_t size) : size_(size), roots_(size / 2), work_(size) {
  assert(size >= 4 && std::has_single_bit(size));
  for (size_t i = 0; i < size / 2; ++i) {
    roots_[i] =
        std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(size));
  }
}

void PowerSpectrum::Of(std::span<const double> samples, std::vector<double>* bins) {
  assert(samples.size() <= size_);
  std::fill(work_.begin(), work_.end(), 0.0);
  const int bits = std::countr_zero(size_);
  for (size_t i = 0; i < samples.size(); ++i) {
    size_t reversed = 0;
    for (int b = 0; b < bits; ++b) reversed |= (i >> b & 1) << (bits - 1 - b);
    work_[reversed] = samples[i];
  }
  for (size_t half = 1; half < size_; half *= 2) {
    const size_t stride = size_ / (2 * half);
    for (size_t start = 0; start < size_; start += 2 * half) {
      for (size_t k = 0; k < half; ++k) {
        const std::complex<double> a = work_[start + k], w = roots_[k * stride],
                                   v = work_[start + k + half];
        // By hand: operator* looks for NaN, which makes it ten times as slow.
        const std::complex<double> b(v.real() * w.real() - v.imag() * w.imag(),
                                     v.real() * w.imag() + v.imag() * w.real());
        work_[start + k] = a + b;
        work_[start + k + half] = a - b;
      }
    }
  }
  bins->resize(size_ / 2 + 1);
  for (size_t i = 0; i < bins->size(); ++i) (*bins)[i] = std::norm(work_[i]);
}

}  // namespace godwit
