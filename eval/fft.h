// eval/fft.h: power spectra of real signals, in double precision; for metrics.
#pragma once

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

namespace godwit {

class PowerSpectrum {
 public:
  explicit PowerSpectrum(size_t size);  // a power of two, 4 at least
  // |X|^2 of the samples, with zeros behind them if they are fewer than `size`; size / 2 + 1 bins.
  void Of(std::span<const double> samples, std::vector<double>* bins);

 private:
  size_t size_;
  std::vector<std::complex<double>> roots_, work_;
};

}  // namespace godwit
