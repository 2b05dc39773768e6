#include "codecs/image/image_repack.h"

#include <omp.h>

#include <algorithm>
#include <string>
#include <vector>

#include "codecs/image/full_context.h"
#include "codecs/image/full_row.h"
#include "codecs/image/image_parts.h"
#include "codecs/image/image_syntax.h"
#include "codecs/image/lite_layers.h"
#include "codecs/image/swift_tile_decoder.h"
#include "entropy/bit_encoder.h"

namespace godwit {
namespace {

using swift::kCell;
using swift::kChannels;
using swift::kLayers;
using swift::kPlanes;

// Bytes of one substream. A FullCoder's coder.
class MixedWriter {
 public:
  explicit MixedWriter(BitEncoder& to) : to_(&to) {}
  bool Bit(bool bit, uint32_t p1) {
    to_->Bit(bit, p1);
    return bit;
  }
  uint32_t Raw(uint32_t value, int count) {
    to_->Raw(value, count);
    return value;
  }

 private:
  BitEncoder* to_;
};

// What one thread needs: both sides of a tile, a row of cells at a time.
class TileRepacker {
 public:
  TileRepacker(const ImageModel& model, const ImageHeader& from, const ImageRepackOptions& options,
               int64_t max_cells_w)
      : model_(model.swift()),
        full_(model.full()),
        to_full_(options.entropy == ImageEntropy::kFull),
        simd_(options.simd),
        planes_(from.planes),
        decoder_(model.swift(), from.full ? model.full() : nullptr, options.simd, from.planes,
                 max_cells_w),
        row_(swift::CellRow::Create(from.planes, max_cells_w, /*own_symbols=*/true)),
        lite_(to_full_ ? std::make_unique<swift::ContextState>() : nullptr),
        lite_layers_(to_full_ ? nullptr
                              : std::make_unique<swift::LiteLayers>(options.simd, max_cells_w)),
        mixed_(to_full_ ? std::make_unique<swift::FullState>() : nullptr) {
    const int64_t blocks = max_cells_w * swift::kCellBlocks;
    for (size_t p = 0; p < static_cast<size_t>(planes_); ++p) {
      symbols_[p] = Tensor<int16_t>(swift::kCellBlocks, blocks, kChannels);
      dc_[p] = Tensor<int16_t>(swift::kCellBlocks, blocks);
    }
  }
  static uint64_t BytesFor(const ImageModel& model, int planes, int64_t max_cells_w) {
    const auto blocks = static_cast<uint64_t>(max_cells_w) * swift::kCellBlocks;
    return swift::TileDecoder::BytesFor(model.full(), planes, max_cells_w) +
           swift::CellRow::BytesFor(planes, max_cells_w) + sizeof(swift::ContextState) +
           sizeof(swift::FullState) + swift::LiteLayers::BytesFor(max_cells_w) +
           static_cast<uint64_t>(planes) * blocks * swift::kCellBlocks * (kChannels + 1) * 2 +
           (1 << 18);
  }

  // `out` gets the tile's substreams, as many as there are.
  Status Repack(std::span<const std::span<const std::byte>> substreams, int step_index,
                int64_t cells_w, int64_t cells_h, std::span<Bytes> out);

 private:
  void CodeRow(int step_index, int layers);

  const swift::SwiftModel& model_;
  const swift::FullModel* full_;
  bool to_full_;
  SimdLevel simd_;
  int planes_;
  swift::TileDecoder decoder_;
  swift::CellRow row_;
  std::unique_ptr<swift::ContextState> lite_;  // of `full`, which begins with it
  std::unique_ptr<swift::LiteLayers> lite_layers_;
  std::unique_ptr<swift::FullState> mixed_;
  std::array<BitEncoder, kLayers> full_layers_;
  std::array<Tensor<int16_t>, kPlanes> symbols_, dc_;
};

void TileRepacker::CodeRow(int step_index, int layers) {
  for (int l = 0; l < layers; ++l) {
    if (to_full_) {
      swift::FullCoder<MixedWriter, false> coder(
          model_, *full_, swift::StepInputs(step_index), row_, *lite_, *mixed_,
          MixedWriter(full_layers_[static_cast<size_t>(l)]), simd_);
      coder.CodeLayer(l);
    } else {
      lite_layers_->CodeLayer(model_.context, row_, l);
    }
  }
}

Status TileRepacker::Repack(std::span<const std::span<const std::byte>> substreams, int step_index,
                            int64_t cells_w, int64_t cells_h, std::span<Bytes> out) {
  const int layers = static_cast<int>(substreams.size());
  decoder_.Start(substreams, step_index, cells_w, cells_h);
  row_.StartTile(cells_w);
  if (to_full_) {
    lite_->Reset(model_.context, step_index);
    *mixed_ = full_->start;
    for (size_t l = 0; l < substreams.size(); ++l) full_layers_[l].Start();
  } else {
    lite_layers_->Start(model_.context, step_index);
  }
  swift::LatentTarget target;
  target.columns = cells_w * swift::kCellBlocks;
  for (size_t p = 0; p < static_cast<size_t>(planes_); ++p) {
    target.symbols[p] = symbols_[p].data();
    target.dc[p] = dc_[p].data();
  }
  for (int64_t y = 0; y < cells_h; ++y, row_.first = false) {
    GODWIT_RETURN_IF_ERROR(decoder_.DecodeRow(target));
    row_.NextRow();
    swift::TakeLatents(model_, step_index, simd_, decoder_.row(), row_);
    CodeRow(step_index, layers);
  }
  if (!to_full_) lite_layers_->Flush();
  for (size_t l = 0; l < substreams.size(); ++l) {
    if (substreams[l].empty()) continue;
    GODWIT_ASSIGN_OR_RETURN(const auto bytes, to_full_ ? full_layers_[l].Finish()
                                                       : lite_layers_->Finish(static_cast<int>(l)));
    out[l].assign(bytes.begin(), bytes.end());
  }
  return {};
}

Bytes Copy(std::span<const std::byte> bytes) { return Bytes(bytes.begin(), bytes.end()); }

Result<Bytes> Repack(const ImageStream& stream, const ImageModel& model,
                     const ImageRepackOptions& options) {
  const ImageHeader& h = stream.header;
  if (model.id() != h.model_id) {
    return Status(StatusCode::kModelRefused,
                  "the model at hand is not the one that made the stream");
  }
  const bool to_full = options.entropy == ImageEntropy::kFull;
  if ((h.full &&
       (model.full() == nullptr || static_cast<uint32_t>(model.full()->id) != h.entropy_id)) ||
      (to_full && model.full() == nullptr)) {
    return Status(StatusCode::kModelMissing, "its entropy model, or the one asked for, is not set");
  }
  ImageParts parts;
  parts.header = h;
  parts.header.full = to_full;
  parts.header.entropy_id = to_full ? static_cast<uint32_t>(model.full()->id) : 0;
  parts.count = static_cast<int>(stream.layers.size());
  const TileGrid grid(h);
  for (size_t l = 0; l < stream.layers.size(); ++l) parts.layers[l].resize(grid.count());
  for (const auto& tile : stream.alpha) parts.alpha.push_back(Copy(tile));
  const auto cells = [](int64_t pixels) { return (pixels + kCell - 1) / kCell; };
  const int64_t max_cells_w = cells(grid.TileWidth(0));
  const auto threads =
      static_cast<uint64_t>(options.threads > 0 ? options.threads : omp_get_max_threads());
  const uint64_t wanted = std::min(threads, grid.count());
  const uint64_t bytes = wanted * TileRepacker::BytesFor(model, h.planes, max_cells_w);
  if (bytes > options.limits.max_memory_bytes) {
    return Status(StatusCode::kOverLimit, "repacking takes " + std::to_string(bytes) +
                                              " bytes of memory, the limit is " +
                                              std::to_string(options.limits.max_memory_bytes));
  }
  std::vector<TileRepacker> workers;
  workers.reserve(wanted);
  for (uint64_t i = 0; i < wanted; ++i) workers.emplace_back(model, h, options, max_cells_w);
  std::vector<Status> status(wanted);
  const int workers_count = static_cast<int>(wanted);
#pragma omp parallel for num_threads(workers_count) schedule(dynamic) if (workers_count > 1)
  for (uint64_t t = 0; t < grid.count(); ++t) {
    const auto thread = static_cast<size_t>(omp_get_thread_num());
    if (!status[thread].ok()) continue;
    std::array<std::span<const std::byte>, kLayers> from;
    std::array<Bytes, kLayers> to;
    const size_t count = stream.layers.size();
    for (size_t l = 0; l < count; ++l) {
      if (t < stream.layers[l].size()) from[l] = stream.layers[l][t];
    }
    status[thread] = CatchOutOfMemory([&]() -> Status {
      return workers[thread].Repack({from.data(), count}, h.step_index,
                                    cells(grid.TileWidth(t % grid.across)),
                                    cells(grid.TileHeight(t / grid.across)), {to.data(), count});
    });
    if (!status[thread].ok()) {
      status[thread] = status[thread].WithPrefix("tile " + std::to_string(t) + ", ");
      continue;
    }
    for (size_t l = 0; l < count; ++l) parts.layers[l][t] = std::move(to[l]);
  }
  for (const Status& s : status) GODWIT_RETURN_IF_ERROR(s);
  return WriteImage(parts, stream.icc, stream.exif, stream.xmp);
}

}  // namespace

Result<Bytes> RepackImage(const ImageStream& stream, const ImageModel& model,
                          const ImageRepackOptions& options) {
  return CatchOutOfMemory([&] { return Repack(stream, model, options); });
}

}  // namespace godwit
