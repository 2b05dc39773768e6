#include "codecs/image/swift_tile_search.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "codecs/image/swift_msssim_scales.h"
#include "codecs/image/swift_msssim_weights.h"

namespace godwit::swift {
namespace {

// Squared steps for a bit. Best of 0.06 to 0.18 on reduced training pictures, BD-rate with the
// large network; the coarse scale, whose error the network mends least, of 0.02 to 0.15.
constexpr float kLambda = 0.1f, kCoarseLambda = 0.06f;
// Of tolls: they are of other symbols as they were. Those of `full` are better founded.
constexpr float kTollShare = 0.6f, kFullTollShare = 1.0f;

bool UsesNetwork(const ImageSynthesis* synthesis, int effort) {
  return synthesis != nullptr && kEfforts[static_cast<size_t>(effort)].network_rounds > 0 &&
         NetworkGradient::Supports(synthesis->network());
}

}  // namespace

TileSearch::TileSearch(const SwiftModel& model, const FullModel* full,
                       const ImageSynthesis* synthesis, int effort, ImageTune tune, SimdLevel level,
                       int planes, int64_t max_cells_w, int64_t max_cells_h)
    : model_(model),
      level_(level),
      effort_(kEfforts[static_cast<size_t>(effort)]),
      weighted_(tune == ImageTune::kMsssim),
      toll_share_(full != nullptr ? kFullTollShare : kTollShare),
      decider_(model, full, level, planes, max_cells_w) {
  tile_.planes = planes;
  const int64_t cells = max_cells_w * max_cells_h, blocks = cells * kCellBlocks * kCellBlocks;
  const bool network = UsesNetwork(synthesis, effort);
  if (network) aim_ = std::make_unique<NetworkAim>(*synthesis, level, max_cells_w, max_cells_h);
  if (weighted_) tile_.variance = Tensor<float>(1, blocks, kMsssimScales);
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    tile_.coefficient[p] = Tensor<int16_t>(1, blocks, kChannels);
    tile_.symbol[p] = {Tensor<int16_t>(1, blocks, kChannels), Tensor<int16_t>(1, cells, kCoarse)};
    tile_.target[p] = {Tensor<float>(1, blocks, kChannels), Tensor<float>(1, cells, kCoarse)};
    tile_.dc[p] = Tensor<int16_t>(1, blocks);
    if (weighted_) tile_.weight[p] = Tensor<float>(1, blocks, kChannels);
    if (effort_.toll_passes > 0) {
      tile_.toll[p] = Tensor<float>(1, blocks, kChannels);
      tile_.band_toll[p] = Tensor<float>(1, blocks, kBandTolls);
    }
    if (!network) continue;
    tile_.linear[p] = Tensor<float>(1, blocks, kChannels);
    tile_.pull[p] = Tensor<float>(1, blocks, kChannels);
    best_[p] = {Tensor<int16_t>(1, blocks, kChannels), Tensor<int16_t>(1, cells, kCoarse)};
  }
}

uint64_t TileSearch::BytesFor(bool full, const ImageSynthesis* synthesis, int effort,
                              ImageTune tune, int planes, int64_t max_cells_w,
                              int64_t max_cells_h) {
  const bool network = UsesNetwork(synthesis, effort);
  const bool tolls = kEfforts[static_cast<size_t>(effort)].toll_passes > 0;
  const bool weighted = tune == ImageTune::kMsssim;
  const uint64_t per_block =
      kChannels * (2 + 2 + 4 + (tolls ? 4 : 0) + (network ? 10 : 0) + (weighted ? 4 : 0)) + 2 +
      (weighted ? 4 * kMsssimScales : 0) + (tolls ? 4 * kBandTolls : 0);
  const uint64_t per_cell = kCoarse * (2 + 4 + 2);
  const auto cells = static_cast<uint64_t>(max_cells_w * max_cells_h);
  return static_cast<uint64_t>(planes) * cells *
             (per_cell + kCellBlocks * kCellBlocks * per_block) +
         RowDecider::BytesFor(full, planes, max_cells_w) +
         (network ? NetworkAim::BytesFor(*synthesis, max_cells_w, max_cells_h) : 0);
}

void TileSearch::StartTile(int step_index, int layers, int64_t cells_w, int64_t cells_h) {
  step_index_ = step_index;
  options_ = {layers, kLambda, kCoarseLambda, effort_.weigh_cells, false};
  tile_.cells_w = cells_w;
  tile_.cells_h = cells_h;
  if (aim_ != nullptr) aim_->StartTile(tile_, step_index, layers);
}

void TileSearch::AddRow(RowAnalyser& analyser, TensorView<const uint8_t> pixels, int64_t cell_row) {
  std::array<int16_t*, kPlanes> out{};
  for (size_t p = 0; p < static_cast<size_t>(tile_.planes); ++p)
    out[p] = tile_.coefficient[p].data() + tile_.BlockAt(cell_row * kCellBlocks, 0);
  analyser.Coefficients(pixels, tile_.planes, tile_.cells_w, out);
}

// Coefficients in steps.
void TileSearch::SetTargets() {
  const float steps = 4.0f / static_cast<float>(StepFromIndex(step_index_));  // of f=4, f=6
  tile_.compand = nullptr;
  for (size_t p = 0; p < static_cast<size_t>(tile_.planes); ++p) {
    float* const block = tile_.target[p].block.data();
    for (int64_t i = 0; i < tile_.rows() * tile_.columns() * kChannels; ++i)
      block[i] = static_cast<float>(tile_.coefficient[p].data()[i]) * steps;
    SetCoarseTargets(p);
  }
}

// From those of DC.
void TileSearch::SetCoarseTargets(size_t p) {
  const auto& m = model_.coarse_forward;
  const float* const block = tile_.target[p].block.data();
  for (int64_t cy = 0; cy < tile_.cells_h; ++cy) {
    for (int64_t cx = 0; cx < tile_.cells_w; ++cx) {
      float half[4][4];  // [v][x]
      for (size_t v = 0; v < 4; ++v) {
        for (size_t x = 0; x < 4; ++x) {
          half[v][x] = 0;
          for (size_t y = 0; y < 4; ++y) {
            const int64_t at = tile_.BlockAt(cy * kCellBlocks + static_cast<int64_t>(y),
                                             cx * kCellBlocks + static_cast<int64_t>(x));
            half[v][x] += static_cast<float>(m[v * 4 + y]) * block[at];
          }
        }
      }
      float* const cell = tile_.target[p].cell.data() + tile_.CellAt(cy, cx);
      for (size_t u = 0; u < 4; ++u) {
        for (size_t v = 0; v < 4; ++v) {
          float sum = 0;
          for (size_t x = 0; x < 4; ++x) sum += static_cast<float>(m[u * 4 + x]) * half[v][x];
          cell[u * 4 + v] = sum * (1.0f / (1 << 28));
        }
      }
    }
  }
}

void TileSearch::Decide(bool tolls) {
  options_.tolls = tolls;
  decider_.StartTile(step_index_, tile_.cells_w, options_);
  for (int64_t y = 0; y < tile_.cells_h; ++y) decider_.DecideRow(tile_, y);
}

// Of the symbols as they are.
void TileSearch::FindTolls() {
  const int64_t blocks = tile_.rows() * tile_.columns();
  const auto planes = static_cast<size_t>(tile_.planes);
  for (size_t p = 0; p < planes; ++p) {
    std::fill_n(tile_.toll[p].data(), blocks * kChannels, 0.0f);
    std::fill_n(tile_.band_toll[p].data(), blocks * kBandTolls, 0.0f);
  }
  options_.tolls = true;
  decider_.StartTile(step_index_, tile_.cells_w, options_);
  for (int64_t y = 0; y < tile_.cells_h; ++y) decider_.ReplayRow(tile_, y);
  for (size_t p = 0; p < planes; ++p) {
    for (int64_t i = 0; i < blocks * kChannels; ++i) tile_.toll[p].data()[i] *= toll_share_;
    for (int64_t i = 0; i < blocks * kBandTolls; ++i) tile_.band_toll[p].data()[i] *= toll_share_;
  }
}

void TileSearch::Search() {
  SetTargets();
  if (weighted_) SetMsssimWeights(tile_);
  Decide(false);
  for (int pass = 0; pass < effort_.toll_passes; ++pass) {
    FindTolls();
    Decide(true);
  }
  if (aim_ != nullptr && aim_->Serves(step_index_, options_.layers))
    SearchWithNetwork(effort_.network_rounds);
}

// Rounds do not always come down: the best is kept, and three in a row that bring none are the
// last. Of 15 training pictures and qualities at effort 9 that left 8.3 of 10 rounds, at 0.004 %
// more cost, 0.03 at worst; two in a row 6.9, at 0.03 and 0.21 %.
void TileSearch::SearchWithNetwork(int rounds) {
  const auto planes = static_cast<size_t>(tile_.planes);
  const int64_t blocks = tile_.rows() * tile_.columns();
  const auto copy = [&](const auto& from, auto& to) {
    for (size_t p = 0; p < planes; ++p) {
      std::copy_n(from[p].block.data(), blocks * kChannels, to[p].block.data());
      std::copy_n(from[p].cell.data(), tile_.cells_w * tile_.cells_h * kCoarse, to[p].cell.data());
    }
  };
  constexpr int kMostStale = 3;
  double best = std::numeric_limits<double>::infinity();
  int stale = 0;
  for (int round = 0;; ++round) {
    const double cost = aim_->Run(tile_) + double{kLambda} * decider_.bits();
    stale = cost < best ? 0 : stale + 1;
    if (stale == 0) {
      best = cost;
      copy(tile_.symbol, best_);
    }
    if (round == rounds || stale == kMostStale) break;
    aim_->Aim(tile_);
    for (size_t p = 0; p < planes; ++p) SetCoarseTargets(p);
    FindTolls();
    Decide(true);
  }
  copy(best_, tile_.symbol);
}

void TileSearch::LoadRow(int64_t cell_row, CellRow& row) const {
  row.NextRow();
  const int64_t width = row.blocks_w();
  for (size_t p = 0; p < static_cast<size_t>(tile_.planes); ++p) {
    uint64_t* const cells = row.cell_nonzero[p].data();
    std::fill_n(cells, row.cells_w, uint64_t{0});
    for (int64_t y = 0; y < kCellBlocks; ++y) {
      const int16_t* const from =
          tile_.symbol[p].block.data() + tile_.BlockAt(cell_row * kCellBlocks + y, 0);
      std::memcpy(row.Symbols(p, y, 0), from,
                  static_cast<size_t>(width * kChannels) * sizeof(int16_t));
      uint64_t* const nonzero = row.nonzero[p].data() + y * width;
      for (int64_t x = 0; x < width; ++x) {
        uint64_t bits = 0;
        for (int64_t c = 1; c < kChannels; ++c) bits |= uint64_t{from[x * kChannels + c] != 0} << c;
        nonzero[x] = bits;
        cells[x / kCellBlocks] |= bits;
      }
    }
    std::memcpy(row.coarse[p].data() + row.BorderedCell(0) * kCoarse,
                tile_.symbol[p].cell.data() + tile_.CellAt(cell_row, 0),
                static_cast<size_t>(row.cells_w * kCoarse) * sizeof(int16_t));
  }
  const uint32_t step = StepFromIndex(step_index_);
  ReconstructDc(model_, step, level_, row);
  StartEdges(step, level_, row);
}

}  // namespace godwit::swift
