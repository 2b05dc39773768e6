#include "codecs/array/predictor_fit.h"

#include <algorithm>
#include <cmath>

namespace godwit::array {
namespace {

// The lower triangle of a symmetric matrix of n rows, solved in place by Cholesky; false where it
// is not positive.
bool Solve(std::vector<double>& a, std::vector<double>& b, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      if (i == j && !(sum > 0)) return false;
      a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
  return true;
}

// Every so many samples of the plane enter the sums.
int64_t StrideFor(const PlaneGeometry& g, size_t taps) {
  const int64_t wanted = std::max<int64_t>(16384, static_cast<int64_t>(taps) * 200);
  return std::max<int64_t>(1, g.height * g.width / wanted);
}

void Quantise(const std::vector<double>& from, const TapSet& taps, PlaneModel& model) {
  model.weights.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    const int bits = i < taps.levels ? PlaneCoder::kLevelPrecision : PlaneCoder::kPrecision;
    const double limited = std::clamp(from[i], -30.0, 30.0);
    model.weights[i] =
        static_cast<int32_t>(std::lround(limited * (1 << bits))) * (1 << (kWeightBits - bits));
  }
}

}  // namespace

PlaneModel FitPlane(PredictedTile& tile, int64_t plane) {
  const PlaneGeometry& g = tile.geometry;
  for (int64_t y = 0; y < g.height; ++y) {
    BeginRow(g, tile.values.data(), plane, y);
    EndRow(g, tile.values.data(), plane, y);
  }
  PlaneModel model;
  model.references = ReferencesOf(tile, plane);
  // A short plane cannot pay for many weights.
  const int64_t samples = g.height * g.width;
  while (!model.references.empty() &&
         static_cast<int64_t>(MakeTaps(g, model.references).taps.size()) * 12 > samples) {
    model.references.pop_back();
  }
  const TapSet taps = MakeTaps(g, model.references);
  const size_t n = taps.taps.size();
  std::vector<double> simple(n, 0);
  simple[0] = 1;
  Quantise(simple, taps, model);
  const int64_t first_row = g.height > 4 ? 1 : 0;
  // Too short to fit: what the plane before ended with, where there is one, else the neighbour.
  model.kept = true;
  if (samples < static_cast<int64_t>(n) * 8) return model;

  std::vector<double> sums(n + 1), products((n + 1) * (n + 1)), row(n + 1);
  const int64_t stride = StrideFor(g, n);
  int64_t count = 0;
  const int32_t* const values = tile.values.data();
  const int32_t origin = values[g.At(plane, 0, 0)];  // keeps the sums small
  for (int64_t i = first_row * g.width; i < samples; i += stride) {
    const int64_t at = g.At(plane, i / g.width, i % g.width);
    if (!tile.exceptions.empty() && tile.exceptions[static_cast<size_t>(at)] != 0) continue;
    const int32_t* const v = values + at;
    for (size_t t = 0; t < n; ++t) {
      row[t] = double(v[taps.taps[t].at]) -
               (t < taps.levels ? double(origin) : double(v[taps.taps[t].minus]));
    }
    row[n] = double(*v) - origin;
    for (size_t a = 0; a <= n; ++a) {
      sums[a] += row[a];
      double* const line = products.data() + a * (n + 1);
      const double x = row[a];
      for (size_t b = 0; b <= a; ++b) line[b] += x * row[b];
    }
    ++count;
  }
  if (count < static_cast<int64_t>(n) * 4) return model;
  std::vector<double> matrix(n * n), solution(n);
  const double scale = 1 / static_cast<double>(count);
  for (size_t a = 0; a <= n; ++a) {
    for (size_t b = 0; b <= a; ++b) {
      const double covariance =
          products[a * (n + 1) + b] * scale - sums[a] * sums[b] * scale * scale;
      if (a < n) {
        matrix[a * n + b] = covariance;
      } else if (b < n) {
        solution[b] = covariance;
      }
    }
  }
  // Directions that the data hardly has stay at nothing.
  for (size_t a = 0; a < n; ++a) matrix[a * n + a] += 1e-9 + matrix[a * n + a] * 1e-7;
  if (!Solve(matrix, solution, n)) return model;
  model.kept = false;
  Quantise(solution, taps, model);
  double bias = sums[n] * scale + origin;
  for (size_t t = 0; t < n; ++t) {
    const double mean = sums[t] * scale + (t < taps.levels ? double(origin) : 0);
    bias -= mean * model.weights[t] / (1 << kWeightBits);
  }
  model.bias = static_cast<int64_t>(
      std::llround(std::clamp(bias, -double(1LL << 31), double(1LL << 31)) * (1 << kWeightBits)));
  return model;
}

}  // namespace godwit::array
