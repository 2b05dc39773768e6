#include "codecs/image/swift_tile.h"

#include <cstring>

namespace godwit::swift {
namespace {

template <typename T>
void Clear(Tensor<T>& t, int64_t count) {
  std::memset(static_cast<void*>(t.data()), 0, static_cast<size_t>(count) * sizeof(T));
}

template <typename T>
void ClearBorder(T* a, int64_t h, int64_t w, int64_t pitch) {
  std::fill_n(a, pitch, T{});
  std::fill_n(a + (h + 1) * pitch, pitch, T{});
  for (int64_t y = 1; y <= h; ++y) a[y * pitch] = a[y * pitch + w + 1] = T{};
}

int16_t Saturate16(int64_t v) {
  return static_cast<int16_t>(std::clamp<int64_t>(v, -32768, 32767));
}

// A plane with a border of one block gets its border from the nearest block inside.
void ReplicateBorder(int16_t* a, int64_t h, int64_t w, int64_t pitch) {
  for (int64_t y = 1; y <= h; ++y) {
    a[y * pitch] = a[y * pitch + 1];
    a[y * pitch + w + 1] = a[y * pitch + w];
  }
  const size_t row = static_cast<size_t>(pitch) * sizeof(int16_t);
  std::memcpy(a, a + pitch, row);
  std::memcpy(a + (h + 1) * pitch, a + h * pitch, row);
}

}  // namespace

uint64_t TileLatents::BytesFor(int planes, int64_t max_cells_h, int64_t max_cells_w) {
  const uint64_t cells =
      static_cast<uint64_t>(max_cells_h + 2) * static_cast<uint64_t>(max_cells_w + 2);
  const uint64_t blocks = static_cast<uint64_t>(max_cells_h * kCellBlocks + 2) *
                          static_cast<uint64_t>(max_cells_w * kCellBlocks + 2);
  constexpr uint64_t kPerBlock =
      2 * kChannels + 8 + 2 + 16 + kChannels + 1 + sizeof(BlockEdges) + kBands;
  constexpr uint64_t kPerCell = 2 * kCoarse + kCoarse + 1 + kBands + 8;
  return static_cast<uint64_t>(planes) * (blocks * kPerBlock + cells * kPerCell + 64 * 40);
}

TileLatents TileLatents::Create(int planes, int64_t max_cells_h, int64_t max_cells_w) {
  TileLatents t;
  t.planes = planes;
  const int64_t blocks = max_cells_h * max_cells_w * kCellBlocks * kCellBlocks;
  const int64_t bordered = (max_cells_h * kCellBlocks + 2) * (max_cells_w * kCellBlocks + 2);
  const int64_t cells = (max_cells_h + 2) * (max_cells_w + 2);
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    t.symbols[p] = Tensor<int16_t>(1, blocks, kChannels);
    t.nonzero[p] = Tensor<uint64_t>(1, blocks);
    t.coarse[p] = Tensor<int16_t>(1, cells, kCoarse);
    t.dc[p] = Tensor<int16_t>(1, bordered);
    t.mean_sixteenths[p] = Tensor<int16_t>(1, blocks, 8);
    t.coarse_magnitude[p] = Tensor<uint8_t>(1, cells, kCoarse);
    t.coarse_activity[p] = Tensor<uint8_t>(1, cells);
    t.magnitude[p] =
        Tensor<uint8_t>(1, bordered + 1, kChannels);  // sums read 16 bytes from any position
    t.gradient[p] = Tensor<uint8_t>(1, bordered);
    t.edges[p] = Tensor<BlockEdges>(1, bordered);
    t.cell_nonzero[p] = Tensor<uint64_t>(1, cells);
    for (size_t b = 0; b < kBands; ++b) {
      t.band_sum[p * kBands + b] = Tensor<uint8_t>(1, bordered);
      t.cell_count[p * kBands + b] = Tensor<uint8_t>(1, cells);
    }
  }
  t.cell_flag = Tensor<uint8_t>(1, max_cells_w);
  t.flag_sum = Tensor<uint32_t>(1, max_cells_w * kCellBlocks);
  t.dc_steps = Tensor<int16_t>(1, max_cells_w * kCellBlocks);
  return t;
}

void TileLatents::Reset(int64_t new_cells_h, int64_t new_cells_w, bool latents) {
  cells_h = new_cells_h;
  cells_w = new_cells_w;
  coarse_pitch = cells_w + 2;
  block_pitch = cells_w * kCellBlocks + 2;
  const int64_t blocks = blocks_h() * blocks_w();
  const int64_t bordered = (blocks_h() + 2) * block_pitch;
  const int64_t cells = (cells_h + 2) * coarse_pitch;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    if (latents) {
      Clear(symbols[p], blocks * kChannels);
      Clear(nonzero[p], blocks);
    }
    Clear(coarse[p], cells * kCoarse);
    Clear(coarse_magnitude[p], cells * kCoarse);
    Clear(coarse_activity[p], cells);
    Clear(magnitude[p], bordered * kChannels);
    Clear(cell_nonzero[p], cells);
    // PredictMeans() and ReconstructDc() set what lies inside.
    ClearBorder(gradient[p].data(), blocks_h(), blocks_w(), block_pitch);
    ClearBorder(edges[p].data(), blocks_h(), blocks_w(), block_pitch);
    for (size_t b = 0; b < kBands; ++b) {
      Clear(band_sum[p * kBands + b], bordered);
      Clear(cell_count[p * kBands + b], cells);
    }
  }
}

void ReconstructDc(const SwiftModel& model, uint32_t step, TileLatents& tile) {
  const auto& m = model.coarse_inverse;
  for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p) {
    for (int64_t cy = 0; cy < tile.cells_h; ++cy) {
      for (int64_t cx = 0; cx < tile.cells_w; ++cx) {
        const int16_t* const q =
            tile.coarse[p].data() + ((cy + 1) * tile.coarse_pitch + cx + 1) * kCoarse;
        int64_t value[16], half[16];  // value[u][v] f=6; half[x][v] f=6
        for (size_t i = 0; i < 16; ++i) {
          value[i] = std::clamp<int64_t>(int64_t{q[i]} * step, -(1 << 23), 1 << 23);
        }
        for (size_t x = 0; x < 4; ++x) {
          for (size_t v = 0; v < 4; ++v) {
            int64_t sum = 1 << 13;
            for (size_t u = 0; u < 4; ++u) sum += m[x * 4 + u] * value[u * 4 + v];
            half[x * 4 + v] = sum >> 14;
          }
        }
        for (int64_t y = 0; y < 4; ++y) {
          int16_t* const row = tile.dc[p].data() + (cy * 4 + y + 1) * tile.block_pitch + cx * 4 + 1;
          for (size_t x = 0; x < 4; ++x) {
            int64_t sum = 1 << 15;
            for (size_t v = 0; v < 4; ++v)
              sum += m[static_cast<size_t>(y) * 4 + v] * half[x * 4 + v];
            row[x] = Saturate16(sum >> 16);
          }
        }
      }
    }
    ReplicateBorder(tile.dc[p].data(), tile.blocks_h(), tile.blocks_w(), tile.block_pitch);
  }
}

namespace {

constexpr int64_t kPredictChunk = 32;  // blocks

// One row of blocks. Compiled once per SIMD level: the compiler turns the inner loops into vectors.
struct PredictorRow {
  const int16_t* dc;  // of the first block
  int64_t pitch;      // between rows of dc
  int64_t count;      // blocks
  const std::array<std::array<int16_t, 8>, 8>* weights;
  int64_t reciprocal;       // 2^26 / step, below 2^22
  uint8_t* gradient;        // whole steps, saturated
  int16_t* dc_steps;        // rounded to whole steps
  int16_t* sixteenths;      // [predicted channel][count], clamped
  uint8_t* whole_channels;  // per chunk, bit i: some mean of channel i is not 0 in whole steps
};

__attribute__((always_inline)) inline void PredictRowBody(const PredictorRow& r) {
  constexpr int64_t kChunk = kPredictChunk;
  const int32_t reciprocal = static_cast<int32_t>(r.reciprocal);
  const int64_t neighbour[8] = {-r.pitch - 1, -r.pitch, -r.pitch + 1, -1, 1,
                                r.pitch - 1,  r.pitch,  r.pitch + 1};
  for (int64_t x0 = 0; x0 < r.count; x0 += kChunk) {
    const int64_t n = std::min(kChunk, r.count - x0);
    int32_t difference[8][kChunk];  // f=2: below 2^15
    for (size_t k = 0; k < 8; ++k) {
      const int16_t* const a = r.dc + x0 + neighbour[k];
      const int16_t* const b = r.dc + x0;
      for (int64_t x = 0; x < n; ++x) difference[k][x] = (a[x] - b[x]) >> 2;
    }
    for (int64_t x = 0; x < n; ++x) {
      const int32_t slope = std::abs(difference[1][x]) + std::abs(difference[3][x]) +
                            std::abs(difference[4][x]) + std::abs(difference[6][x]);
      const int64_t steps = int64_t{slope} * reciprocal >> 22;
      r.gradient[x0 + x] = static_cast<uint8_t>(std::min<int64_t>(steps, 255));
      r.dc_steps[x0 + x] =
          static_cast<int16_t>((int64_t{r.dc[x0 + x]} * reciprocal + (1 << 23)) >> 24);
    }
    uint8_t whole = 0;
    for (size_t i = 0; i < kPredicted.size(); ++i) {
      int32_t sum[kChunk] = {};  // f=14: the norm of the weights keeps it below 2^31
      for (size_t k = 0; k < 8; ++k) {
        const int32_t w = (*r.weights)[i][k];
        for (int64_t x = 0; x < n; ++x) sum[x] += w * difference[k][x];
      }
      int16_t* const out = r.sixteenths + static_cast<int64_t>(i) * r.count + x0;
      int32_t any = 0;
      for (int64_t x = 0; x < n; ++x) {
        const int64_t v = (int64_t{sum[x]} * reciprocal + (1 << 29)) >> 30;
        out[x] = static_cast<int16_t>(std::clamp<int64_t>(v, -32752, 32752));
        any |= (out[x] + 8) >> 4;
      }
      whole = static_cast<uint8_t>(whole | (any != 0) << i);
    }
    r.whole_channels[x0 / kChunk] = whole;
  }
}

void PredictRowScalar(const PredictorRow& r) { PredictRowBody(r); }
#if defined(__x86_64__)
__attribute__((target("avx2"))) void PredictRowAvx2(const PredictorRow& r) { PredictRowBody(r); }
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) void PredictRowAvx512(
    const PredictorRow& r) {
  PredictRowBody(r);
}
#endif

void PredictRow(SimdLevel level, const PredictorRow& r) {
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return PredictRowAvx512(r);
  if (level == SimdLevel::kAvx2) return PredictRowAvx2(r);
#endif
  (void)level;
  PredictRowScalar(r);
}

}  // namespace

void PredictMeans(const SwiftModel& model, uint32_t step, bool set_symbols, SimdLevel level,
                  TileLatents& tile) {
  const int64_t blocks_w = tile.blocks_w();
  for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p) {
    for (int64_t y = 0; y < tile.blocks_h(); ++y) {
      const int64_t at = (y + 1) * tile.block_pitch + 1, block = y * blocks_w;
      int16_t* const sixteenths = tile.mean_sixteenths[p].data() + block * 8;
      PredictRow(level, {tile.dc[p].data() + at, tile.block_pitch, blocks_w, &model.dc_predictor[p],
                         (int64_t{1} << 26) / step, tile.gradient[p].data() + at,
                         tile.dc_steps.data(), sixteenths, tile.cell_flag.data()});
      BlockEdges* const edges = tile.edges[p].data() + at;
      for (int64_t x = 0; x < blocks_w; ++x) {
        // Only differences of DC matter at a border: steps beyond 16 bits wrap alike on both sides.
        const int16_t dc_edge =
            static_cast<int16_t>(BlockEdges::kEdge[0] * tile.dc_steps.data()[x]);
        edges[x] = {};
        edges[x].left[0] = edges[x].right[0] = edges[x].top[0] = edges[x].bottom[0] = dc_edge;
      }
      for (int64_t x0 = 0; x0 < blocks_w; x0 += kPredictChunk) {
        const uint8_t whole_channels =
            tile.cell_flag.data()[x0 / kPredictChunk];  // not yet used for cells
        if (whole_channels == 0) continue;              // the common case: most blocks are flat
        for (size_t i = 0; i < kPredicted.size(); ++i) {
          if ((whole_channels >> i & 1) == 0) continue;
          const int c = kPredicted[i];
          const int16_t* const row = sixteenths + static_cast<int64_t>(i) * blocks_w;
          for (int64_t x = x0; x < std::min(x0 + kPredictChunk, blocks_w); ++x) {
            const int whole = TileLatents::Whole(row[x]);
            if (whole == 0) continue;
            edges[x].Add(c >> 3, c & 7, whole);
            int16_t& symbol = tile.symbols[p].data()[(block + x) * kChannels + c];
            uint64_t& nonzero = tile.nonzero[p].data()[block + x];
            const uint64_t bit = uint64_t{1} << c;
            if (set_symbols) {
              symbol = static_cast<int16_t>(whole);
            } else {
              nonzero = symbol == whole ? nonzero & ~bit : nonzero | bit;
            }
          }
        }
      }
    }
  }
}

}  // namespace godwit::swift
