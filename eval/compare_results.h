// eval/compare_results.h: what moved between two runs.
#pragma once

#include <string>
#include <vector>

#include "eval/results.h"

namespace godwit {

// One thing that moved.
struct Movement {
  std::string codec, what;  // "psnr", "bits", "encode time", "version"
  std::string text;         // "BD-rate -1.20 %", "1.53 ms to 1.31 ms a megapixel, -14.4 %"
  bool better = false;      // of rates, qualities and times
};

// Codecs and settings that both have, on pictures that both have. Rates and qualities are exact, so
// every difference counts. A time has moved when all repeats of one run lie beyond all of the
// other, summed over pictures and settings. kInvalidArgument where the runs have nothing in common.
Result<std::vector<Movement>> CompareResults(const Results& older, const Results& newer);

}  // namespace godwit
