// eval/item_metrics.h: an item's metrics, those of other programs included.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/child_process.h"
#include "eval/metric.h"

namespace godwit {

// Measures decoded items against one original. For one thread.
class ItemMetrics {
 public:
  // `original` and `metrics` must outlive it.
  ItemMetrics(const ItemView& original, const std::vector<const Metric*>& metrics)
      : original_(original), metrics_(metrics) {}
  // By name; NaN where there is no value: the picture is too small for a metric, nothing was lost.
  Result<std::map<std::string, double>> Measure(const ItemView& decoded);

 private:
  Result<double> RunProgram(const Metric& metric, TensorView<const uint8_t> decoded);

  ItemView original_;
  const std::vector<const Metric*>& metrics_;
  std::optional<TemporaryFolder> folder_;  // once a program has been asked; holds the original
};

}  // namespace godwit
