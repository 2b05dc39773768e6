// train/record_symbols.cc: the latents of crops, for fitting entropy models, and what
// `lite` pays for them by kind of decision.
//   record_symbols MODEL CROPS OUT [EFFORTS [SYNTHESIS]]
// EFFORTS: see crop_symbols.h. CROPS: see crop_file.h; sides are whole cells. OUT: for each crop
// i32 cells down, cells across, step index, 0; then i16 coarse symbols [plane][cell row][cell][16],
// i16 DC [plane][row][column], i8 symbols limited to +-127 [plane][row][column][64].
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "codecs/image/swift_context.h"
#include "entropy/decision_list.h"
#include "train/crop_file.h"
#include "train/crop_symbols.h"

namespace godwit::swift {
namespace {

using P = ContextParameters;

enum Part { kCoarseBits, kCells, kFlags, kZeros, kSigns, kMagnitudes, kRaws, kParts };
constexpr const char* kPartNames[] = {"coarse", "cells", "flags", "zeros", "signs", "magn", "raw"};

Part PartOf(int context) {
  if (context >= P::kCoarseFlagBase) return kCoarseBits;
  if (context >= P::kCellBase) return kCells;
  if (context >= P::kFlagBase) return kFlags;
  if (context >= P::kMagnitudeBase) {
    const int kind = (context - P::kMagnitudeBase) / (kMagnitudeClasses * kUnaryContexts);
    return kind >= 6 ? kCoarseBits : kMagnitudes;
  }
  if (context >= P::kSignBase) {
    return (context - P::kSignBase) / P::kSignLevels >= 15 ? kCoarseBits : kSigns;
  }
  return context / (kZeroClasses * kZeroStates) >= 15 ? kCoarseBits : kZeros;
}

struct Counter final : DecisionSink {
  AdaptiveBit* contexts = nullptr;
  double bits[kParts] = {}, count[kParts] = {};
  void Take(std::span<const Decision> decisions) override {
    for (const Decision d : decisions) {
      if ((d & kRawDecision) != 0) {
        bits[kRaws] += d >> 16 & 31;
        continue;
      }
      AdaptiveBit& model = contexts[d >> 1];
      const Part part = PartOf(static_cast<int>(d >> 1));
      bits[part] -= std::log2(((d & 1) != 0 ? model.p1 : 65536 - model.p1) / 65536.0);
      ++count[part];
      model.Update((d & 1) != 0, kDecisionRate);
    }
  }
};

int Run(int argc, char** argv) {
  if (argc < 4) return 2;
  const SafeTensors tensors = OpenTensors(argv[1]);
  const SwiftModel model = Need(argv[1], SwiftModel::Load(tensors, 0));
  CropFile crops(argv[2]);
  std::FILE* const out = OpenFile(argv[3], "wb");
  struct Total {
    double pixels = 0, bits[kParts] = {}, count[kParts] = {};
  };
  std::map<int, Total> totals;
  std::vector<Decision> batch(1 << 16);
  auto state = std::make_unique<ContextState>();
  CropSymbols found(model, argc > 4 ? argv[4] : "1", argc > 5 ? argv[5] : nullptr);
  CellRow cells = CellRow::Create(kPlanes, kMaxCropCells, /*own_symbols=*/true);
  for (Crop crop; crops.Next(crop);) {
    if (crop.samples.height() % kCell != 0 || crop.samples.width() % kCell != 0 ||
        crop.samples.height() > kMaxCropCells * kCell)
      Refuse(argv[2], "sides are not whole cells, or too many");
    const int step_index = crop.step_index;
    const int64_t w = crop.samples.width() / 8, h = crop.samples.height() / 8;
    found.Start(crop, cells);
    state->Reset(model.context, step_index);
    Counter counter;
    counter.contexts = state->bit.data();
    DecisionWriter writer(batch.data(), counter);
    std::vector<int16_t> coarse(static_cast<size_t>(3 * h * w)), dc(coarse);
    std::vector<int8_t> symbols(static_cast<size_t>(3 * h * w * kChannels));
    for (int64_t y = 0; y < h; y += 4) {
      found.Load(y / 4, cells);
      ContextCoder<DecisionWriter, false> coder(model.context, cells, writer, BestSimdLevel());
      for (int layer = 0; layer < kLayers; ++layer) coder.CodeLayer(layer);
      writer = coder.coder();
      writer.Flush();
      for (size_t p = 0; p < kPlanes; ++p) {
        const auto pz = static_cast<int64_t>(p);
        for (int64_t x = 0; x < w / 4; ++x) {
          std::copy_n(cells.coarse[p].data() + cells.BorderedCell(x) * kCoarse, kCoarse,
                      coarse.data() + (pz * h / 4 * (w / 4) + y / 4 * (w / 4) + x) * kCoarse);
        }
        for (int64_t i = 0; i < 4; ++i) {
          std::copy_n(cells.dc[p].data() + cells.Bordered(i, 0), w,
                      dc.data() + (pz * h + y + i) * w);
          for (int64_t x = 0; x < w; ++x) {
            const int16_t* const from = cells.Symbols(p, i, x);
            int8_t* const to = symbols.data() + ((pz * h + y + i) * w + x) * kChannels;
            for (int k = 1; k < kChannels; ++k) to[k] = LimitResidual(from[k]);
          }
        }
      }
    }
    const int32_t info[4] = {static_cast<int32_t>(h / 4), static_cast<int32_t>(w / 4), step_index,
                             0};
    std::fwrite(info, sizeof info, 1, out);
    std::fwrite(coarse.data(), 2, coarse.size(), out);
    std::fwrite(dc.data(), 2, dc.size(), out);
    std::fwrite(symbols.data(), 1, symbols.size(), out);
    Total& t = totals[step_index];
    t.pixels += crop.pixels();
    for (int i = 0; i < kParts; ++i) t.bits[i] += counter.bits[i], t.count[i] += counter.count[i];
  }
  for (const auto& [index, t] : totals) {
    double all = 0;
    for (const double b : t.bits) all += b;
    std::printf("step %3d bpp %.4f:", index, all / t.pixels);
    for (int i = 0; i < kParts; ++i)
      std::printf(" %s %.1f%% (%.3f/px)", kPartNames[i], 100 * t.bits[i] / all,
                  t.count[i] / t.pixels);
    std::printf("\n");
  }
  std::fclose(out);
  return 0;
}

}  // namespace
}  // namespace godwit::swift

int main(int argc, char** argv) { return godwit::swift::Run(argc, argv); }
