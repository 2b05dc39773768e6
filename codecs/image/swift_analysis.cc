#include "codecs/image/swift_analysis.h"

#include <algorithm>
#include <cstring>

namespace godwit::swift {
namespace {

constexpr int64_t kChunk = 256;  // pixels: what one pass leaves stays in the first cache
static_assert(kChunk / 8 <= MsssimLimits::kBlocks);
constexpr uint8_t kPlainRounding = 128;  // halves round up

// Reciprocal with 15 to 16 significant bits; `step` in 1/64, coefficients in 1/16.
PlaneQuantiser MakeQuantiser(uint32_t step, uint8_t rounding) {
  PlaneQuantiser q{};
  while ((uint64_t{1} << (18 + q.shift + 1)) / step < 65536) ++q.shift;
  const uint64_t reciprocal = (uint64_t{1} << (18 + q.shift)) / step;
  q.reciprocal.fill(static_cast<uint16_t>(std::min<uint64_t>(reciprocal, 65535)));
  q.bias.fill(static_cast<uint16_t>(uint64_t{step} * rounding >> 10));
  q.reciprocal[0] = 0;  // DC goes through the coarse transform
  return q;
}

void Prefetch(const uint8_t* p, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + i);
}

}  // namespace

RowAnalyser::RowAnalyser(const SwiftModel& model, SimdLevel level)
    : model_(model),
      level_(level),
      kernels_(BlockTransformKernelsFor(level)),
      planes_(kPlanes, 8, kChunk),
      coefficients_(1, kChunk / 8, kChannels),
      tail_(1, kCell, 3) {}

void RowAnalyser::SetStep(int step_index, ImageTune tune) {
  step_ = StepFromIndex(step_index);
  if (tune == ImageTune::kPsnr) {
    limits_ = nullptr;
    quantiser_ = MakeQuantiser(step_, model_.rounding);
    return;
  }
  if (limits_ == nullptr) limits_ = std::make_unique<MsssimLimits>();
  limits_->SetStep(step_);
  quantiser_ = MakeQuantiser(step_, kPlainRounding);  // what is left is rounded to the nearest
}

// Pixels x.. of a row of blocks; `width` is a multiple of a cell.
void RowAnalyser::MakePlanes(TensorView<const uint8_t> pixels, int count, int64_t block_row,
                             int64_t x, int64_t width) {
  const int64_t channels = pixels.channels,
                whole = std::clamp<int64_t>((pixels.width - x) / kCell, 0, width / kCell) * kCell;
  const auto colour = [&](const uint8_t* source, int64_t at, int64_t n, int64_t line) {
    int16_t* planes[3];
    for (int64_t p = 0; p < count; ++p) planes[p] = planes_.data() + (p * 8 + line) * kChunk + at;
    if (count == 3) {
      kernels_.colour_forward(model_.transform, source, static_cast<size_t>(n), planes);
    } else {
      kernels_.grey_forward(model_.transform, source, static_cast<size_t>(n), planes[0]);
    }
  };
  for (int64_t line = 0; line < 8; ++line) {
    const int64_t y = std::min(block_row * 8 + line, pixels.height - 1);
    const uint8_t* const source = pixels.At(y, 0) + x * channels;
    // The next pixels: two cache lines of a row at a time are too little for the machine to see.
    if (x + width < pixels.width) {
      Prefetch(source + width * channels, std::min(kChunk, pixels.width - x - width) * channels);
    } else if (y + 8 < pixels.height) {
      Prefetch(pixels.At(y + 8, 0), std::min(kChunk, pixels.width) * channels);
    }
    if (whole > 0) colour(source, 0, whole, line);
    if (whole == width) continue;
    const int64_t rest = pixels.width - x - whole;  // of the last cell
    std::memcpy(tail_.data(), source + whole * channels, static_cast<size_t>(rest * channels));
    const uint8_t* const last = source + (whole + rest - 1) * channels;
    for (int64_t i = rest; i < kCell; ++i) {
      std::memcpy(tail_.data() + i * channels, last, static_cast<size_t>(channels));
    }
    colour(tail_.data(), whole, kCell, line);
  }
}

void RowAnalyser::AnalyseBlocks(TensorView<const uint8_t> pixels, int64_t block_row, int64_t x,
                                int64_t width, CellRow& row) {
  MakePlanes(pixels, row.planes, block_row, x, width);
  const int64_t first = block_row * row.blocks_w() + x / 8, blocks = width / 8;
  for (size_t p = 0; p < static_cast<size_t>(row.planes); ++p) {
    kernels_.block_forward(model_.transform, planes_.data() + static_cast<int64_t>(p) * 8 * kChunk,
                           static_cast<size_t>(kChunk), static_cast<size_t>(blocks),
                           coefficients_.data());
    int16_t* const dc = row.dc[p].data() + row.Bordered(block_row, x / 8);
    for (int64_t b = 0; b < blocks; ++b) dc[b] = coefficients_.data()[b * kChannels];
    if (limits_ != nullptr) limits_->Drop(level_, p, blocks, coefficients_.data());
    kernels_.quantise(quantiser_, coefficients_.data(), static_cast<size_t>(blocks),
                      row.Symbols(p, block_row, x / 8), row.nonzero[p].data() + first);
  }
}

void RowAnalyser::Coefficients(TensorView<const uint8_t> pixels, int planes, int64_t cells_w,
                               const std::array<int16_t*, kPlanes>& out) {
  const int64_t width = cells_w * kCell;
  for (int64_t y = 0; y < kCellBlocks; ++y) {
    for (int64_t x = 0; x < width; x += kChunk) {
      const int64_t n = std::min(kChunk, width - x);
      MakePlanes(pixels, planes, y, x, n);
      for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
        kernels_.block_forward(model_.transform,
                               planes_.data() + static_cast<int64_t>(p) * 8 * kChunk,
                               static_cast<size_t>(kChunk), static_cast<size_t>(n / 8),
                               out[p] + (y * width / 8 + x / 8) * kChannels);
      }
    }
  }
}

void RowAnalyser::Analyse(TensorView<const uint8_t> pixels, CellRow& row) {
  row.NextRow();
  for (int64_t y = 0; y < kCellBlocks; ++y) {
    for (int64_t x = 0; x < row.cells_w * kCell; x += kChunk)
      AnalyseBlocks(pixels, y, x, std::min(kChunk, row.cells_w * kCell - x), row);
  }
  for (size_t p = 0; p < static_cast<size_t>(row.planes); ++p)
    CoarseForward(level_, model_.coarse_forward, row.Coarse(p, step_));
  ReconstructDc(model_, step_, level_, row);
  StartEdges(step_, level_, row);
  for (size_t p = 0; p < static_cast<size_t>(row.planes); ++p) {
    uint64_t* const to = row.cell_nonzero[p].data();
    std::fill_n(to, row.cells_w, uint64_t{0});
    for (int64_t y = 0; y < kCellBlocks; ++y) {
      const uint64_t* const from = row.nonzero[p].data() + y * row.blocks_w();
      for (int64_t x = 0; x < row.blocks_w(); ++x) to[x / kCellBlocks] |= from[x];
    }
  }
}

}  // namespace godwit::swift
