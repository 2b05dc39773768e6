// codecs/image/full_inputs.h: what the networks of the `full` entropy model see, in the order of
// docs/format/entropy.md section 6; train/full_features.py is the same for whole pictures.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "codecs/image/full_model.h"
#include "codecs/image/swift_cell_row.h"

namespace godwit::swift {

// Fills inputs in order: a call adds the next ones, and a value of 0 only counts.
class InputFiller {
 public:
  InputFiller(const FullModel& model, FullInputs& to) : model_(model), to_(to) { to.count = 0; }
  void Value(int v) { to_.Add(at_++, model_.Level(v)); }
  void Raw(int x) { to_.Add(at_++, x); }  // no magnitude: as it is
  void Skip(int n) { at_ += n; }
  // Bytes of residuals; up to seven after the last are read.
  void Residuals(const int8_t* r, int n) {
    for (int i = 0; i < n; i += 8) {
      uint64_t eight;
      std::memcpy(&eight, r + i, sizeof eight);
      if (n - i < 8) eight &= (uint64_t{1} << 8 * (n - i)) - 1;
      while (eight != 0) {
        const int k = std::countr_zero(eight) / 8;
        eight &= ~(uint64_t{0xff} << 8 * k);
        to_.Add(at_ + i + k, model_.Level(r[i + k]));
      }
    }
    at_ += n;
  }
  int at() const { return at_; }

 private:
  const FullModel& model_;
  FullInputs& to_;
  int at_ = 0;
};

// Of a tile: the same everywhere.
struct StepInputs {
  explicit StepInputs(int step_index)
      : centred(std::clamp((step_index - 176) >> 1, -88, 88)),
        apart(std::min(std::abs(step_index - 224) >> 1, 88)) {
    const uint32_t step = StepFromIndex(step_index);
    shift = step >= 128 ? 4 : step >= 64 ? 3 : 2;
    factor = static_cast<int>(std::min<uint32_t>((1u << (18 + shift)) / step, 32767));
  }
  void AddTo(InputFiller& f) const {
    f.Raw(centred);
    f.Raw(apart);
  }
  // A difference of DC in quarter steps.
  int Quarters(int16_t there, int16_t here) const {
    const auto half = static_cast<int16_t>((there >> 1) - (here >> 1));
    const int scaled = (int32_t{half} * factor + (1 << 14)) >> 15;
    const int size = std::abs(scaled) >> (shift - 2);
    return scaled < 0 ? -size : size;
  }
  int centred, apart, shift, factor;
};

inline void AddDifferences(const StepInputs& step, const int16_t* dc, int64_t pitch,
                           InputFiller& f) {
  for (int64_t dy = -1; dy <= 1; ++dy) {
    for (int64_t dx = -1; dx <= 1; ++dx) {
      if (dy != 0 || dx != 0) f.Value(step.Quarters(dc[dy * pitch + dx], dc[0]));
    }
  }
}

struct FullInputSet {
  FullInputs common, even, odd;
};

// Of a band of the block at row y, column x of the row of cells; `mean` is t by lane.
inline void FillBand(const FullModel& m, const StepInputs& step, const CellRow& row, int plane,
                     int band, int64_t y, int64_t x, const int16_t* mean, FullInputSet& in) {
  const auto pz = static_cast<size_t>(plane);
  const int64_t at = row.Bordered(y, x), pitch = row.block_pitch;
  const int size = kBandTable[static_cast<size_t>(band)].size;
  const int first = kBandFirst[static_cast<size_t>(band)], before = first - 1;
  const auto block = [&](size_t p, int64_t where) {
    return row.residual[p].data() + where * kChannels;
  };
  InputFiller common(m, in.common);
  common.Residuals(block(pz, at) + 1, before);
  common.Residuals(block(pz, at - 1) + 1, before + size);
  common.Residuals(block(pz, at - pitch) + 1, before + size);
  common.Residuals(block(pz, at + 1) + 1, before);
  if (y + 1 < kCellBlocks) {
    common.Residuals(block(pz, at + pitch) + 1, before);
  } else {
    common.Skip(before);
  }
  AddDifferences(step, row.dc[pz].data() + at, pitch, common);
  for (int i = 0; i < size; ++i) common.Value(mean[i]);
  InputFiller even(m, in.even);
  even.Residuals(block(pz, at - pitch - 1) + first, size);
  even.Residuals(block(pz, at - pitch + 1) + first, size);
  if (x > 0) {
    even.Residuals(block(pz, at - 2) + first, size);
  } else {
    even.Skip(size);
  }
  for (int other = 0; other < row.planes; ++other) {
    if (other == plane) continue;
    even.Residuals(block(static_cast<size_t>(other), at) + 1,
                   kBandFirst[static_cast<size_t>(BandsBefore(other, plane, band))] - 1);
  }
  if (row.planes == 1) {
    for (int other = 1; other < kPlanes; ++other)
      even.Skip(kBandFirst[static_cast<size_t>(BandsBefore(other, plane, band))] - 1);
  }
  // Magnitudes alone.
  for (size_t i = 0; i < in.even.count; ++i) in.even.value[i] = in.even.size[i];
  if (plane > 0) {
    const size_t begin = in.even.count;
    AddDifferences(step, row.dc[0].data() + at, pitch, even);
    for (size_t i = begin; i < in.even.count; ++i) in.even.value[i] = in.even.size[i];
  }
  step.AddTo(even);
  even.Raw(y + 1 < kCellBlocks ? 0 : 64);
}

// The odd inputs of the same, which only blocks with something need: how its edges differ from
// those around, and the planes before.
inline void FillBandOdd(const FullModel& m, const BandNeighbours& n, int band, FullInputSet& in) {
  InputFiller odd(m, in.odd);
  const BlockEdges& here = *n.here;
  const auto add = [&](const std::array<int16_t, 8>& there, const std::array<int16_t, 8>& own) {
    for (size_t i = 0; i < 8; ++i) odd.Value(static_cast<int16_t>(there[i] - own[i]));
  };
  add(n.west->right, here.left);
  add(n.north->bottom, here.top);
  add(n.east->left, here.right);
  if (n.south != nullptr) {
    add(n.south->top, here.bottom);
  } else {
    odd.Skip(8);
  }
  const int size = kBandTable[static_cast<size_t>(band)].size;
  if (n.luma != nullptr) odd.Residuals(n.luma, size);
  if (n.other != nullptr) odd.Residuals(n.other, size);
}

// Of the flag of a cell.
inline void FillCell(const FullModel& m, const StepInputs& step, const CellRow& row, int plane,
                     int band, int64_t x, bool left, FullInputSet& in) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band);
  const int64_t at = row.BorderedCell(x), pitch = row.cell_pitch;
  in.common.count = 0;
  InputFiller even(m, in.even);
  const uint8_t* const same = row.cell_count[pz * kBands + bz].data() + at;
  even.Value(left ? 8 : 0);
  even.Value(same[-pitch]);
  even.Value(same[-pitch - 1]);
  even.Value(same[-pitch + 1]);
  for (size_t b = 0; b < bz; ++b) {
    const uint8_t* const lower = row.cell_count[pz * kBands + b].data() + at;
    even.Value(lower[0]);
    even.Value(lower[-1]);
    even.Value(lower[1]);
    even.Value(lower[-pitch]);
  }
  for (int other = 0; other < kPlanes; ++other) {
    if (other == plane) continue;
    const auto count = static_cast<size_t>(BandsBefore(other, plane, band));
    const size_t of = static_cast<size_t>(other) * kBands;
    for (size_t b = 0; b < count; ++b)
      even.Value(other < row.planes ? row.cell_count[of + b].data()[at] : 0);
  }
  const uint8_t* const activity = row.coarse_activity[pz].data() + at;
  even.Value(activity[0]);
  even.Value(activity[-1]);
  even.Value(activity[1]);
  even.Value(activity[-pitch]);
  for (int other = 0; other < kPlanes; ++other) {
    if (other == plane) continue;
    even.Value(other < row.planes ? row.coarse_activity[static_cast<size_t>(other)].data()[at] : 0);
  }
  step.AddTo(even);
}

// Coarse DC around less that of the cell at x: left, right, above, both corners above.
inline void AddSlopes(const CellRow& row, size_t plane, int64_t x, InputFiller& f) {
  const int16_t* const q = row.coarse[plane].data() + row.BorderedCell(x) * kCoarse;
  const int64_t up = -row.cell_pitch * kCoarse;
  const bool left = x > 0, right = x + 1 < row.cells_w, above = !row.first;
  f.Value(left ? q[-kCoarse] - q[0] : 0);
  f.Value(right ? q[kCoarse] - q[0] : 0);
  f.Value(above ? q[up] - q[0] : 0);
  f.Value(above && left ? q[up - kCoarse] - q[0] : 0);
  f.Value(above && right ? q[up + kCoarse] - q[0] : 0);
}

// Of a cell's coarse AC; `mean` is t by coefficient.
inline void FillCoarse(const FullModel& m, const StepInputs& step, const CellRow& row, int plane,
                       int64_t x, const int16_t* mean, FullInputSet& in) {
  constexpr int kAc = kCoarse - 1;
  const auto pz = static_cast<size_t>(plane);
  const int64_t at = row.BorderedCell(x), pitch = row.cell_pitch;
  const auto cell = [&](size_t p, int64_t where) {
    return row.coarse_residual[p].data() + where * kCoarse + 1;
  };
  InputFiller common(m, in.common);
  common.Residuals(cell(pz, at - 1), kAc);
  common.Residuals(cell(pz, at - pitch), kAc);
  AddSlopes(row, pz, x, common);
  for (int i = 1; i < kCoarse; ++i) common.Value(mean[i]);
  for (size_t p = 0; p < pz; ++p) {
    common.Residuals(cell(p, at), kAc);
    AddSlopes(row, p, x, common);
  }
  InputFiller even(m, in.even);
  even.Residuals(cell(pz, at - pitch - 1), kAc);
  even.Residuals(cell(pz, at - pitch + 1), kAc);
  for (size_t i = 0; i < in.even.count; ++i) in.even.value[i] = in.even.size[i];
  step.AddTo(even);
  in.odd.count = 0;
}

// Of a cell's coarse DC, expected to be `mean`.
inline void FillCoarseDc(const FullModel& m, const StepInputs& step, const CellRow& row, int plane,
                         int64_t x, int mean, FullInputSet& in) {
  const auto pz = static_cast<size_t>(plane);
  const int64_t at = row.BorderedCell(x) * kCoarse, up = -row.cell_pitch * kCoarse;
  const int16_t* const q = row.coarse[pz].data() + at;
  const int8_t* const r = row.coarse_residual[pz].data() + at;
  const bool left = x > 0, right = x + 1 < row.cells_w, above = !row.first;
  InputFiller common(m, in.common);
  common.Value(left ? q[-kCoarse] - mean : 0);
  common.Value(above ? q[up] - mean : 0);
  common.Value(above && left ? q[up - kCoarse] - mean : 0);
  common.Value(above && right ? q[up + kCoarse] - mean : 0);
  common.Value(r[-kCoarse]);
  common.Value(r[up]);
  common.Value(r[up - kCoarse]);
  common.Value(r[up + kCoarse]);
  for (size_t p = 0; p < pz; ++p) common.Value(row.coarse_residual[p].data()[at]);
  InputFiller even(m, in.even);
  step.AddTo(even);
  in.odd.count = 0;
}

}  // namespace godwit::swift
