// Any text as results.json and as a curve of CompressAI: refused, or readable again once written,
// and fit for every table.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "eval/compressai.h"
#include "eval/results_json.h"
#include "eval/tables.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Results results;
  if (auto read = ParseResults(text); read.ok()) results = *std::move(read);
  if (auto curve = ParseCompressAi(text); curve.ok()) results.imported.push_back(*curve);
  const std::string written = Serialise(ToJson(results));
  const auto again = ParseResults(written);
  if (!again.ok() || Serialise(ToJson(*again)) != written) std::abort();
  if (TerminalTable(results, {}).empty()) std::abort();
  if (MarkdownSummary(results, {}).empty() || CurvesCsv(results).empty()) std::abort();
  return 0;
}
