#include "codecs/image/lossless_plane.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "entropy/adaptive_bit.h"
#include "entropy/bit_stream.h"

namespace godwit {
namespace {

constexpr int kFastRate = 4, kSlowRate = 6;
constexpr int64_t kRun = 16;  // pixels that one bit can skip
constexpr int kActivities = 8;
constexpr size_t kFinePatterns = 6561, kCoarsePatterns = 1029;  // 3^8, 7^3 * 3
constexpr uint8_t kOutside = 255;                               // the rows above the plane: opaque

// A decision learned at two speeds; their mean serves small planes and large ones.
struct Context {
  AdaptiveBit fast, slow;
  uint32_t p1() const { return (uint32_t{fast.p1} + slow.p1) >> 1; }
  void Update(bool bit) {
    fast.Update(bit, kFastRate);
    slow.Update(bit, kSlowRate);
  }
};

// One bit in either direction. Of two contexts the mean counts.
template <typename Coder>
bool CodeIn(Coder& coder, Context& context, bool bit) {
  bit = coder.CodeBit(bit, context.p1());
  context.Update(bit);
  return bit;
}
template <typename Coder>
bool CodeIn(Coder& coder, Context& a, Context& b, bool bit) {
  bit = coder.CodeBit(bit, (a.p1() + b.p1()) >> 1);
  a.Update(bit);
  b.Update(bit);
  return bit;
}

size_t Sign3(int v) { return v > 0 ? 2 : v < 0 ? 0 : 1; }
// -3..3 as 0..6: nothing, one step, up to four, more.
size_t Step7(int v) {
  const int size = std::abs(v);
  const int step = size < 2 ? size : size < 5 ? 2 : 3;
  return static_cast<size_t>(v < 0 ? 3 - step : 3 + step);
}

// The pixels around the one being coded, at (y, x); outside the plane the nearest that is known.
struct Neighbours {
  int left, above, corner, right;  // (y, x-1) (y-1, x) (y-1, x-1) (y-1, x+1)
  int left2, corner2, right2;      // (y, x-2) (y-1, x-2) (y-1, x+2)
  int above2, above2_right;        // (y-2, x) (y-2, x+1)

  // Median edge detector (LOCO-I): flat areas, and edges of any direction that go on, are exact.
  int Median() const {
    if (corner >= std::max(left, above)) return std::min(left, above);
    if (corner <= std::min(left, above)) return std::max(left, above);
    return left + above - corner;
  }
  // CALIC's guess for smooth ground: it averages noise where the median follows it.
  int Smooth() const { return std::clamp((2 * (left + above) + right - corner + 2) >> 2, 0, 255); }
  size_t Activity() const {
    constexpr std::array<int, kActivities - 1> kSteps = {1, 2, 4, 8, 16, 40, 100};
    const int d = std::abs(left - corner) + std::abs(above - corner) + std::abs(right - above);
    return static_cast<size_t>(std::upper_bound(kSteps.begin(), kSteps.end(), d) - kSteps.begin());
  }
  size_t Extremes() const {  // 0, 1 or 2 for more
    const auto extreme = [](int v) { return size_t{v == 0 || v == 255}; };
    return std::min(size_t{2}, extreme(left) + extreme(above) + extreme(right));
  }
  // Where the ground is flat but for one step (activity < 2), the shape of the step: a smooth
  // ramp's rounding draws contour lines, and this template follows them. Without it a clean
  // gradient costs 30 % more, and more than a PNG.
  size_t FinePattern() const {
    size_t p = Sign3(left - corner);
    for (const int d : {above - corner, right - above, left2 - left, corner2 - corner,
                        right2 - right, above2 - above, above2_right - right}) {
      p = p * 3 + Sign3(d);
    }
    return p;
  }
  size_t CoarsePattern() const {
    return ((Step7(left - corner) * 7 + Step7(above - corner)) * 7 + Step7(right - above)) * 3 +
           Sign3(left - left2);
  }
};

// How far a pixel was from what was predicted.
struct Errors {
  int16_t used = 0;                // of the prediction in use, with its sign
  int16_t median = 0, smooth = 0;  // sizes
};

// Two of a kind by which prediction is in use.
struct PatternContexts {
  std::array<Context, kFinePatterns * 2> fine;
  std::array<Context, kCoarsePatterns * 2> coarse;
  Context& At(const Neighbours& n, size_t activity, bool smooth) {
    return activity < 2 ? fine[n.FinePattern() * 2 + smooth]
                        : coarse[n.CoarsePattern() * 2 + smooth];
  }
};

struct Contexts {
  std::array<Context, 4> row;                      // differs from the one above
  std::array<Context, 16> run;                     // holds a pixel that is not its median
  std::array<Context, kActivities * 27 * 2> miss;  // the prediction is not met
  PatternContexts miss_pattern;
  std::array<Context, kActivities * 3> extreme;   // instead it is 0 or 255
  std::array<Context, 3> opaque;                  // ... and 255
  std::array<Context, kActivities * 9> negative;  // the sign of the error
  PatternContexts negative_pattern;
  std::array<std::array<Context, 7>, kActivities * 3> exponent;  // unary: the size has more bits
  std::array<std::array<Context, 128>, 7> mantissa;              // the bits below the top, a tree

  Contexts() {
    const auto start = [](std::span<Context> contexts, uint16_t p1) {
      std::fill(contexts.begin(), contexts.end(), Context{{p1}, {p1}});
    };
    start(row, 4096);
    start(std::span(run).subspan(8), 2048);
    start(std::span(miss).first(54), 4096);
  }
};

// Codes one pixel against its prediction; `value` means nothing to a reader. Returns the pixel.
template <typename Coder>
int CodePixel(Coder& coder, Contexts& contexts, const Neighbours& n, bool smooth, int error_left,
              int error_above, int error_right, int value) {
  const int predicted = smooth ? n.Smooth() : n.Median();
  const size_t activity = n.Activity();
  const size_t signs = Sign3(error_left) * 3 + Sign3(error_above);
  const bool at_end = predicted == 0 || predicted == 255;
  Context& miss = contexts.miss[((activity * 9 + signs) * 3 + Sign3(error_right)) * 2 + at_end];
  if (!CodeIn(coder, miss, contexts.miss_pattern.At(n, activity, smooth), value != predicted)) {
    return predicted;
  }

  const size_t extremes = n.Extremes();
  if (CodeIn(coder, contexts.extreme[activity * 3 + extremes], value == 0 || value == 255)) {
    if (at_end) return 255 - predicted;
    return CodeIn(coder, contexts.opaque[extremes], value == 255) ? 255 : 0;
  }

  bool negative = predicted == 255;
  if (!at_end) {
    negative = CodeIn(coder, contexts.negative[activity * 9 + signs],
                      contexts.negative_pattern.At(n, activity, smooth), value < predicted);
  }
  // The size, 1..254, as the position of its top bit and the bits below it.
  const auto size = static_cast<unsigned>(std::abs(value - predicted));
  const int around = (std::abs(error_left) + std::abs(error_above) + 1) / 4;
  auto& exponents = contexts.exponent[activity * 3 + static_cast<size_t>(std::min(2, around))];
  size_t exponent = 0;
  while (exponent < 7 && CodeIn(coder, exponents[exponent], size >> (exponent + 1))) ++exponent;
  unsigned prefix = 1;
  for (size_t i = exponent; i-- > 0;) {
    prefix = prefix * 2 + CodeIn(coder, contexts.mantissa[exponent - 1][prefix], size >> i & 1);
  }
  const int error = static_cast<int>(prefix);
  // Hostile bytes may leave 0..255; the mask keeps the noise in a pixel.
  return (negative ? predicted - error : predicted + error) & 255;
}

// A row with one pixel more on each side, so that no neighbour needs a test.
struct Row {
  explicit Row(int64_t width) : pixels(static_cast<size_t>(width) + 2), errors(pixels.size()) {}
  std::vector<uint8_t> pixels;
  std::vector<Errors> errors;  // none in repeated rows, in runs of medians and outside
};

template <typename Coder>
class PlaneCoder {
 public:
  PlaneCoder(Coder& coder, int64_t width)
      : coder_(coder),
        width_(width),
        above2_(width),
        above_(width),
        row_(width),
        missed_(static_cast<size_t>((width + kRun - 1) / kRun) + 1) {
    for (Row* row : {&above2_, &above_, &row_}) {
      std::fill(row->pixels.begin(), row->pixels.end(), kOutside);
    }
  }

  // `pixels` holds the row to write, or receives the row that is read.
  uint8_t* BeginRow() {
    std::swap(above2_, above_);
    std::swap(above_, row_);
    return row_.pixels.data() + 1;
  }
  void CodeRow() {
    const bool differs = CodeIn(coder_, contexts_.row[history_],
                                !std::equal(Pixels(row_), Pixels(row_) + width_, Pixels(above_)));
    history_ = (history_ * 2 + differs) % contexts_.row.size();
    if (!differs) {
      std::copy_n(Pixels(above_), width_, Pixels(row_));
      std::fill(row_.errors.begin(), row_.errors.end(), Errors());
      std::fill(missed_.begin(), missed_.end(), uint8_t{0});
    } else {
      // Left of the row: the pixel above it. Right of the rows above: their last pixels.
      row_.pixels.front() = above_.pixels.front() = above_.pixels[1];
      for (Row* row : {&above2_, &above_}) {
        row->pixels.back() = row->pixels[static_cast<size_t>(width_)];
      }
      for (int64_t x = 0; x < width_; x += kRun) CodeRun(x, std::min(x + kRun, width_));
    }
  }

 private:
  static uint8_t* Pixels(Row& row) { return row.pixels.data() + 1; }
  Neighbours Around(int64_t x) {
    const uint8_t* row = Pixels(row_) + x;
    const uint8_t* above = Pixels(above_) + x;
    const uint8_t* above2 = Pixels(above2_) + x;
    const int64_t two_left = x > 0 ? -2 : -1, two_right = x + 1 < width_ ? 2 : 1;
    return {row[-1],         above[0],         above[-1], above[1], row[two_left],
            above[two_left], above[two_right], above2[0], above2[1]};
  }
  bool AreMedians(int64_t begin, int64_t end) {
    for (int64_t x = begin; x < end; ++x) {
      if (Around(x).Median() != Pixels(row_)[x]) return false;
    }
    return true;
  }
  void CodeRun(int64_t begin, int64_t end) {
    const auto block = static_cast<size_t>(begin / kRun);
    const int left = Pixels(row_)[begin - 1];
    const bool flat = std::all_of(Pixels(above_) + begin - 1, Pixels(above_) + end + 1,
                                  [left](uint8_t v) { return v == left; });
    // missed_ holds this row before `block` and the row above from it on.
    const size_t context = (block > 0 && missed_[block - 1] ? 1u : 0u) + missed_[block] * 2u +
                           missed_[block + 1] * 4u + flat * 8u;
    const bool missed = CodeIn(coder_, contexts_.run[context], !AreMedians(begin, end));
    missed_[block] = missed;
    for (int64_t x = begin; x < end; ++x) {
      const Neighbours n = Around(x);
      Errors* const errors = row_.errors.data() + 1 + x;
      const Errors* const above = above_.errors.data() + 1 + x;
      *errors = {};
      int value = n.Median();
      if (missed) {
        const int by_median =
            errors[-1].median + above[-1].median + above[0].median + above[1].median;
        const int by_smooth =
            errors[-1].smooth + above[-1].smooth + above[0].smooth + above[1].smooth;
        const bool smooth = by_smooth < by_median;
        value = CodePixel(coder_, contexts_, n, smooth, errors[-1].used, above[0].used,
                          above[1].used, Pixels(row_)[x]);
        *errors = {static_cast<int16_t>(value - (smooth ? n.Smooth() : n.Median())),
                   static_cast<int16_t>(std::abs(value - n.Median())),
                   static_cast<int16_t>(std::abs(value - n.Smooth()))};
      }
      Pixels(row_)[x] = static_cast<uint8_t>(value);
    }
  }

  Coder& coder_;
  int64_t width_;
  Contexts contexts_;
  Row above2_, above_, row_;
  std::vector<uint8_t> missed_;  // by run of 16; one more, always 0
  size_t history_ = 0;           // whether the two rows before differed
};

// A plane as bytes in reading order: what a stream of full size holds.
size_t SampleCount(int64_t height, int64_t width) {
  return static_cast<size_t>(height) * static_cast<size_t>(width);
}

}  // namespace

size_t LosslessPlaneBound(int64_t height, int64_t width) { return SampleCount(height, width); }

Result<size_t> EncodeLosslessPlane(TensorView<const uint8_t> plane, std::span<std::byte> out) {
  assert(plane.channels == 1 && plane.height >= 0 && plane.width >= 0);
  const size_t count = SampleCount(plane.height, plane.width);
  if (count == 0) return size_t{0};
  // A stream as long as the plane is the plane itself, so a coded one must be shorter.
  BitWriter writer(out.first(std::min(out.size(), count - 1)));
  PlaneCoder<BitWriter> coder(writer, plane.width);
  for (int64_t y = 0; y < plane.height; ++y) {
    uint8_t* pixels = coder.BeginRow();
    for (int64_t x = 0; x < plane.width; ++x) pixels[x] = *plane.At(y, x);
    coder.CodeRow();
  }
  Result<size_t> size = writer.Finish();
  if (size.ok() || out.size() < count) return size;
  for (int64_t y = 0; y < plane.height; ++y) {
    for (int64_t x = 0; x < plane.width; ++x) {
      out[static_cast<size_t>(y * plane.width + x)] = std::byte{*plane.At(y, x)};
    }
  }
  return count;
}

Status DecodeLosslessPlane(std::span<const std::byte> in, TensorView<uint8_t> plane) {
  assert(plane.channels == 1 && plane.height >= 0 && plane.width >= 0);
  const size_t count = SampleCount(plane.height, plane.width);
  if (in.size() > count) {
    return Status(StatusCode::kCorrupt, "lossless plane of " + std::to_string(in.size()) +
                                            " bytes for " + std::to_string(count) + " samples");
  }
  if (count == 0) return {};
  if (in.size() == count) {
    for (int64_t y = 0; y < plane.height; ++y) {
      for (int64_t x = 0; x < plane.width; ++x) {
        *plane.At(y, x) = std::to_integer<uint8_t>(in[static_cast<size_t>(y * plane.width + x)]);
      }
    }
    return {};
  }
  BitReader reader(in);
  PlaneCoder<BitReader> coder(reader, plane.width);
  for (int64_t y = 0; y < plane.height; ++y) {
    const uint8_t* pixels = coder.BeginRow();
    coder.CodeRow();
    for (int64_t x = 0; x < plane.width; ++x) *plane.At(y, x) = pixels[x];
  }
  return reader.Finish().WithPrefix("lossless plane: ");
}

}  // namespace godwit
