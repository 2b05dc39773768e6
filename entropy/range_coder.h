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
      : begin_(out.data()), at_(out.data()), end_(out.data() + out.size()) {}

  // What every symbol changes: small enough for registers, see hot().
  struct Hot {
    uint64_t low = 0;              // < 2^33
    uint32_t range = 0xffffffffu;  // >= 2^24 between symbols
  };

  void Encode(Interval s) {
    assert(s.size > 0 && s.low + s.size <= (1u << kScaleBits));
    const uint32_t unit = hot_.range >> kScaleBits;  // >= 256, since range >= 2^24 between calls
    hot_.low += uint64_t{unit} * s.low;              // bit 32 is a carry, passed on by ShiftOut()
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
    assert(count >= 0 && count <= 16 && (value >> count) == 0);
    const uint32_t unit = hot_.range >> count;
    hot_.low += uint64_t{unit} * value;
    hot_.range = unit;
    Renormalise();
  }
  // Flushes and returns the byte count; call once, last. The zeros that end the flush are left out,
  // for the decoder reads zeros past the end, and so is a stream of nothing but zeros: its symbols
  // all sat at the bottom of the scale. kOverLimit if the buffer was too small.
  Result<size_t> Finish();

  // For loops over many bits: take hot(), Split() it bit by bit, Renormalise() when the range is
  // below kMinRange, and give it back with set_hot().
  static constexpr uint32_t kMinRange = 1u << 24;
  Hot hot() const { return hot_; }
  void set_hot(Hot hot) { hot_ = hot; }
  static Hot Split(Hot h, bool bit, uint32_t p1) {
    const uint32_t bound = SplitRange(h.range, p1);
    // Branch-free: bits near one half would mispredict every other time.
    const uint32_t mask = 0u - static_cast<uint32_t>(bit);
    return {h.low + (bound & mask), bit ? h.range - bound : bound};
  }
  // Out of line and rare: its registers are not in the loop's way.
  __attribute__((noinline, cold)) Hot Renormalise(Hot h) {
    hot_ = h;
    Renormalise();
    return hot_;
  }

  // Bytes written so far, and bytes that wait for a carry: with two for every symbol and eight for
  // the end, all that a buffer must hold.
  size_t written() const { return static_cast<size_t>(at_ - begin_); }
  size_t pending() const { return static_cast<size_t>(pending_); }
  // Goes on in another buffer, which begins with the bytes written so far.
  void ContinueIn(std::span<std::byte> out) {
    assert(out.size() >= written());
    at_ = out.data() + written();
    begin_ = out.data();
    end_ = out.data() + out.size();
  }

  // Equals the decoder's after the same symbols, so a test can name the first that differs.
  uint32_t fingerprint() const { return hot_.range; }

 private:
  void Renormalise() {
    while (hot_.range < kMinRange) {
      hot_.range <<= 8;
      ShiftOut();
    }
  }
  void ShiftOut() {
    if (hot_.low < 0xff000000u || hot_.low > 0xffffffffu) {
      const uint8_t carry = static_cast<uint8_t>(hot_.low >> 32);
      if (started_) Put(static_cast<uint8_t>(cache_ + carry));
      for (; pending_ > 0; --pending_) Put(static_cast<uint8_t>(0xff + carry));
      cache_ = static_cast<uint8_t>(hot_.low >> 24);
      started_ = true;
    } else {
      ++pending_;
    }
    hot_.low = (hot_.low & 0x00ffffffu) << 8;
  }
  void Put(uint8_t b) {
    if (at_ == end_) {
      overflow_ = true;
      lost_ |= b;
      return;
    }
    *at_++ = std::byte{b};
  }

  std::byte* begin_;
  std::byte* at_;
  std::byte* end_;
  Hot hot_;
  uint64_t pending_ = 0;  // bytes of 0xff that a carry would turn over
  uint8_t cache_ = 0;     // the byte before them
  bool started_ = false;
  bool overflow_ = false;
  uint8_t lost_ = 0;  // all bytes that did not fit, or-ed
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
