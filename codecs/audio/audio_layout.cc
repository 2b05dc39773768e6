#include "codecs/audio/audio_layout.h"

#include <bit>
#include <cassert>

#include "codecs/audio/lapped_transform.h"

namespace godwit::audio {
namespace {

int32_t Turned(int64_t a, int64_t c, int64_t b, int64_t s) {
  return static_cast<int32_t>((a * c + b * s + (1 << 14)) >> 15);
}

}  // namespace

bool IsHop(uint32_t hop) {
  return hop >= kMinHop && hop <= kMaxHop && IsBlockSize(hop) && hop % 32 == 0;
}

std::vector<uint16_t> BandEdges(uint32_t hop) {
  std::vector<uint16_t> edges;
  for (uint32_t at = 0; at < hop;) {
    edges.push_back(static_cast<uint16_t>(at));
    at += std::clamp<uint32_t>(at / 40 * 8, 8, 128);
  }
  // What is left over is the last band's, unless it is half as wide as that.
  if (edges.size() >= 2) {
    const uint32_t last = edges.back(), before = edges[edges.size() - 2];
    if (2 * (hop - last) < last - before) edges.pop_back();
  }
  edges.push_back(static_cast<uint16_t>(hop));
  assert(edges.size() <= kMaxBands + 1);
  return edges;
}

int LevelOf(uint64_t energy, uint32_t count) {
  // log2(energy / count) to the nearest integer: 2^(level + 1/2) is passed where the square is.
  // Not above it, so where the search begins.
  const auto places = [](uint64_t v) { return static_cast<int>(std::bit_width(v)); };
  int level = std::clamp(places(energy) - places(count) - 1, 0, kMaxLevel);
  __extension__ using Wide = unsigned __int128;
  const Wide e = Wide{energy} * energy;
  const Wide n = Wide{count} * count * 2;
  while (level < kMaxLevel && e > n << (2 * level)) ++level;
  return level;
}

uint32_t SquareRoot(uint64_t v) {
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << 31; bit != 0; bit >>= 1) {
    if ((root | bit) * (root | bit) <= v) root |= bit;
  }
  return static_cast<uint32_t>(root);
}

void BandSteps(const uint8_t* levels_a, const uint8_t* levels_b, size_t bands, int step, int shape,
               int16_t* steps) {
  const auto level = [&](size_t b) { return std::max<int>(levels_a[b], levels_b[b]); };
  for (size_t b = 0; b < bands; ++b) {
    const int around = level(b == 0 ? 0 : b - 1) + 2 * level(b) + level(std::min(b + 1, bands - 1));
    // Eight times the sum of four levels is their mean in 1/64 octave. 32: the level of soft music.
    const int moved = step + ((shape * (8 * around - 32 * 32)) >> 4);
    steps[b] = static_cast<int16_t>(std::clamp(moved, 0, kMaxStep));
  }
}

namespace {

void Turn(int32_t* a, int32_t* b, size_t n, int32_t cosine, int32_t sine) {
  for (size_t i = 0; i < n; ++i) {
    const int32_t x = a[i], y = b[i];
    a[i] = Turned(x, cosine, y, sine);
    b[i] = Turned(y, cosine, x, -sine);
  }
}

}  // namespace

void Rotate(int32_t* a, int32_t* b, size_t n, int angle) {
  const auto at = static_cast<size_t>(angle);
  if (angle != 0) Turn(a, b, n, kAngleCosine[at], kAngleSine[at]);
}

void RotateBack(int32_t* a, int32_t* b, size_t n, int angle) {
  const auto at = static_cast<size_t>(angle);
  if (angle != 0) Turn(a, b, n, kAngleCosine[at], -kAngleSine[at]);
}

}  // namespace godwit::audio
