// codecs/image/swift_context_encode.h: of ContextCoder, how bands are written, a row of blocks at a
// time.
#pragma once

#include "codecs/image/swift_context.h"

namespace godwit::swift {

// What may come between two calls of Pause(), in decisions: the flags of a row of blocks or cells,
// the blocks that are decided at once, or one block or cell, whose values take at most their zero
// bit and sign, 14 in unary, 16 of a gamma code and the low bits.
inline constexpr int64_t kBlocksAtOnce = 12, kMostOfValue = 33;
inline constexpr int64_t DecisionsBetweenPauses(int64_t cells_w) {
  return std::max(
      {cells_w * kCellBlocks, kBlocksAtOnce * kMostDecided, kMostOfValue * (kMaxBandSize + 1)});
}
static_assert(kDecidedSlack <= DecisionWriter::kSlack);

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::EncodeCells(Coder& coder, int plane, int band) {
  const uint64_t mask = kBandTable[static_cast<size_t>(band)].mask;
  const uint64_t* const nonzero = row_.cell_nonzero[static_cast<size_t>(plane)].data();
  uint8_t* const flags = row_.cell_flag.data() + 1;
  for (int64_t x = 0; x < row_.cells_w; ++x) flags[x] = (nonzero[x] & mask) != 0 ? kFlagSet : 0;
  const int group = plane * kBands + band;
  const CellFlagRow r = CellFlagRowOf(row_, p_, plane, band, row_.flag_sum.data());
  SumCellFlagRow(level_, r);
  for (int64_t x = 0; Probe::kActive && x < r.count; ++x) {
    const auto at = [x](const uint8_t* a) { return a != nullptr ? a[x] : 0; };
    const int features[kCellFeatures] = {
        flags[x - 1], r.same[x - r.pitch], r.same[x - r.pitch - 1] + r.same[x - r.pitch + 1],
        at(r.lower),  at(r.luma),          at(r.other)};
    probe_.Cell(group, features, flags[x] != 0);
  }
  uint32_t* const decisions = row_.flag_decision.data();
  DecideFlags(level_, {flags, r.count, r.weights[0],
                       static_cast<uint32_t>(ContextParameters::CellContext(group, 0)),
                       ContextParameters::kCellClasses - 1, r.sum, decisions});
  for (int64_t x = 0; x < r.count; x += Coder::kBlock)
    coder.Some(decisions + x, static_cast<int>(std::min<int64_t>(Coder::kBlock, r.count - x)));
}

// Row y of the cells [first, end): the flags of the cells that have something, then the blocks that
// have.
template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::EncodeRow(Coder& coder, int plane, int band, int64_t y,
                                                    int64_t first, int64_t end) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const int size = kBandTable[bz].size, kind = ContextParameters::KindOf(plane, band);
  const int64_t begin_x = first * kCellBlocks, end_x = end * kCellBlocks;
  uint8_t* const flags = row_.flag.data() + 1;
  const uint64_t* const nonzero = row_.nonzero[pz].data() + y * row_.blocks_w();
  const uint64_t mask = kBandTable[bz].mask;
  uint16_t* const flagged = row_.flagged.data();
  size_t count = 0;
  flags[begin_x - 1] = 0;
  for (int64_t x = begin_x; x < end_x; ++x) {  // no branch: flags are hard to foresee
    const bool set = (nonzero[x] & mask) != 0;
    flags[x] = set ? kFlagSet : 0;
    flagged[count] = static_cast<uint16_t>(x);
    count += set;
  }
  const FlagRow flag_row = FlagRowOf(row_, p_, plane, band, y, first, end);
  SumFlagRow(level_, flag_row);
  if constexpr (Probe::kActive) {
    for (int64_t x = begin_x; x < end_x; ++x) {
      if (row_.cell_flag.data()[x / kCellBlocks + 1] != 0)
        ProbeFlag(flag_row, x - begin_x, flags[x - 1], gz, flags[x] != 0);
    }
  }
  uint32_t* const decisions = row_.flag_decision.data();
  DecideFlags(level_,
              {flags + begin_x, end_x - begin_x, flag_row.weights[0],
               static_cast<uint32_t>(ContextParameters::FlagContext(static_cast<int>(gz), 0)),
               ContextParameters::kFlagClasses - 1, flag_row.sum, decisions});
  uint8_t* const counts = row_.cell_count[gz].data() + row_.BorderedCell(0);
  for (int64_t cell = first; cell < end; ++cell) {
    const bool in = row_.cell_flag.data()[cell + 1] != 0;
    coder.Some(decisions + (cell - first) * kCellBlocks, in ? kCellBlocks : 0);
    uint32_t four;
    std::memcpy(&four, flags + cell * kCellBlocks, sizeof four);
    counts[cell] = static_cast<uint8_t>(counts[cell] + std::popcount(four));
  }
  // What each block's channels are, then their contexts: each block's edges are those of the next.
  uint8_t* const sums = row_.band_sum[gz].data() + row_.Bordered(y, 0);
  for (size_t k = 0; k < count; ++k) {
    const int64_t x = flagged[k];
    const GatheredBand gathered = kernels_.gather(
        band, row_.Symbols(pz, y, x), row_.values.data() + k * kLanes,
        row_.residual[pz].data() + row_.Bordered(y, x) * kChannels + kBandFirst[bz]);
    row_.value_lanes.data()[k] = gathered.nonzero;
    sums[x] = static_cast<uint8_t>(std::min<int>(gathered.sum, 255));
  }
  for (size_t k = 0; k < count; ++k) {
    const int64_t x = flagged[k];
    const BandNeighbours n = BandNeighboursOf(row_, plane, band, y, x, row_.flag_sum.data()[x]);
    BandContexts& contexts = row_.contexts.data()[k];
    kernels_.contexts(band, p_.band[gz], n, contexts);
    const int16_t* const values = row_.values.data() + k * kLanes;
    if constexpr (Probe::kActive) {
      const int start = std::countr_zero(row_.value_lanes.data()[k]);
      for (int i = 0; i < size; ++i) {
        const auto iz = static_cast<size_t>(i);
        ProbeSymbol(plane, band, iz, i > start, n, contexts.mean[iz], values[i]);
      }
    }
    row_.edges[pz].data()[row_.Bordered(y, x)].AddLanes(kBandTable[bz], row_.value_lanes.data()[k],
                                                        values);
  }
  const KindDecisions decisions_of = {
      2 * static_cast<uint32_t>(ContextParameters::ZeroContext(kind, 0)),
      2 * static_cast<uint32_t>(ContextParameters::SignContext(kind, 0)),
      2 * static_cast<uint32_t>(ContextParameters::MagnitudeContext(kind, 0))};
  for (size_t k = 0; k < count;) {
    coder.Pause();
    const size_t most = std::min<size_t>(count - k, kBlocksAtOnce);
    const DecidedBlocks done =
        kernels_.decide_blocks(row_.contexts.data() + k, row_.values.data() + k * kLanes,
                               row_.value_lanes.data() + k, most, size, decisions_of, coder.Room());
    coder.Skip(done.decisions);
    k += done.blocks;
    if (done.blocks == most) continue;
    coder.Pause();  // the next is too large for that
    EncodeBlock(coder, k++, size, kind);
  }
}

// Of the k-th block that has the band.
template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::EncodeBlock(Coder& coder, size_t k, int size, int kind) {
  const BandContexts& contexts = row_.contexts.data()[k];
  const int16_t* const values = row_.values.data() + k * kLanes;
  uint32_t lanes = row_.value_lanes.data()[k];
  std::array<uint32_t, 2 * kLanes> zero_bits{};  // copied by whole blocks from any lane
  kernels_.decide(contexts, lanes, size,
                  static_cast<uint32_t>(ContextParameters::ZeroContext(kind, 0)), zero_bits.data());
  // The flag promised something: the last of a so far empty band cannot be zero.
  const bool implied = lanes >> (size - 1) == 1 && (lanes & (lanes - 1)) == 0;
  for (int done = 0;;) {
    const int lane = lanes != 0 ? std::countr_zero(lanes) : size - 1;
    coder.Some(zero_bits.data() + done, lane + 1 - done - (implied ? 1 : 0));
    if (lanes == 0) break;
    const auto lz = static_cast<size_t>(lane);
    NonZero(coder, values[lane], kind, contexts.scale_class[lz], contexts.mean[lz]);
    lanes &= lanes - 1;
    done = lane + 1;
    if (done == size) break;
  }
}

}  // namespace godwit::swift
