#include "eval/similarity.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <vector>

namespace godwit {
namespace {

constexpr double kC1 = 0.01 * 255 * 0.01 * 255, kC2 = 0.03 * 255 * 0.03 * 255;
constexpr std::array<double, kMsssimScales> kScaleWeights = {0.0448, 0.2856, 0.3001, 0.2363,
                                                             0.1333};

std::array<double, kSsimWindow> GaussianWindow() {
  std::array<double, kSsimWindow> window;
  double sum = 0;
  for (int64_t i = 0; i < kSsimWindow; ++i) {
    const double x = static_cast<double>(i - kSsimWindow / 2);
    window[static_cast<size_t>(i)] = std::exp(-x * x / (2 * 1.5 * 1.5));
    sum += window[static_cast<size_t>(i)];
  }
  for (double& w : window) w /= sum;
  return window;
}

// Means over all places where the window lies inside the picture.
struct Means {
  double ssim = 0, contrast = 0;
};

// Rows of the five local moments, blurred along x; the last eleven of them in a ring, to be blurred
// along y. Plain loops over x, which the compiler turns into SIMD.
class MomentRows {
 public:
  static constexpr size_t kMoments = 5;  // a, b, aa, bb, ab

  explicit MomentRows(int64_t width)
      : width_(width), out_width_(width - kSsimWindow + 1), window_(GaussianWindow()) {
    for (auto& products : products_) products.resize(static_cast<size_t>(width));
    for (auto& row : ring_) row.resize(static_cast<size_t>(out_width_));
    for (auto& row : blurred_) row.resize(static_cast<size_t>(out_width_));
  }

  void Push(const double* a, const double* b, int64_t y) {
    for (size_t x = 0; x < static_cast<size_t>(width_); ++x) {
      products_[0][x] = a[x];
      products_[1][x] = b[x];
      products_[2][x] = a[x] * a[x];
      products_[3][x] = b[x] * b[x];
      products_[4][x] = a[x] * b[x];
    }
    for (size_t m = 0; m < kMoments; ++m) {
      std::vector<double>& row = Row(y, m);
      std::fill(row.begin(), row.end(), 0.0);
      for (size_t k = 0; k < window_.size(); ++k) Accumulate(&products_[m][k], window_[k], row);
    }
  }

  // Of the window whose last row is `y`.
  void AddMeans(int64_t y, Means* means) {
    for (size_t m = 0; m < kMoments; ++m) {
      std::fill(blurred_[m].begin(), blurred_[m].end(), 0.0);
      for (int64_t k = 0; k < kSsimWindow; ++k) {
        Accumulate(Row(y - k, m).data(), window_[static_cast<size_t>(k)], blurred_[m]);
      }
    }
    for (size_t x = 0; x < static_cast<size_t>(out_width_); ++x) {
      const double mean_a = blurred_[0][x], mean_b = blurred_[1][x];
      const double ab = mean_a * mean_b, squares = mean_a * mean_a + mean_b * mean_b;
      const double contrast =
          (2 * (blurred_[4][x] - ab) + kC2) / (blurred_[2][x] + blurred_[3][x] - squares + kC2);
      means->contrast += contrast;
      means->ssim += (2 * ab + kC1) / (squares + kC1) * contrast;
    }
  }

 private:
  std::vector<double>& Row(int64_t y, size_t moment) {
    return ring_[static_cast<size_t>(y % kSsimWindow) * kMoments + moment];
  }
  static void Accumulate(const double* from, double weight, std::vector<double>& to) {
    double* const out = to.data();
    const size_t n = to.size();
    for (size_t x = 0; x < n; ++x) out[x] += weight * from[x];
  }

  int64_t width_, out_width_;
  std::array<double, kSsimWindow> window_;
  std::array<std::vector<double>, kMoments> products_, blurred_;
  std::array<std::vector<double>, kSsimWindow * kMoments> ring_;
};

Means MeasureMeans(const Plane& a, const Plane& b) {
  assert(a.height() == b.height() && a.width() == b.width());
  assert(a.height() >= kSsimWindow && a.width() >= kSsimWindow);
  MomentRows rows(a.width());
  Means means;
  for (int64_t y = 0; y < a.height(); ++y) {
    rows.Push(a.data() + y * a.width(), b.data() + y * a.width(), y);
    if (y >= kSsimWindow - 1) rows.AddMeans(y, &means);
  }
  const double places =
      static_cast<double>((a.height() - kSsimWindow + 1) * (a.width() - kSsimWindow + 1));
  means.ssim /= places;
  means.contrast /= places;
  return means;
}

}  // namespace

double Ssim(const Plane& a, const Plane& b) { return MeasureMeans(a, b).ssim; }

double Msssim(const Plane& a, const Plane& b) {
  const Plane *p = &a, *q = &b;
  Plane half_a, half_b;
  double product = 1;
  for (size_t scale = 0;; ++scale) {
    const Means means = MeasureMeans(*p, *q);
    const bool last = scale + 1 == kScaleWeights.size();
    // A mean below 0, possible for unrelated pictures only, has no real power.
    product *= std::pow(std::max(last ? means.ssim : means.contrast, 0.0), kScaleWeights[scale]);
    if (last) return product;
    half_a = HalfSize(*p);
    half_b = HalfSize(*q);
    p = &half_a;
    q = &half_b;
  }
}

}  // namespace godwit
