#include "eval/pchip.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace godwit {
namespace {

// Slope at an end, from three points; kept to the sign of the first difference and to three times
// it, so that the interpolant stays monotone.
double EndSlope(double h0, double h1, double d0, double d1) {
  const double slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
  if (std::signbit(slope) != std::signbit(d0)) return 0;
  if (std::signbit(d0) != std::signbit(d1) && std::abs(slope) > 3 * std::abs(d0)) return 3 * d0;
  return slope;
}

}  // namespace

Pchip::Pchip(std::vector<double> x, std::vector<double> y)
    : x_(std::move(x)), y_(std::move(y)), slope_(x_.size()) {
  const size_t n = x_.size();
  assert(n >= 2 && y_.size() == n);
  std::vector<double> h(n - 1), d(n - 1);
  for (size_t i = 0; i + 1 < n; ++i) {
    h[i] = x_[i + 1] - x_[i];
    assert(h[i] > 0);
    d[i] = (y_[i + 1] - y_[i]) / h[i];
  }
  if (n == 2) {
    slope_ = {d[0], d[0]};
    return;
  }
  for (size_t i = 1; i + 1 < n; ++i) {
    if (d[i - 1] * d[i] <= 0) continue;  // an extremum: level
    const double w1 = 2 * h[i] + h[i - 1], w2 = h[i] + 2 * h[i - 1];
    slope_[i] = (w1 + w2) / (w1 / d[i - 1] + w2 / d[i]);
  }
  slope_[0] = EndSlope(h[0], h[1], d[0], d[1]);
  slope_[n - 1] = EndSlope(h[n - 2], h[n - 3], d[n - 2], d[n - 3]);
}

double Pchip::Cubic(size_t i, double x) const {
  const double h = x_[i + 1] - x_[i], t = (x - x_[i]) / h;
  const double t2 = t * t, t3 = t2 * t;
  return y_[i] * (2 * t3 - 3 * t2 + 1) + y_[i + 1] * (3 * t2 - 2 * t3) +
         h * (slope_[i] * (t3 - 2 * t2 + t) + slope_[i + 1] * (t3 - t2));
}

double Pchip::At(double x) const {
  assert(x >= x_.front() && x <= x_.back());
  const size_t after = static_cast<size_t>(std::upper_bound(x_.begin(), x_.end(), x) - x_.begin());
  return Cubic(std::clamp<size_t>(after, 1, x_.size() - 1) - 1, x);
}

double Pchip::Integral(double low, double high) const {
  assert(low >= x_.front() && high <= x_.back() && low <= high);
  double sum = 0;
  for (size_t i = 0; i + 1 < x_.size(); ++i) {
    const double a = std::max(low, x_[i]), b = std::min(high, x_[i + 1]);
    if (a >= b) continue;
    sum += (b - a) / 6 * (Cubic(i, a) + 4 * Cubic(i, (a + b) / 2) + Cubic(i, b));  // Simpson
  }
  return sum;
}

}  // namespace godwit
