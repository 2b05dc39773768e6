// codecs/array/value_table.h: the values that a channel of f32 takes at all, where they are few:
// the numbers of a converter behind the floats. docs/format/array.md section 7.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "codecs/array/bit_coder.h"
#include "codecs/array/value_map.h"

namespace godwit::array {

// Most entries of a table of a channel with so many samples.
inline int64_t MaxTableEntries(int64_t samples) { return std::max<int64_t>(1, samples / 2); }
// Places go up to this; keeps what a reader holds in proportion.
inline int64_t MaxTablePlace(int64_t entries) { return 8 * entries + (1 << 16); }

// Points origin + n * step in 2^exponent, which most entries are nearest to.
struct Lattice {
  int64_t origin = 0, step = 0;  // within +-2^51; 0 < step < 2^44
  int exponent = 0;
  uint32_t spacing = 0;  // of neighbours in points, 2^-8: a place each

  int32_t OrderedAt(int64_t n) const {
    const int64_t at = origin + n * step;  // both within 2^51
    return OrderedBits(FloatFromWhole(at < 0, static_cast<uint64_t>(at < 0 ? -at : at), exponent));
  }
};

struct ValueTable {
  bool has_lattice = false;
  Lattice lattice;
  std::vector<int64_t> points;  // with a lattice: of each entry, from 0 on, never falling
  std::vector<int32_t> values;  // ordered bits, rising
  std::vector<int32_t> places;  // what is coded instead, rising
};

// Where entries lie, from their points; false where that is beyond MaxTablePlace().
inline bool SetPlaces(ValueTable& t) {
  t.places.resize(t.values.size());
  const int64_t most = MaxTablePlace(static_cast<int64_t>(t.values.size()));
  for (size_t i = 0; i < t.values.size(); ++i) {
    int64_t place = static_cast<int64_t>(i);
    if (t.has_lattice) place = (t.points[i] * 256 + t.lattice.spacing / 2) / t.lattice.spacing;
    if (i > 0) place = std::max(place, int64_t{t.places[i - 1]} + 1);
    if (place > most) return false;
    t.places[i] = static_cast<int32_t>(place);
  }
  return true;
}

// `samples` of the channel. Writes a table that is whole or reads one; the status says what is
// wrong with one that was read.
template <typename Coder>
Status CodeTable(Coder& coder, int64_t samples, ValueTable& t) {
  constexpr int64_t kMaxOrigin = int64_t{1} << 51, kMaxPoint = int64_t{1} << 36;
  const Status bad(StatusCode::kCorrupt, "table of values out of range");
  GammaModel counts, gaps[4], rests;
  const auto entries = static_cast<int64_t>(CodeGamma(coder, counts, t.values.size() - 1)) + 1;
  if (entries > MaxTableEntries(samples)) return bad;
  t.values.resize(static_cast<size_t>(entries));
  t.has_lattice = coder.CodeRaw(t.has_lattice, 1) != 0;
  Lattice& l = t.lattice;
  if (t.has_lattice) {
    t.points.resize(t.values.size());
    l.origin = CodeSignedGamma(coder, counts, l.origin >> 6) * 64 +
               static_cast<int64_t>(coder.CodeRaw(static_cast<uint32_t>(l.origin & 63), 6));
    l.step = static_cast<int64_t>(CodeWide(coder, static_cast<uint64_t>(l.step), 44));
    l.exponent = static_cast<int>(coder.CodeRaw(static_cast<uint32_t>(l.exponent + 256), 9)) - 256;
    l.spacing = static_cast<uint32_t>(CodeWide(coder, l.spacing, 24));
    if (l.step == 0 || l.spacing == 0 || l.origin < -kMaxOrigin || l.origin > kMaxOrigin) {
      return bad;
    }
  }
  int64_t point = 0, before = -1;
  size_t model = 0;
  for (size_t i = 0; i < t.values.size(); ++i) {
    int64_t from = before + 1;  // what the rest counts from
    if (t.has_lattice) {
      const int64_t gap = static_cast<int64_t>(CodeGamma(coder, gaps[model], t.points[i] - point));
      model = std::min<size_t>(3, std::bit_width(static_cast<uint64_t>(gap)));
      point += gap;
      if (point > kMaxPoint || point > kMaxOrigin / l.step) return bad;
      t.points[i] = point;
      from = l.OrderedAt(point);
    } else if (i == 0) {
      from = 0;
    }
    const int64_t value = from + CodeSignedGamma(coder, rests, t.values[i] - from);
    if (value < INT32_MIN || value > INT32_MAX || (i > 0 && value <= before)) return bad;
    t.values[i] = static_cast<int32_t>(value);
    before = value;
  }
  return SetPlaces(t) ? Status() : bad;
}

}  // namespace godwit::array
