#include "codecs/image/swift_tile_decoder.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "codecs/image/full_context.h"
#include "codecs/image/swift_context.h"
#include "entropy/decision_list.h"

namespace godwit::swift {
namespace {

class ContextReader {
 public:
  ContextReader(const RangeDecoder& decoder, AdaptiveBit* contexts)
      : decoder_(decoder), contexts_(contexts) {}
  bool Bit(bool, int context) {
    return DecodeAdaptive(decoder_, contexts_[context], kDecisionRate);
  }
  uint32_t Raw(uint32_t, int count) { return decoder_.DecodeRaw(count); }
  void Pause() {}
  const RangeDecoder& decoder() const { return decoder_; }

 private:
  RangeDecoder decoder_;
  AdaptiveBit* contexts_;
};

class MixedReader {
 public:
  explicit MixedReader(const RangeDecoder& decoder) : decoder_(decoder) {}
  bool Bit(bool, uint32_t p1) { return decoder_.DecodeBit(p1); }
  uint32_t Raw(uint32_t, int count) { return decoder_.DecodeRaw(count); }
  const RangeDecoder& decoder() const { return decoder_; }

 private:
  RangeDecoder decoder_;
};

// One row alone keeps what lies above it by itself.
int RowsHeld(int rows_at_once) { return rows_at_once > 1 ? rows_at_once + 1 : 1; }

}  // namespace

TileDecoder::TileDecoder(const SwiftModel& model, const FullModel* full, SimdLevel level,
                         int planes, int64_t max_cells_w, int rows_at_once)
    : model_(model),
      full_(full),
      level_(level),
      state_(std::make_unique<ContextState>()),
      full_state_(full != nullptr ? std::make_unique<FullState>() : nullptr) {
  for (int i = 0; i < RowsHeld(rows_at_once); ++i)
    rows_.push_back(CellRow::Create(planes, max_cells_w, /*own_symbols=*/false));
}
TileDecoder::TileDecoder(TileDecoder&&) noexcept = default;
TileDecoder::~TileDecoder() = default;

uint64_t TileDecoder::BytesFor(const FullModel* full, int planes, int64_t max_cells_w,
                               int rows_at_once) {
  return static_cast<uint64_t>(RowsHeld(rows_at_once)) * CellRow::BytesFor(planes, max_cells_w) +
         sizeof(ContextState) + (full != nullptr ? sizeof(FullState) : 0);
}

void TileDecoder::Start(std::span<const std::span<const std::byte>> substreams, int step_index,
                        int64_t cells_w, int64_t cells_h) {
  step_index_ = step_index;
  layers_ = static_cast<int>(substreams.size());
  cells_w_ = cells_w;
  cells_h_ = cells_h;
  next_row_ = 0;
  if (rows_.size() == 1) rows_[0].StartTile(cells_w);
  state_->Reset(model_.context, step_index);
  if (full_ != nullptr) *full_state_ = full_->start;
  for (size_t l = 0; l < substreams.size(); ++l)
    substreams_[l] = {!substreams[l].empty(), RangeDecoder(substreams[l])};
}

void TileDecoder::StartRow(int64_t y, const LatentTarget& out) {
  CellRow& row = rows_[static_cast<size_t>(y) % rows_.size()];
  if (rows_.size() == 1) {
    row.first = y == 0;
    row.NextRow();
  } else {
    row.StartBeside(cells_w_, y > 0 ? &RowAt(y - 1) : nullptr);
  }
  row.symbols = out.symbols;
  row.symbol_pitch = out.columns;
  for (size_t p = 0; p < static_cast<size_t>(row.planes); ++p) {
    for (int64_t b = 0; b < kCellBlocks; ++b)
      std::memset(row.Symbols(p, b, 0), 0,
                  static_cast<size_t>(row.blocks_w() * kChannels) * sizeof(int16_t));
  }
}

void TileDecoder::DecodeLayer(int l, CellRow& row) {
  Layer& layer = substreams_[static_cast<size_t>(l)];
  if (full_ != nullptr) {
    FullCoder<MixedReader, true> coder(model_, *full_, StepInputs(step_index_), row, *state_,
                                       *full_state_, MixedReader(layer.decoder), level_);
    coder.CodeLayer(l);
    layer.decoder = coder.coder().decoder();
    return;
  }
  ContextCoder<ContextReader, true> coder(model_.context, row,
                                          ContextReader(layer.decoder, state_->bit.data()), level_);
  coder.CodeLayer(l);
  layer.decoder = coder.coder().decoder();
}

void TileDecoder::DecodePart(int l, int64_t y, const LatentTarget& out) {
  if (l == 0) StartRow(y, out);
  CellRow& row = rows_[static_cast<size_t>(y) % rows_.size()];
  row.TakeAbove(l);
  if (l < layers_ && substreams_[static_cast<size_t>(l)].coded) {
    DecodeLayer(l, row);
  } else {
    for (size_t p = 0; l >= 2 && p < static_cast<size_t>(row.planes); ++p)
      row.KeepEdgesBelow(p, l, /*coded=*/false);
  }
  if (l != 1) return;
  const uint32_t step = StepFromIndex(step_index_);
  ReconstructDc(model_, step, level_, row);
  if (layers_ > 2) StartEdges(step, level_, row);
  for (size_t p = 0; p < static_cast<size_t>(row.planes); ++p) {
    for (int64_t b = 0; b < kCellBlocks; ++b) {
      std::memcpy(out.dc[p] + b * out.columns, row.dc[p].data() + row.Bordered(b, 0),
                  static_cast<size_t>(row.blocks_w()) * sizeof(int16_t));
    }
  }
}

Status TileDecoder::Finish() const {
  for (int l = 0; l < layers_; ++l) {
    const Layer& layer = substreams_[static_cast<size_t>(l)];
    if (!layer.coded) continue;
    const Status finished = layer.decoder.Finish();
    if (!finished.ok()) return finished.WithPrefix("layer " + std::to_string(l) + ": ");
  }
  return {};
}

Status TileDecoder::DecodeRow(const LatentTarget& out) {
  for (int part = 0; part < parts(); ++part) DecodePart(part, next_row_, out);
  return ++next_row_ == cells_h_ ? Finish() : Status();
}

}  // namespace godwit::swift
