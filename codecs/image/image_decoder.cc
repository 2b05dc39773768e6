#include "codecs/image/image_decoder.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "codecs/image/full_model.h"
#include "codecs/image/image_conceal.h"
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
constexpr int64_t kStripBlocks = 16, kEndStrip = 4;

int64_t RoundUp(int64_t v, int64_t unit) { return (v + unit - 1) / unit * unit; }

}  // namespace

struct ImageDecoder::State {
  State(const ImageStream& s, const ImageModel& m, const ImageSynthesis* y,
        const ImageDecodeOptions& o)
      : stream(s), model(m), synthesis(y), options(o), grid(s.header) {}

  Status Plan();
  Status Allocate();
  void PlanLanes();
  int64_t RowsTo(int64_t row) const;
  Status DecodeRows(int64_t count);
  Status DecodeTileRows(size_t column, int64_t count);
  const ConcealedRows* Concealed(uint64_t ty) const;
  void CopyConcealed(const ConcealedRows& rows, size_t column, int64_t count);
  Status TakeRows(int64_t count);
  void KeepRows(int64_t from);
  void PlanStrip();
  Status NextStrip(TensorView<uint8_t> out);
  Status DecodeAlphaRow(uint64_t ty);
  Status ReadRows(TensorView<uint8_t> rows);

  const ImageStream& stream;
  const ImageModel& model;
  const ImageSynthesis* synthesis;
  const swift::FullModel* full = nullptr;  // of streams with `full` entropy coding
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
  // Strips grow, so that the first is soon at hand, and shrink again: beside the last, which a wide
  // lane makes longest, nothing is decoded.
  int64_t next_strip_h = kEndStrip;
  // Lanes are what one thread synthesises from top to bottom: where they begin in the strip, then
  // the end of the last.
  std::vector<int64_t> lane_x;
  uint32_t next_y = 0;  // next row of the region
  std::array<Tensor<int16_t>, kPlanes> symbols, dc;
  std::vector<ConcealedRows> concealed;  // in the place of lost rows of tiles
  Tensor<uint8_t> pixels;                // the strip
  Tensor<uint8_t> alpha;                 // the row of tiles that the strip is in
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
  if (h.full &&
      (model.full() == nullptr || static_cast<uint32_t>(model.full()->id) != h.entropy_id)) {
    return Status(StatusCode::kModelMissing,
                  "the weights of its `full` entropy coding are not set");
  }
  full = h.full ? model.full() : nullptr;
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
  const int64_t tile_w = h.tile_width / kBlockSide, tile_h = h.tile_height / kBlockSide;
  strip_x = r.x / kCell * (kCell / kBlockSide);
  strip_w = RoundUp(int64_t{r.x} + r.width, kCell) / kBlockSide - strip_x;
  first_tile_x = std::max<int64_t>(strip_x - context, 0) / tile_w;
  end_tile_x = (std::min(strip_x + strip_w + context, picture_w) + tile_w - 1) / tile_w;
  first_column = first_tile_x * tile_w;
  columns = std::min(end_tile_x * tile_w, picture_w) - first_column;
  strip_row = strip_end = int64_t{r.y} / kBlockSide;
  rows_end = (int64_t{r.y} + r.height + kBlockSide - 1) / kBlockSide;
  first_row = end_row = std::max<int64_t>(strip_row - context, 0) / tile_h * tile_h;
  threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  const int64_t window = options.window / kBlockSide;
  strip_h = std::min({window > 0 ? window : kStripBlocks, tile_h, rows_end - strip_row});
  PlanLanes();
  // Room for some strips, so that rows move up only now and then.
  capacity = std::min(strip_h + 4 * kStripBlocks + 2 * context + 2, picture_h - first_row);
  return {};
}

// Lanes of equal width; but the thread that decodes the next rows meanwhile gets a narrower one.
// Widths follow from costs in ns a pixel, measured with AVX-512 on Kodak pictures at 0.25
// bit/pixel: 165 multiply-adds and 3.5 for synthesis, 1.5 and 20 a bit for decoding, 15
// and 240 with `full` entropy coding.
void ImageDecoder::State::PlanLanes() {
  const int64_t window = options.window / kBlockSide;
  const int64_t max_lane = window > 0 ? window : kMaxLane;
  int64_t lanes =
      std::max((strip_w + max_lane - 1) / max_lane, std::min<int64_t>(threads, strip_w / kMinLane));
  lanes = std::max<int64_t>(lanes, 1);
  int64_t first = 0;
  if (window == 0 && lanes > 1 && lanes == threads && end_tile_x - first_tile_x == 1) {
    double bytes = 0;
    for (size_t l = 0; l < static_cast<size_t>(layers); ++l) {
      for (const auto& substream : stream.layers[l]) bytes += static_cast<double>(substream.size());
    }
    const double area = static_cast<double>(stream.header.width) * stream.header.height;
    const double bits = 8 * bytes / area;
    const double decoding = full != nullptr ? 15 + 240 * bits : 1.5 + 20 * bits;
    const double making = 3.5 + (synthesis != nullptr ? synthesis->macs_per_pixel() / 165 : 0);
    const double share = (making + decoding) / static_cast<double>(threads) - decoding;
    const auto width = static_cast<int64_t>(share / making * static_cast<double>(strip_w));
    first = std::clamp<int64_t>(width / 4 * 4, 8, RoundUp(strip_w / lanes, 4));
    // A lane much narrower than the others leaves its thread idle where nothing is decoded; then
    // the others are cut once more, for whoever is free (small: 7 % faster, large: 10 % slower).
    const int64_t others = first * 2 * lanes < strip_w ? lanes : lanes - 1;
    lanes = std::max(others, (strip_w - first + max_lane - 1) / max_lane);
  }
  lane_x = {0};
  if (first > 0) lane_x.push_back(first);
  const int64_t width = RoundUp((strip_w - first + lanes - 1) / lanes, 4);
  while (lane_x.back() < strip_w) lane_x.push_back(std::min(lane_x.back() + width, strip_w));
}

Status ImageDecoder::State::Allocate() {
  const int64_t tile_cells_w = std::min<int64_t>(grid.tile_width / kCell, picture_w / 4);
  const auto tile_columns = static_cast<size_t>(end_tile_x - first_tile_x);
  const uint64_t alpha_bytes = stream.alpha.empty() ? 0
                                                    : static_cast<uint64_t>(grid.TileHeight(0)) *
                                                          static_cast<uint64_t>(columns) * 8;
  uint64_t lane_bytes = 0;
  for (size_t i = 0; i + 1 < lane_x.size(); ++i)
    lane_bytes += swift::LaneSynthesiser::BytesFor(synthesis, lane_x[i + 1] - lane_x[i]);
  const uint64_t bytes =
      tile_columns * swift::TileDecoder::BytesFor(full, planes, tile_cells_w) + lane_bytes +
      static_cast<uint64_t>(capacity * columns) * static_cast<uint64_t>(planes) * (kChannels + 1) *
          2 +
      static_cast<uint64_t>(strip_h * strip_w) * 64 * static_cast<uint64_t>(planes) + alpha_bytes +
      ConcealedBytes(stream, model);
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
    tiles.emplace_back(model.swift(), full, options.simd, planes, tile_cells_w);
  const swift::SynthesisInput input{planes, stream.header.step_index, layers, picture_h, picture_w};
  for (size_t i = 0; i + 1 < lane_x.size(); ++i) {
    const Rect lane{strip_row, strip_x + lane_x[i], rows_end - strip_row,
                    lane_x[i + 1] - lane_x[i]};
    GODWIT_ASSIGN_OR_RETURN(
        swift::LaneSynthesiser s,
        swift::LaneSynthesiser::Create(model.swift(), synthesis, options.simd, input, lane));
    synthesisers.push_back(std::move(s));
  }
  GODWIT_ASSIGN_OR_RETURN(concealed, ConcealLosses(stream, model, options.simd));
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

// How many rows of blocks to decode next, in whole cells of one row of tiles, on the way to `row`.
int64_t ImageDecoder::State::RowsTo(int64_t row) const {
  const int64_t tile_blocks = static_cast<int64_t>(grid.tile_height) / kBlockSide;
  const int64_t wanted = RoundUp(std::max<int64_t>(row - end_row, 0), swift::kCellBlocks);
  return std::min({wanted, tile_blocks - end_row % tile_blocks, picture_h - end_row});
}

Status ImageDecoder::State::DecodeRows(int64_t rows) {
  const size_t count = tiles.size();
  const int workers = static_cast<int>(std::min<size_t>(count, static_cast<size_t>(threads)));
#pragma omp parallel for num_threads(workers) schedule(dynamic) if (workers > 1)
  for (size_t i = 0; i < count; ++i) tile_status[i] = DecodeTileRows(i, rows);
  return TakeRows(rows);
}

// So many rows are decoded in all columns of tiles.
Status ImageDecoder::State::TakeRows(int64_t count) {
  end_row += count;
  for (const Status& s : tile_status) GODWIT_RETURN_IF_ERROR(s);
  return {};
}

Status ImageDecoder::State::DecodeTileRows(size_t column, int64_t count) {
  const int64_t tile_blocks = static_cast<int64_t>(grid.tile_height) / kBlockSide;
  const auto tx = static_cast<uint64_t>(first_tile_x) + column;
  const auto ty = static_cast<uint64_t>(end_row / tile_blocks);
  const size_t index = ty * grid.across + tx;
  if (const ConcealedRows* const made_up = Concealed(ty)) {
    CopyConcealed(*made_up, column, count);
    return {};
  }
  if (end_row % tile_blocks == 0) {
    std::array<std::span<const std::byte>, kLayers> substreams;
    for (size_t l = 0; l < static_cast<size_t>(layers); ++l)
      if (index < stream.layers[l].size()) substreams[l] = stream.layers[l][index];
    tiles[column].Start({substreams.data(), static_cast<size_t>(layers)}, stream.header.step_index,
                        RoundUp(grid.TileWidth(tx), kCell) / kCell,
                        RoundUp(grid.TileHeight(ty), kCell) / kCell);
  }
  for (int64_t y = 0; y < count; y += swift::kCellBlocks) {
    swift::LatentTarget target;
    target.columns = columns;
    for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
      const int64_t at = (end_row + y - first_row) * columns +
                         static_cast<int64_t>(column * grid.tile_width) / kBlockSide;
      target.symbols[p] = symbols[p].data() + at * kChannels;
      target.dc[p] = dc[p].data() + at;
    }
    const Status status = tiles[column].DecodeRow(target);
    if (!status.ok()) return status.WithPrefix("tile " + std::to_string(index) + ", ");
  }
  return {};
}

const ConcealedRows* ImageDecoder::State::Concealed(uint64_t ty) const {
  const auto after = std::ranges::partition_point(
      concealed, [&](const ConcealedRows& rows) { return rows.end <= ty; });
  return after != concealed.end() && after->first <= ty ? &*after : nullptr;
}

// The next rows of blocks of a column of tiles: DC as it was made up, and no symbols.
void ImageDecoder::State::CopyConcealed(const ConcealedRows& rows, size_t column, int64_t count) {
  const auto tile_w = static_cast<int64_t>(grid.tile_width) / kBlockSide;
  const int64_t to_x = static_cast<int64_t>(column) * tile_w;
  const int64_t from_x = (first_tile_x + static_cast<int64_t>(column)) * tile_w;
  const int64_t width = std::min(tile_w, picture_w - from_x);
  const int64_t top = static_cast<int64_t>(rows.first * grid.tile_height) / kBlockSide;
  for (int64_t y = 0; y < count; ++y) {
    const int64_t to = (end_row + y - first_row) * columns + to_x;
    const int64_t from = (end_row + y - top) * rows.columns + from_x;
    for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
      std::copy_n(rows.dc[p].data() + from, width, dc[p].data() + to);
      std::fill_n(symbols[p].data() + to * kChannels, width * kChannels, int16_t{0});
    }
  }
}

Status ImageDecoder::State::DecodeAlphaRow(uint64_t ty) {
  for (int64_t tx = first_tile_x; tx < end_tile_x; ++tx) {
    const size_t index = ty * grid.across + static_cast<uint64_t>(tx);
    const auto plane =
        alpha.view().Window(0, (tx - first_tile_x) * static_cast<int64_t>(grid.tile_width),
                            grid.TileHeight(ty), grid.TileWidth(static_cast<uint64_t>(tx)));
    GODWIT_RETURN_IF_ERROR(DecodeLosslessPlane(stream.alpha[index], plane)
                               .WithPrefix("alpha of tile " + std::to_string(index) + ": "));
  }
  alpha_tile_y = static_cast<int64_t>(ty);
  return {};
}

// The rows of blocks after strip_end, not beyond their row of tiles.
void ImageDecoder::State::PlanStrip() {
  const int64_t tile_blocks = static_cast<int64_t>(grid.tile_height) / kBlockSide;
  strip_row = strip_end;
  strip_end = std::min({strip_row + std::min(strip_h, next_strip_h),
                        (strip_row / tile_blocks + 1) * tile_blocks, rows_end});
  next_strip_h = std::min({2 * next_strip_h, strip_h,
                           std::max(kEndStrip, RoundUp((rows_end - strip_end) / 2, kEndStrip))});
}

// Synthesises the planned strip and decodes rows for the next one at the same time if there is room
// for them.
Status ImageDecoder::State::NextStrip(TensorView<uint8_t> out) {
  const bool first = strip_row == int64_t{options.region.y} / kBlockSide;
  const int64_t needed = std::min(strip_end + halo, picture_h);
  const int64_t kept = strip_row - (first ? halo + 1 : 1);  // networks start above the region
  const auto make_room = [&](int64_t count) {
    if (end_row + count - first_row > capacity) KeepRows(std::min(kept, end_row));
    return end_row + count - first_row <= capacity;
  };
  if (needed > good_end) return ahead_status;
  while (end_row < needed) {
    const int64_t count = std::min(RowsTo(needed), kStripBlocks);
    make_room(count);
    GODWIT_RETURN_IF_ERROR(DecodeRows(count));
  }
  int64_t next = 0;  // rows of blocks to decode ahead: what the next strip needs
  if (good_end == INT64_MAX) next = RowsTo(std::min({strip_end + next_strip_h, rows_end}) + halo);
  if (next > 0 && !make_room(next)) next = 0;
  const auto ahead = static_cast<int64_t>(next > 0 ? tile_status.size() : 0);
  const auto lanes = static_cast<int64_t>(synthesisers.size());

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
      tile_status[static_cast<size_t>(item)] = DecodeTileRows(static_cast<size_t>(item), next);
      continue;
    }
    // The first, narrow lane last: for the thread that has decoded.
    const auto lane = static_cast<size_t>(ahead + lanes - 1 - item);
    lane_status[lane] = synthesisers[lane].Synthesise(
        rows, strip_end,
        out.Window(0, lane_x[lane] * kBlockSide, (strip_end - strip_row) * kBlockSide,
                   (lane_x[lane + 1] - lane_x[lane]) * kBlockSide));
  }
  for (const Status& s : lane_status) GODWIT_RETURN_IF_ERROR(s);
  if (ahead > 0) {
    const int64_t begin = end_row;
    ahead_status = TakeRows(next);
    if (!ahead_status.ok()) good_end = begin;
  }
  // Substreams are known to be good only at the end of their tiles: a region that ends before gets
  // there too.
  if (strip_end == rows_end) {
    const int64_t tile_blocks = static_cast<int64_t>(grid.tile_height) / kBlockSide;
    const int64_t tile_end = std::min(RoundUp(end_row, tile_blocks), picture_h);
    while (good_end == INT64_MAX && end_row < tile_end) {
      const int64_t count = std::min(RowsTo(tile_end), kStripBlocks);
      if (end_row + count - first_row > capacity) KeepRows(end_row);
      GODWIT_RETURN_IF_ERROR(DecodeRows(count));
    }
    GODWIT_RETURN_IF_ERROR(ahead_status);
  }
  const auto ty = static_cast<uint64_t>(strip_row * kBlockSide / grid.tile_height);
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
        has_alpha ? alpha.view().At(y - alpha_tile_y * static_cast<int64_t>(grid.tile_height),
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
