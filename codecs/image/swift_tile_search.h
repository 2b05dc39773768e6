// codecs/image/swift_tile_search.h: the symbols of one tile at the higher efforts of the encoder.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/cpu.h"
#include "codecs/image/image_model.h"
#include "codecs/image/swift_analysis.h"
#include "codecs/image/swift_effort.h"
#include "codecs/image/swift_latent_tile.h"
#include "codecs/image/swift_model.h"
#include "codecs/image/swift_network_aim.h"
#include "codecs/image/swift_row_decider.h"
#include "tensor/tensor.h"

namespace godwit::swift {

// Owns its workspace; for one thread at a time. StartTile(), AddRow() for every row of cells,
// Search(), then LoadRow() for every row. The same symbols whatever was searched before, at every
// SIMD level.
class TileSearch {
 public:
  // For tiles of at most so many cells. `synthesis` may be null: then efforts that want a network
  // do as the one below them. It must outlive the search.
  // With `full`, bits are counted as that model does.
  TileSearch(const SwiftModel& model, const FullModel* full, const ImageSynthesis* synthesis,
             int effort, ImageTune tune, SimdLevel level, int planes, int64_t max_cells_w,
             int64_t max_cells_h);
  static uint64_t BytesFor(bool full, const ImageSynthesis* synthesis, int effort, ImageTune tune,
                           int planes, int64_t max_cells_w, int64_t max_cells_h);

  void StartTile(int step_index, int layers, int64_t cells_w, int64_t cells_h);
  // `pixels` as for RowAnalyser::Analyse().
  void AddRow(RowAnalyser& analyser, TensorView<const uint8_t> pixels, int64_t cell_row);
  void Search();
  // Of what was decided last, which without a network is what was found.
  double bits() const { return decider_.bits(); }
  // What Analyse() would leave in `row`, with the symbols that were found.
  void LoadRow(int64_t cell_row, CellRow& row) const;

 private:
  void SetTargets();
  void SetCoarseTargets(size_t plane);
  void FindTolls();
  void Decide(bool tolls);
  void SearchWithNetwork(int rounds);

  const SwiftModel& model_;
  SimdLevel level_;
  Effort effort_;
  bool weighted_;  // errors count as MS-SSIM has them
  float toll_share_;
  int step_index_ = 0;
  DecideOptions options_;
  LatentTile tile_;
  RowDecider decider_;
  std::unique_ptr<NetworkAim> aim_;                 // null: no network
  std::array<LatentPlane<int16_t>, kPlanes> best_;  // symbols, with a network
};

}  // namespace godwit::swift
