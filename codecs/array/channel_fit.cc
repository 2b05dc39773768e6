#include "codecs/array/channel_fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace godwit::array {
namespace {

using Matrix = std::vector<double>;  // n x n, by rows

// Eigenvalues of a symmetric matrix, and its eigenvectors as columns, by Jacobi's rotations.
void Eigen(Matrix& a, Matrix& vectors, size_t n) {
  vectors.assign(n * n, 0);
  for (size_t i = 0; i < n; ++i) vectors[i * n + i] = 1;
  for (int sweep = 0; sweep < 20; ++sweep) {
    double off = 0, diagonal = 0;
    for (size_t i = 0; i < n; ++i) {
      diagonal += a[i * n + i] * a[i * n + i];
      for (size_t j = 0; j < i; ++j) off += a[i * n + j] * a[i * n + j];
    }
    if (off <= 1e-18 * diagonal) return;
    for (size_t p = 0; p < n; ++p) {
      for (size_t q = p + 1; q < n; ++q) {
        const double apq = a[p * n + q];
        if (apq == 0) continue;
        const double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
        const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        const auto turn = [&](double& x, double& y) {
          const double u = x;
          x = c * u - s * y;
          y = s * u + c * y;
        };
        for (size_t k = 0; k < n; ++k) turn(a[k * n + p], a[k * n + q]);
        for (size_t k = 0; k < n; ++k) turn(a[p * n + k], a[q * n + k]);
        for (size_t k = 0; k < n; ++k) turn(vectors[k * n + p], vectors[k * n + q]);
      }
    }
  }
}

// Inverse of a positive symmetric matrix, by Gauss and Jordan; false where there is none.
bool Invert(Matrix& a, size_t n) {
  Matrix inverse(n * n, 0);
  for (size_t i = 0; i < n; ++i) inverse[i * n + i] = 1;
  for (size_t p = 0; p < n; ++p) {
    const double pivot = a[p * n + p];
    if (!(std::abs(pivot) > 1e-9)) return false;
    for (size_t j = 0; j < n; ++j) a[p * n + j] /= pivot, inverse[p * n + j] /= pivot;
    for (size_t i = 0; i < n; ++i) {
      const double f = a[i * n + p];
      if (i == p || f == 0) continue;
      for (size_t j = 0; j < n; ++j) {
        a[i * n + j] -= f * a[p * n + j];
        inverse[i * n + j] -= f * inverse[p * n + j];
      }
    }
  }
  a = std::move(inverse);
  return true;
}

// Mean products of the channels, about zero, of some of the samples.
Matrix Covariance(const std::vector<int32_t>& values, const WaveletTile& tile) {
  const auto n = static_cast<size_t>(tile.channels);
  const auto count = static_cast<size_t>(tile.shape.count());
  const size_t stride = std::max<size_t>(1, count / 8192);
  Matrix sums(n * n, 0);
  std::vector<double> v(n);
  size_t seen = 0;
  for (size_t i = 0; i < count; i += stride, ++seen) {
    for (size_t c = 0; c < n; ++c) v[c] = values[c * count + i];
    for (size_t c = 0; c < n; ++c) {
      for (size_t d = 0; d <= c; ++d) sums[c * n + d] += v[c] * v[d];
    }
  }
  for (size_t c = 0; c < n; ++c) {
    for (size_t d = 0; d <= c; ++d) {
      sums[c * n + d] /= static_cast<double>(std::max<size_t>(seen, 1));
      sums[d * n + c] = sums[c * n + d];
    }
  }
  return sums;
}

}  // namespace

std::vector<int32_t> FitMix(const std::vector<int32_t>& values, double step, WaveletTile& tile) {
  const auto n = static_cast<size_t>(tile.channels);
  const auto count = static_cast<size_t>(tile.shape.count());
  tile.mix_precision = 0;
  tile.components = tile.channels;
  if (n < 2 || tile.channels > kMaxMixedChannels || count < 4 * n) return values;
  Matrix covariance = Covariance(values, tile), vectors;
  const Matrix apart = covariance;
  Eigen(covariance, vectors, n);
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return covariance[a * n + a] > covariance[b * n + b];
  });
  // Bits by reverse water-filling, of the channels as they are and mixed.
  const double noise = step * step / 12;
  const auto bits = [&](double variance) { return std::max(0.0, std::log2(variance / noise)) / 2; };
  double bits_apart = 0, bits_mixed = 0;
  size_t used = 0;
  for (size_t i = 0; i < n; ++i) {
    bits_apart += bits(apart[i * n + i]);
    const double v = covariance[order[i] * n + order[i]];
    bits_mixed += bits(v);
    if (v > noise / 4) used = i + 1;
  }
  used = std::max<size_t>(used, 1);
  // The weights need to be as precise as the largest component is large in steps.
  const double largest = std::sqrt(std::max(1.0, covariance[order[0] * n + order[0]] / noise));
  const int precision = std::clamp(static_cast<int>(std::ceil(std::log2(largest))) + 1, 5, 12);
  const double side = static_cast<double>(n * used) * (precision - 2);
  if ((bits_apart - bits_mixed) * static_cast<double>(count) < 2 * side) return values;
  tile.mix_precision = precision;
  tile.components = static_cast<int64_t>(used);
  tile.mix.assign(n * used, 0);
  Matrix synthesis(n * used);
  for (size_t k = 0; k < used; ++k) {
    double sum = 0;
    for (size_t c = 0; c < n; ++c) sum += vectors[c * n + order[k]];
    for (size_t c = 0; c < n; ++c) {
      const double w = (sum < 0 ? -1 : 1) * vectors[c * n + order[k]];
      const auto q = static_cast<int32_t>(std::lround(w * (1 << precision)));
      tile.mix[c * used + k] = q * (1 << (kMixBits - precision));
      synthesis[c * used + k] = static_cast<double>(q) / (1 << precision);
    }
  }
  // Least squares with the weights as rounded: (S'S)^-1 S'.
  Matrix square(used * used, 0);
  for (size_t i = 0; i < used; ++i) {
    for (size_t j = 0; j < used; ++j) {
      for (size_t c = 0; c < n; ++c) {
        square[i * used + j] += synthesis[c * used + i] * synthesis[c * used + j];
      }
    }
  }
  if (!Invert(square, used)) {
    tile.mix_precision = 0;
    tile.components = tile.channels;
    return values;
  }
  Matrix analysis(used * n, 0);
  for (size_t k = 0; k < used; ++k) {
    for (size_t j = 0; j < used; ++j) {
      for (size_t c = 0; c < n; ++c) {
        analysis[k * n + c] += square[k * used + j] * synthesis[c * used + j];
      }
    }
  }
  std::vector<int32_t> parts(count * used);
  std::vector<double> row(count);
  for (size_t k = 0; k < used; ++k) {
    std::fill(row.begin(), row.end(), 0);
    for (size_t c = 0; c < n; ++c) {
      const double w = analysis[k * n + c];
      const int32_t* const from = values.data() + c * count;
      for (size_t i = 0; i < count; ++i) row[i] += w * from[i];
    }
    for (size_t i = 0; i < count; ++i) {
      parts[k * count + i] = static_cast<int32_t>(std::lround(std::clamp(row[i], -1e9, 1e9)));
    }
  }
  return parts;
}

}  // namespace godwit::array
