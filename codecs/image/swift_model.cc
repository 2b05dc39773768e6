#include "codecs/image/swift_model.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

namespace godwit::swift {
namespace {

constexpr std::array<uint32_t, 32> kStepMantissa = {
    65536,  66971,  68438,  69936,  71468,  73032,  74632,  76266,  77936,  79642,  81386,
    83169,  84990,  86851,  88752,  90696,  92682,  94711,  96785,  98905,  101070, 103283,
    105545, 107856, 110218, 112631, 115098, 117618, 120194, 122825, 125515, 128263};

Status Refuse(std::string_view tensor, std::string_view why) {
  return Status(StatusCode::kModelRefused,
                "tensor " + std::string(tensor) + ": " + std::string(why));
}

// Copies tensor `name`, of the type and exact element count of `out`, row by row.
template <typename T, size_t kRows, size_t kColumns>
Status Read(const SafeTensors& file, std::string_view name,
            std::array<std::array<T, kColumns>, kRows>& out) {
  GODWIT_ASSIGN_OR_RETURN(const auto data, file.Get<T>(name, {int64_t{kRows}, int64_t{kColumns}}));
  for (size_t r = 0; r < kRows; ++r)
    std::copy_n(data.data() + r * kColumns, kColumns, out[r].data());
  return {};
}
template <typename T, size_t kCount>
Status Read(const SafeTensors& file, std::string_view name, std::array<T, kCount>& out) {
  GODWIT_ASSIGN_OR_RETURN(const auto data, file.Get<T>(name, {int64_t{kCount}}));
  std::copy_n(data.data(), kCount, out.data());
  return {};
}

// The sums of means must fit: four 16-bit edge differences and two small features.
constexpr int kMaxMeanWeight = 4095;

// Features by channel or coefficient in the file, by lane here. Features 2 and 6 are of two
// neighbours each.
Status ReadSymbols(const SafeTensors& file, ContextParameters& c) {
  constexpr size_t kRows = kPlanes * kChannels;
  const auto magnitude =
      std::make_unique<std::array<std::array<uint8_t, kSymbolFeatures>, kRows>>();
  const auto mean = std::make_unique<std::array<std::array<int16_t, kMeanFeatures>, kRows>>();
  const auto bias = std::make_unique<std::array<uint16_t, kRows>>();
  GODWIT_RETURN_IF_ERROR(Read(file, "context.symbol.weight", *magnitude));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.symbol.bias", *bias));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.mean.weight", *mean));
  constexpr size_t kFeature[kMagnitudeSlots] = {0, 1, 2, 2, 3, 4, 5, 6, 6, 8, 9, 10, 7};
  for (size_t group = 0; group < kGroups; ++group) {
    const Band& band = kBandTable[group % kBands];
    BandWeights& out = c.band[group];
    for (size_t i = 0; i < band.size; ++i) {
      const size_t channel = group / kBands * kChannels + band.channel[i];
      for (size_t k = 0; k < kMagnitudeSlots; ++k)
        out.magnitude[k][i] = (*magnitude)[channel][kFeature[k]];
      for (size_t k = 0; k < kMeanFeatures; ++k) out.mean[k][i] = (*mean)[channel][k];
      out.bias[i] = (*bias)[channel];
    }
    for (const auto& row : out.magnitude) {
      if (*std::max_element(row.begin(), row.end()) > 127)
        return Refuse("context.symbol.weight", "entry beyond 127");
    }
    if (*std::max_element(out.bias.begin(), out.bias.end()) > 32767)
      return Refuse("context.symbol.bias", "entry beyond 32767");
    for (const auto& row : out.mean) {
      for (const int16_t w : row) {
        if (std::abs(int{w}) > kMaxMeanWeight)
          return Refuse("context.mean.weight", "entry beyond 4095");
      }
    }
    out.Pack();
  }
  return {};
}

Status ReadCoarse(const SafeTensors& file, ContextParameters& c) {
  constexpr size_t kRows = kPlanes * kCoarse;
  std::array<std::array<uint8_t, kCoarseFeatures>, kRows> magnitude;
  std::array<std::array<int16_t, kCoarseMeanFeatures>, kRows> mean;
  std::array<uint16_t, kRows> bias;
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse.weight", magnitude));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse.bias", bias));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse_mean.weight", mean));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse_dc.weight", c.coarse_dc_mean));
  for (size_t row = 0; row < kRows; ++row) {
    CoarseWeights& out = c.coarse[row / kCoarse];
    const size_t i = row % kCoarse;
    for (size_t k = 0; k < kCoarseFeatures; ++k) out.magnitude[k][i] = magnitude[row][k];
    for (size_t k = 0; k < kCoarseMeanFeatures; ++k) {
      if (std::abs(int{mean[row][k]}) > kMaxMeanWeight)
        return Refuse("context.coarse_mean.weight", "entry beyond 4095");
      out.mean[k][i] = mean[row][k];
    }
    out.bias[i] = bias[row];
  }
  for (const auto& row : c.coarse_dc_mean) {
    for (const int16_t w : row) {
      if (std::abs(int{w}) > kMaxMeanWeight)
        return Refuse("context.coarse_dc.weight", "entry beyond 4095");
    }
  }
  return {};
}

Status ReadContext(const SafeTensors& file, ContextParameters& c) {
  GODWIT_RETURN_IF_ERROR(Read(file, "context.cell.weight", c.cell_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.cell.bias", c.cell_bias));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.flag.weight", c.flag_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.flag.bias", c.flag_bias));
  GODWIT_RETURN_IF_ERROR(ReadSymbols(file, c));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse_flag.weight", c.coarse_flag_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse_flag.bias", c.coarse_flag_bias));
  GODWIT_RETURN_IF_ERROR(ReadCoarse(file, c));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.start", c.start));
  for (const auto& row : c.start) {
    if (std::count(row.begin(), row.end(), 0) != 0)
      return Refuse("context.start", "a probability of zero");
  }
  return {};
}

}  // namespace

uint32_t StepFromIndex(int index) {
  const uint32_t i = static_cast<uint32_t>(std::clamp(index, 0, kMaxStepIndex));
  return static_cast<uint32_t>(((uint64_t{kStepMantissa[i % 32]} << (i / 32)) + (1 << 10)) >> 11);
}

Result<SwiftModel> SwiftModel::Load(const SafeTensors& file, uint64_t id) {
  if (file.Metadata("godwit.codec") != "swift") {
    return Status(StatusCode::kModelRefused, "not a swift stream model (metadata godwit.codec)");
  }
  SwiftModel m;
  m.id = id;
  GODWIT_RETURN_IF_ERROR(Read(file, "transform.colour", m.transform.colour));
  GODWIT_RETURN_IF_ERROR(Read(file, "transform.colour_inverse", m.transform.colour_inverse));
  GODWIT_RETURN_IF_ERROR(Read(file, "transform.forward", m.transform.forward));
  GODWIT_RETURN_IF_ERROR(Read(file, "transform.inverse", m.transform.inverse));
  GODWIT_RETURN_IF_ERROR(Read(file, "transform.coarse_forward", m.coarse_forward));
  GODWIT_RETURN_IF_ERROR(Read(file, "transform.coarse_inverse", m.coarse_inverse));
  // So that coarse symbols fit 16 bits at the finest step: coarse DC stays below norm^2 / 2^16, and
  // its difference from a mean within +-16000 in 16 bits.
  if (CoarseNorm(m.coarse_forward) > kMaxCoarseNorm)
    return Refuse("transform.coarse_forward", "a row's norm is beyond 33000");
  if (CoarseNorm(m.coarse_inverse) > kMaxCoarseNorm)
    return Refuse("transform.coarse_inverse", "a row's norm is beyond 33000");
  if (!CheckTransform(m.transform)) return Refuse("transform", "sums may pass 32 bits");
  m.transform.fold_forward = CanFoldForward(m.transform);
  std::array<uint8_t, 1> rounding;
  GODWIT_RETURN_IF_ERROR(Read(file, "rounding", rounding));
  m.rounding = rounding[0];
  GODWIT_RETURN_IF_ERROR(ReadContext(file, m.context));
  return m;
}

}  // namespace godwit::swift
