// train/fit_full_start.cc: what an entropy model pays for crops beside `lite`, and where
// its adaptive parts should start.
//   fit_full_start MODEL FULL CROPS OUT [once|all [EFFORTS [SYNTHESIS]]]
// CROPS: see crop_file.h; EFFORTS: crop_symbols.h, 1 unless given. OUT, unless it is "-": i32
// weights, then probabilities, in the order of FullState: their means over all crops but the first
// hundred. Weights run on from crop to crop; with "all" probabilities do too.
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <vector>

#include "codecs/image/full_context.h"
#include "codecs/image/full_row.h"
#include "entropy/decision_list.h"
#include "train/crop_file.h"
#include "train/crop_symbols.h"

namespace godwit::swift {
namespace {

struct LiteCost final : DecisionSink {
  AdaptiveBit* contexts = nullptr;
  double bits = 0;
  void Take(std::span<const Decision> decisions) override {
    for (const Decision d : decisions) {
      if ((d & kRawDecision) != 0) {
        bits += d >> 16 & 31;
        continue;
      }
      AdaptiveBit& model = contexts[d >> 1];
      bits -= std::log2(((d & 1) != 0 ? model.p1 : 65536 - model.p1) / 65536.0);
      model.Update((d & 1) != 0, kDecisionRate);
    }
  }
};

struct CostCoder {
  double* bits;
  double* count;
  bool Bit(bool bit, uint32_t p1) {
    *bits -= std::log2((bit ? p1 : 65536 - p1) / 65536.0);
    ++*count;
    return bit;
  }
  uint32_t Raw(uint32_t value, int n) {
    *bits += n;
    return value;
  }
};

// Multiply-adds of the networks; inputs and hidden sums that are 0 cost nothing.
struct MacProbe {
  double* macs;
  void Hidden(const FullNetwork& n, const FullInputSet& in) const {
    *macs += static_cast<double>(n.hidden * (in.common.count + in.even.count));
    if (n.has_flag) *macs += static_cast<double>(n.hidden);
  }
  void Outputs(const FullNetwork& n, const FullInputSet& in, const FullSums& sums) const {
    const auto values = static_cast<size_t>(n.values);
    size_t awake = 0;
    for (size_t h = 0; h < n.hidden; ++h) awake += sums.hidden[h] != 0;
    *macs += static_cast<double>(awake * kFullLogits * values +
                                 (in.common.count + in.odd.count) * (n.odd_hidden + values) +
                                 n.odd_hidden * values);
  }
  void Later(const FullNetwork& n) const { *macs += 5.0 * n.values; }
};

// Weights, then all probabilities.
template <typename F>
void ForEach(const FullState& s, F f) {
  for (const auto& group : s.weights)
    for (const auto& row : group)
      for (const int32_t w : row) f(w);
  for (const auto& group : s.refined)
    for (const auto& row : group)
      for (const uint16_t p : row) f(p);
  const auto bits = [&](const auto& table) {
    for (const auto& group : table)
      for (const auto& row : group)
        for (const AdaptiveBit b : row) f(b.p1);
  };
  bits(s.place);
  bits(s.exponent);
  bits(s.mantissa);
}

int Run(int argc, char** argv) {
  if (argc < 5) return 2;
  const SafeTensors stream = OpenTensors(argv[1]), entropy = OpenTensors(argv[2]);
  const SwiftModel model = Need(argv[1], SwiftModel::Load(stream, 0));
  const auto full = Need(argv[2], FullModel::Load(entropy, 0));
  CropFile file(argv[3]);
  struct Total {
    double pixels = 0, lite = 0, full = 0, count = 0, macs = 0, by_layer[kLayers] = {},
           lite_by[kLayers] = {};
  };
  std::map<int, Total> totals;
  std::vector<Decision> batch(1 << 16);
  auto lite_state = std::make_unique<ContextState>(), full_lite = std::make_unique<ContextState>();
  auto state = std::make_unique<FullState>(full->start);
  const bool learn = std::string_view(argv[4]) != "-";
  const std::string_view way = argc > 5 ? argv[5] : "once";
  const bool all = way == "all";
  if (!all && way != "once") Refuse(argv[5], "neither once nor all");
  std::vector<double> sums(sizeof(FullState));  // more than enough
  double sum_count = 0;
  int crops = 0;
  CropSymbols symbols(model, argc > 6 ? argv[6] : "1", argc > 7 ? argv[7] : nullptr);
  CellRow cells = CellRow::Create(kPlanes, kMaxCropCells, /*own_symbols=*/true);
  CellRow again = CellRow::Create(kPlanes, kMaxCropCells, /*own_symbols=*/true);
  for (Crop crop; file.Next(crop);) {
    const int step_index = crop.step_index;
    const StepInputs step(step_index);
    symbols.Start(crop, cells);
    again.StartTile(cells.cells_w);
    lite_state->Reset(model.context, step_index);
    full_lite->Reset(model.context, step_index);
    if (learn && !all) {
      const auto weights = state->weights;
      *state = full->start;
      state->weights = weights;
    } else if (!learn) {
      *state = full->start;
    }
    LiteCost lite;
    lite.contexts = lite_state->bit.data();
    Total& t = totals[step_index];
    DecisionWriter writer(batch.data(), lite);
    for (int64_t y = 0; y < symbols.rows(); ++y, again.first = false) {
      symbols.Load(y, cells);
      if (y > 0) again.NextRow();
      TakeLatents(model, step_index, BestSimdLevel(), cells, again);
      for (int layer = 0; layer < kLayers; ++layer) {
        const double before = lite.bits;
        ContextCoder<DecisionWriter, false> coder(model.context, cells, writer, BestSimdLevel());
        coder.CodeLayer(layer);
        writer = coder.coder();
        writer.Flush();
        t.lite_by[layer] += lite.bits - before;
        FullCoder<CostCoder, false, MacProbe> second(model, *full, step, again, *full_lite, *state,
                                                     CostCoder{&t.by_layer[layer], &t.count},
                                                     BestSimdLevel(), MacProbe{&t.macs});
        second.CodeLayer(layer);
      }
    }
    t.pixels += crop.pixels();
    t.lite += lite.bits;
    ++crops;
    if (learn && crops > 100) {
      size_t i = 0;
      ForEach(*state, [&](auto x) { sums[i++] += x; });
      ++sum_count;
    }
  }
  double mean = 0;
  for (auto& [index, t] : totals) {
    for (const double b : t.by_layer) t.full += b;
    mean += t.full / t.lite / static_cast<double>(totals.size());
    if (totals.size() > 20) continue;
    std::printf(
        "step %3d lite %.5f full %.5f bpp, %.2f %% less, %.3f decisions, %.1f multiply-adds a "
        "pixel; "
        "layers:",
        index, t.lite / t.pixels, t.full / t.pixels, 100 * (1 - t.full / t.lite),
        t.count / t.pixels, t.macs / t.pixels);
    for (int l = 0; l < kLayers; ++l)
      std::printf(" %.1f", 100 * (1 - t.by_layer[l] / t.lite_by[l]));
    std::printf("\n");
  }
  std::printf("mean over steps: %.3f %% less\n", 100 * (1 - mean));
  if (learn) {
    std::FILE* const out = OpenFile(argv[4], "wb");
    size_t i = 0;
    ForEach(*state, [&](auto last) {  // of few crops the last word
      const double seen = sum_count > 0 ? sums[i++] / sum_count : last;
      const auto x = static_cast<int32_t>(std::lround(seen));
      std::fwrite(&x, sizeof x, 1, out);
    });
    std::fclose(out);
  }
  return 0;
}

}  // namespace
}  // namespace godwit::swift

int main(int argc, char** argv) { return godwit::swift::Run(argc, argv); }
