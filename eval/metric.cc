#include "eval/metric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "eval/array_error.h"
#include "eval/child_process.h"
#include "eval/picture_error.h"
#include "eval/picture_planes.h"
#include "eval/similarity.h"
#include "eval/sound_metrics.h"

namespace godwit {
namespace {

using View = TensorView<const uint8_t>;

double PsnrOf(double mse) {
  return mse == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(255.0 * 255.0 / mse);
}

double PsnrRgb(View original, View decoded) {
  PictureError error;
  error.Add(original, decoded);
  return error.psnr_db();
}

double PsnrLuma(View original, View decoded) {
  return PsnrOf(MeanSquaredError(LumaPlane(original), LumaPlane(decoded)));
}

double PsnrYcbcr(View original, View decoded) {
  const std::array<Plane, 3> a = YcbcrPlanes(original), b = YcbcrPlanes(decoded);
  const auto psnr = [&](size_t plane) { return PsnrOf(MeanSquaredError(a[plane], b[plane])); };
  return (6 * psnr(0) + psnr(1) + psnr(2)) / 8;
}

double SsimLuma(View original, View decoded) {
  return Ssim(LumaPlane(original), LumaPlane(decoded));
}

double MsssimLuma(View original, View decoded) {
  return Msssim(LumaPlane(original), LumaPlane(decoded));
}

double MsssimRgb(View original, View decoded) {
  double sum = 0;
  for (int c = 0; c < 3; ++c) {
    sum += Msssim(ChannelPlane(original, c), ChannelPlane(decoded, c));
  }
  return sum / 3;
}

// As the table has it.
template <double (*kMeasure)(View, View)>
double OfPictures(const ItemView& original, const ItemView& decoded) {
  return kMeasure(PictureOf(original), PictureOf(decoded));
}

template <double (*kMeasure)(const Sound&, const Sound&)>
double OfSounds(const ItemView& original, const ItemView& decoded) {
  return kMeasure(SoundOf(original), SoundOf(decoded));
}

template <double (*kMeasure)(const NdArray&, const NdArray&)>
double OfArrays(const ItemView& original, const ItemView& decoded) {
  return kMeasure(ArrayOf(original), ArrayOf(decoded));
}

constexpr std::array<Metric, 15> kMetrics = {{
    {"psnr", "PSNR, RGB (dB)", QualityAxis::kValue, 1, OfPictures<PsnrRgb>, ""},
    {"psnr-y", "PSNR, luma (dB)", QualityAxis::kValue, 1, OfPictures<PsnrLuma>, ""},
    {"psnr-ycbcr", "PSNR, YCbCr 6:1:1 (dB)", QualityAxis::kValue, 1, OfPictures<PsnrYcbcr>, ""},
    {"ssim", "SSIM, luma (dB)", QualityAxis::kDecibels, kSsimWindow, OfPictures<SsimLuma>, ""},
    {"msssim", "MS-SSIM, luma (dB)", QualityAxis::kDecibels, kMsssimMinSide, OfPictures<MsssimLuma>,
     ""},
    {"msssim-rgb", "MS-SSIM, RGB (dB)", QualityAxis::kDecibels, kMsssimMinSide,
     OfPictures<MsssimRgb>, ""},
    {"butteraugli", "butteraugli, negated", QualityAxis::kNegatedValue, 8, nullptr,
     "butteraugli_main"},
    {"ssimulacra", "SSIMULACRA 1, negated", QualityAxis::kNegatedValue, 8, nullptr,
     "ssimulacra_main"},
    {"si-sdr", "SI-SDR (dB)", QualityAxis::kValue, 0, OfSounds<SiSdr>, "", Medium::kSound},
    {"seg-snr", "segmental SNR (dB)", QualityAxis::kValue, 0, OfSounds<SegmentalSnr>, "",
     Medium::kSound},
    {"log-mel", "log-mel distance (dB), negated", QualityAxis::kNegatedValue, 0,
     OfSounds<LogMelDistance>, "", Medium::kSound},
    {"stoi", "STOI", QualityAxis::kValue, 0, OfSounds<Stoi>, "", Medium::kSound},
    {"psnr-walloc", "PSNR as WaLLoC has it (dB)", QualityAxis::kValue, 0, OfSounds<ScaledPsnr>, "",
     Medium::kSound},
    {"max-error", "largest error, below the range (dB)", QualityAxis::kLogDistance, 0,
     OfArrays<LargestError>, "", Medium::kArray},
    {"psnr-range", "PSNR of the range (dB)", QualityAxis::kValue, 0, OfArrays<RangePsnr>, "",
     Medium::kArray},
}};

}  // namespace

std::span<const Metric> Metrics() { return kMetrics; }

const Metric* FindMetric(std::string_view name) {
  const auto found = std::find_if(kMetrics.begin(), kMetrics.end(),
                                  [name](const Metric& m) { return m.name == name; });
  return found == kMetrics.end() ? nullptr : &*found;
}

double QualityOf(const Metric& metric, double value) {
  switch (metric.axis) {
    case QualityAxis::kValue:
      return value;
    case QualityAxis::kDecibels:
      return value >= 1 ? std::numeric_limits<double>::infinity() : -10 * std::log10(1 - value);
    case QualityAxis::kNegatedValue:
      return -value;
    case QualityAxis::kLogDistance:
      return value <= 0 ? std::numeric_limits<double>::infinity() : -20 * std::log10(value);
  }
  return value;
}

bool MetricAvailable(const Metric& metric) {
  return metric.measure != nullptr || ProgramOnPath(metric.program);
}

Result<std::vector<const Metric*>> ParseMetricNames(Medium medium,
                                                    const std::vector<std::string>& names) {
  const auto wanted = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::string known = "all";
  for (const Metric& metric : kMetrics) {
    if (metric.medium == medium) known += ", " + std::string(metric.name);
  }
  for (const std::string& name : names) {
    const Metric* const metric = FindMetric(name);
    if (name == "all" || (metric != nullptr && metric->medium == medium)) continue;
    return Status(
        StatusCode::kInvalidArgument,
        "no metric " + name + " of " + std::string(WordsOf(medium).many) + "; there are " + known);
  }
  std::vector<const Metric*> metrics;
  for (const Metric& metric : kMetrics) {
    if (metric.medium != medium || (!wanted(metric.name) && !wanted("all"))) continue;
    if (MetricAvailable(metric)) {
      metrics.push_back(&metric);
    } else if (wanted(metric.name)) {
      return Status(StatusCode::kUnsupported, std::string(metric.name) + " needs the program " +
                                                  std::string(metric.program) +
                                                  " (Debian: libjxl-devtools)");
    }
  }
  return metrics;
}

}  // namespace godwit
