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
#include "entropy/decision.h"
#include "entropy/range_coder.h"

namespace godwit {

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
  static constexpr ptrdiff_t kBatch = 16384, kSlack = 32;
  DecisionWriter() = default;  // to be assigned before use
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
  // Where decisions may be written, as many as may come between two calls of Pause(), and then
  // Skip()ped: they are collected.
  Decision* Room() { return at_; }
  void Skip(size_t count) { at_ += count; }
  std::span<const Decision> list() const { return {begin_, at_}; }  // not yet handed on
  void Clear() { at_ = begin_; }
  void Pause() {
    if (at_ - begin_ > kBatch) Flush();
  }
  void Flush() {
    sink_->Take(list());
    Clear();
  }

 private:
  Decision *begin_ = nullptr, *at_ = nullptr;
  DecisionSink* sink_ = nullptr;
};

// Encodes into a buffer of its own that grows. One per substream.
class DecisionEncoder {
 public:
  // Forgets what was coded before and keeps the memory.
  void Start() { encoder_ = RangeEncoder(buffer_); }
  // `contexts` are those that the decisions name; each is moved at kDecisionRate.
  void Encode(SimdLevel level, std::span<const Decision> decisions, AdaptiveBit* contexts);
  // The same of several encoders, each with a list, side by side: while one waits for its
  // multiplication others go on. No context may be in two lists, no encoder twice.
  struct Work {
    DecisionEncoder* encoder;
    std::span<const Decision> decisions;
  };
  static constexpr size_t kMostWork = 16;
  static void EncodeSideBySide(SimdLevel level, std::span<const Work> work, AdaptiveBit* contexts);
  // Flushes; the bytes are valid until Start(). Call once, last.
  Result<std::span<const std::byte>> Finish();

 private:
  void Reserve(size_t decisions);
  static size_t EncodeCommon(SimdLevel level, std::span<const Work> work, AdaptiveBit* contexts);

  Bytes buffer_;
  RangeEncoder encoder_{{}};
};

}  // namespace godwit
