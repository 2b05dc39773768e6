#include "codecs/image/image_encoder.h"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <vector>

#include "codecs/image/image_parts.h"
#include "codecs/image/image_syntax.h"
#include "codecs/image/lite_layers.h"
#include "codecs/image/lossless_plane.h"
#include "codecs/image/swift_analysis.h"
#include "codecs/image/swift_effort.h"
#include "codecs/image/swift_tile_search.h"

namespace godwit {
namespace {

using swift::kCell;
using swift::kLayers;

// Quality 0, 90 and 100 are step indices 340, 115 and 0.
constexpr double kCoarsestQualityStep = 340, kKneeQuality = 90, kKneeStep = 115;
constexpr uint32_t kDefaultRowsTileHeight = 64;
constexpr uint64_t kMaxTiles = uint64_t{1} << 22;  // 1 GiB of lists; 4 terapixels in whole tiles

// What one thread needs for a tile.
struct Worker {
  Worker(const swift::SwiftModel& model, SimdLevel simd, int planes, int64_t cells)
      : analyser(model, simd),
        row(swift::CellRow::Create(planes, cells, /*own_symbols=*/true)),
        layers(std::make_unique<swift::LiteLayers>(simd, cells)) {}
  static uint64_t BytesFor(int planes, int64_t cells, uint64_t height, bool alpha) {
    const auto width = static_cast<uint64_t>(cells * kCell);
    return swift::CellRow::BytesFor(planes, cells) +
           uint64_t{kCell} * width * static_cast<uint64_t>(planes) +
           (alpha ? 2 * width * height : 0) + swift::LiteLayers::BytesFor(cells) + (1 << 18);
  }
  swift::RowAnalyser analyser;
  swift::CellRow row;
  std::unique_ptr<swift::LiteLayers> layers;
  std::unique_ptr<swift::TileSearch> search;  // from effort 2 on
  Tensor<uint8_t> colour;                     // 32 rows of a tile without their alpha
};

// A bit per layer that has anything in this row.
uint32_t LayersIn(const swift::CellRow& row) {
  uint32_t layers = 0;
  for (size_t p = 0; p < static_cast<size_t>(row.planes); ++p) {
    uint64_t all = 0;
    int dc = 0, ac = 0;
    for (int64_t x = 0; x < row.cells_w; ++x) {
      all |= row.cell_nonzero[p].data()[x];
      const int16_t* const q = row.coarse[p].data() + row.BorderedCell(x) * swift::kCoarse;
      dc |= q[0];
      for (int i = 1; i < swift::kCoarse; ++i) ac |= q[i];
    }
    layers |= uint32_t{dc != 0} | uint32_t{ac != 0} << 1;
    for (size_t b = 0; b < swift::kBands; ++b) {
      if ((all & swift::kBandTable[b].mask) != 0)
        layers |= 1u << swift::LayerOf(static_cast<int>(p), static_cast<int>(b));
    }
  }
  return layers;
}

// The channels that `to` has.
void CopyColour(TensorView<const uint8_t> from, TensorView<uint8_t> to) {
  for (int64_t y = 0; y < to.height; ++y) {
    const uint8_t* source = from.At(y, 0);
    uint8_t* target = to.At(y, 0);
    for (int64_t x = 0; x < to.width; ++x, source += from.col_stride, target += to.channels) {
      target[0] = source[0];
      if (to.channels == 3) {
        target[1] = source[1];
        target[2] = source[2];
      }
    }
  }
}

}  // namespace

namespace {

// At one step, efforts from 2 on and tuning give fewer bits and more error than effort 1 alone. How
// much finer a step makes up for it, in PSNR or MS-SSIM: `always` indices, and above kSameIndex one
// more for each so many.
constexpr double kSameIndex = 150;
struct FinerStep {
  double always, index_per_shift;
};

FinerStep FinerStepOf(int effort, ImageTune tune) {
  if (tune == ImageTune::kMsssim) return effort > 1 ? FinerStep{10, 9} : FinerStep{2, 40};
  if (effort >= kFirstNetworkImageEffort) return {0, 29};
  return {0, 18};
}

}  // namespace

int StepIndexFromQuality(double quality, int effort, ImageTune tune) {
  const double q = std::clamp(std::isnan(quality) ? 0.0 : quality, 0.0, 100.0);
  double index = q <= kKneeQuality
                     ? kCoarsestQualityStep - q * (kCoarsestQualityStep - kKneeStep) / kKneeQuality
                     : kKneeStep * (100.0 - q) / (100.0 - kKneeQuality);
  if (effort > 1 || tune != ImageTune::kPsnr) {
    const FinerStep finer = FinerStepOf(effort, tune);
    const double above = std::max(0.0, index - kSameIndex);
    index = std::max(0.0, index - finer.always - above / finer.index_per_shift);
  }
  return static_cast<int>(std::lround(index));
}

double QualityFromStepIndex(int step_index, int effort, ImageTune tune) {
  double index = step_index;
  if (effort > 1 || tune != ImageTune::kPsnr) {
    const FinerStep finer = FinerStepOf(effort, tune);
    index += finer.always;
    index += std::max(0.0, index - kSameIndex) / (finer.index_per_shift - 1);
  }
  if (index < kKneeStep) return 100.0 - index * (100.0 - kKneeQuality) / kKneeStep;
  return std::max(
      0.0, (kCoarsestQualityStep - index) * kKneeQuality / (kCoarsestQualityStep - kKneeStep));
}

struct ImageEncoder::State {
  State(const ImageModel& m, const ImageEncodeOptions& o) : model(m), options(o) {}

  Status Start(const ImageSource& source);
  Status AddRows(TensorView<const uint8_t> rows);
  Status EncodeTileRow(TensorView<const uint8_t> rows);
  Status EncodeTile(Worker& worker, TensorView<const uint8_t> pixels, size_t index);
  Status EncodeAlpha(TensorView<const uint8_t> pixels, size_t index);
  Result<Bytes> Finish(const ImageMetadata& metadata);
  void ChooseTile();
  Bytes Assemble(const ImageMetadata& metadata);
  const swift::FullModel* Full() const {
    return options.entropy == ImageEntropy::kFull ? model.full() : nullptr;
  }

  const ImageModel& model;
  ImageEncodeOptions options;
  ImageSource source;
  ImageHeader header;
  uint64_t rows_done = 0;    // coded, in whole rows of tiles
  int64_t rows_pending = 0;  // in `pending`
  Tensor<uint8_t> pending;   // rows of an unfinished row of tiles
  std::vector<Worker> workers;
  int worker_planes = 0;
  int64_t worker_cells = 0;
  int64_t worker_rows = 0;                         // of cells, of those that search
  std::array<std::vector<Bytes>, kLayers> layers;  // [layer][tile]
  std::vector<Bytes> alpha;                        // [tile]
  bool started = false;
};

void ImageEncoder::State::ChooseTile() {
  header.order = options.order;
  header.tile_width = options.tile;
  header.tile_height = options.tile_height != 0 ? options.tile_height : options.tile;
  if (options.tile != 0) return;
  if (options.order == ImageOrder::kRows) {
    header.tile_width = std::bit_ceil(std::clamp(header.width, 32u, 1u << kMaxTileWidthLog2));
    if (header.tile_height == 0) header.tile_height = kDefaultRowsTileHeight;
    return;
  }
  header.tile_width = kDefaultTile;  // a row of tiles has at most 8 megapixels
  while (header.tile_width > 32 && uint64_t{header.tile_width} * header.width > (1u << 23))
    header.tile_width /= 2;
  if (header.tile_height == 0) header.tile_height = header.tile_width;
}

Status ImageEncoder::State::Start(const ImageSource& s) {
  started = false;
  if (s.width == 0 || s.height == 0 || s.width > kMaxSide || s.height > kMaxSide ||
      s.channels < 1 || s.channels > 4) {
    return Status(StatusCode::kInvalidArgument, "a picture of " + std::to_string(s.width) + "x" +
                                                    std::to_string(s.height) + " with " +
                                                    std::to_string(s.channels) + " channels");
  }
  source = s;
  header = {};
  header.width = s.width;
  header.height = s.height;
  header.planes = s.channels >= 3 ? 3 : 1;
  header.has_alpha = s.channels % 2 == 0;
  header.from_16_bit = s.from_16_bit;
  header.step_index = static_cast<uint16_t>(options.step_index);
  header.model_id = model.id();
  ChooseTile();
  const TileGrid grid(header);
  if (grid.count() > kMaxTiles) {
    return Status(StatusCode::kOverLimit, "a picture of " + std::to_string(s.width) + "x" +
                                              std::to_string(s.height) + " has " +
                                              std::to_string(grid.count()) +
                                              " tiles, the limit is " + std::to_string(kMaxTiles));
  }
  // Tiles at the border of a small picture need no room for a whole tile.
  const auto room_cells =
      static_cast<int64_t>((std::min(header.tile_width, s.width) + kCell - 1) / kCell);
  const size_t threads =
      static_cast<size_t>(options.threads > 0 ? options.threads : omp_get_max_threads());
  size_t wanted = std::min<size_t>(threads, grid.across);
  const uint64_t row_bytes =
      uint64_t{header.tile_height} * s.width * static_cast<uint64_t>(s.channels);
  const auto room_rows =
      static_cast<int64_t>((std::min(header.tile_height, s.height) + kCell - 1) / kCell);
  const bool searches = options.effort > swift::kMinEffort;
  const uint64_t each =
      Worker::BytesFor(header.planes, room_cells, header.tile_height, header.has_alpha) +
      (searches ? swift::TileSearch::BytesFor(Full() != nullptr, options.synthesis, options.effort,
                                              options.tune, header.planes, room_cells, room_rows)
                : 0);
  while (wanted > 1 && row_bytes + wanted * each > options.max_memory_bytes) --wanted;
  const uint64_t bytes = row_bytes + wanted * each;
  if (bytes > options.max_memory_bytes) {
    return Status(StatusCode::kOverLimit, "encoding takes " + std::to_string(bytes) +
                                              " bytes of memory, the limit is " +
                                              std::to_string(options.max_memory_bytes));
  }
  for (auto& layer : layers) layer.assign(grid.count(), {});
  alpha.assign(s.channels % 2 == 0 ? grid.count() : 0, {});
  if (workers.size() < wanted || worker_planes != header.planes || worker_cells < room_cells ||
      (searches && worker_rows < room_rows)) {
    workers.clear();
    for (size_t i = 0; i < wanted; ++i)
      workers.emplace_back(model.swift(), options.simd, header.planes, room_cells);
    for (size_t i = 0; searches && i < wanted; ++i) {
      workers[i].search = std::make_unique<swift::TileSearch>(
          model.swift(), Full(), options.synthesis, options.effort, options.tune, options.simd,
          header.planes, room_cells, room_rows);
    }
    worker_planes = header.planes;
    worker_cells = room_cells;
    worker_rows = room_rows;
  }
  rows_done = 0;
  rows_pending = 0;
  started = true;
  return {};
}

Status ImageEncoder::State::AddRows(TensorView<const uint8_t> rows) {
  if (!started || rows.width != source.width || rows.channels != source.channels ||
      rows_done + static_cast<uint64_t>(rows_pending + rows.height) > source.height) {
    return Status(StatusCode::kInvalidArgument,
                  "rows that do not fit the picture that was started");
  }
  const int64_t tile = header.tile_height;
  const bool adjacent = rows.col_stride == rows.channels;
  for (int64_t y = 0; y < rows.height;) {
    const int64_t tile_height =
        std::min<int64_t>(tile, static_cast<int64_t>(source.height - rows_done));
    if (rows_pending == 0 && rows.height - y >= tile_height &&
        adjacent) {  // whole rows of tiles are not copied
      GODWIT_RETURN_IF_ERROR(EncodeTileRow(rows.Window(y, 0, tile_height, rows.width)));
      y += tile_height;
      continue;
    }
    if (pending.height() < tile_height || pending.width() != rows.width ||
        pending.channels() != rows.channels) {
      pending = Tensor<uint8_t>(tile_height, rows.width, rows.channels);
    }
    const int64_t n = std::min(rows.height - y, tile_height - rows_pending);
    for (int64_t i = 0; i < n; ++i) {
      uint8_t* const to = pending.view().At(rows_pending + i, 0);
      if (adjacent) {
        std::memcpy(to, rows.At(y + i, 0), static_cast<size_t>(rows.width * rows.channels));
      } else {
        for (int64_t x = 0; x < rows.width; ++x)
          std::copy_n(rows.At(y + i, x), rows.channels, to + x * rows.channels);
      }
    }
    y += n;
    rows_pending += n;
    if (rows_pending == tile_height) {
      GODWIT_RETURN_IF_ERROR(EncodeTileRow(pending.view().Window(0, 0, tile_height, rows.width)));
      rows_pending = 0;
    }
  }
  return {};
}

Status ImageEncoder::State::EncodeTileRow(TensorView<const uint8_t> rows) {
  const TileGrid grid(header);
  const size_t row = rows_done / header.tile_height;
  std::vector<Status> status(grid.across);
  const int threads = static_cast<int>(std::min<uint64_t>(workers.size(), grid.across));
#pragma omp parallel for num_threads(threads) schedule(dynamic) if (threads > 1)
  for (size_t tx = 0; tx < grid.across; ++tx) {
    const auto pixels =
        rows.Window(0, static_cast<int64_t>(tx * grid.tile_width), rows.height, grid.TileWidth(tx));
    const size_t index = row * grid.across + tx;
    status[tx] = CatchOutOfMemory([&]() -> Status {
      GODWIT_RETURN_IF_ERROR(
          EncodeTile(workers[static_cast<size_t>(omp_get_thread_num())], pixels, index));
      return alpha.empty() ? Status() : EncodeAlpha(pixels, index);
    });
  }
  rows_done += static_cast<uint64_t>(rows.height);
  for (const Status& s : status) GODWIT_RETURN_IF_ERROR(s);
  return {};
}

Status ImageEncoder::State::EncodeTile(Worker& worker, TensorView<const uint8_t> pixels,
                                       size_t index) {
  const swift::SwiftModel& swift = model.swift();
  swift::CellRow& row = worker.row;
  const int64_t planes = header.planes;
  row.StartTile((pixels.width + kCell - 1) / kCell);
  // Searches tune for themselves.
  worker.analyser.SetStep(header.step_index,
                          worker.search != nullptr ? ImageTune::kPsnr : options.tune);
  worker.layers->Start(swift.context, header.step_index);
  uint32_t present = 0;
  const auto rows_at = [&](int64_t y) {
    TensorView<const uint8_t> rows =
        pixels.Window(y, 0, std::min<int64_t>(kCell, pixels.height - y), pixels.width);
    if (pixels.col_stride != planes) {
      if (worker.colour.size() < kCell * pixels.width * planes)
        worker.colour = Tensor<uint8_t>(kCell, pixels.width, planes);
      const TensorView<uint8_t> copy{worker.colour.data(), rows.height, rows.width, planes,
                                     rows.width * planes,  planes};
      CopyColour(rows, copy);
      rows = copy;
    }
    return rows;
  };
  swift::TileSearch* const search = worker.search.get();
  if (search != nullptr) {
    search->StartTile(header.step_index, options.layers, row.cells_w,
                      (pixels.height + kCell - 1) / kCell);
    for (int64_t y = 0; y < pixels.height; y += kCell)
      search->AddRow(worker.analyser, rows_at(y), y / kCell);
    search->Search();
  }
  for (int64_t y = 0; y < pixels.height; y += kCell, row.first = false) {
    if (search != nullptr) {
      search->LoadRow(y / kCell, row);
    } else {
      worker.analyser.Analyse(rows_at(y), row);
    }
    present |= LayersIn(row);
    for (int l = 0; l < options.layers; ++l) worker.layers->CodeLayer(swift.context, row, l);
  }
  worker.layers->Flush();
  for (int l = 0; l < options.layers; ++l) {
    if ((present >> l & 1) == 0) continue;
    GODWIT_ASSIGN_OR_RETURN(const auto bytes, worker.layers->Finish(l));
    layers[static_cast<size_t>(l)][index].assign(bytes.begin(), bytes.end());
  }
  return {};
}

Status ImageEncoder::State::EncodeAlpha(TensorView<const uint8_t> pixels, size_t index) {
  TensorView<const uint8_t> plane = pixels;
  plane.data += pixels.channels - 1;
  plane.channels = 1;
  Bytes buffer(LosslessPlaneBound(plane.height, plane.width));
  GODWIT_ASSIGN_OR_RETURN(const size_t size, EncodeLosslessPlane(plane, buffer));
  alpha[index].assign(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(size));
  return {};
}

Bytes ImageEncoder::State::Assemble(const ImageMetadata& metadata) {
  ImageParts parts{header, options.layers, std::move(layers), std::move(alpha)};
  if (header.order == ImageOrder::kLayers) parts.DropEmptyLayers();
  return WriteImage(parts, metadata.icc, metadata.exif, metadata.xmp);
}

Result<Bytes> ImageEncoder::State::Finish(const ImageMetadata& metadata) {
  if (!started || rows_done != source.height) {
    return Status(StatusCode::kInvalidArgument, "finished after " + std::to_string(rows_done) +
                                                    " of " + std::to_string(source.height) +
                                                    " rows");
  }
  started = false;
  return Assemble(metadata);
}

Result<ImageEncoder> ImageEncoder::Create(const ImageModel& model,
                                          const ImageEncodeOptions& options) {
  const auto side_ok = [](uint32_t side, uint32_t most) {
    return side == 0 || (std::has_single_bit(side) && side >= 32 && side <= most);
  };
  const bool tile_ok =
      side_ok(options.tile_height, 1u << kMaxTileLog2) &&
      side_ok(options.tile, 1u << (options.tile_height != 0 ? kMaxTileWidthLog2 : kMaxTileLog2));
  if (options.step_index < 0 || options.step_index > swift::kMaxStepIndex || options.layers < 1 ||
      options.layers > kLayers || !tile_ok || options.threads < 0 ||
      options.effort < swift::kMinEffort || options.effort > swift::kMaxEffort) {
    return Status(StatusCode::kInvalidArgument, "encoder options out of range");
  }
  if (options.synthesis != nullptr && options.synthesis->stream_model_id() != model.id()) {
    return Status(StatusCode::kModelRefused, "the synthesis is of another stream model");
  }
  if (options.entropy == ImageEntropy::kFull && model.full() == nullptr) {
    return Status(StatusCode::kModelMissing, "no entropy model is set");
  }
  return ImageEncoder(std::make_unique<State>(model, options));
}

ImageEncoder::ImageEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
ImageEncoder::ImageEncoder(ImageEncoder&&) noexcept = default;
ImageEncoder& ImageEncoder::operator=(ImageEncoder&&) noexcept = default;
ImageEncoder::~ImageEncoder() = default;

Status ImageEncoder::Start(const ImageSource& source) {
  return CatchOutOfMemory([&] { return state_->Start(source); });
}
Status ImageEncoder::AddRows(TensorView<const uint8_t> rows) {
  return CatchOutOfMemory([&] { return state_->AddRows(rows); });
}
Result<Bytes> ImageEncoder::Finish(const ImageMetadata& metadata) {
  return CatchOutOfMemory([&] { return state_->Finish(metadata); });
}

Status ImageEncoder::SetStepIndex(int step_index) {
  if (step_index < 0 || step_index > swift::kMaxStepIndex) {
    return Status(StatusCode::kInvalidArgument,
                  "step index " + std::to_string(step_index) + " is outside 0..351");
  }
  state_->options.step_index = step_index;
  return {};
}

Result<Bytes> ImageEncoder::Encode(TensorView<const uint8_t> pixels, const ImageMetadata& metadata,
                                   bool from_16_bit) {
  GODWIT_RETURN_IF_ERROR(
      Start({static_cast<uint32_t>(pixels.width), static_cast<uint32_t>(pixels.height),
             static_cast<int>(pixels.channels), from_16_bit}));
  GODWIT_RETURN_IF_ERROR(AddRows(pixels));
  return Finish(metadata);
}

}  // namespace godwit
