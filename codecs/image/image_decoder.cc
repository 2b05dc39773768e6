#include "codecs/image/image_decoder.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "codecs/image/decode_board.h"
#include "codecs/image/decode_crew.h"
#include "codecs/image/full_model.h"
#include "codecs/image/image_conceal.h"
#include "codecs/image/image_syntax.h"
#include "codecs/image/lossless_plane.h"
#include "codecs/image/swift_synthesis.h"
#include "codecs/image/swift_tile_decoder.h"

namespace godwit {
namespace {

using swift::DecodeBoard;
using swift::DecodePiece;
using swift::kCell;
using swift::kChannels;
using swift::kLayers;
using swift::kPlanes;

// Blocks. A lane's rows of all layers stay in 2 MiB of L2; lanes compute the halo between them
// twice, so they are not cut narrower for the sake of threads than kMinLane.
constexpr int64_t kMaxLane = 128, kMinLane = 32;
constexpr int64_t kStripBlocks = 16;
constexpr int64_t kAhead = 32;     // rows of latents beyond what a lane's next step wants
constexpr int kMaxRowsAtOnce = 8;  // of cells; a tile has no more parts

int64_t RoundUp(int64_t v, int64_t unit) { return (v + unit - 1) / unit * unit; }

}  // namespace

struct ImageDecoder::State {
  State(const ImageStream& s, const ImageModel& m, const ImageSynthesis* y,
        const ImageDecodeOptions& o)
      : stream(s), model(m), synthesis(y), options(o), grid(s.header) {}

  Status Plan();
  Status Allocate();
  Status MakeStrip(TensorView<uint8_t> out);
  bool IsDone() const { return lanes_left == 0 && board->latents_end() >= wanted_end; }
  void Do(const DecodePiece& piece);
  void Done(const DecodePiece& piece);
  void DecodeLatents(const DecodePiece& piece);
  void PlaceLane(size_t lane);
  const ConcealedRows* Concealed(uint64_t ty) const;
  void CopyConcealed(const ConcealedRows& rows, const DecodePiece& piece);
  Status DecodeAlphaRow(uint64_t ty);
  Status ReadRows(TensorView<uint8_t> rows);

  const ImageStream& stream;
  const ImageModel& model;
  const ImageSynthesis* synthesis;
  const swift::FullModel* full = nullptr;  // of streams with `full` entropy coding
  ImageDecodeOptions options;
  TileGrid grid;
  int planes = 0, channels = 0, layers = 0, threads = 1, rows_at_once = 1;
  int halo = 0;                              // of the network, in blocks
  int64_t picture_h = 0, picture_w = 0;      // blocks, whole cells
  int64_t tile_h = 0;                        // blocks
  int64_t first_tile_x = 0, end_tile_x = 0;  // columns of tiles that are decoded
  int64_t first_column = 0, columns = 0;     // blocks in the latent rows
  int64_t first_row = 0, capacity = 0;       // the first row of latents; how many are held
  int64_t strip_row = 0, strip_end = 0;      // the strip that is made last, in blocks
  int64_t strip_h = 0, rows_end = 0;         // strips end here: the region's last row of blocks
  int64_t strip_x = 0, strip_w = 0;          // its columns, whole cells around the region
  // Lanes are what one thread at a time synthesises from top to bottom: where they begin in the
  // strip, then the end of the last.
  std::vector<int64_t> lane_x;
  uint32_t next_y = 0;                               // next row of the region
  std::array<Tensor<int16_t>, kPlanes> symbols, dc;  // row y at y % capacity
  swift::LatentRows latents;                         // the same for lanes
  std::vector<ConcealedRows> concealed;              // in the place of lost rows of tiles
  Tensor<uint8_t> pixels;                            // a strip that is not wanted whole
  Tensor<uint8_t> alpha;                             // the row of tiles that the strip is in
  int64_t alpha_tile_y = -1;
  std::vector<swift::TileDecoder> tiles;  // one per column of tiles
  std::vector<swift::LaneSynthesiser> synthesisers;
  std::vector<Status> tile_status, lane_status;

  // Threads make a strip: pieces from `board`, under the lock of `crew` but for Do().
  swift::DecodeCrew crew;
  std::optional<DecodeBoard> board;
  size_t lanes_left = 0;   // that have not reached strip_end
  int64_t wanted_end = 0;  // of latents, at the last strip
  TensorView<uint8_t> strip;
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
    return Status(StatusCode::kModelMissing, "its entropy model is not set");
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
  const int64_t tile_w = h.tile_width / kBlockSide;
  tile_h = h.tile_height / kBlockSide;
  strip_x = r.x / kCell * (kCell / kBlockSide);
  strip_w = RoundUp(int64_t{r.x} + r.width, kCell) / kBlockSide - strip_x;
  first_tile_x = std::max<int64_t>(strip_x - context, 0) / tile_w;
  end_tile_x = (std::min(strip_x + strip_w + context, picture_w) + tile_w - 1) / tile_w;
  first_column = first_tile_x * tile_w;
  columns = std::min(end_tile_x * tile_w, picture_w) - first_column;
  strip_row = strip_end = int64_t{r.y} / kBlockSide;
  rows_end = (int64_t{r.y} + r.height + kBlockSide - 1) / kBlockSide;
  first_row = std::max<int64_t>(strip_row - context, 0) / tile_h * tile_h;
  threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  // Threads that have no column of tiles of their own take layers of the others'.
  const int64_t each = (threads + end_tile_x - first_tile_x - 1) / (end_tile_x - first_tile_x);
  rows_at_once = each > 1 ? static_cast<int>(std::min<int64_t>(each + 1, kMaxRowsAtOnce)) : 1;
  const int64_t window = options.window / kBlockSide;
  strip_h = std::min({window > 0 ? window : kStripBlocks, tile_h, rows_end - strip_row});
  const int64_t max_lane = window > 0 ? window : kMaxLane;
  const int64_t lanes = std::max({(strip_w + max_lane - 1) / max_lane,
                                  std::min<int64_t>(threads, strip_w / kMinLane), int64_t{1}});
  const int64_t width = RoundUp((strip_w + lanes - 1) / lanes, 4);
  for (int64_t x = 0; x < strip_w; x += width) lane_x.push_back(x);
  lane_x.push_back(strip_w);
  // A step of four rows reads the halo below it, and one row more than the halo above.
  capacity = std::min(RoundUp(4 + 2 * context + kAhead, swift::kCellBlocks) + swift::kCellBlocks,
                      picture_h - first_row);
  return {};
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
      tile_columns * swift::TileDecoder::BytesFor(full, planes, tile_cells_w, rows_at_once) +
      lane_bytes +
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
    tiles.emplace_back(model.swift(), full, options.simd, planes, tile_cells_w, rows_at_once);
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
  latents.planes = planes;
  latents.picture_h = picture_h;
  latents.picture_w = picture_w;
  latents.rows_held = capacity;
  latents.first_column = first_column;
  latents.columns = columns;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    latents.symbols[p] = symbols[p].data();
    latents.dc[p] = dc[p].data();
  }
  // Substreams are known to be good only at the end of their tiles: a region that ends before gets
  // there too.
  const int64_t needed = std::min(rows_end + halo, picture_h);
  board.emplace(DecodeBoard::Shape{.columns = tile_columns,
                                   .lanes = synthesisers.size(),
                                   .parts = swift::TileDecoder::PartsOf(layers),
                                   .rows_at_once = rows_at_once,
                                   .tile_rows = tile_h,
                                   .first_row = first_row,
                                   .end_row = std::min(RoundUp(needed, tile_h), picture_h),
                                   .capacity = capacity});
  return {};
}

// A part of four rows of blocks of a column of tiles.
void ImageDecoder::State::DecodeLatents(const DecodePiece& piece) {
  const auto tx = static_cast<uint64_t>(first_tile_x) + piece.index;
  const auto ty = static_cast<uint64_t>(piece.row / tile_h);
  const size_t index = ty * grid.across + tx;
  const bool last = piece.part + 1 == swift::TileDecoder::PartsOf(layers);
  if (const ConcealedRows* const made_up = Concealed(ty)) {
    if (last) CopyConcealed(*made_up, piece);
    return;
  }
  swift::TileDecoder& tile = tiles[piece.index];
  if (piece.row % tile_h == 0 && piece.part == 0) {
    std::array<std::span<const std::byte>, kLayers> substreams;
    for (size_t l = 0; l < static_cast<size_t>(layers); ++l)
      if (index < stream.layers[l].size()) substreams[l] = stream.layers[l][index];
    tile.Start({substreams.data(), static_cast<size_t>(layers)}, stream.header.step_index,
               RoundUp(grid.TileWidth(tx), kCell) / kCell,
               RoundUp(grid.TileHeight(ty), kCell) / kCell);
  }
  swift::LatentTarget target;
  target.columns = columns;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    const int64_t at = piece.row % capacity * columns +
                       static_cast<int64_t>(piece.index * grid.tile_width) / kBlockSide;
    target.symbols[p] = symbols[p].data() + at * kChannels;
    target.dc[p] = dc[p].data() + at;
  }
  tile.DecodePart(piece.part, piece.row % tile_h / swift::kCellBlocks, target);
  const int64_t end = piece.row + swift::kCellBlocks;
  if (last && (end % tile_h == 0 || end == picture_h)) {
    tile_status[piece.index] = tile.Finish().WithPrefix("tile " + std::to_string(index) + ", ");
  }
}

const ConcealedRows* ImageDecoder::State::Concealed(uint64_t ty) const {
  const auto after = std::ranges::partition_point(
      concealed, [&](const ConcealedRows& rows) { return rows.end <= ty; });
  return after != concealed.end() && after->first <= ty ? &*after : nullptr;
}

// Rows of blocks of a column of tiles: DC as it was made up, and no symbols.
void ImageDecoder::State::CopyConcealed(const ConcealedRows& rows, const DecodePiece& piece) {
  const auto tile_w = static_cast<int64_t>(grid.tile_width) / kBlockSide;
  const int64_t to_x = static_cast<int64_t>(piece.index) * tile_w;
  const int64_t from_x = (first_tile_x + static_cast<int64_t>(piece.index)) * tile_w;
  const int64_t width = std::min(tile_w, picture_w - from_x);
  const int64_t top = static_cast<int64_t>(rows.first * grid.tile_height) / kBlockSide;
  for (int64_t y = 0; y < swift::kCellBlocks; ++y) {
    const int64_t to = (piece.row % capacity + y) * columns + to_x;
    const int64_t from = (piece.row + y - top) * rows.columns + from_x;
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

void ImageDecoder::State::Do(const DecodePiece& piece) {
  if (piece.kind == DecodePiece::kLatents) return DecodeLatents(piece);
  swift::LaneSynthesiser& lane = synthesisers[piece.index];
  const int64_t y = (lane.row() - strip_row) * kBlockSide, x = lane_x[piece.index] * kBlockSide;
  const int64_t width = std::min(lane_x[piece.index + 1] * kBlockSide, strip.width) - x;
  lane_status[piece.index] =
      lane.Step(latents, strip_end, strip.Window(y, x, strip.height - y, width));
}

void ImageDecoder::State::Done(const DecodePiece& piece) {
  if (piece.kind == DecodePiece::kPixels) return PlaceLane(piece.index);
  board->DoneLatents(piece);
  const int64_t end = board->latents_end();
  if (end % tile_h != 0 && end != picture_h) return;
  const bool good = std::ranges::all_of(tile_status, [](const Status& s) { return s.ok(); });
  if (!good) board->StopAt(end);
}

void ImageDecoder::State::PlaceLane(size_t index) {
  swift::LaneSynthesiser& lane = synthesisers[index];
  const int64_t row = lane.row();
  DecodeBoard::Lane place{.row = row, .end = strip_end, .first = lane.FirstRow()};
  if (row < strip_end && lane_status[index].ok()) {
    place.needs = lane.NextEnd(strip_end);
  } else {
    place.end = row;
    --lanes_left;
    if (row == rows_end) place.first = picture_h;
  }
  board->SetLane(index, place);
}

// The rows of blocks from strip_row to strip_end, as far as `out` reaches to the right and down.
// Threads that find nothing to do for them decode latents of the next.
Status ImageDecoder::State::MakeStrip(TensorView<uint8_t> out) {
  strip = out;
  wanted_end = strip_end == rows_end ? board->end_row() : 0;
  lanes_left = synthesisers.size();
  for (size_t i = 0; i < synthesisers.size(); ++i) PlaceLane(i);
  const auto pieces = synthesisers.size() + tiles.size() * static_cast<size_t>(rows_at_once);
  const int workers = static_cast<int>(std::min(static_cast<size_t>(threads), pieces));
  crew.Run(*board, *this, workers);
  for (const Status& s : lane_status) GODWIT_RETURN_IF_ERROR(s);
  if (lanes_left > 0 || strip_end == rows_end) {
    for (const Status& s : tile_status) GODWIT_RETURN_IF_ERROR(s);
  }
  if (!IsDone()) return Status(StatusCode::kInternal, "pieces of a picture wait for each other");
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
  // Rows of blocks that are wanted whole are made where they are wanted, all of them at once.
  const bool in_place = rows.col_stride == planes && r.x == strip_x * kBlockSide;
  for (int64_t i = 0; i < rows.height; ++i, ++next_y) {
    const int64_t y = int64_t{r.y} + next_y;  // in the picture
    if (y >= strip_end * kBlockSide) {
      strip_row = strip_end;
      const int64_t wanted = y + rows.height - i;
      strip_end = wanted == int64_t{r.y} + r.height ? rows_end : wanted / kBlockSide;
      if (in_place && y == strip_row * kBlockSide && strip_end > strip_row) {
        const int64_t height = std::min(strip_end * kBlockSide, wanted) - y;
        GODWIT_RETURN_IF_ERROR(MakeStrip(rows.Window(i, 0, height, rows.width)));
        i += height - 1;
        next_y += static_cast<uint32_t>(height - 1);
        continue;
      }
      // Not beyond a row of tiles: of alpha one is held.
      strip_end = std::min({strip_row + strip_h, (strip_row / tile_h + 1) * tile_h, rows_end});
      GODWIT_RETURN_IF_ERROR(MakeStrip(
          pixels.view().Window(0, 0, (strip_end - strip_row) * kBlockSide, strip_w * kBlockSide)));
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
