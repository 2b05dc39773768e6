#include "codecs/image/swift_row_decider.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace godwit::swift {
namespace {

using P = ContextParameters;
constexpr float kNever = std::numeric_limits<float>::infinity();
constexpr float kLeast = 0.5f;     // of a target that may become a symbol
constexpr float kMost = 32767.0f;  // of a symbol

}  // namespace

RowDecider::RowDecider(const SwiftModel& model, const FullModel* full, SimdLevel level, int planes,
                       int64_t max_cells_w)
    : model_(model),
      p_(model.context),
      level_(level),
      kernels_(BandKernelsFor(level)),
      costs_(BitCosts::Get()),
      row_(CellRow::Create(planes, max_cells_w, /*own_symbols=*/true)),
      state_(std::make_unique<ContextState>()),
      saved_state_(std::make_unique<ContextState>()),
      prices_(full != nullptr ? std::make_unique<FullPrices>(model, *full, level) : nullptr),
      saved_edges_(static_cast<size_t>(kCellBlocks * (max_cells_w * kCellBlocks + 2))),
      cell_gain_(static_cast<size_t>(max_cells_w)),
      cell_sum_(static_cast<size_t>(max_cells_w)),
      cell_in_(static_cast<size_t>(max_cells_w)) {}

uint64_t RowDecider::BytesFor(bool full, int planes, int64_t max_cells_w) {
  return CellRow::BytesFor(planes, max_cells_w) + 2 * sizeof(ContextState) +
         (full ? FullPrices::BytesFor() : 0) +
         static_cast<uint64_t>(max_cells_w * kCellBlocks + 2) * kCellBlocks * sizeof(BlockEdges) +
         static_cast<uint64_t>(max_cells_w) * 9;
}

void RowDecider::StartTile(int step_index, int64_t cells_w, const DecideOptions& options) {
  options_ = options;
  step_ = StepFromIndex(step_index);
  bits_ = 0;
  row_.StartTile(cells_w);
  state_->Reset(p_, step_index);
  if (prices_ != nullptr) prices_->StartTile(step_index);
}

void RowDecider::CodeValue(int value, int kind, int scale, int mean) {
  const ValueCosts costs(state_->bit.data(), kind, scale, mean);
  bits_ += costs.Sign(value < 0) + costs.Magnitude(std::abs(value));
  AdaptToValue(state_->bit.data(), value, kind, scale, mean);
}

void RowDecider::DecideRow(LatentTile& tile, int64_t cell_row) {
  replay_ = false;
  CodeRow(tile, cell_row);
}

void RowDecider::ReplayRow(LatentTile& tile, int64_t cell_row) {
  replay_ = true;
  CodeRow(tile, cell_row);
}

void RowDecider::CodeRow(LatentTile& tile, int64_t cell_row) {
  row_.NextRow();
  for (int layer = 0; layer < options_.layers; ++layer) {
    if (layer == 2) {
      ReconstructDc(model_, step_, level_, row_);
      StartEdges(step_, level_, row_);
    }
    for (int p = 0; p < row_.planes; ++p) {
      if (layer == 0) {
        DecideCoarseDc(tile, cell_row, p);
      } else if (layer == 1) {
        DecideCoarseAc(tile, cell_row, p);
      } else {
        row_.TakeEdgesAbove(static_cast<size_t>(p), layer);
        for (int b = 0; b < kBands; ++b) {
          if (LayerOf(p, b) == layer) DecideBand(tile, cell_row, p, b);
        }
        row_.KeepEdgesBelow(static_cast<size_t>(p), layer, /*coded=*/true);
      }
    }
  }
  if (options_.layers <= 2) ReconstructDc(model_, step_, level_, row_);
  for (size_t p = 0; p < static_cast<size_t>(row_.planes); ++p) {
    for (int64_t y = 0; y < kCellBlocks; ++y) {
      std::memcpy(tile.dc[p].data() + (cell_row * kCellBlocks + y) * row_.blocks_w(),
                  row_.dc[p].data() + row_.Bordered(y, 0),
                  static_cast<size_t>(row_.blocks_w()) * sizeof(int16_t));
    }
  }
  row_.first = false;
}

// Squared error of symbol v less that of 0, by the tile's target or, with a network, its model.
float RowDecider::ErrorOf(const LatentTile& tile, size_t plane, int64_t at, int v) {
  const auto value = static_cast<float>(v);
  const float weight = tile.Weight(plane, at);
  if (tile.compand == nullptr)
    return weight * value * (value - 2 * tile.target[plane].block.data()[at]);
  const auto channel = static_cast<size_t>(at % kChannels);
  const auto level =
      static_cast<float>((*tile.compand)[static_cast<size_t>(std::min(std::abs(v), 63))]);
  return weight * value *
             (tile.curvature[plane][channel] * value - 2 * tile.linear[plane].data()[at]) +
         tile.pull[plane].data()[at] * (v < 0 ? -level : level);
}

// The best values of a block that has something; the gain is without its flag. Of the values up to
// a channel only two things matter to those after it: what they cost, and whether all are 0. So the
// best of either kind is carried along.
void RowDecider::DecideBlock(const LatentTile& tile, int64_t at, int plane, int band,
                             const BandContexts& contexts, BlockChoice& choice) const {
  const auto pz = static_cast<size_t>(plane);
  const Band& table = kBandTable[static_cast<size_t>(band)];
  const float* const target = tile.target[pz].block.data() + at;
  const float* const toll = options_.tolls ? tile.toll[pz].data() + at : nullptr;
  const float band_toll =
      options_.tolls ? tile.band_toll[pz].data()[at / kChannels * kBandTolls + band] : 0;
  const AdaptiveBit* const bit = state_->bit.data();
  const int kind = P::KindOf(plane, band), size = table.size;
  const float lambda = options_.lambda;
  float empty = 0, some = kNever;
  std::array<int16_t, kLanes> value{};
  uint32_t zeros = 0, begins = 0;  // lanes: 0 is best after others; others are best begun here
  for (int i = 0; i < size; ++i) {
    const auto iz = static_cast<size_t>(i);
    const int c = table.channel[iz], scale = contexts.scale_class[iz];
    const bool negative = target[c] < 0;
    const float magnitude = std::min(std::abs(target[c]), kMost);
    float best = kNever;
    if (magnitude >= kLeast) {
      const ValueCosts costs(bit, kind, scale, contexts.mean[iz]);
      const auto nearest = static_cast<int>(magnitude + 0.5f);
      const float sign = costs.Sign(negative), each = toll != nullptr ? toll[c] + band_toll : 0;
      for (int m = nearest; m > 0 && nearest - m < 2; --m) {
        const int v = negative ? -m : m;
        const float bits = sign + costs.Magnitude(m) + each * static_cast<float>(m);
        const float cost = ErrorOf(tile, pz, at + c, v) + lambda * bits;
        if (cost >= best) continue;
        best = cost;
        value[iz] = static_cast<int16_t>(v);
      }
    }
    const AdaptiveBit* const nonzero =
        bit + P::ZeroContext(kind, std::min(scale, kZeroClasses - 1));
    const int state = i == size - 2 ? 2 : 1;
    const bool implied = i == size - 1;
    const float begin = empty + best + (implied ? 0 : lambda * costs_.Of(true, nonzero[state]));
    const float zero = some + lambda * costs_.Of(false, nonzero[0]);
    const float more = some + best + lambda * costs_.Of(true, nonzero[0]);
    if (zero <= more) zeros |= 1u << i;
    some = std::min(zero, more);
    if (begin < some) {
      begins |= 1u << i;
      some = begin;
    }
    if (!implied) empty += lambda * costs_.Of(false, nonzero[state]);
  }
  choice.values = {};
  choice.gain = some;
  if (begins == 0) return;
  const int first = std::bit_width(begins) - 1;
  for (int i = first; i < size; ++i) {
    if (i == first || (zeros >> i & 1) == 0)
      choice.values[static_cast<size_t>(i)] = value[static_cast<size_t>(i)];
  }
}

// Codes the values of a block with a flag.
void RowDecider::Commit(LatentTile& tile, int64_t at, int plane, int band, int64_t y, int64_t x,
                        const BandContexts& contexts, const BlockChoice& choice) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const Band& table = kBandTable[bz];
  const int kind = P::KindOf(plane, band), size = table.size;
  int16_t* const symbols = tile.symbol[pz].block.data() + at;
  int8_t* const residual =
      row_.residual[pz].data() + row_.Bordered(y, x) * kChannels + kBandFirst[bz];
  BlockEdges& edges = row_.edges[pz].data()[row_.Bordered(y, x)];
  int total = 0;
  bool seen = false;
  if (full()) bits_ += prices_->CodeValues(choice.values.data());
  for (int i = 0; i < size; ++i) {
    const auto iz = static_cast<size_t>(i);
    const int value = choice.values[iz], scale = contexts.scale_class[iz];
    const int state = seen ? 0 : i == size - 2 ? 2 : 1;
    if (!full() && (seen || i < size - 1)) Code(value != 0, P::ZeroContext(kind, scale) + state);
    if (value == 0) continue;
    seen = true;
    if (!full()) CodeValue(value, kind, scale, contexts.mean[iz]);
    symbols[table.channel[iz]] = static_cast<int16_t>(value);
    residual[i] = LimitResidual(value);
    total += std::abs(int{residual[i]});
    edges.Add(table.channel[iz], value);
  }
  row_.band_sum[gz].data()[row_.Bordered(y, x)] = static_cast<uint8_t>(std::min(total, 255));
}

// A block of a cell that has something: decides it, or takes its symbols as they are, and codes
// its flag and values. Returns the gain; the flag goes to `left`.
float RowDecider::CodeBlock(LatentTile& tile, int64_t cell_row, int plane, int band, int64_t y,
                            int64_t x, uint32_t flag_sum, bool* left) {
  const auto pz = static_cast<size_t>(plane), gz = pz * kBands + static_cast<size_t>(band);
  const Band& table = kBandTable[static_cast<size_t>(band)];
  const int64_t block_row = cell_row * kCellBlocks + y, at = tile.BlockAt(block_row, x);
  const int scale = ScaleClass(flag_sum);
  const int flag_context =
      P::FlagContext(static_cast<int>(gz), std::min(scale, P::kFlagClasses - 1));
  const AdaptiveBit flag_bit = state_->bit[static_cast<size_t>(flag_context)];
  BandContexts contexts;
  BlockChoice choice;
  bool set = false;
  if (replay_) {
    choice.values = {};
    for (size_t i = 0; i < table.size; ++i) {
      choice.values[i] = tile.symbol[pz].block.data()[at + table.channel[i]];
      set = set || choice.values[i] != 0;
    }
  } else {
    const float* const target = tile.target[pz].block.data() + at;
    for (size_t i = 0; i < table.size && !set; ++i)
      set = std::abs(target[table.channel[i]]) >= kLeast;
  }
  if (set || full()) {
    kernels_.contexts(band, p_.band[gz], BandNeighboursOf(row_, plane, band, y, x, flag_sum),
                      contexts);
  }
  if (full()) prices_->AtBand(row_, plane, band, y, x, flag_sum, contexts);
  const auto flag_cost = [&](bool flag) {
    return options_.lambda * (full() ? prices_->FlagCost(flag) : costs_.Of(flag, flag_bit));
  };
  float gain = flag_cost(false);
  if (set && !replay_) {
    if (full()) {
      choice.gain = ChooseFull(tile, at, plane, band, choice.values);
    } else {
      DecideBlock(tile, at, plane, band, contexts, choice);
    }
    const float with = choice.gain + flag_cost(true);
    set = with < gain;
    gain = std::min(gain, with);
  }
  if (replay_ && options_.tolls && full()) {
    prices_->AddTolls(tile, block_row, x, plane, band, set, choice.values.data());
  } else if (replay_ && options_.tolls) {
    float slope = FlagSlope(static_cast<int>(gz), scale, set);
    if (set) slope += AddSymbolTolls(tile, block_row, x, plane, band, contexts, choice);
    AddFlagToll(tile, block_row, x, plane, band, slope);
  }
  if (full()) {
    bits_ += prices_->CodeFlag(set);
  } else {
    Code(set, flag_context);
  }
  if (set) Commit(tile, at, plane, band, y, x, contexts, choice);
  *left = set;
  return gain;
}

// The blocks of the cells in cell_in_; sets cell_gain_. What is decided stays in the contexts.
void RowDecider::CodeBlocks(LatentTile& tile, int64_t cell_row, int plane, int band) {
  const size_t group = static_cast<size_t>(plane * kBands + band);
  uint8_t* const counts = row_.cell_count[group].data() + row_.BorderedCell(0);
  std::fill_n(cell_gain_.data(), row_.cells_w, 0.0f);
  std::fill_n(counts, row_.cells_w, uint8_t{0});
  for (int64_t y = 0; y < kCellBlocks; ++y) {
    const FlagRow row = FlagRowOf(row_, p_, plane, band, y, 0, row_.cells_w);
    SumFlagRow(level_, row);
    bool left = false;
    for (int64_t x = 0; x < row_.blocks_w(); ++x) {
      const int64_t cell = x / kCellBlocks;
      if (cell_in_[static_cast<size_t>(cell)] == 0) {
        left = false;
        continue;
      }
      const uint32_t sum = row.sum[x] + (left ? uint32_t{row.weights[0]} * kFlagSet : 0);
      cell_gain_[static_cast<size_t>(cell)] +=
          CodeBlock(tile, cell_row, plane, band, y, x, sum, &left);
      counts[cell] = static_cast<uint8_t>(counts[cell] + left);
    }
  }
}

// Cells whose targets, or symbols to replay, hold something. Other symbols become 0.
bool RowDecider::FindCells(LatentTile& tile, int64_t cell_row, int plane, int band) {
  const auto pz = static_cast<size_t>(plane);
  const Band& table = kBandTable[static_cast<size_t>(band)];
  std::fill_n(cell_in_.data(), row_.cells_w, uint8_t{0});
  bool any = false;
  for (int64_t y = 0; y < kCellBlocks; ++y) {
    for (int64_t x = 0; x < row_.blocks_w(); ++x) {
      const int64_t at = tile.BlockAt(cell_row * kCellBlocks + y, x);
      const float* const target = tile.target[pz].block.data() + at;
      int16_t* const symbols = tile.symbol[pz].block.data() + at;
      bool in = false;
      for (size_t i = 0; i < table.size; ++i) {
        const size_t c = table.channel[i];
        in = in || (replay_ ? symbols[c] != 0 : std::abs(target[c]) >= kLeast);
        if (!replay_) symbols[c] = 0;
      }
      if (!in) continue;
      cell_in_[static_cast<size_t>(x / kCellBlocks)] = 1;
      any = true;
    }
  }
  return any;
}

// Of a band in this row of cells, what CodeBlocks() changes but for adaptive state.
void RowDecider::SaveEdges(int plane) {
  const auto w = static_cast<size_t>(row_.blocks_w());
  for (int64_t y = 0; y < kCellBlocks; ++y) {
    std::memcpy(saved_edges_.data() + static_cast<size_t>(y) * w,
                row_.edges[static_cast<size_t>(plane)].data() + row_.Bordered(y, 0),
                w * sizeof(BlockEdges));
  }
}

void RowDecider::ForgetBlocks(LatentTile& tile, int64_t cell_row, int plane, int band) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band);
  const Band& table = kBandTable[bz];
  const auto w = static_cast<size_t>(row_.blocks_w());
  for (int64_t y = 0; y < kCellBlocks; ++y) {
    std::memcpy(row_.edges[pz].data() + row_.Bordered(y, 0),
                saved_edges_.data() + static_cast<size_t>(y) * w, w * sizeof(BlockEdges));
    std::fill_n(row_.band_sum[pz * kBands + bz].data() + row_.Bordered(y, 0), w, uint8_t{0});
    for (int64_t x = 0; x < row_.blocks_w(); ++x) {
      std::fill_n(row_.residual[pz].data() + row_.Bordered(y, x) * kChannels + kBandFirst[bz],
                  table.size, int8_t{0});
      int16_t* const symbols =
          tile.symbol[pz].block.data() + tile.BlockAt(cell_row * kCellBlocks + y, x);
      for (size_t i = 0; i < table.size; ++i) symbols[table.channel[i]] = 0;
    }
  }
}

void RowDecider::DecideBand(LatentTile& tile, int64_t cell_row, int plane, int band) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const auto counts = [&](size_t g) { return row_.cell_count[g].data() + row_.BorderedCell(0); };
  SumCellFlagRow(level_, CellFlagRowOf(row_, p_, plane, band, cell_sum_.data()));
  const auto cell_class = [&](int64_t x, bool left) {
    const uint32_t by_left = left ? uint32_t{p_.cell_weights[gz][0]} * kFlagSet : 0;
    return ScaleClass(cell_sum_[static_cast<size_t>(x)] + by_left);
  };
  const auto context = [&](int64_t x, bool left) {
    return P::CellContext(static_cast<int>(gz), cell_class(x, left));
  };
  if (FindCells(tile, cell_row, plane, band)) {
    const double bits_before = bits_;
    *saved_state_ = *state_;
    if (full()) prices_->Save(plane, band);
    SaveEdges(plane);
    CodeBlocks(tile, cell_row, plane, band);
    bool again = false, left = false;
    for (int64_t x = 0; !replay_ && x < row_.cells_w; ++x) {
      uint8_t& in = cell_in_[static_cast<size_t>(x)];
      if (in != 0) {
        const AdaptiveBit bit = saved_state_->bit[static_cast<size_t>(context(x, left))];
        float more = costs_.Of(true, bit) - costs_.Of(false, bit);
        if (full()) {
          prices_->AtCell(row_, plane, band, x, left, cell_class(x, left));
          more = prices_->FlagCost(true) - prices_->FlagCost(false);
        }
        const float gain = cell_gain_[static_cast<size_t>(x)] + options_.lambda * more;
        in = counts(gz)[x] > 0 && (!options_.cells || gain < 0);
        again = again || in == 0;
      }
      left = in != 0;
    }
    if (again && options_.cells) {
      *state_ = *saved_state_;
      if (full()) prices_->Restore();
      bits_ = bits_before;
      ForgetBlocks(tile, cell_row, plane, band);
      CodeBlocks(tile, cell_row, plane, band);
    }
  }
  bool left = false;
  for (int64_t x = 0; x < row_.cells_w; ++x) {
    const bool in = cell_in_[static_cast<size_t>(x)] != 0 && counts(gz)[x] > 0;
    if (full()) {
      prices_->AtCell(row_, plane, band, x, left, cell_class(x, left));
      bits_ += prices_->CodeFlag(in);
    } else {
      Code(in, context(x, left));
    }
    left = in;
  }
}

}  // namespace godwit::swift
