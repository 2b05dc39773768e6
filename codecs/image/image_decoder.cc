#include "codecs/image/image_decoder.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "codecs/image/image_syntax.h"
#include "codecs/image/lossless_plane.h"
#include "codecs/image/swift_synthesis.h"
#include "codecs/image/swift_tile_decoder.h"

namespace godwit {
namespace {

using swift::kCell;
using swift::kChannels;
using swift::kLayers;
using swift::kPlanes;

constexpr int64_t kDefaultWindow = 48;  // blocks; the halo is computed twice, the caches are small
constexpr int64_t kStripBlocks = 64;

int64_t RoundUp(int64_t v, int64_t unit) { return (v + unit - 1) / unit * unit; }

}  // namespace

struct ImageDecoder::State {
  State(const ImageStream& s, const ImageModel& m, const ImageSynthesis* y,
        const ImageDecodeOptions& o)
      : stream(s), model(m), synthesis(y), options(o), grid(s.header) {}

  Status Plan();
  Status Allocate();
  Status DecodeCellRow();
  Status DecodeTileCells(size_t column);
  void KeepRows(int64_t from);
  Status NextStrip();
  Status DecodeAlphaRow(uint64_t ty);
  Status ReadRows(TensorView<uint8_t> rows);

  const ImageStream& stream;
  const ImageModel& model;
  const ImageSynthesis* synthesis;
  ImageDecodeOptions options;
  TileGrid grid;
  int planes = 0, channels = 0, layers = 0, halo = 0, threads = 1;
  int64_t picture_h = 0, picture_w = 0;              // blocks, whole cells
  int64_t first_tile_x = 0, end_tile_x = 0;          // columns of tiles that are decoded
  int64_t first_column = 0, columns = 0;             // blocks in the latent rows
  int64_t capacity = 0, first_row = 0, end_row = 0;  // rows of blocks held: [first_row, end_row)
  int64_t strip_row = 0, strip_end = 0;              // the strip that is in `pixels`, in blocks
  int64_t window_w = 0, strip_h = 0;
  int64_t strip_x = 0, strip_w = 0;  // its columns, whole cells around the region
  uint32_t next_y = 0;               // next row of the region
  std::array<Tensor<int16_t>, kPlanes> symbols, dc;
  Tensor<uint8_t> pixels;  // the strip
  Tensor<uint8_t> alpha;   // the row of tiles that the strip is in
  int64_t alpha_tile_y = -1;
  std::vector<swift::TileDecoder> tiles;  // one per column of tiles
  std::vector<swift::TileSynthesiser> synthesisers;
  std::vector<Status> tile_status, window_status;  // of a row of tiles, of a strip
};

// Everything that follows from the header and the options; nothing is allocated.
Status ImageDecoder::State::Plan() {
  const ImageHeader& h = stream.header;
  if (model.id() != h.model_id ||
      (synthesis != nullptr && synthesis->stream_model_id() != h.model_id)) {
    return Status(StatusCode::kModelRefused,
                  "the model at hand is not the one that made the stream");
  }
  if (options.layers < 1 || options.threads < 0 || options.window % 32 != 0) {
    return Status(StatusCode::kInvalidArgument, "decoder options out of range");
  }
  ImageRegion& r = options.region;
  if (r.width == 0) r = {0, 0, h.width, h.height};
  if (r.height == 0 || uint64_t{r.x} + r.width > h.width || uint64_t{r.y} + r.height > h.height) {
    return Status(StatusCode::kInvalidArgument,
                  "region " + std::to_string(r.x) + "," + std::to_string(r.y) + "," +
                      std::to_string(r.width) + "," + std::to_string(r.height) +
                      " is outside the picture of " + std::to_string(h.width) + "x" +
                      std::to_string(h.height));
  }
  if (uint64_t{h.width} * h.height > options.limits.max_pixels) {
    return Status(StatusCode::kOverLimit, "picture of " + std::to_string(h.width) + "x" +
                                              std::to_string(h.height) + " pixels, the limit is " +
                                              std::to_string(options.limits.max_pixels));
  }
  planes = h.planes;
  channels = planes + (stream.alpha.empty() ? 0 : 1);
  layers = std::min<int>(options.layers, static_cast<int>(stream.layers.size()));
  halo = synthesis != nullptr ? synthesis->network().halo() + 1
                              : 0;  // and one block for differences of DC
  picture_w = RoundUp(h.width, kCell) / kBlockSide;
  picture_h = RoundUp(h.height, kCell) / kBlockSide;
  const int64_t tile_blocks = h.tile / kBlockSide;
  strip_x = r.x / kCell * (kCell / kBlockSide);
  strip_w = RoundUp(int64_t{r.x} + r.width, kCell) / kBlockSide - strip_x;
  first_tile_x = std::max<int64_t>(strip_x - halo, 0) / tile_blocks;
  end_tile_x = (std::min(strip_x + strip_w + halo, picture_w) + tile_blocks - 1) / tile_blocks;
  first_column = first_tile_x * tile_blocks;
  columns = std::min(end_tile_x * tile_blocks, picture_w) - first_column;
  strip_row = strip_end = int64_t{r.y} / kBlockSide;
  first_row = end_row = std::max<int64_t>(strip_row - halo, 0) / tile_blocks * tile_blocks;
  const int64_t wanted_w = options.window > 0 ? options.window / kBlockSide : kDefaultWindow;
  strip_h = std::min(
      {options.window > 0 ? options.window / kBlockSide : kStripBlocks, tile_blocks, picture_h});
  const int64_t windows = (strip_w + wanted_w - 1) / wanted_w;
  window_w = RoundUp((strip_w + windows - 1) / windows, 4);
  capacity = std::min(2 * strip_h + 2 * halo + 2 * swift::kCellBlocks, picture_h - first_row);
  threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  return {};
}

Status ImageDecoder::State::Allocate() {
  const int64_t tile_cells_w = std::min<int64_t>(grid.tile / kCell, picture_w / 4);
  const auto tile_columns = static_cast<size_t>(end_tile_x - first_tile_x);
  const auto windows =
      static_cast<size_t>(std::min<int64_t>(threads, (strip_w + window_w - 1) / window_w));
  const uint64_t alpha_bytes = stream.alpha.empty() ? 0
                                                    : static_cast<uint64_t>(grid.TileHeight(0)) *
                                                          static_cast<uint64_t>(columns) * 8;
  const uint64_t bytes =
      tile_columns * swift::TileDecoder::BytesFor(planes, tile_cells_w) +
      windows * swift::TileSynthesiser::BytesFor(synthesis, strip_h, window_w) +
      static_cast<uint64_t>(capacity * columns) * static_cast<uint64_t>(planes) * (kChannels + 1) *
          2 +
      static_cast<uint64_t>(strip_h * strip_w) * 64 * static_cast<uint64_t>(planes) + alpha_bytes;
  if (bytes > options.limits.max_memory_bytes) {
    return Status(StatusCode::kOverLimit, "decoding takes " + std::to_string(bytes) +
                                              " bytes of memory, the limit is " +
                                              std::to_string(options.limits.max_memory_bytes));
  }
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    symbols[p] = Tensor<int16_t>(capacity, columns, kChannels);
    dc[p] = Tensor<int16_t>(capacity, columns);
  }
  pixels = Tensor<uint8_t>(strip_h * kBlockSide, strip_w * kBlockSide, planes);
  if (alpha_bytes > 0) alpha = Tensor<uint8_t>(grid.TileHeight(0), columns * kBlockSide);
  for (size_t i = 0; i < tile_columns; ++i)
    tiles.emplace_back(model.swift(), options.simd, planes, tile_cells_w);
  for (size_t i = 0; i < windows; ++i) {
    GODWIT_ASSIGN_OR_RETURN(swift::TileSynthesiser s,
                            swift::TileSynthesiser::Create(model.swift(), synthesis, options.simd,
                                                           planes, strip_h, window_w));
    synthesisers.push_back(std::move(s));
  }
  tile_status.resize(tile_columns);
  window_status.resize(static_cast<size_t>((strip_w + window_w - 1) / window_w));
  return {};
}

// Drops rows of blocks before `from`.
void ImageDecoder::State::KeepRows(int64_t from) {
  if (from <= first_row) return;
  const int64_t kept = end_row - from, dropped = from - first_row;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    const auto move = [&](int16_t* a, int64_t row) {
      std::memmove(a, a + dropped * row, static_cast<size_t>(kept * row) * sizeof(int16_t));
    };
    move(symbols[p].data(), columns * kChannels);
    move(dc[p].data(), columns);
  }
  first_row = from;
}

// The next four rows of blocks, of all columns of tiles.
Status ImageDecoder::State::DecodeCellRow() {
  const size_t count = tiles.size();
  const int workers = static_cast<int>(std::min<size_t>(count, static_cast<size_t>(threads)));
#pragma omp parallel for num_threads(workers) schedule(dynamic) if (workers > 1)
  for (size_t i = 0; i < count; ++i) tile_status[i] = DecodeTileCells(i);
  for (const Status& s : tile_status) GODWIT_RETURN_IF_ERROR(s);
  end_row += swift::kCellBlocks;
  return {};
}

Status ImageDecoder::State::DecodeTileCells(size_t column) {
  const int64_t tile_blocks = static_cast<int64_t>(grid.tile) / kBlockSide;
  const auto tx = static_cast<uint64_t>(first_tile_x) + column;
  const auto ty = static_cast<uint64_t>(end_row / tile_blocks);
  const size_t index = ty * grid.across + tx;
  if (end_row % tile_blocks == 0) {
    std::array<std::span<const std::byte>, kLayers> substreams;
    for (size_t l = 0; l < static_cast<size_t>(layers); ++l)
      substreams[l] = stream.layers[l][index];
    tiles[column].Start({substreams.data(), static_cast<size_t>(layers)}, stream.header.step_index,
                        RoundUp(grid.TileWidth(tx), kCell) / kCell,
                        RoundUp(grid.TileHeight(ty), kCell) / kCell);
  }
  swift::LatentTarget target;
  target.columns = columns;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    const int64_t at = (end_row - first_row) * columns + static_cast<int64_t>(column) * tile_blocks;
    target.symbols[p] = symbols[p].data() + at * kChannels;
    target.dc[p] = dc[p].data() + at;
  }
  const Status status = tiles[column].DecodeRow(target);
  return status.ok() ? status : status.WithPrefix("tile " + std::to_string(index) + ", ");
}

Status ImageDecoder::State::DecodeAlphaRow(uint64_t ty) {
  for (int64_t tx = first_tile_x; tx < end_tile_x; ++tx) {
    const size_t index = ty * grid.across + static_cast<uint64_t>(tx);
    const auto plane =
        alpha.view().Window(0, (tx - first_tile_x) * static_cast<int64_t>(grid.tile),
                            grid.TileHeight(ty), grid.TileWidth(static_cast<uint64_t>(tx)));
    GODWIT_RETURN_IF_ERROR(DecodeLosslessPlane(stream.alpha[index], plane)
                               .WithPrefix("alpha of tile " + std::to_string(index) + ": "));
  }
  alpha_tile_y = static_cast<int64_t>(ty);
  return {};
}

// Synthesises the rows of blocks after strip_end, not beyond their row of tiles.
Status ImageDecoder::State::NextStrip() {
  const int64_t tile_blocks = static_cast<int64_t>(grid.tile) / kBlockSide;
  strip_row = strip_end;
  strip_end =
      std::min({strip_row + strip_h, (strip_row / tile_blocks + 1) * tile_blocks, picture_h});
  while (end_row < std::min(strip_end + halo, picture_h)) {
    if (end_row + swift::kCellBlocks - first_row > capacity)
      KeepRows(std::min(strip_row - halo, end_row));
    GODWIT_RETURN_IF_ERROR(DecodeCellRow());
  }
  swift::LatentRows rows;
  rows.planes = planes;
  rows.picture_h = picture_h;
  rows.picture_w = picture_w;
  rows.first_row = first_row;
  rows.first_column = first_column;
  rows.columns = columns;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    rows.symbols[p] = symbols[p].data();
    rows.dc[p] = dc[p].data();
  }
  const auto count = static_cast<int64_t>(window_status.size());
  const int workers = static_cast<int>(synthesisers.size());
#pragma omp parallel for num_threads(workers) schedule(dynamic) if (workers > 1)
  for (int64_t i = 0; i < count; ++i) {
    const int64_t x = i * window_w, w = std::min(window_w, strip_w - x);
    const Rect window{strip_row, strip_x + x, strip_end - strip_row, w};
    window_status[static_cast<size_t>(i)] =
        synthesisers[static_cast<size_t>(omp_get_thread_num())].Synthesise(
            rows, stream.header.step_index, layers, window,
            pixels.view().Window(0, x * kBlockSide, (strip_end - strip_row) * kBlockSide,
                                 w * kBlockSide));
  }
  for (const Status& s : window_status) GODWIT_RETURN_IF_ERROR(s);
  const auto ty = static_cast<uint64_t>(strip_row / tile_blocks);
  if (!stream.alpha.empty() && alpha_tile_y != static_cast<int64_t>(ty))
    GODWIT_RETURN_IF_ERROR(DecodeAlphaRow(ty));
  return {};
}

Status ImageDecoder::State::ReadRows(TensorView<uint8_t> rows) {
  const ImageRegion& r = options.region;
  if (rows.width != r.width || rows.channels != channels ||
      rows.height > int64_t{r.height - next_y}) {
    return Status(StatusCode::kInvalidArgument, "rows that do not fit the region");
  }
  for (int64_t i = 0; i < rows.height; ++i, ++next_y) {
    const int64_t y = int64_t{r.y} + next_y;  // in the picture
    if (y >= strip_end * kBlockSide) GODWIT_RETURN_IF_ERROR(NextStrip());
    const uint8_t* from =
        pixels.view().At(y - strip_row * kBlockSide, int64_t{r.x} - strip_x * kBlockSide);
    uint8_t* to = rows.At(i, 0);
    if (rows.col_stride == planes) {
      std::memcpy(to, from, static_cast<size_t>(rows.width * planes));
      continue;
    }
    const bool has_alpha = channels > planes;
    const uint8_t* const a =
        has_alpha ? alpha.view().At(y - alpha_tile_y * static_cast<int64_t>(grid.tile),
                                    int64_t{r.x} - first_column * kBlockSide)
                  : nullptr;
    for (int64_t x = 0; x < rows.width; ++x, from += planes, to += rows.col_stride) {
      std::copy_n(from, planes, to);
      if (has_alpha) to[planes] = a[x];
    }
  }
  return {};
}

Result<ImageDecoder> ImageDecoder::Create(const ImageStream& stream, const ImageModel& model,
                                          const ImageSynthesis* synthesis,
                                          const ImageDecodeOptions& options) {
  return CatchOutOfMemory([&]() -> Result<ImageDecoder> {
    auto state = std::make_unique<State>(stream, model, synthesis, options);
    GODWIT_RETURN_IF_ERROR(state->Plan());
    GODWIT_RETURN_IF_ERROR(state->Allocate());
    return ImageDecoder(std::move(state));
  });
}

ImageDecoder::ImageDecoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
ImageDecoder::ImageDecoder(ImageDecoder&&) noexcept = default;
ImageDecoder& ImageDecoder::operator=(ImageDecoder&&) noexcept = default;
ImageDecoder::~ImageDecoder() = default;
uint32_t ImageDecoder::width() const { return state_->options.region.width; }
uint32_t ImageDecoder::height() const { return state_->options.region.height; }
int ImageDecoder::channels() const { return state_->channels; }
Status ImageDecoder::ReadRows(TensorView<uint8_t> rows) { return state_->ReadRows(rows); }

Result<Tensor<uint8_t>> DecodeImage(const ImageStream& stream, const ImageModel& model,
                                    const ImageSynthesis* synthesis,
                                    const ImageDecodeOptions& options) {
  GODWIT_ASSIGN_OR_RETURN(ImageDecoder decoder,
                          ImageDecoder::Create(stream, model, synthesis, options));
  const uint64_t bytes =
      uint64_t{decoder.width()} * decoder.height() * static_cast<uint64_t>(decoder.channels());
  if (bytes > options.limits.max_memory_bytes) {
    return Status(StatusCode::kOverLimit, "the picture takes " + std::to_string(bytes) +
                                              " bytes, the limit is " +
                                              std::to_string(options.limits.max_memory_bytes));
  }
  return CatchOutOfMemory([&]() -> Result<Tensor<uint8_t>> {
    Tensor<uint8_t> out(decoder.height(), decoder.width(), decoder.channels());
    GODWIT_RETURN_IF_ERROR(decoder.ReadRows(out.view()));
    return out;
  });
}

}  // namespace godwit
