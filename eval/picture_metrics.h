// eval/picture_metrics.h: a picture's metrics, those of other programs included.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/child_process.h"
#include "eval/metric.h"

namespace godwit {

// Measures decoded pictures against one original. For one thread.
class PictureMetrics {
 public:
  // `original` and `metrics` must outlive it.
  PictureMetrics(TensorView<const uint8_t> original, const std::vector<const Metric*>& metrics)
      : original_(original), metrics_(metrics) {}
  // By name; NaN where the picture is too small for a metric.
  Result<std::map<std::string, double>> Measure(TensorView<const uint8_t> decoded);

 private:
  Result<double> RunProgram(const Metric& metric, TensorView<const uint8_t> decoded);

  TensorView<const uint8_t> original_;
  const std::vector<const Metric*>& metrics_;
  std::optional<TemporaryFolder> folder_;  // once a program has been asked; holds the original
};

}  // namespace godwit
