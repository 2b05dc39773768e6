#include "codecs/array/table_fit.h"

#include <algorithm>
#include <cmath>

namespace godwit::array {
namespace {

// Finite neighbours this far apart are steps of something; nearer, they are noise of rounding.
struct Gaps {
  std::vector<double> values;  // finite, rising
  double unit = 0;             // of the last place of the largest
};

// The step that small gaps are multiples of, from the smallest on, so that each sharpens what the
// next is judged by; 0 where too many are no multiples.
double Refine(const std::vector<double>& gaps, double step, double tolerance) {
  double products = 0, squares = 0;
  size_t misfits = 0;
  for (size_t i = 0; i < gaps.size(); ++i) {
    const double n = std::round(gaps[i] / step);
    if (std::abs(gaps[i] - n * step) > tolerance) {
      if (++misfits * 16 > gaps.size()) return 0;
      continue;
    }
    products += gaps[i] * n;
    squares += n * n;
    step = products / squares;
  }
  return step;
}

// How many steps each value is from the first; nothing where one lies off the lattice.
std::optional<std::vector<int64_t>> Follow(const Gaps& g, double step, double tolerance) {
  std::vector<int64_t> points(g.values.size());
  for (size_t i = 1; i < g.values.size(); ++i) {
    const double gap = g.values[i] - g.values[i - 1];
    const double n = std::round(gap / step);
    if (std::abs(gap - n * step) > tolerance + n * step * 1e-6 || n > 1e8) return std::nullopt;
    points[i] = points[i - 1] + static_cast<int64_t>(n);
    if (points[i] > int64_t{1} << 30) return std::nullopt;
  }
  return points;
}

// Origin and step by least squares over the values.
bool FitLattice(const Gaps& g, const std::vector<int64_t>& points, Lattice* l) {
  const auto count = static_cast<double>(points.size());
  double sn = 0, sv = 0, snn = 0, snv = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const auto n = static_cast<double>(points[i]);
    const double v = g.values[i] - g.values[0];
    sn += n, sv += v, snn += n * n, snv += n * v;
  }
  const double step = (snv - sn * sv / count) / (snn - sn * sn / count);
  const double origin = g.values[0] + (sv - step * sn) / count;
  const double largest = std::max(std::abs(g.values.front()), std::abs(g.values.back()));
  if (!(step > 0) || !(largest > 0)) return false;
  int exponent = 0;
  std::frexp(largest, &exponent);
  l->exponent = exponent - 49;  // twice the largest, from least to largest, stays below 2^51
  if (l->exponent < -200 || l->exponent > 70) return false;
  l->step = std::llround(std::ldexp(step, -l->exponent));
  l->origin = std::llround(std::ldexp(origin, -l->exponent));
  const double last = static_cast<double>(points.back()) * static_cast<double>(l->step);
  return l->step > 0 && l->step < int64_t{1} << 44 && last < 0x1p51;
}

// The usual distance of neighbours in points, 2^-8: the mean of those near the middle one, since
// mixtures of 4 and 5 are 4.9 apart.
uint32_t SpacingOf(const std::vector<int64_t>& points) {
  std::vector<int64_t> gaps;
  for (size_t i = 1; i < points.size(); ++i) gaps.push_back(points[i] - points[i - 1]);
  std::sort(gaps.begin(), gaps.end());
  const int64_t middle = gaps[gaps.size() / 2];
  double sum = 0, count = 0;
  for (const int64_t gap : gaps) {
    if (2 * gap < middle || 2 * gap > 3 * middle) continue;
    sum += static_cast<double>(gap);
    ++count;
  }
  return static_cast<uint32_t>(std::clamp(std::round(sum / count * 256), 1.0, 16777215.0));
}

bool AddLattice(ValueTable& table) {
  Gaps g;
  size_t before = 0;  // NaN and infinity sort to the ends, and lie on the lattice's
  for (const int32_t v : table.values) {
    const double value = FromOrderedBits(v);
    if (std::isfinite(value)) {
      g.values.push_back(value);
    } else if (g.values.empty()) {
      ++before;
    }
  }
  if (g.values.size() < 16) return false;
  const double largest = std::max(std::abs(g.values.front()), std::abs(g.values.back()));
  g.unit = std::ldexp(1, std::ilogb(static_cast<float>(largest)) - 23);
  std::vector<double> gaps;
  for (size_t i = 1; i < g.values.size(); ++i) {
    const double gap = g.values[i] - g.values[i - 1];
    if (gap > 8 * g.unit) gaps.push_back(gap);
  }
  if (gaps.empty()) return false;
  std::sort(gaps.begin(), gaps.end());
  const double least = gaps.front();
  while (gaps.back() > 64 * least) gaps.pop_back();
  for (int divisor = 1; divisor <= 8; ++divisor) {
    const double tolerance = std::min(3 * g.unit, least / divisor / 8);
    const double step = Refine(gaps, least / divisor, tolerance);
    if (step == 0) continue;
    const auto points = Follow(g, step, tolerance);
    if (!points || !FitLattice(g, *points, &table.lattice)) continue;
    table.points.assign(before, 0);
    table.points.insert(table.points.end(), points->begin(), points->end());
    table.points.resize(table.values.size(), points->back());
    table.has_lattice = true;
    table.lattice.spacing = SpacingOf(*points);
    if (SetPlaces(table)) return true;
    table.has_lattice = false;
    return false;
  }
  return false;
}

}  // namespace

std::optional<ValueTable> FitTable(std::vector<int32_t> ordered) {
  const auto samples = static_cast<int64_t>(ordered.size());
  std::sort(ordered.begin(), ordered.end());
  ordered.erase(std::unique(ordered.begin(), ordered.end()), ordered.end());
  const auto entries = static_cast<int64_t>(ordered.size());
  if (entries > MaxTableEntries(samples)) return std::nullopt;
  ValueTable table;
  table.values = std::move(ordered);
  // Without a lattice an entry costs most of a sample.
  if (!AddLattice(table) && entries * 16 > samples) return std::nullopt;
  if (!SetPlaces(table)) return std::nullopt;
  return table;
}

}  // namespace godwit::array
