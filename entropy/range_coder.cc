#include "entropy/range_coder.h"

#include <algorithm>
#include <string>

namespace godwit {
namespace {

// Of the values in [low, low + range), the encoder ends on the one with the most zero bytes at its
// end. With range >= 2^24 and 32 bits still to write, it is a multiple of 2^32 or of 2^24.
constexpr uint64_t kWhole = uint64_t{1} << 32;
constexpr uint64_t kTopByte = uint64_t{1} << 24;
// The decoder is 32 bits ahead: it reads the 3 or 4 zero bytes that were not written.
constexpr uint64_t kFlushZeros = 3;

// Bytes that settle every value of a range of this size at least.
constexpr int OpenBytes(uint32_t range) { return range >= 2 * kTopByte ? 1 : 2; }

uint64_t RoundUp(uint64_t value, uint64_t step) { return (value + step - 1) & ~(step - 1); }

bool AllZero(const std::byte* begin, const std::byte* end) {
  return std::all_of(begin, end, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

void RangeEncoder::TakeCarry() {
  if (hot_.low >> (32 + hot_.held) == 0) return;
  hot_.low &= (uint64_t{1} << (32 + hot_.held)) - 1;
  if (overflow_) {
    lost_ = true;  // a carry leaves some byte that is not 0
  } else {
    AddOne(hot_.at);
  }
}

void RangeEncoder::WriteChecked(int bytes) {
  TakeCarry();
  for (; bytes > 0; --bytes) {
    const auto byte = static_cast<std::byte>(hot_.low >> (24 + hot_.held));
    if (hot_.at == end_) {
      overflow_ = true;
      lost_ = lost_ || byte != std::byte{0};
    } else {
      *hot_.at++ = byte;
    }
    hot_.low &= (uint64_t{1} << (24 + hot_.held)) - 1;
    if (hot_.held == 0) break;  // that was the last byte of a flush
    hot_.held -= 8;
  }
}

Result<size_t> RangeEncoder::Finish() {
  const uint64_t limit = hot_.low + hot_.range;
  const uint64_t whole = RoundUp(hot_.low, kWhole);
  const int held = static_cast<int>(hot_.held / 8);
  if (whole < limit) {
    hot_.low = whole;
    WriteChecked(held);
  } else {
    hot_.low = RoundUp(hot_.low, kTopByte);
    assert(hot_.low < limit);
    WriteChecked(held + 1);
  }
  if (!lost_ && AllZero(begin_, hot_.at)) return size_t{0};
  if (overflow_) return Status(StatusCode::kOverLimit, "entropy coder output buffer is full");
  return static_cast<size_t>(hot_.at - begin_);
}

Result<size_t> RangeEncoder::FinishOpen() {
  const int bytes = OpenBytes(hot_.range);
  hot_.low = RoundUp(hot_.low, kWhole >> (8 * bytes));
  WriteChecked(static_cast<int>(hot_.held / 8) + 1);
  if (bytes == 2) {
    hot_.low <<= 8;
    WriteChecked(1);
  }
  if (overflow_) return Status(StatusCode::kOverLimit, "entropy coder output buffer is full");
  return static_cast<size_t>(hot_.at - begin_);
}

Result<size_t> RangeDecoder::FinishOpen() const {
  const int bytes = OpenBytes(range_);
  const auto read = static_cast<size_t>(at_ - begin_) + past_end_;  // 4 more than were shifted
  const size_t used = read - 4 + static_cast<size_t>(bytes);
  if (used > static_cast<size_t>(end_ - begin_)) {
    return Status(StatusCode::kTruncated, "entropy coded bytes end early");
  }
  if (outside_) return Status(StatusCode::kCorrupt, "entropy coded bytes outside every symbol");
  uint32_t value = 0;
  for (size_t i = 0; i < static_cast<size_t>(bytes); ++i) {
    value |= std::to_integer<uint32_t>(begin_[read - 4 + i]) << (24 - 8 * i);
  }
  // What followed moved code_; without it the value lies so far above the encoder's low.
  uint32_t rest = 0;
  for (size_t i = static_cast<size_t>(bytes); i < 4; ++i) {
    const size_t at = read - 4 + i;
    if (at < static_cast<size_t>(end_ - begin_)) {
      rest |= std::to_integer<uint32_t>(begin_[at]) << (24 - 8 * i);
    }
  }
  const auto low = static_cast<uint32_t>(value + rest - code_);
  if (static_cast<uint32_t>(RoundUp(low, kWhole >> (8 * bytes))) != value) {
    return Status(StatusCode::kCorrupt, "entropy coded bytes end unlike any encoder's");
  }
  return used;
}

Status RangeDecoder::Finish() const {
  if (at_ != end_) {
    return Status(StatusCode::kCorrupt,
                  std::to_string(end_ - at_) + " bytes left after the last symbol");
  }
  if (outside_) return Status(StatusCode::kCorrupt, "entropy coded bytes outside every symbol");
  if (begin_ == end_) return {};  // only zeros, however many
  if (past_end_ > kFlushZeros + 1) {
    return Status(StatusCode::kTruncated, "entropy coded bytes end at " +
                                              std::to_string(end_ - begin_) + ", " +
                                              std::to_string(past_end_) + " zeros read past them");
  }
  // Redo the encoder's last choice. Its value is the last 32 bits read, of which at most the top
  // byte was written, and code_ says how far above low_ it lies.
  bool exact = past_end_ >= kFlushZeros && !AllZero(begin_, end_);
  if (exact && past_end_ == kFlushZeros) {
    const uint64_t value = std::to_integer<uint64_t>(end_[-1]) << 24;
    exact = value > code_ && value - code_ + range_ <= kWhole && code_ < kTopByte;
  }
  if (!exact) return Status(StatusCode::kCorrupt, "entropy coded bytes end unlike any encoder's");
  return {};
}

}  // namespace godwit
