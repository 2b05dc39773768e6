// codecs/array/wavelet_context.h: the symbols of a tile band by band, each after those around it,
// in coarser bands and in other channels; both directions. docs/format/array.md section 8.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "codecs/array/bit_coder.h"
#include "codecs/array/residual_coder.h"
#include "codecs/array/wavelet_bands.h"
#include "entropy/bit_mixer.h"

namespace godwit::array {

inline constexpr int32_t kMaxSymbol = 1 << 26;

// The symbols of one band and channel, with zeros around them so that no neighbour needs a test.
struct BandSymbols {
  std::array<int64_t, 3> size{}, stride{};
  int64_t first = 0;                     // of place 0, row 0, column 0
  std::vector<int32_t> symbols, errors;  // errors: of the lowest band, what is coded

  // Room before and after an axis; none along axes that the box does not have.
  static constexpr std::array<int64_t, 3> kBefore = {1, 2, 4}, kAfter = {1, 1, 2};
  void Create(const std::array<int64_t, 3>& band, const std::array<int64_t, 3>& box, bool lowest) {
    size = band;
    int64_t count = 1;
    first = 0;
    for (size_t a = 3; a-- > 0;) {
      const bool is_there = box[a] > 1 || a == 2;
      stride[a] = is_there ? count : 0;
      if (is_there) first += kBefore[a] * count;
      count *= is_there ? kBefore[a] + size[a] + kAfter[a] : 1;
    }
    symbols.assign(static_cast<size_t>(count), 0);
    if (lowest) errors = symbols;
  }
  int64_t At(int64_t z, int64_t y, int64_t x) const {
    return first + z * stride[0] + y * stride[1] + x;
  }
  const std::vector<int32_t>& coded() const { return errors.empty() ? symbols : errors; }
};

// What is known before a symbol is coded. Sizes are magnitudes in 1/16.
struct SymbolContext {
  static constexpr size_t kInputs = 7;
  std::array<uint32_t, kInputs> at;  // of the first place of each input
  std::array<uint32_t, 3> sign;
  uint32_t weights = 0;
  int shift = 0;  // low bits of the magnitude that are coded apart
};

// All that adapts. Trained starts replace what it holds at the start of a tile.
struct WaveletModel {
  // Bits soon follow what is new. At equal bytes, mean of seven arrays at three rates: 255 costs
  // 0.21 dB, 127 0.13 dB, 60 0.05 dB, 32 and 20 within 0.01 dB.
  static constexpr int kLimit = 24;
  static constexpr uint32_t kPlaces = 8;  // decisions of a magnitude with contexts of their own
  static constexpr uint32_t kNear = 20, kOther = 12, kClasses = 24;
  static constexpr std::array<uint32_t, SymbolContext::kInputs> kContexts = {
      48, kNear* kOther, kNear* kOther, kNear* kOther, 243, kNear* kClasses, kOther* kOther};
  static constexpr std::array<uint32_t, 3> kSigns = {27, 27, 3 * kClasses};
  static constexpr uint32_t kWeightSets = 5;

  std::array<std::vector<CountedBit>, SymbolContext::kInputs> bits;
  std::array<std::vector<CountedBit>, 3> signs;
  std::vector<MixerWeights<SymbolContext::kInputs>> weights;  // by set and place
  MixerWeights<3> sign_weights;
  std::vector<CountedBit> low;  // by shift, min(high, 3) and node
  GammaModel escape;
  int limit = kLimit;  // of counts; training has another

  WaveletModel() {
    for (size_t i = 0; i < bits.size(); ++i) bits[i].resize(kContexts[i] * kPlaces);
    for (size_t i = 0; i < signs.size(); ++i) signs[i].resize(kSigns[i]);
    weights.resize(size_t{kWeightSets} * kPlaces);
    low.resize(32 * 4 * 3);
  }
  // All but the escape's, in the order of model files.
  template <typename F>
  void ForEachBit(F f) {
    for (auto& of_input : bits) std::for_each(of_input.begin(), of_input.end(), f);
    for (auto& of_input : signs) std::for_each(of_input.begin(), of_input.end(), f);
    std::for_each(low.begin(), low.end(), f);
  }
};

class SymbolCoder {
 public:
  explicit SymbolCoder(WaveletModel& model) : m_(model) {}

  template <typename Coder>
  int32_t Code(Coder& coder, const SymbolContext& c, int32_t value) {
    const bool some = CodeMixed(coder, c, 0, value != 0);
    if (!some) return 0;
    const bool negative = CodeSign(coder, c, value < 0);
    const uint64_t size = CodeMagnitude(coder, c, static_cast<uint64_t>(std::abs(value)) - 1) + 1;
    const auto v = static_cast<int32_t>(std::min<uint64_t>(size, kMaxSymbol));
    return negative ? -v : v;
  }
  // Bits that magnitude `size` takes beyond those that `size` - 1 takes, for size >= 1 and no low
  // bits; signs cost one.
  double StepBits(const SymbolContext& c, int size) const;

 private:
  static constexpr uint64_t kMaxUnary = 22;
  using Mixer = BitMixer<SymbolContext::kInputs>;

  Mixer::Bits BitsAt(const SymbolContext& c, int place) const {
    const auto p = static_cast<uint32_t>(std::min<int>(place, WaveletModel::kPlaces - 1));
    Mixer::Bits bits;
    for (size_t i = 0; i < bits.size(); ++i) {
      bits[i] = &m_.bits[i][c.at[i] * WaveletModel::kPlaces + p];
    }
    return bits;
  }
  MixerWeights<SymbolContext::kInputs>& WeightsAt(const SymbolContext& c, int place) const {
    const auto p = static_cast<uint32_t>(std::min<int>(place, WaveletModel::kPlaces - 1));
    return m_.weights[c.weights * WaveletModel::kPlaces + p];
  }
  uint32_t Likelihood(const SymbolContext& c, int place) const {
    Mixer mixer;
    return mixer.Predict(BitsAt(c, place), WeightsAt(c, place));
  }

  template <typename Coder>
  bool CodeMixed(Coder& coder, const SymbolContext& c, int place, bool bit) {
    return array::CodeMixed(coder, BitsAt(c, place), WeightsAt(c, place), bit, m_.limit);
  }
  template <typename Coder>
  bool CodeSign(Coder& coder, const SymbolContext& c, bool negative) {
    const BitMixer<3>::Bits bits = {&m_.signs[0][c.sign[0]], &m_.signs[1][c.sign[1]],
                                    &m_.signs[2][c.sign[2]]};
    return array::CodeMixed(coder, bits, m_.sign_weights, negative, m_.limit);
  }
  // What is above the low bits in unary, as in the residuals of predicted tiles.
  template <typename Coder>
  uint64_t CodeMagnitude(Coder& coder, const SymbolContext& c, uint64_t value) {
    const uint64_t high = value >> c.shift;
    uint64_t h = 0;
    while (h < kMaxUnary && CodeMixed(coder, c, static_cast<int>(h) + 1, high > h)) ++h;
    if (h == kMaxUnary) h += CodeGamma(coder, m_.escape, high - kMaxUnary);
    uint64_t low = 0;
    for (int i = 0; i < c.shift; ++i) {
      const int place = c.shift - 1 - i;
      const size_t node = i == 0 ? 0 : 1 + (low & 1);
      bool bit = (value >> place & 1) != 0;
      if (i < 2) {
        const auto top = static_cast<size_t>(std::min<uint64_t>(h, 3));
        bit = CodeCounted(coder, m_.low[(static_cast<size_t>(c.shift) * 4 + top) * 3 + node], bit);
      } else {
        bit = coder.CodeRaw(bit, 1) != 0;
      }
      low = low << 1 | static_cast<uint64_t>(bit);
    }
    return std::min(h, uint64_t{kMaxSymbol} >> c.shift) << c.shift | low;
  }

  WaveletModel& m_;
};

// Walks a band of a channel and says what surrounds each symbol.
class BandWalk {
 public:
  // `tile` holds the symbols of all bands of all channels, bands[band] of channel c at
  // c * bands.size() + band.
  BandWalk(const WaveletShape& shape, const std::vector<WaveletBand>& bands,
           std::vector<BandSymbols>& tile, size_t band, size_t channel);

  // For each symbol in order: `code`(context, symbol, prediction) codes and sets it.
  template <typename F>
  void ForEach(F code) {
    for (int64_t z = 0; z < here_->size[0]; ++z) {
      for (int64_t y = 0; y < here_->size[1]; ++y) {
        StartRow(z, y);
        for (int64_t x = 0; x < here_->size[2]; ++x) {
          const int64_t at = row_ + x;
          const SymbolContext c = ContextAt(x);
          if (lowest_) {
            const int32_t predicted = Predicted(z, y, x);
            const int32_t e = code(c, at, predicted);
            here_->errors[static_cast<size_t>(at)] = e;
            const int64_t v = std::clamp<int64_t>(int64_t{predicted} + e, -kMaxSymbol, kMaxSymbol);
            here_->symbols[static_cast<size_t>(at)] = static_cast<int32_t>(v);
          } else {
            here_->symbols[static_cast<size_t>(at)] = code(c, at, 0);
          }
          Remember(x);
        }
      }
    }
  }

 private:
  // Of a band that is known already: where its rows are beside the row that is coded.
  struct Known {
    const BandSymbols* band = nullptr;
    std::array<bool, 3> halved{};
    int64_t row = 0, last = 0;
  };
  void StartRow(int64_t z, int64_t y);
  SymbolContext ContextAt(int64_t x);
  void Remember(int64_t x);
  int32_t Predicted(int64_t z, int64_t y, int64_t x) const;
  uint32_t Around(const Known& known, int64_t x, int32_t* centre) const;
  void Aim(Known& known, int64_t z, int64_t y) const;

  BandSymbols* here_;
  bool lowest_;
  int axes_ = 1;  // that the box has
  bool rows_ = false, places_ = false;
  uint32_t class_ = 0;
  std::vector<std::pair<int64_t, uint32_t>> near_;  // offsets and weights, sixteen in all
  std::vector<int64_t> steps_;                      // along the axes that there are
  Known parent_, channel_, channel2_;
  std::vector<Known> siblings_;
  std::vector<uint32_t> wide_row_, wide_place_;  // slow means: of the row above, the place before
  uint32_t wide_left_ = 0, wide_ = 0;
  size_t wide_at_ = 0;
  int64_t row_ = 0;
};

}  // namespace godwit::array
