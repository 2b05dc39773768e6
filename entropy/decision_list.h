// entropy/decision_list.h: decisions that a model has made, to be coded together. Modelling and
// coding each run faster alone: the coder's state stays in registers and its long chain of
// dependent multiplications is not in the way of the model's branches.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/status.h"
#include "entropy/adaptive_bit.h"
#include "entropy/range_coder.h"

namespace godwit {

// A decision in 32 bits: an adaptive bit as context * 2 + bit, raw bits with the top bit set.
using Decision = uint32_t;
inline constexpr Decision kRawDecision = 1u << 31;
// The rate at which contexts of decisions adapt. Of the `lite` model of pictures, on held-out
// training pictures: 5 costs 0.1 to 0.7 % more at steps 4 to 128; 7 costs 0.3 to 0.5 % more from
// step 32 on and 0.2 % less at step 4.
inline constexpr int kDecisionRate = 6;

// Takes what a writer has collected, in order.
class DecisionSink {
 public:
  virtual void Take(std::span<const Decision> decisions) = 0;

 protected:
  ~DecisionSink() = default;
};

// Collects decisions and hands them on when enough are there to make that worth while. Small: copy
// it into a local for a loop and take it back after.
class DecisionWriter {
 public:
  // `batch` must hold kBatch and whatever comes between two calls of Pause(), and kSlack more.
  static constexpr ptrdiff_t kBatch = 8192, kSlack = 32;
  DecisionWriter(Decision* batch, DecisionSink& sink) : begin_(batch), at_(batch), sink_(&sink) {}
  bool Bit(bool bit, int context) {
    *at_++ = static_cast<Decision>(context) * 2 + bit;
    return bit;
  }
  uint32_t Raw(uint32_t value, int count) {
    *at_++ = kRawDecision | static_cast<Decision>(count) << 16 | value;
    return value;
  }
  // `count` of kBlock decisions at `from`; all are copied.
  static constexpr int kBlock = 16;
  void Some(const Decision* from, int count) {
    std::memcpy(at_, from, kBlock * sizeof(Decision));
    at_ += count;
  }
  size_t collected() const { return static_cast<size_t>(at_ - begin_); }  // and not yet handed on
  void Pause() {
    if (at_ - begin_ > kBatch) Flush();
  }
  void Flush() {
    sink_->Take({begin_, at_});
    at_ = begin_;
  }

 private:
  Decision *begin_, *at_;
  DecisionSink* sink_;
};

// Encodes into a buffer of its own that grows. One per substream.
class DecisionEncoder {
 public:
  // Forgets what was coded before and keeps the memory.
  void Start() { encoder_ = RangeEncoder(buffer_); }
  // `contexts` are those that the decisions name; each is moved at kDecisionRate.
  void Encode(SimdLevel level, std::span<const Decision> decisions, AdaptiveBit* contexts);
  // The same of two encoders side by side, decision by decision: while one waits for its
  // multiplication the other goes on. No context may be in both.
  static void EncodeTwo(SimdLevel level, DecisionEncoder& a, std::span<const Decision> of_a,
                        DecisionEncoder& b, std::span<const Decision> of_b, AdaptiveBit* contexts);
  // Flushes; the bytes are valid until Start(). Call once, last.
  Result<std::span<const std::byte>> Finish();

 private:
  void Reserve(size_t decisions);

  Bytes buffer_;
  RangeEncoder encoder_{{}};
};

}  // namespace godwit
