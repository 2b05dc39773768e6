// entropy/range_coder.h: first in, first out. Integers only, so all machines agree on every symbol.
// Martin 1979 with a 32-bit range and byte-wise renormalisation; docs/format/entropy.md section 2.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"

namespace godwit {

inline constexpr int kScaleBits = 16;

// A symbol's share of the scale. Requires size > 0 and low + size <= 1 << kScaleBits.
struct Interval {
  uint32_t low, size;
};

// The part of the range that a 0 takes. All 32 bits of the range count: dropping its low 16, as
// Encode() does, costs 0.0005 bits a symbol, nothing to most symbols but more than the whole
// price of the likeliest bits. 256 <= result <= range - 256.
inline uint32_t SplitRange(uint32_t range, uint32_t p1) {
  assert(range >= (1u << 24) && p1 > 0 && p1 < (1u << kScaleBits));
  return static_cast<uint32_t>((uint64_t{range} * ((1u << kScaleBits) - p1)) >> kScaleBits);
}

// Writes into a borrowed buffer. A full buffer is remembered and reported once by Finish().
class RangeEncoder {
 public:
  explicit RangeEncoder(std::span<std::byte> out)
      : begin_(out.data()), end_(out.data() + out.size()), hot_{.at = out.data()} {}

  // What every symbol changes: small enough for registers, see hot().
  struct Hot {
    uint64_t low = 0;              // < 2^(33 + held): the top bit is a carry into the bytes at `at`
    uint32_t range = 0xffffffffu;  // >= 2^24 between symbols
    uint32_t held = 0;             // bits shifted out of the low 32 and not yet written: 0 or 8
    std::byte* at = nullptr;       // the next byte goes here
  };

  void Encode(Interval s) {
    assert(s.size > 0 && s.low + s.size <= (1u << kScaleBits));
    const uint32_t unit = hot_.range >> kScaleBits;  // >= 256, since range >= 2^24 between calls
    hot_.low += uint64_t{unit} * s.low;
    hot_.range = unit * s.size;
    Renormalise();
  }
  // A decision whose probability of being 1 is p1 / 2^16, 0 < p1 < 2^16. The 0 takes the low part.
  void EncodeBit(bool bit, uint32_t p1) {
    hot_ = Split(hot_, bit, p1);
    Renormalise();
  }
  // `count` equiprobable bits, 0 <= count <= 16.
  void EncodeRaw(uint32_t value, int count) {
    hot_ = SplitRaw(hot_, value, count);
    Renormalise();
  }
  // Flushes and returns the byte count; call once, last. The zeros that end the flush are left out,
  // for the decoder reads zeros past the end, and so is a stream of nothing but zeros: its symbols
  // all sat at the bottom of the scale. kOverLimit if the buffer was too small.
  Result<size_t> Finish();
  // The same for a stream that others follow without a length between: so many bytes are written
  // that none after them matters. 4 bits more than Finish() on average.
  Result<size_t> FinishOpen();

  // For loops over many bits: take hot(), then for each bit Split() it (SplitRaw() raw bits),
  // Normalise() it and, when it IsFull(), Spill() it; give it back with set_hot(). Spill() checks
  // no bounds: the buffer must have two bytes for each bit, and eight more.
  Hot hot() const { return hot_; }
  void set_hot(Hot hot) { hot_ = hot; }
  static Hot Split(Hot h, bool bit, uint32_t p1) {
    const uint32_t bound = SplitRange(h.range, p1);
    // Branch-free: bits near one half would mispredict every other time.
    const uint32_t mask = 0u - static_cast<uint32_t>(bit);
    h.low += bound & mask;
    h.range = bit ? h.range - bound : bound;
    return h;
  }
  static Hot SplitRaw(Hot h, uint32_t value, int count) {
    assert(count >= 0 && count <= 16 && (value >> count) == 0);
    h.range >>= count;
    h.low += uint64_t{h.range} * value;
    return h;
  }
  static constexpr uint32_t kMinRange = 1u << 24;
  // The range from kMinRange on again, whole bytes at a time. No branch: it would be mispredicted
  // once a byte. Where the next bit must wait for this one that is the cheaper way, so the class
  // itself asks first (15 to 25 % faster on adaptive bits); two coders side by side are not.
  static Hot Normalise(Hot h) {
    const int shift = __builtin_clz(h.range) & 24;  // 0, 8 or 16: a range is never below 2^8
    h.range <<= shift;
    h.low <<= shift;
    h.held += static_cast<uint32_t>(shift);
    return h;
  }
  static bool IsFull(const Hot& h) { return h.held >= 16; }
  static Hot Spill(Hot h) {
    const auto top = static_cast<uint32_t>(h.low >> (h.held + 16));
    if (top >> 16 != 0) AddOne(h.at);
    h.at[0] = static_cast<std::byte>(top >> 8);
    h.at[1] = static_cast<std::byte>(top);
    h.at += 2;
    h.low &= (uint64_t{1} << (h.held + 16)) - 1;
    h.held -= 16;
    return h;
  }

  // Passes a carry on into the bytes before `at`. None ever leaves the first.
  static void AddOne(std::byte* at) {
    do {
      --at;
      *at = static_cast<std::byte>(std::to_integer<uint32_t>(*at) + 1);
    } while (*at == std::byte{0});
  }

  // Bytes that are final or wait in `hot`: with two for every symbol and eight for the end, all
  // that a buffer must hold.
  size_t written() const { return static_cast<size_t>(hot_.at - begin_) + hot_.held / 8; }
  // How far the bytes in the buffer go: for ContinueIn().
  size_t stored() const { return static_cast<size_t>(hot_.at - begin_); }
  // Goes on in another buffer, which begins with the `done` bytes of stored(); the one before may
  // be gone.
  void ContinueIn(std::span<std::byte> out, size_t done) {
    assert(out.size() >= done);
    begin_ = out.data();
    end_ = out.data() + out.size();
    hot_.at = begin_ + done;
  }

  // Equals the decoder's after the same symbols, so a test can name the first that differs.
  uint32_t fingerprint() const { return hot_.range; }

 private:
  void Renormalise() {
    if (hot_.range >= kMinRange) return;
    hot_ = Normalise(hot_);
    if (!IsFull(hot_)) return;
    if (end_ - hot_.at >= 2) {
      hot_ = Spill(hot_);
    } else {
      WriteChecked(2);
    }
  }
  void TakeCarry();
  // As Spill(), where the buffer may end: `bytes` from the top of the bits held and the low 32.
  void WriteChecked(int bytes);

  std::byte* begin_;
  std::byte* end_;
  Hot hot_;
  bool overflow_ = false;
  bool lost_ = false;  // something that did not fit was not 0
};

// Reads from a borrowed buffer. Never fails in the loop: past the end it reads zeros, bad bytes
// give wrong symbols, and Finish() tells what can be told: a symbol sequence has one stream only.
class RangeDecoder {
 public:
  explicit RangeDecoder(std::span<const std::byte> in)
      : begin_(in.data()), at_(in.data()), end_(in.data() + in.size()) {
    for (int i = 0; i < 4; ++i) code_ = code_ << 8 | Next();
    outside_ = code_ >= range_;
  }

  // The position in the scale that the next symbol's interval contains, < 2^16.
  uint32_t Peek() {
    unit_ = range_ >> kScaleBits;
    const uint32_t position = code_ / unit_;
    if (position < (1u << kScaleBits)) return position;
    outside_ = true;  // in the range's remainder, where no encoder goes
    return (1u << kScaleBits) - 1;
  }
  // Takes the symbol whose interval holds Peek(). Call after Peek().
  void Take(Interval s) {
    code_ -= unit_ * s.low;
    range_ = unit_ * s.size;
    Renormalise();
  }
  bool DecodeBit(uint32_t p1) {
    const uint32_t bound = SplitRange(range_, p1);
    const bool bit = code_ >= bound;
    const uint32_t mask = 0u - static_cast<uint32_t>(bit);
    code_ -= bound & mask;
    range_ = bit ? range_ - bound : bound;
    Renormalise();
    return bit;
  }
  uint32_t DecodeRaw(int count) {
    assert(count >= 0 && count <= 16);
    const uint32_t unit = range_ >> count;
    uint32_t value = code_ / unit;
    const uint32_t last = (1u << count) - 1;
    if (value > last) {
      outside_ = true;
      value = last;
    }
    code_ -= unit * value;
    range_ = unit;
    Renormalise();
    return value;
  }
  // Call once, after the last symbol. Ok only if the encoder would have written exactly these
  // bytes for the symbols that came out. kTruncated if more than a flush was read past the end;
  // kCorrupt if bytes are left over, or are not what an encoder writes.
  // What it cannot see: bytes that are the right stream of other symbols, as one cut by its last
  // byte may be. Lengths and checksums outside are for those.
  Status Finish() const;
  // The same after FinishOpen(): how many bytes the stream has.
  Result<size_t> FinishOpen() const;

  uint32_t fingerprint() const { return range_; }

 private:
  void Renormalise() {
    while (range_ < (1u << 24)) {
      range_ <<= 8;
      code_ = code_ << 8 | Next();
    }
  }
  uint32_t Next() {
    if (at_ == end_) {
      ++past_end_;
      return 0;
    }
    return std::to_integer<uint32_t>(*at_++);
  }

  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
  uint32_t code_ = 0;  // the stream less the encoder's low_, < range_ unless outside_
  uint32_t range_ = 0xffffffffu;
  uint32_t unit_ = 0;
  uint64_t past_end_ = 0;  // zeros read that are not there
  bool outside_ = false;
};

}  // namespace godwit
