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

// Blocks. A lane's rows of all layers stay in 2 MiB of L2; lanes compute the halo between them
// twice, so they are not cut narrower for the sake of threads than kMinLane.
constexpr int64_t kMaxLane = 128, kMinLane = 32;
constexpr int64_t kStripBlocks = 16;

int64_t RoundUp(int64_t v, int64_t unit) { return (v + unit - 1) / unit * unit; }

}  // namespace

struct ImageDecoder::State {
  State(const ImageStream& s, const ImageModel& m, const ImageSynthesis* y,
        const ImageDecodeOptions& o)
      : stream(s), model(m), synthesis(y), options(o), grid(s.header) {}

  Status Plan();
  Status Allocate();
  int64_t NextRows() const;
  Status DecodeRows();
  Status DecodeTileRows(size_t column);
  Status TakeRows();
  void KeepRows(int64_t from);
  void PlanStrip();
  Status NextStrip(TensorView<uint8_t> out);
  Status DecodeAlphaRow(uint64_t ty);
  Status ReadRows(TensorView<uint8_t> rows);

  const ImageStream& stream;
  const ImageModel& model;
  const ImageSynthesis* synthesis;
  ImageDecodeOptions options;
  TileGrid grid;
  int planes = 0, channels = 0, layers = 0, threads = 1;
  int halo = 0;                                      // of the network, in blocks
  int64_t picture_h = 0, picture_w = 0;              // blocks, whole cells
  int64_t first_tile_x = 0, end_tile_x = 0;          // columns of tiles that are decoded
  int64_t first_column = 0, columns = 0;             // blocks in the latent rows
  int64_t capacity = 0, first_row = 0, end_row = 0;  // rows of blocks held: [first_row, end_row)
  int64_t strip_row = 0, strip_end = 0;              // the strip that is in `pixels`, in blocks
  int64_t strip_h = 0, rows_end = 0;  // strips end here: the region's last row of blocks
  int64_t strip_x = 0, strip_w = 0;   // its columns, whole cells around the region
  int64_t lane_w = 0, lanes = 0;      // what one thread synthesises, from top to bottom
  uint32_t next_y = 0;                // next row of the region
  std::array<Tensor<int16_t>, kPlanes> symbols, dc;
  Tensor<uint8_t> pixels;  // the strip
  Tensor<uint8_t> alpha;   // the row of tiles that the strip is in
  int64_t alpha_tile_y = -1;
  std::vector<swift::TileDecoder> tiles;  // one per column of tiles
  std::vector<swift::LaneSynthesiser> synthesisers;
  std::vector<Status> tile_status, lane_status;  // of rows of blocks, of a strip
  // Rows that were decoded ahead of their time may be bad: said when they are wanted.
  Status ahead_status;
  int64_t good_end = INT64_MAX;  // the first of them
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
  halo = synthesis != nullptr ? synthesis->network().halo() : 0;
  // Differences of DC reach one block further to the left and up.
  const int64_t context = synthesis != nullptr ? halo + 1 : 0;
  picture_w = RoundUp(h.width, kCell) / kBlockSide;
  picture_h = RoundUp(h.height, kCell) / kBlockSide;
  const int64_t tile_blocks = h.tile / kBlockSide;
  strip_x = r.x / kCell * (kCell / kBlockSide);
  strip_w = RoundUp(int64_t{r.x} + r.width, kCell) / kBlockSide - strip_x;
  first_tile_x = std::max<int64_t>(strip_x - context, 0) / tile_blocks;
  end_tile_x = (std::min(strip_x + strip_w + context, picture_w) + tile_blocks - 1) / tile_blocks;
  first_column = first_tile_x * tile_blocks;
  columns = std::min(end_tile_x * tile_blocks, picture_w) - first_column;
  strip_row = strip_end = int64_t{r.y} / kBlockSide;
  rows_end = (int64_t{r.y} + r.height + kBlockSide - 1) / kBlockSide;
  first_row = end_row = std::max<int64_t>(strip_row - context, 0) / tile_blocks * tile_blocks;
  threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  const int64_t window = options.window / kBlockSide;
  strip_h = std::min({window > 0 ? window : kStripBlocks, tile_blocks, rows_end - strip_row});
  const int64_t max_lane = window > 0 ? window : kMaxLane;
  lanes =
      std::max((strip_w + max_lane - 1) / max_lane, std::min<int64_t>(threads, strip_w / kMinLane));
  lane_w = RoundUp((strip_w + lanes - 1) / lanes, 4);
  lanes = (strip_w + lane_w - 1) / lane_w;
  // Room for some strips, so that rows move up only now and then.
  capacity = std::min(strip_h + 4 * kStripBlocks + 2 * context + 2, picture_h - first_row);
  return {};
}

Status ImageDecoder::State::Allocate() {
  const int64_t tile_cells_w = std::min<int64_t>(grid.tile / kCell, picture_w / 4);
  const auto tile_columns = static_cast<size_t>(end_tile_x - first_tile_x);
  const uint64_t alpha_bytes = stream.alpha.empty() ? 0
                                                    : static_cast<uint64_t>(grid.TileHeight(0)) *
                                                          static_cast<uint64_t>(columns) * 8;
  const uint64_t bytes =
      tile_columns * swift::TileDecoder::BytesFor(planes, tile_cells_w) +
      static_cast<uint64_t>(lanes) * swift::LaneSynthesiser::BytesFor(synthesis, lane_w) +
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
  const swift::SynthesisInput input{planes, stream.header.step_index, layers, picture_h, picture_w};
  for (int64_t x = 0; x < strip_w; x += lane_w) {
    const Rect lane{strip_row, strip_x + x, rows_end - strip_row, std::min(lane_w, strip_w - x)};
    GODWIT_ASSIGN_OR_RETURN(
        swift::LaneSynthesiser s,
        swift::LaneSynthesiser::Create(model.swift(), synthesis, options.simd, input, lane));
    synthesisers.push_back(std::move(s));
  }
  tile_status.resize(tile_columns);
  lane_status.resize(synthesisers.size());
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

// Rows of blocks that are decoded together: of one row of tiles.
int64_t ImageDecoder::State::NextRows() const {
  const int64_t tile_blocks = static_cast<int64_t>(grid.tile) / kBlockSide;
  return std::min({kStripBlocks, tile_blocks - end_row % tile_blocks, picture_h - end_row});
}

Status ImageDecoder::State::DecodeRows() {
  const size_t count = tiles.size();
  const int workers = static_cast<int>(std::min<size_t>(count, static_cast<size_t>(threads)));
#pragma omp parallel for num_threads(workers) schedule(dynamic) if (workers > 1)
  for (size_t i = 0; i < count; ++i) tile_status[i] = DecodeTileRows(i);
  return TakeRows();
}

// The next rows are decoded in all columns of tiles.
Status ImageDecoder::State::TakeRows() {
  end_row += NextRows();
  for (const Status& s : tile_status) GODWIT_RETURN_IF_ERROR(s);
  return {};
}

Status ImageDecoder::State::DecodeTileRows(size_t column) {
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
  for (int64_t y = 0; y < NextRows(); y += swift::kCellBlocks) {
    swift::LatentTarget target;
    target.columns = columns;
    for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
      const int64_t at =
          (end_row + y - first_row) * columns + static_cast<int64_t>(column) * tile_blocks;
      target.symbols[p] = symbols[p].data() + at * kChannels;
      target.dc[p] = dc[p].data() + at;
    }
    const Status status = tiles[column].DecodeRow(target);
    if (!status.ok()) return status.WithPrefix("tile " + std::to_string(index) + ", ");
  }
  return {};
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

// The rows of blocks after strip_end, not beyond their row of tiles.
void ImageDecoder::State::PlanStrip() {
  const int64_t tile_blocks = static_cast<int64_t>(grid.tile) / kBlockSide;
  strip_row = strip_end;
  strip_end =
      std::min({strip_row + strip_h, (strip_row / tile_blocks + 1) * tile_blocks, rows_end});
}

// Synthesises the planned strip and decodes rows for the next one at the same time if there is room
// for them.
Status ImageDecoder::State::NextStrip(TensorView<uint8_t> out) {
  const bool first = strip_row == int64_t{options.region.y} / kBlockSide;
  const int64_t needed = std::min(strip_end + halo, picture_h);
  const int64_t kept = strip_row - (first ? halo + 1 : 1);  // networks start above the region
  const auto make_room = [&] {
    if (end_row + NextRows() - first_row > capacity) KeepRows(std::min(kept, end_row));
    return end_row + NextRows() - first_row <= capacity;
  };
  while (end_row < needed) {
    make_room();
    GODWIT_RETURN_IF_ERROR(DecodeRows());
  }
  if (needed > good_end) return ahead_status;
  const bool more = end_row < std::min(rows_end + halo, picture_h) && good_end == INT64_MAX;
  const auto ahead = static_cast<int64_t>(more && make_room() ? tile_status.size() : 0);

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
  const int workers = static_cast<int>(std::min<int64_t>(threads, ahead + lanes));
#pragma omp parallel for num_threads(workers) schedule(dynamic) if (workers > 1)
  for (int64_t item = 0; item < ahead + lanes; ++item) {
    if (item < ahead) {
      tile_status[static_cast<size_t>(item)] = DecodeTileRows(static_cast<size_t>(item));
      continue;
    }
    const int64_t lane = item - ahead, x = lane * lane_w;
    lane_status[static_cast<size_t>(lane)] = synthesisers[static_cast<size_t>(lane)].Synthesise(
        rows, strip_end,
        out.Window(0, x * kBlockSide, (strip_end - strip_row) * kBlockSide,
                   std::min(lane_w, strip_w - x) * kBlockSide));
  }
  for (const Status& s : lane_status) GODWIT_RETURN_IF_ERROR(s);
  if (ahead > 0) {
    const int64_t begin = end_row;
    ahead_status = TakeRows();
    if (!ahead_status.ok()) good_end = begin;
  }
  const auto ty = static_cast<uint64_t>(strip_row * kBlockSide / grid.tile);
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
  // Strips that are wanted whole are made where they are wanted.
  const bool whole =
      rows.col_stride == planes && r.x == strip_x * kBlockSide && r.width == strip_w * kBlockSide;
  for (int64_t i = 0; i < rows.height; ++i, ++next_y) {
    const int64_t y = int64_t{r.y} + next_y;  // in the picture
    if (y >= strip_end * kBlockSide) {
      PlanStrip();
      const int64_t height = (strip_end - strip_row) * kBlockSide;
      if (whole && y == strip_row * kBlockSide && rows.height - i >= height) {
        GODWIT_RETURN_IF_ERROR(NextStrip(rows.Window(i, 0, height, rows.width)));
        i += height - 1;
        next_y += static_cast<uint32_t>(height - 1);
        continue;
      }
      GODWIT_RETURN_IF_ERROR(NextStrip(pixels.view()));
    }
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
