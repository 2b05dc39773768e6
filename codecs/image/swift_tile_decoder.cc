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

}  // namespace

TileDecoder::TileDecoder(const SwiftModel& model, const FullModel* full, SimdLevel level,
                         int planes, int64_t max_cells_w)
    : model_(model),
      full_(full),
      level_(level),
      row_(CellRow::Create(planes, max_cells_w, /*own_symbols=*/false)),
      state_(std::make_unique<ContextState>()),
      full_state_(full != nullptr ? std::make_unique<FullState>() : nullptr) {}
TileDecoder::TileDecoder(TileDecoder&&) noexcept = default;
TileDecoder::~TileDecoder() = default;

uint64_t TileDecoder::BytesFor(const FullModel* full, int planes, int64_t max_cells_w) {
  return CellRow::BytesFor(planes, max_cells_w) + sizeof(ContextState) +
         (full != nullptr ? sizeof(FullState) : 0);
}

void TileDecoder::Start(std::span<const std::span<const std::byte>> substreams, int step_index,
                        int64_t cells_w, int64_t cells_h) {
  step_index_ = step_index;
  layers_ = static_cast<int>(substreams.size());
  rows_left_ = cells_h;
  row_.StartTile(cells_w);
  state_->Reset(model_.context, step_index);
  if (full_ != nullptr) *full_state_ = full_->start;
  for (size_t l = 0; l < substreams.size(); ++l)
    substreams_[l] = {!substreams[l].empty(), RangeDecoder(substreams[l])};
}

void TileDecoder::DecodeLayer(int l, Layer& layer) {
  if (full_ != nullptr) {
    FullCoder<MixedReader, true> coder(model_, *full_, StepInputs(step_index_), row_, *state_,
                                       *full_state_, MixedReader(layer.decoder), level_);
    coder.CodeLayer(l);
    layer.decoder = coder.coder().decoder();
    return;
  }
  ContextCoder<ContextReader, true> coder(model_.context, row_,
                                          ContextReader(layer.decoder, state_->bit.data()), level_);
  coder.CodeLayer(l);
  layer.decoder = coder.coder().decoder();
}

Status TileDecoder::DecodeRow(const LatentTarget& out) {
  const uint32_t step = StepFromIndex(step_index_);
  row_.NextRow();
  const int64_t width = row_.blocks_w();
  row_.symbols = out.symbols;
  row_.symbol_pitch = out.columns;
  for (size_t p = 0; p < static_cast<size_t>(row_.planes); ++p) {
    for (int64_t y = 0; y < kCellBlocks; ++y)
      std::memset(row_.Symbols(p, y, 0), 0,
                  static_cast<size_t>(width * kChannels) * sizeof(int16_t));
  }
  for (int l = 0; l < std::max(layers_, 2); ++l) {
    if (l == 2) {
      ReconstructDc(model_, step, level_, row_);
      StartEdges(step, level_, row_);
    }
    Layer& layer = substreams_[static_cast<size_t>(l)];
    if (l >= layers_) continue;
    if (!layer.coded) {
      for (size_t p = 0; l >= 2 && p < static_cast<size_t>(row_.planes); ++p)
        row_.KeepEdgesBelow(p, l, /*coded=*/false);
      continue;
    }
    DecodeLayer(l, layer);
  }
  if (layers_ <= 2) ReconstructDc(model_, step, level_, row_);
  for (size_t p = 0; p < static_cast<size_t>(row_.planes); ++p) {
    for (int64_t y = 0; y < kCellBlocks; ++y) {
      std::memcpy(out.dc[p] + y * out.columns, row_.dc[p].data() + row_.Bordered(y, 0),
                  static_cast<size_t>(width) * sizeof(int16_t));
    }
  }
  row_.first = false;
  if (--rows_left_ > 0) return {};
  for (int l = 0; l < layers_; ++l) {
    const Layer& layer = substreams_[static_cast<size_t>(l)];
    if (!layer.coded) continue;
    const Status finished = layer.decoder.Finish();
    if (!finished.ok()) return finished.WithPrefix("layer " + std::to_string(l) + ": ");
  }
  return {};
}

}  // namespace godwit::swift
