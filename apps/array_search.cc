#include "apps/array_search.h"

#include <algorithm>
#include <cmath>

#include "codecs/array/array_decoder.h"
#include "fmt/core.h"

namespace godwit {
namespace {

constexpr double kFinest = 24;                             // octaves below the range
constexpr int kTrials = 12;                                // of a search
constexpr double kSizeMargin = 0.003, kPsnrMargin = 0.02;  // near enough: parts, dB
// Above so many bits a sample prediction is tried too. On the CT it wins at 0.68 (54.4 dB to 52.6)
// and loses at 0.44 (46.5 to 48.2); on motion it loses at 1.8 and wins at 2.7.
constexpr double kPredictedBits = 0.5;
constexpr double kBitWorth = 0.065;  // squared steps; that of the encoder

}  // namespace

uint64_t ArraySearch::MostBytes() const {
  if (a_.size_bytes) return *a_.size_bytes;
  const double samples =
      static_cast<double>(array_.data.size()) / static_cast<double>(SampleBytes(array_.type));
  return static_cast<uint64_t>(*a_.bits_per_sample * samples / 8);
}

double ArraySearch::Psnr(const ArrayError& error) const {
  return 10 * std::log10(range_.width() * range_.width() / error.mean_square);
}

Result<NdArray> ArraySearch::Decode(const FoundArray& found) const {
  GODWIT_ASSIGN_OR_RETURN(const ArrayStream stream, ParseArrayStream(found.file, a_.limits));
  ArrayDecodeOptions options;
  options.limits = a_.limits;
  options.threads = a_.threads;
  options.model = found.model ? &*found.model : nullptr;
  return DecodeArray(stream, options);
}

Result<Bytes> ArraySearch::Encode(const ArrayEncodeOptions& options) const {
  Result<Bytes> file = EncodeArray(array_, options);
  if (file.ok()) {
    const bool is_wavelet = options.wavelet_step > 0;
    console_.Detail(fmt::format("{} {:.6g}: {} bytes", is_wavelet ? "step" : "error",
                                is_wavelet ? options.wavelet_step : options.max_error,
                                file->size()));
  }
  return file;
}

Status ArraySearch::Measure(Trial& trial) const {
  if (trial.mean_square) return {};
  GODWIT_ASSIGN_OR_RETURN(const NdArray decoded, Decode(trial.found));
  trial.mean_square = ErrorOf(array_, decoded).mean_square;
  return {};
}

Result<ArraySearch::Trial> ArraySearch::At(const Settings& settings, double place) const {
  ArrayEncodeOptions options;
  options.channel_axes = settings.channel_axes;
  options.threads = a_.threads;
  options.model = settings.model;
  // An array of one value has no range; any step will do.
  const double step = (range_.width() > 0 ? range_.width() : 1) * std::exp2(-place);
  (settings.is_wavelet ? options.wavelet_step : options.max_error) = settings.is_wavelet ? step
                                                                     : place >= kFinest  ? 0
                                                                                         : step / 2;
  Trial trial;
  trial.place = place;
  GODWIT_ASSIGN_OR_RETURN(trial.found.file, Encode(options));
  if (settings.model != nullptr) trial.found.model = *settings.model;
  if (WantsLeastError()) {
    const double most = std::max(1.0, static_cast<double>(MostBytes()));
    trial.beyond = std::log(static_cast<double>(trial.found.file.size()) / most);
  } else if (a_.psnr_db) {
    GODWIT_RETURN_IF_ERROR(Measure(trial));
    const double psnr_db = Psnr({0, *trial.mean_square});
    trial.beyond = std::isfinite(psnr_db) ? psnr_db - *a_.psnr_db : 100;
  }
  return trial;
}

Result<ArraySearch::Trial> ArraySearch::Find(const Settings& settings,
                                             std::optional<double> about) const {
  const auto fits = [&](const Trial& t) {
    return WantsLeastError() ? t.beyond <= 0 : t.beyond >= 0;
  };
  const double margin = WantsLeastError() ? kSizeMargin : kPsnrMargin;
  double low = 0, high = kFinest;   // what is asked for is missed at low, exceeded at high
  double at_low = -4, at_high = 4;  // about
  std::optional<Trial> best;
  double place = about.value_or(7);
  size_t least = 0;
  if (WantsLeastError() && !settings.is_wavelet) {  // nothing beats no loss
    GODWIT_ASSIGN_OR_RETURN(Trial trial, At(settings, kFinest));
    if (fits(trial)) return trial;
  }
  for (int i = 0; i < kTrials; ++i) {
    GODWIT_ASSIGN_OR_RETURN(Trial trial, At(settings, place));
    least = i == 0 ? trial.found.file.size() : std::min(least, trial.found.file.size());
    const double beyond = trial.beyond;
    (beyond < 0 ? low : high) = place;
    (beyond < 0 ? at_low : at_high) = beyond;
    const bool is_best = fits(trial) && (!best || std::abs(beyond) <= std::abs(best->beyond));
    if (is_best) best = std::move(trial);
    if (best && std::abs(best->beyond) < margin) break;
    if (high - low < 0.002) break;
    // Between the two by proportion, kept off the ends; first a short way to the other side.
    const double share = std::clamp(at_low / (at_low - at_high), 0.1, 0.9);
    const double next = low + share * (high - low);
    const double reach = 2.0 * (i + 1);
    place = std::clamp(next, place - reach, place + reach);
  }
  for (const double end : {0.0, kFinest}) {  // nothing between will do
    if (best) break;
    GODWIT_ASSIGN_OR_RETURN(Trial trial, At(settings, end));
    least = std::min(least, trial.found.file.size());
    if (fits(trial) || (a_.psnr_db && end == kFinest)) best = std::move(trial);
  }
  if (best) return *std::move(best);
  return Status(StatusCode::kOverLimit, "the smallest file has " + std::to_string(least) +
                                            " bytes, at most " + std::to_string(MostBytes()) +
                                            " wanted");
}

Result<double> ArraySearch::Cost(Trial& trial) const {
  GODWIT_RETURN_IF_ERROR(Measure(trial));
  const double step = (range_.width() > 0 ? range_.width() : 1) * std::exp2(-trial.place);
  const double samples = static_cast<double>(array_.shape.count());
  return *trial.mean_square * samples +
         kBitWorth * step * step * 8 * static_cast<double>(trial.found.file.size());
}

// Axes of bands, where there are rows and columns beside them. The channels of a recording may be
// worth more as an axis of wavelets than mixed.
std::vector<uint8_t> ArraySearch::OtherAxes() const {
  if (a_.channel_axes) return {};
  constexpr int64_t kFew = 256;
  const uint8_t guess = GuessChannelAxes(array_.shape);
  std::vector<uint8_t> others;
  if (array_.shape.rank == 2 && guess != 0) others.push_back(0);
  if (array_.shape.rank < 3) return others;
  for (const int axis : {0, array_.shape.rank - 1}) {
    const int64_t side = array_.shape.dims[static_cast<size_t>(axis)];
    const auto mask = static_cast<uint8_t>(guess | 1u << axis);
    if (side > 1 && side <= kFew && mask != guess) others.push_back(mask);
  }
  return others;
}

Result<ArraySearch::Trial> ArraySearch::FindFrom(const Settings& settings,
                                                 std::optional<double> about) const {
  if (WantsLeastError() || a_.psnr_db) return Find(settings, about);
  return At(settings, 2 + a_.quality.value_or(50) / 10);
}

// The best of the models that are for arrays of this shape.
Result<ArraySearch::Trial> ArraySearch::FindLive() const {
  std::optional<Trial> best;
  Status status;
  for (const ArrayModel& model : models_) {
    const Settings settings{true, a_.channel_axes, &model};
    const std::optional<double> about = best ? std::optional(best->place) : std::nullopt;
    Result<Trial> trial = FindFrom(settings, about);
    if (!trial.ok()) {
      status = trial.status();
      if (status.code() != StatusCode::kUnsupported) return status;
      continue;
    }
    if (best) {
      GODWIT_ASSIGN_OR_RETURN(const double cost, Cost(*trial));
      GODWIT_ASSIGN_OR_RETURN(const double least, Cost(*best));
      if (cost >= least) continue;
    }
    best = *std::move(trial);
  }
  if (!best) return status;
  return *std::move(best);
}

Result<ArraySearch::Trial> ArraySearch::FindWavelet() const {
  if (a_.method == "live") return FindLive();
  // A model that was named is used, whether it helps or not.
  const bool is_named = !a_.model.empty() && !models_.empty();
  Settings settings{true, a_.channel_axes, is_named ? &models_.front() : nullptr};
  const bool searches = WantsLeastError() || a_.psnr_db;
  GODWIT_ASSIGN_OR_RETURN(Trial best, FindFrom(settings, std::nullopt));
  bool changed = false;
  const auto try_with = [&](const Settings& other) -> Status {
    Result<Trial> trial = At(other, best.place);
    // A model of the live method that is for other shapes.
    if (trial.status().code() == StatusCode::kUnsupported) return {};
    if (!trial.ok()) return trial.status();
    GODWIT_ASSIGN_OR_RETURN(const double cost, Cost(*trial));
    GODWIT_ASSIGN_OR_RETURN(const double least, Cost(best));
    if (cost >= least) return {};
    best = *std::move(trial);
    settings = other;
    changed = true;
    return {};
  };
  for (const uint8_t axes : OtherAxes()) {
    Settings other = settings;
    other.channel_axes = axes;
    GODWIT_RETURN_IF_ERROR(try_with(other));
  }
  for (const ArrayModel& model : models_) {
    if (is_named) break;
    Settings other = settings;
    other.model = &model;
    if (model.live() != nullptr) other.channel_axes = a_.channel_axes;
    GODWIT_RETURN_IF_ERROR(try_with(other));
  }
  if (changed && searches) return Find(settings, best.place);
  return best;
}

Result<FoundArray> ArraySearch::Run() {
  const auto predicted = [&](double max_error) -> Result<FoundArray> {
    ArrayEncodeOptions options;
    options.max_error = max_error;
    options.channel_axes = a_.channel_axes;
    options.threads = a_.threads;
    GODWIT_ASSIGN_OR_RETURN(Bytes file, Encode(options));
    return FoundArray{std::move(file), {}};
  };
  if (a_.max_error) return predicted(*a_.max_error);
  if (a_.relative_error) {
    ArrayEncodeOptions options;
    options.relative_error = *a_.relative_error;
    options.channel_axes = a_.channel_axes;
    options.threads = a_.threads;
    GODWIT_ASSIGN_OR_RETURN(Bytes file, Encode(options));
    return FoundArray{std::move(file), {}};
  }
  if (a_.range_error) return predicted(*a_.range_error * range_.width());
  const bool by_wavelet = a_.method != "predict";
  if (a_.quality && !by_wavelet) {  // steps of the same size
    return predicted(std::ldexp(range_.width(), -3) * std::exp2(-*a_.quality / 10));
  }
  if (!a_.quality && !a_.psnr_db && !WantsLeastError()) {
    if (a_.method == "auto" || a_.method == "predict") return predicted(0);
  }
  const Settings prediction{false, a_.channel_axes, nullptr};
  if (!by_wavelet) {
    GODWIT_ASSIGN_OR_RETURN(Trial trial, Find(prediction, std::nullopt));
    return std::move(trial.found);
  }
  Result<Trial> wavelet = FindWavelet();
  if (a_.method != "auto" || !(WantsLeastError() || a_.psnr_db)) {
    if (!wavelet.ok()) return wavelet.status();
    return std::move(wavelet->found);
  }
  const double count = static_cast<double>(std::max<int64_t>(array_.shape.count(), 1));
  if (wavelet.ok() && wavelet->beyond >= (a_.psnr_db ? 0.0 : -0.1) &&
      8 * static_cast<double>(wavelet->found.file.size()) < kPredictedBits * count) {
    return std::move(wavelet->found);
  }
  Result<Trial> other = Find(prediction, std::nullopt);
  if (!wavelet.ok() && !other.ok()) return wavelet.status();
  if (!wavelet.ok()) return std::move(other->found);
  if (!other.ok()) return std::move(wavelet->found);
  GODWIT_RETURN_IF_ERROR(Measure(*wavelet));
  GODWIT_RETURN_IF_ERROR(Measure(*other));
  const bool reached = !a_.psnr_db || wavelet->beyond >= 0;
  const bool is_smaller = wavelet->found.file.size() <= other->found.file.size();
  const bool is_closer = *wavelet->mean_square < *other->mean_square;
  const bool is_equal = *wavelet->mean_square == *other->mean_square;
  const bool better = reached && (a_.psnr_db ? is_smaller : is_closer || (is_equal && is_smaller));
  return std::move(better ? wavelet->found : other->found);
}

}  // namespace godwit
