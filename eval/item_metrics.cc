#include "eval/item_metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "eval/eval_picture.h"

namespace godwit {
namespace {

int64_t SmallestSide(const ItemView& picture) {
  return std::min(PictureOf(picture).height, PictureOf(picture).width);
}

}  // namespace

Result<std::map<std::string, double>> ItemMetrics::Measure(const ItemView& decoded) {
  std::map<std::string, double> values;
  for (const Metric* const metric : metrics_) {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (MediumOf(decoded) != Medium::kPicture || SmallestSide(decoded) >= metric->min_side) {
      if (metric->measure != nullptr) {
        value = metric->measure(original_, decoded);
      } else {
        GODWIT_ASSIGN_OR_RETURN(value, RunProgram(*metric, PictureOf(decoded)));
      }
    }
    // Nothing lost has no figure in decibels.
    values[std::string(metric->name)] =
        std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
  }
  return values;
}

Result<double> ItemMetrics::RunProgram(const Metric& metric, TensorView<const uint8_t> decoded) {
  if (!folder_) {
    GODWIT_ASSIGN_OR_RETURN(TemporaryFolder folder, TemporaryFolder::Create());
    folder_.emplace(std::move(folder));
    GODWIT_RETURN_IF_ERROR(WriteEvalPicture(folder_->File("original.png"), PictureOf(original_)));
  }
  const std::string file = folder_->File("decoded.png");
  GODWIT_RETURN_IF_ERROR(WriteEvalPicture(file, decoded));
  const std::string program(metric.program);
  GODWIT_ASSIGN_OR_RETURN(const ChildOutput output,
                          RunChild({program, folder_->File("original.png"), file}));
  const char* const text = output.out.data();
  double value = 0;
  const auto [end, error] = std::from_chars(text, text + output.out.size(), value);
  if (error != std::errc() || !std::isfinite(value)) {
    return Status(StatusCode::kInternal, program + ": printed no number");
  }
  return value;
}

}  // namespace godwit
