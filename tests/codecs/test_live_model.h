// tests/codecs/test_live_model.h: models of the live method made of random numbers.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "codecs/array/array_model.h"
#include "codecs/array/live_model.h"
#include "models/registry.h"
#include "tests/models/test_network.h"

namespace godwit {

// Grouped 1x1, a tap to each side, shuffle and grouped 1x1 with a residual: `channels` a multiple
// of 4. Its corrections use their range.
inline TestNetwork LatentNetwork(int channels, unsigned seed) {
  TestNetwork net{.input_channels = channels, .input_signed = true};
  net.layers = {
      {.op = "conv", .name = "head", .input = "in", .groups = 4, .out = 16},
      {.op = "conv", .name = "taps", .input = "head", .kernel = 3, .groups = 16, .out = 16},
      {.op = "shuffle", .name = "mixed", .input = "taps", .groups = 4},
      {.op = "conv", .name = "body", .input = "mixed", .other = "head", .groups = 4, .out = 16},
      {.op = "conv",
       .name = "tail",
       .input = "body",
       .groups = 2,
       .out = channels,
       .is_signed = true}};
  net.Randomise(seed);
  return net;
}

struct LiveTestModel {
  int channels = 1, levels = 3;
  int rise = 4;  // quarters: steps grow as symbols to the power of rise / 4
  bool has_analysis = true, has_synthesis = true, has_predict = true;
  unsigned seed = 1;
  bool is_extreme = false;  // predictions and curve are all that a file may have

  int inputs() const { return channels << levels; }
  TestNetwork analysis() const { return LatentNetwork(inputs(), seed); }
  TestNetwork synthesis() const { return LatentNetwork(inputs(), seed + 1); }

  // A few parts of lower bands.
  std::vector<int16_t> Predict() const {
    const size_t n = size_t{1} << levels;
    std::vector<int16_t> weights(n * n * 3);
    std::mt19937 random(seed);
    for (size_t f = 0; f < n; ++f) {
      for (size_t i = 0; i < 3 * f; ++i) {
        const int v = static_cast<int>(random() % 4096) - 2048;
        weights[f * n * 3 + i] =
            static_cast<int16_t>(is_extreme          ? (v < 0 ? -32768 : 32767)
                                 : random() % 3 == 0 ? 0
                                                     : v / (1 + 3 * static_cast<int>(f)));
      }
    }
    return weights;
  }
  // Of magnitudes of i / 4 symbols. By square roots and products, which IEEE 754 rounds alike
  // everywhere, as it does not std::pow(): recorded streams depend on them.
  std::vector<int32_t> Curve() const {
    std::vector<int32_t> entries(array::ExpansionCurve::kEntries);
    for (size_t i = 1; i < entries.size(); ++i) {
      const double root = std::sqrt(std::sqrt(static_cast<double>(i) / 4));
      double steps = 1;
      for (int k = 0; k < rise; ++k) steps *= root;
      entries[i] = std::max(entries[i - 1] + 1, static_cast<int32_t>(std::lround(64 * steps)));
      // To 2^30 at the end, by 2^24 there.
      if (is_extreme)
        entries[i] = i < 961 ? static_cast<int32_t>(i) : entries[i - 1] + (1 << 24) - 15;
    }
    return entries;
  }

  SafeTensorsWriter Writer() const {
    SafeTensorsWriter writer;
    writer.SetMetadata("godwit.codec", "packet");
    writer.SetMetadata("godwit.kind", "stream");
    writer.SetMetadata("godwit.method", "live");
    writer.SetMetadata("godwit.name", "test");
    writer.SetMetadata("godwit.version", "1");
    writer.SetMetadata("godwit.live.channels", std::to_string(channels));
    writer.SetMetadata("godwit.live.levels", std::to_string(levels));
    writer.Add<int32_t>("live.expand", {array::ExpansionCurve::kEntries}, Curve());
    const int64_t n = int64_t{1} << levels;
    if (has_predict) writer.Add<int16_t>("live.predict", {n, n, 3}, Predict());
    if (has_analysis) analysis().AddTo(writer, "analysis");
    if (has_synthesis) synthesis().AddTo(writer, "synthesis");
    return writer;
  }
  Bytes File() const { return Writer().Finish(); }
};

inline Result<ArrayModel> LoadArrayModel(const Bytes& file) {
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors tensors, SafeTensors::Parse(file));
  return ArrayModel::Load(tensors, ModelIdOf(file));
}

}  // namespace godwit
