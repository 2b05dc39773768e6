// codecs/image/swift_full_prices.h: what decisions cost in an entropy model (`mid` or `full`), for
// searches in the encoder: the model itself, run along with what is decided.
#pragma once

#include <array>
#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/full_inputs.h"
#include "codecs/image/full_model.h"
#include "codecs/image/full_values.h"
#include "codecs/image/swift_bit_cost.h"
#include "codecs/image/swift_cell_row.h"
#include "codecs/image/swift_coarse_context.h"
#include "codecs/image/swift_context.h"
#include "codecs/image/swift_latent_tile.h"
#include "codecs/image/swift_model.h"

namespace godwit::swift {

// What a value may become besides 0: squared error less that of 0, all else that it costs included
// but for its bits.
struct FullChoices {
  static constexpr int kMost = 2;
  struct Value {
    int count = 0;
    std::array<int16_t, kMost> value;
    std::array<float, kMost> error;
  };
  std::array<Value, kFullLanes> lane;
};

// One place at a time: At...(), then questions, then Code(), which moves the model on. Rows are as
// FullCoder leaves them. Owns the state of a tile.
class FullPrices {
 public:
  FullPrices(const SwiftModel& model, const FullModel& full, SimdLevel level);
  static uint64_t BytesFor() { return sizeof(FullPrices); }

  void StartTile(int step_index);
  void AtCoarseDc(const CellRow& row, int plane, int64_t x, int mean, int scale);
  void AtCoarse(const CellRow& row, int plane, int64_t x, uint32_t flag_sum,
                const CoarseContexts& contexts);
  void AtBand(const CellRow& row, int plane, int band, int64_t y, int64_t x, uint32_t flag_sum,
              const BandContexts& contexts);
  // Only the flag of a cell.
  void AtCell(const CellRow& row, int plane, int band, int64_t x, bool left, int scale);

  float FlagCost(bool set);
  // Of one value, the only one of its place.
  float ValueCost(int value);
  // The best values with something among them, by error + lambda x bits, without the flag. A value
  // bears on the networks' opinions of those after it: the best few beginnings are carried along.
  float Choose(const FullChoices& choices, float lambda, std::array<int16_t, kFullLanes>& best);

  // Returns bits.
  float CodeFlag(bool set);
  float CodeValues(const int16_t* values);  // something among them, but for coarse DC

  // After AtBand(), before the codes: adds to the tile's tolls of symbols what those that this
  // place sees cost it, bits for a unit of magnitude.
  void AddTolls(LatentTile& tile, int64_t block_row, int64_t x, int plane, int band, bool set,
                const int16_t* values);

  // Of a band's decisions.
  void Save(int plane, int band);
  void Restore();

 private:
  static constexpr size_t kPaths = 3;
  static constexpr int kSlopeScale = 1 << 15;  // of slopes of hidden sums, bits for a unit
  struct BitCounter {
    const BitCosts* costs = nullptr;
    float bits = 0;
    bool Bit(bool bit, uint32_t p1) {
      bits += costs->Of(bit, AdaptiveBit{static_cast<uint16_t>(p1)});
      return bit;
    }
    uint32_t Raw(uint32_t value, int count) {
      bits += static_cast<float>(count);
      return value;
    }
  };
  struct Path {
    float cost;
    FullSums sums;
    std::array<int16_t, kFullLanes> value;
  };
  struct Step {
    float cost;
    size_t from;
    int16_t value;
  };
  struct Group {  // of FullState
    decltype(FullState::weights)::value_type weights;
    decltype(FullState::refined)::value_type refined;
    decltype(FullState::place)::value_type place;
    decltype(FullState::exponent)::value_type exponent;
    decltype(FullState::mantissa)::value_type mantissa;
  };

  void SetPlace(size_t group, const FullNetwork& network, int kind, int lanes, int flag_context);
  void SumFlag();
  void FinishSums();
  // Of the context of the first nonzero value, as section 4 has it.
  int EmptyState(int lane) const {
    return kind_ < ContextParameters::kCoarseLumaKind && lane == lanes_ - 2 ? 2 : 1;
  }
  float CostOf(bool bit, FullDecision decision, size_t lane, int odds, AdaptiveBit* lite,
               bool turned = false);
  float OddsSlope(bool bit, FullDecision decision, size_t lane, int odds, AdaptiveBit* lite);
  float ZeroCost(bool nonzero, int state, size_t lane, const FullSums& sums);
  float MagnitudeCost(int magnitude, size_t lane, const FullSums& sums);
  float SignCost(int value, size_t lane, const FullSums& sums);

  const ContextParameters& p_;
  const FullModel& full_;
  SimdLevel level_;
  const BitCosts& costs_;
  StepInputs step_;
  ContextState lite_, saved_lite_;
  FullState state_;
  Group saved_;
  size_t saved_group_ = 0;

  // The place.
  size_t group_ = 0;
  const FullNetwork* network_ = nullptr;
  FullDecision flag_kind_ = kFlagDecision;
  int kind_ = 0, lanes_ = 0, flag_context_ = 0, flag_odds_ = 0;
  bool summed_ = false, band_ = false;
  int band_index_ = 0;
  BandNeighbours neighbours_;
  std::array<uint8_t, kFullLanes> scale_;
  std::array<int16_t, kFullLanes> mean_;
  FullInputSet in_;
  FullSums sums_{};
  std::array<Path, kPaths> path_, next_;
  std::array<float, 128> level_slope_;  // of a level, by magnitude, in units of dots_
  // By input, of both lists: its row times slopes of hidden sums.
  std::array<int32_t, 2 * FullInputs::kMost> dots_;
};

}  // namespace godwit::swift
