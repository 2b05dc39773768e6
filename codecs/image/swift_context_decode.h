// codecs/image/swift_context_decode.h: of ContextCoder, how bands are read, block by block.
#pragma once

#include "codecs/image/swift_context.h"

namespace godwit::swift {

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::DecodeCells(Coder& coder, int plane, int band) {
  uint8_t* const flags = row_.cell_flag.data() + 1;
  const CellFlagRow r = CellFlagRowOf(row_, p_, plane, band, row_.flag_sum.data());
  SumCellFlagRow(level_, r);
  uint32_t* const choices = row_.flag_decision.data();
  ChooseFlags(level_,
              {r.count, r.weights[0],
               static_cast<uint32_t>(ContextParameters::CellContext(plane * kBands + band, 0)),
               ContextParameters::kCellClasses - 1, r.sum, choices});
  int left = 0;
  for (int64_t x = 0; x < r.count; ++x) {
    left = coder.Bit(false, static_cast<int>(choices[x] >> (16 * left) & 0xffff));
    flags[x] = static_cast<uint8_t>(left * kFlagSet);
  }
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::DecodeRow(Coder& from, int plane, int band, int64_t y,
                                                    int64_t first, int64_t end) {
  Coder coder = from;
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const Band& table = kBandTable[bz];
  const int size = table.size, kind = ContextParameters::KindOf(plane, band);
  const FlagRow flag_row = FlagRowOf(row_, p_, plane, band, y, first, end);
  SumFlagRow(level_, flag_row);
  // Both contexts that a flag may have are known before the flag to its left.
  uint32_t* const choices = row_.flag_decision.data();
  ChooseFlags(level_,
              {flag_row.count, flag_row.weights[0],
               static_cast<uint32_t>(ContextParameters::FlagContext(static_cast<int>(gz), 0)),
               ContextParameters::kFlagClasses - 1, flag_row.sum, choices});
  uint32_t* const flag_sum = row_.flag_sum.data();
  uint16_t* const flagged = row_.flagged.data();
  uint8_t* const counts = row_.cell_count[gz].data() + row_.BorderedCell(0);
  const uint32_t left_sum = uint32_t{flag_row.weights[0]} * kFlagSet;
  size_t count = 0;
  uint32_t left = 0;
  for (int64_t cell = first; cell < end; ++cell) {
    if (row_.cell_flag.data()[cell + 1] == 0) {
      left = 0;
      continue;
    }
    const size_t before = count;
    for (int64_t x = cell * kCellBlocks; x < (cell + 1) * kCellBlocks; ++x) {
      flag_sum[x] += left * left_sum;
      const uint32_t choice = choices[x - first * kCellBlocks] >> (16 * left);
      left = coder.Bit(false, static_cast<int>(choice & 0xffff));
      flagged[count] = static_cast<uint16_t>(x);
      count += left;
    }
    counts[cell] = static_cast<uint8_t>(counts[cell] + (count - before));
  }
  uint8_t* const sums = row_.band_sum[gz].data() + row_.Bordered(y, 0);
  const int zero = ContextParameters::ZeroContext(kind, 0);
  for (size_t k = 0; k < count; ++k) {
    const int64_t x = flagged[k];
    BandContexts contexts;
    kernels_.contexts(band, p_.band[gz], BandNeighboursOf(row_, plane, band, y, x, flag_sum[x]),
                      contexts);
    int16_t* const symbols = row_.Symbols(pz, y, x);
    int8_t* const residual =
        row_.residual[pz].data() + row_.Bordered(y, x) * kChannels + kBandFirst[bz];
    BlockEdges& edges = row_.edges[pz].data()[row_.Bordered(y, x)];
    // Contexts of all lanes in state 0.
    std::array<uint16_t, kLanes> zeros;
    for (size_t i = 0; i < kLanes; ++i)
      zeros[i] = static_cast<uint16_t>(
          zero + std::min<int>(contexts.scale_class[i], kZeroClasses - 1) * kZeroStates);
    int total = 0, i = 0;
    // The flag promised something: the last of a so far empty band is nonzero.
    while (i < size - 1 &&
           !coder.Bit(false, zeros[static_cast<size_t>(i)] + (i == size - 2 ? 2 : 1)))
      ++i;
    do {
      const auto iz = static_cast<size_t>(i);
      const int value = NonZero(coder, 0, kind, contexts.scale_class[iz], contexts.mean[iz]);
      const int c = table.channel[iz];
      symbols[c] = static_cast<int16_t>(value);
      residual[i] = LimitResidual(value);
      total += std::abs(int{residual[i]});
      edges.Add(c, value);
      ++i;
      while (i < size && !coder.Bit(false, zeros[static_cast<size_t>(i)])) ++i;
    } while (i < size);
    sums[x] = static_cast<uint8_t>(std::min(total, 255));
  }
  from = coder;
}

}  // namespace godwit::swift
