// eval/shared_settings.h: codecs beside each other at settings that they share: rates or bounds.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/metric.h"
#include "eval/results.h"
#include "eval/summary.h"

namespace godwit {

struct SharedRow {
  double setting = 0;
  std::string codec;
  bool missed = false;  // no setting of the codec comes within kRateMargin of the rate
  const MeanPoint* point = nullptr;
};

inline constexpr double kRateMargin = 0.03;

// By setting, then in the order of the codecs; empty where settings are the codecs' own. Borrows
// from `curves`.
std::vector<SharedRow> SharedRows(const Results& results, const std::vector<CurveSummary>& curves);

// As text, of arrays one by one and not their means; empty where there are none.
std::string SharedTable(const Results& results);     // for a terminal
std::string SharedMarkdown(const Results& results);  // for a page
// {"header": [], "rows": [[]], "notes": []} or null.
nlohmann::ordered_json SharedJson(const Results& results);

}  // namespace godwit
