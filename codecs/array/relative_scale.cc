#include "codecs/array/relative_scale.h"

#include <algorithm>

#include "codecs/array/value_map.h"

namespace godwit::array {

std::shared_ptr<const RelativeScale> RelativeScale::Create(SampleType type, uint32_t ratio,
                                                           uint8_t least) {
  const bool is_f32 = type == SampleType::kF32;
  if (type == SampleType::kF64 || (least != 0) != is_f32 || least > 254) return nullptr;
  auto scale = std::make_shared<RelativeScale>();
  uint64_t numbers = 0;
  const auto add = [&](uint64_t start, uint64_t length, uint64_t half) {
    const uint64_t step = 2 * half + 1;
    scale->segments_.push_back({start, length, step, numbers});
    numbers += (length + step - 1) / step;
  };
  if (is_f32) {
    constexpr uint64_t kLength = 1 << 20;  // an eighth of the significands of an exponent
    constexpr uint64_t kSegments = 255 * 8;
    add(0, 1, 0);
    for (uint64_t i = uint64_t{least} * 8; i < kSegments; ++i) {
      // In units of the last place a number has as many as its significand.
      const uint64_t units = (8 + i % 8) * kLength;
      add(i * kLength, kLength, (ratio * units) >> 32);
    }
  } else {
    const auto largest = static_cast<uint64_t>(std::max(LargestSample(type), -LeastSample(type)));
    add(0, 8, 0);
    for (uint64_t start = 8; start <= largest;) {
      const uint64_t length = std::max<uint64_t>(1, uint64_t{1} << (std::bit_width(start) - 4));
      // 8 to 15 eighths; at 2^32 - 1 the product has 64 bits.
      add(start, std::min(length, largest - start + 1), (ratio * start) >> 32);
      start += length;
    }
  }
  if (numbers >= uint64_t{1} << 31) return nullptr;
  scale->last_ = static_cast<int32_t>(numbers) - 1;
  return scale;
}

int32_t RelativeScale::NumberOf(uint32_t word) const {
  const auto above = std::upper_bound(segments_.begin(), segments_.end(), uint64_t{word},
                                      [](uint64_t w, const Segment& s) { return w < s.start; });
  const Segment& s = above[-1];
  return static_cast<int32_t>(s.first + std::min(word - s.start, s.length - 1) / s.step);
}

uint32_t RelativeScale::WordOf(int32_t number) const {
  const auto n = static_cast<uint64_t>(number);
  const auto above = std::upper_bound(segments_.begin(), segments_.end(), n,
                                      [](uint64_t v, const Segment& s) { return v < s.first; });
  const Segment& s = above[-1];
  const uint64_t middle = (n - s.first) * s.step + s.step / 2;
  return static_cast<uint32_t>(s.start + std::min(middle, s.length - 1));
}

}  // namespace godwit::array
