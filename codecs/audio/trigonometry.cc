#include "codecs/audio/trigonometry.h"

#include <cassert>

namespace godwit::audio {
namespace {

__extension__ using Wide = __int128;
constexpr int kBits = 60;
constexpr int64_t kPi = 3622009729038561421;  // pi * 2^60

int64_t Times(int64_t a, int64_t b) { return static_cast<int64_t>((Wide{a} * b) >> kBits); }

}  // namespace

int32_t SineQ30(uint32_t num, uint32_t den) {
  assert(den > 0 && 2 * num <= den);
  const auto x = static_cast<int64_t>(Wide{kPi} * num / den);
  const int64_t square = Times(x, x);
  int64_t term = x, sum = x;
  for (int i = 2; term != 0 && i < 40; i += 2) {
    term = -Times(term, square) / (i * (i + 1));
    sum += term;
  }
  return static_cast<int32_t>((sum + (int64_t{1} << (kBits - kTwiddleBits - 1))) >>
                              (kBits - kTwiddleBits));
}

}  // namespace godwit::audio
