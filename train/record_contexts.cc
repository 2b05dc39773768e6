// train/record_contexts.cc: what the context model sees, for fitting its weights, and counts per
// context, for its starting probabilities.
//   record_contexts record MODEL CROPS OUT      rows of int16: see Recorder
//   record_contexts count MODEL CROPS OUT       u64 [step range][context][bit]; prints bits per
//   pixel by step
// CROPS: see crop_file.h.
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <vector>

#include "codecs/image/swift_analysis.h"
#include "codecs/image/swift_context.h"
#include "entropy/decision_list.h"
#include "train/crop_file.h"

namespace godwit::swift {
namespace {

constexpr size_t kRow = 24;  // kind, unit, step index, value, then features and mean features

struct Recorder {
  static constexpr bool kActive = true;
  std::FILE* out = nullptr;
  int step_index = 0;
  void Row(int kind, int unit, int value, const int* a, size_t na, const int* b, size_t nb) const {
    int16_t row[kRow] = {static_cast<int16_t>(kind), static_cast<int16_t>(unit),
                         static_cast<int16_t>(step_index), static_cast<int16_t>(value)};
    size_t n = 4;
    for (size_t i = 0; i < na; ++i) row[n++] = static_cast<int16_t>(a[i]);
    for (size_t i = 0; i < nb; ++i) row[n++] = static_cast<int16_t>(b[i]);
    std::fwrite(row, sizeof row, 1, out);
  }
  void CoarseFlag(int plane, const int* f, bool v) const {
    Row(4, plane, v, f, kCoarseFlagFeatures, nullptr, 0);
  }
  void Cell(int group, const int* f, bool v) const {
    Row(0, group, v, f, kCellFeatures, nullptr, 0);
  }
  void Flag(int group, const int* f, bool v) const {
    Row(1, group, v, f, kFlagFeatures, nullptr, 0);
  }
  void Symbol(int c, const int* f, const int* m, int v) const {
    Row(2, c, v, f, kSymbolFeatures, m, kMeanFeatures);
  }
  void Coarse(int c, const int* f, const int* m, int v) const {
    Row(3, c, v, f, kCoarseFeatures, m, kCoarseMeanFeatures);
  }
};

// Counts decisions per context and adds up what they would cost.
struct Counter final : DecisionSink {
  AdaptiveBit* first = nullptr;
  std::vector<std::array<uint64_t, 2>>* counts = nullptr;
  int rate = kDecisionRate;
  double bits = 0, sign_bits = 0, raw_bits = 0;
  uint64_t count = 0;
  void Take(std::span<const Decision> decisions) override {
    for (const Decision d : decisions) {
      if ((d & kRawDecision) != 0) {
        bits += d >> 16 & 31;
        raw_bits += d >> 16 & 31;
      } else {
        Bit((d & 1) != 0, d >> 1);
      }
    }
  }
  void Bit(bool bit, size_t context) {
    AdaptiveBit& model = first[context];
    ++(*counts)[context][bit];
    ++count;
    const double cost = -std::log2((bit ? model.p1 : 65536 - model.p1) / 65536.0);
    bits += cost;
    if (context >= ContextParameters::kSignBase && context < ContextParameters::kMagnitudeBase)
      sign_bits += cost;
    model.Update(bit, rate);
  }
};

int Run(int argc, char** argv) {
  if (argc < 5) return 2;
  const bool record = std::string_view(argv[1]) == "record";
  const SafeTensors tensors = OpenTensors(argv[2]);
  const SwiftModel model = Need(argv[2], SwiftModel::Load(tensors, 0));
  CropFile crops(argv[3]);
  std::FILE* const out = OpenFile(argv[4], "wb");
  const int rate = argc > 5 ? std::atoi(argv[5]) : kDecisionRate;
  using Counts = std::vector<std::array<uint64_t, 2>>;
  std::vector<Counts> counts(ContextParameters::kStepRanges, Counts(ContextParameters::kContexts));
  struct Total {
    double pixels = 0, bits = 0, signs = 0, raw = 0, decisions = 0;
  };
  std::map<int, Total> totals;
  std::vector<Decision> batch(1 << 16);
  auto state = std::make_unique<ContextState>();
  RowAnalyser analyser(model, BestSimdLevel());
  CellRow cells = CellRow::Create(kPlanes, kMaxCropCells, /*own_symbols=*/true);
  for (Crop crop; crops.Next(crop);) {
    const int step_index = crop.step_index;
    analyser.SetStep(step_index);
    cells.StartTile((crop.samples.width() + kCell - 1) / kCell);
    state->Reset(model.context, step_index);
    Counter counter;
    counter.first = state->bit.data();
    counter.rate = rate;
    counter.counts = &counts[static_cast<size_t>(ContextParameters::StepRange(step_index))];
    DecisionWriter writer(batch.data(), counter);
    for (int64_t y = 0; y < crop.samples.height(); y += kCell, cells.first = false) {
      const int64_t height = std::min<int64_t>(kCell, crop.samples.height() - y);
      analyser.Analyse(crop.samples.view().Window(y, 0, height, crop.samples.width()), cells);
      const auto code = [&](auto coder) {
        for (int layer = 0; layer < kLayers; ++layer) coder.CodeLayer(layer);
        writer = coder.coder();
        writer.Flush();
      };
      if (record) {
        code(ContextCoder<DecisionWriter, false, Recorder>(model.context, cells, writer,
                                                           BestSimdLevel(), {out, step_index}));
      } else {
        code(ContextCoder<DecisionWriter, false>(model.context, cells, writer, BestSimdLevel()));
      }
    }
    Total& t = totals[step_index];
    t.pixels += crop.pixels();
    t.bits += counter.bits;
    t.signs += counter.sign_bits;
    t.raw += counter.raw_bits;
    t.decisions += static_cast<double>(counter.count);
  }
  for (const auto& [index, t] : totals) {
    if (!record) {
      std::printf("step %8.2f bpp %.4f signs %.4f raw %.4f decisions/pixel %.3f\n",
                  StepFromIndex(index) / 64.0, t.bits / t.pixels, t.signs / t.pixels,
                  t.raw / t.pixels, t.decisions / t.pixels);
    }
  }
  if (!record) {
    for (const Counts& c : counts) std::fwrite(c.data(), sizeof c[0], c.size(), out);
  }
  std::fclose(out);
  return 0;
}

}  // namespace
}  // namespace godwit::swift

int main(int argc, char** argv) { return godwit::swift::Run(argc, argv); }
