// tests/eval/example_results.h: results made by hand: codec b needs a fifth fewer bits than a.
#pragma once

#include <limits>
#include <string>

#include "eval/results.h"

namespace godwit {

inline Results ExampleResults() {
  Results results;
  results.program = "godwit test";
  results.command = "godwit eval x";
  results.machine = {"cpu", "scalar", "system", "compiler", 2};
  results.repeats = 3;
  results.metrics = {"psnr"};
  results.items = {{"x.png", 100, 50, "digest x"}, {"y.png", 50, 100, "digest y"}};
  for (const std::string codec : {"a", "b"}) {
    results.codecs.push_back({codec, "1", "quality", {10, 20, 30}, false, 1});
    for (const ItemRecord& image : results.items) {
      for (int i = 1; i <= 3; ++i) {
        Measurement m;
        m.item = image.name;
        m.codec = codec;
        m.setting = i * 10;
        m.bytes = static_cast<uint64_t>((codec == "a" ? 1000 : 800) << (i - 1));
        m.metrics["psnr"] = 22 + 3 * i + (image.name == "y.png" ? 1 : 0);
        m.metrics["none"] = std::numeric_limits<double>::quiet_NaN();
        m.encode_s = {0.010, 0.011, 0.0105};
        m.decode_s = {0.002, 0.002, 0.0021};
        results.measurements.push_back(m);
      }
    }
  }
  SortResults(&results);
  return results;
}

}  // namespace godwit
