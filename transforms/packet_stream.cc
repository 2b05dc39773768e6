#include "transforms/packet_stream.h"

#include <cassert>
#include <deque>

namespace godwit {
namespace {

// What the steps add, from the scalar kernels, which are the definition.
struct Steps {
  Wavelet wavelet;
  size_t pair;  // 0 or 1: the first or the second predict and update of 9/7

  void Predict(int32_t* x, int32_t a, int32_t b) const {
    if (wavelet == Wavelet::k53) {
      kernels().predict53(x, &a, &b, 1);
    } else {
      kernels().lift(x, &a, &b, 1, k97Factors[2 * pair]);
    }
  }
  void Update(int32_t* x, int32_t a, int32_t b) const {
    if (wavelet == Wavelet::k53) {
      kernels().update53(x, &a, &b, 1);
    } else {
      kernels().lift(x, &a, &b, 1, k97Factors[2 * pair + 1]);
    }
  }
  void Unpredict(int32_t* x, int32_t a, int32_t b) const {
    if (wavelet == Wavelet::k53) {
      kernels().unpredict53(x, &a, &b, 1);
    } else {
      kernels().unlift(x, &a, &b, 1, k97Factors[2 * pair]);
    }
  }
  void Unupdate(int32_t* x, int32_t a, int32_t b) const {
    if (wavelet == Wavelet::k53) {
      kernels().unupdate53(x, &a, &b, 1);
    } else {
      kernels().unlift(x, &a, &b, 1, k97Factors[2 * pair + 1]);
    }
  }
  static const LiftingKernels& kernels() { return lifting_internal::kScalarKernels; }
};

// A predict and an update over a sequence low, high, low, high, ...; as many values come out as go
// in, at most two of them later.
class ForwardPair {
 public:
  explicit ForwardPair(Steps steps) : steps_(steps) {}
  template <typename Emit>
  void Push(int32_t v, Emit emit) {
    if (count_ % 2 == 1) {
      high_ = v;
    } else {
      if (count_ > 0) EmitPair(v, emit);
      low_ = v;
    }
    ++count_;
  }
  template <typename Emit>
  void Finish(Emit emit) {
    if (count_ == 0) return;
    if (count_ % 2 == 0) {
      EmitPair(low_, emit);
    } else {
      if (count_ > 1) steps_.Update(&low_, before_, before_);
      emit(low_);
    }
  }

 private:
  template <typename Emit>
  void EmitPair(int32_t next_low, Emit emit) {
    steps_.Predict(&high_, low_, next_low);
    steps_.Update(&low_, count_ <= 2 ? high_ : before_, high_);
    before_ = high_;
    emit(low_);
    emit(high_);
  }
  Steps steps_;
  uint64_t count_ = 0;
  int32_t low_ = 0, high_ = 0;  // of the pair that waits for the next low
  int32_t before_ = 0;          // the high before that, finished
};

class InversePair {
 public:
  explicit InversePair(Steps steps) : steps_(steps) {}
  template <typename Emit>
  void Push(int32_t v, Emit emit) {
    if (count_++ % 2 == 0) {
      next_low_ = v;
      return;
    }
    steps_.Unupdate(&next_low_, count_ == 2 ? v : high_, v);
    EmitNext(emit);
    high_ = v;
  }
  template <typename Emit>
  void Finish(Emit emit) {
    if (count_ == 0) return;
    if (count_ % 2 == 1) {
      if (count_ > 1) steps_.Unupdate(&next_low_, high_, high_);
      EmitNext(emit);
    } else {
      steps_.Unpredict(&high_, low_, low_);
      emit(high_);
    }
  }

 private:
  // next_low_ is finished: the high before it follows.
  template <typename Emit>
  void EmitNext(Emit emit) {
    if (count_ > 2) {
      steps_.Unpredict(&high_, low_, next_low_);
      emit(high_);
    }
    emit(next_low_);
    low_ = next_low_;
  }
  Steps steps_;
  uint64_t count_ = 0;
  int32_t low_ = 0, high_ = 0;  // the last pair; high_ waits for the next low
  int32_t next_low_ = 0;
};

bool HasChild(PacketTree tree, int levels, bool high) {
  return levels > 1 && (!high || tree == PacketTree::kFull);
}

int CountBands(PacketTree tree, int levels) { return PacketAxis{1, levels, tree}.bands(); }

}  // namespace

struct PacketAnalyser::Node {
  Node(Wavelet wavelet, PacketTree tree, int levels, int first_band)
      : two_pairs(wavelet == Wavelet::k97),
        first({wavelet, 0}),
        second({wavelet, 1}),
        low_band(first_band) {
    const int below = CountBands(tree, levels - 1);
    high_band = first_band + below;
    if (HasChild(tree, levels, false)) {
      low = std::make_unique<Node>(wavelet, tree, levels - 1, first_band);
    }
    if (HasChild(tree, levels, true)) {
      high = std::make_unique<Node>(wavelet, tree, levels - 1, high_band);
    }
  }

  void Push(int32_t v, std::span<std::vector<int32_t>> bands) {
    first.Push(v, [&](int32_t x) { PushSecond(x, bands); });
  }
  void PushSecond(int32_t v, std::span<std::vector<int32_t>> bands) {
    if (two_pairs) {
      second.Push(v, [&](int32_t x) { Give(x, bands); });
    } else {
      Give(v, bands);
    }
  }
  void Give(int32_t v, std::span<std::vector<int32_t>> bands) {
    const bool is_high = given++ % 2 == 1;
    Node* const child = is_high ? high.get() : low.get();
    if (child != nullptr) {
      child->Push(v, bands);
    } else {
      bands[static_cast<size_t>(is_high ? high_band : low_band)].push_back(v);
    }
  }
  void Finish(std::span<std::vector<int32_t>> bands) {
    first.Finish([&](int32_t x) { PushSecond(x, bands); });
    if (two_pairs) second.Finish([&](int32_t x) { Give(x, bands); });
    if (low) low->Finish(bands);
    if (high) high->Finish(bands);
  }

  bool two_pairs;
  ForwardPair first, second;
  std::unique_ptr<Node> low, high;
  int low_band, high_band = 0;
  uint64_t given = 0;
};

PacketAnalyser::PacketAnalyser(Wavelet wavelet, PacketTree tree, int levels)
    : bands_(CountBands(tree, levels)) {
  assert(levels >= 0 && levels <= kMaxPacketLevels);
  if (levels > 0) root_ = std::make_unique<Node>(wavelet, tree, levels, 0);
}
PacketAnalyser::PacketAnalyser(PacketAnalyser&&) noexcept = default;
PacketAnalyser::~PacketAnalyser() = default;
int PacketAnalyser::bands() const { return bands_; }

void PacketAnalyser::Push(std::span<const int32_t> samples, std::span<std::vector<int32_t>> bands) {
  assert(bands.size() == static_cast<size_t>(bands_));
  if (root_ == nullptr) {
    bands[0].insert(bands[0].end(), samples.begin(), samples.end());
    return;
  }
  for (const int32_t v : samples) root_->Push(v, bands);
}
void PacketAnalyser::Finish(std::span<std::vector<int32_t>> bands) {
  if (root_ != nullptr) root_->Finish(bands);
}

struct PacketSynthesiser::Node {
  Node(Wavelet wavelet, Node* above, bool is_high_of)
      : two_pairs(wavelet == Wavelet::k97),
        first({wavelet, 1}),
        second({wavelet, 0}),
        parent(above),
        is_high(is_high_of) {
    if (!two_pairs) first = InversePair({wavelet, 0});
  }

  void Push(int32_t v, bool high, std::vector<int32_t>& samples) {
    waiting[high].push_back(v);
    while (!waiting[taken % 2].empty()) {
      const int32_t next = waiting[taken % 2].front();
      waiting[taken % 2].pop_front();
      ++taken;
      first.Push(next, [&](int32_t x) { PushSecond(x, samples); });
    }
  }
  void PushSecond(int32_t v, std::vector<int32_t>& samples) {
    if (two_pairs) {
      second.Push(v, [&](int32_t x) { Give(x, samples); });
    } else {
      Give(v, samples);
    }
  }
  void Give(int32_t v, std::vector<int32_t>& samples) {
    if (parent != nullptr) {
      parent->Push(v, is_high, samples);
    } else {
      samples.push_back(v);
    }
  }
  void Finish(std::vector<int32_t>& samples) {
    for (auto& child : children) {
      if (child) child->Finish(samples);
    }
    assert(waiting[0].empty() && waiting[1].empty());
    first.Finish([&](int32_t x) { PushSecond(x, samples); });
    if (two_pairs) second.Finish([&](int32_t x) { Give(x, samples); });
  }

  bool two_pairs;
  InversePair first, second;
  Node* parent;
  bool is_high;
  std::unique_ptr<Node> children[2];
  std::deque<int32_t> waiting[2];
  uint64_t taken = 0;
};

PacketSynthesiser::PacketSynthesiser(Wavelet wavelet, PacketTree tree, int levels) {
  assert(levels >= 0 && levels <= kMaxPacketLevels);
  if (levels == 0) {
    inputs_.emplace_back(nullptr, false);
    return;
  }
  root_ = std::make_unique<Node>(wavelet, nullptr, false);
  // Depth first, low before high: the order of the bands.
  const auto grow = [&](const auto& self, Node* node, int left) -> void {
    for (const bool high : {false, true}) {
      if (!HasChild(tree, left, high)) {
        inputs_.emplace_back(node, high);
        continue;
      }
      node->children[high] = std::make_unique<Node>(wavelet, node, high);
      self(self, node->children[high].get(), left - 1);
    }
  };
  grow(grow, root_.get(), levels);
}
PacketSynthesiser::PacketSynthesiser(PacketSynthesiser&&) noexcept = default;
PacketSynthesiser::~PacketSynthesiser() = default;
int PacketSynthesiser::bands() const { return static_cast<int>(inputs_.size()); }

void PacketSynthesiser::Push(int band, std::span<const int32_t> coefficients,
                             std::vector<int32_t>& samples) {
  const auto [node, high] = inputs_[static_cast<size_t>(band)];
  if (node == nullptr) {
    samples.insert(samples.end(), coefficients.begin(), coefficients.end());
    return;
  }
  for (const int32_t v : coefficients) node->Push(v, high, samples);
}
void PacketSynthesiser::Finish(std::vector<int32_t>& samples) {
  if (root_ != nullptr) root_->Finish(samples);
}

}  // namespace godwit
