// codecs/image/swift_row_decider.h: which symbols to send: those with the least squared error plus
// lambda times bits, as the adaptive `lite` model counts them. An encoder's search: it changes no
// stream's meaning.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/cpu.h"
#include "codecs/image/swift_bit_cost.h"
#include "codecs/image/swift_cell_row.h"
#include "codecs/image/swift_context.h"
#include "codecs/image/swift_full_prices.h"
#include "codecs/image/swift_latent_tile.h"
#include "codecs/image/swift_model.h"
#include "entropy/decision_list.h"

namespace godwit::swift {

struct DecideOptions {
  int layers = kLayers;
  float lambda = 0.1f;         // squared steps for a bit
  float coarse_lambda = 0.1f;  // the same of layers 0 and 1
  bool cells = true;           // weigh what whole cells of a band cost
  bool tolls = false;          // take those of LatentTile into account
};

// Decides a tile row of cells by row of cells, in coding order: each decision sees the contexts
// that earlier ones make. Within a band of a block, contexts are the same whatever its values are,
// but for whether any came before: so the best values are found exactly. What values do to the
// contexts of later ones is left out, but for tolls.
class RowDecider {
 public:
  // With `full`, bits are counted as that model does; it must outlive this.
  RowDecider(const SwiftModel& model, const FullModel* full, SimdLevel level, int planes,
             int64_t max_cells_w);
  static uint64_t BytesFor(bool full, int planes, int64_t max_cells_w);

  void StartTile(int step_index, int64_t cells_w, const DecideOptions& options);
  // Rows 0.. in order. Reads the tile's targets and sets its symbols.
  void DecideRow(LatentTile& tile, int64_t cell_row);
  // Instead of DecideRow(), for symbols as they are. With options.tolls, sets those of the tile,
  // which must be zeros before.
  void ReplayRow(LatentTile& tile, int64_t cell_row);
  // Since StartTile(): what all that was decided costs, in bits.
  double bits() const { return bits_; }

 private:
  struct BlockChoice {
    float gain;  // squared error and cost less than with zeros
    std::array<int16_t, kLanes> values;
  };

  bool full() const { return prices_ != nullptr; }
  void DecideCoarseDc(LatentTile& tile, int64_t cell_row, int plane);
  void DecideCoarseAc(LatentTile& tile, int64_t cell_row, int plane);
  void DecideBand(LatentTile& tile, int64_t cell_row, int plane, int band);
  bool FindCells(LatentTile& tile, int64_t cell_row, int plane, int band);
  float CodeBlock(LatentTile& tile, int64_t cell_row, int plane, int band, int64_t y, int64_t x,
                  uint32_t flag_sum, bool* left);
  void CodeBlocks(LatentTile& tile, int64_t cell_row, int plane, int band);
  void SaveEdges(int plane);
  void ForgetBlocks(LatentTile& tile, int64_t cell_row, int plane, int band);
  void CodeRow(LatentTile& tile, int64_t cell_row);
  float FlagSlope(int group, int scale, bool flag) const;
  void AddFlagToll(LatentTile& tile, int64_t block_row, int64_t x, int plane, int band,
                   float slope);
  float AddSymbolTolls(LatentTile& tile, int64_t block_row, int64_t x, int plane, int band,
                       const BandContexts& contexts, const BlockChoice& choice);
  static float ErrorOf(const LatentTile& tile, size_t plane, int64_t at, int v);
  // With `full`.
  float ChooseFull(const LatentTile& tile, int64_t at, int plane, int band,
                   std::array<int16_t, kLanes>& values);
  void DecideCoarseAcFull(LatentTile& tile, int64_t cell_row, int plane, int64_t x,
                          uint32_t flag_sum, const CoarseContexts& contexts);
  void DecideBlock(const LatentTile& tile, int64_t at, int plane, int band,
                   const BandContexts& contexts, BlockChoice& choice) const;
  void Commit(LatentTile& tile, int64_t at, int plane, int band, int64_t y, int64_t x,
              const BandContexts& contexts, const BlockChoice& choice);
  void Code(bool bit, int context) {
    bits_ += costs_.Of(bit, state_->bit[static_cast<size_t>(context)]);
    state_->bit[static_cast<size_t>(context)].Update(bit, kDecisionRate);
  }
  void CodeValue(int value, int kind, int scale, int mean);

  const SwiftModel& model_;
  const ContextParameters& p_;
  SimdLevel level_;
  const BandKernels& kernels_;
  const BitCosts& costs_;
  DecideOptions options_;
  uint32_t step_ = 0;
  double bits_ = 0;
  bool replay_ = false;
  CellRow row_;
  std::unique_ptr<ContextState> state_, saved_state_;
  std::unique_ptr<FullPrices> prices_;  // null: those of `lite`
  std::vector<BlockEdges> saved_edges_;
  std::vector<float> cell_gain_;
  std::vector<uint32_t> cell_sum_;
  std::vector<uint8_t> cell_in_;
};

}  // namespace godwit::swift
