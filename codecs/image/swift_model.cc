#include "codecs/image/swift_model.h"

#include <algorithm>
#include <cstdlib>
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

// The sums of the mean predictor must fit: four 17-bit edge differences and three small features.
constexpr int kMaxMeanWeight = 4095;

Status ReadContext(const SafeTensors& file, ContextParameters& c) {
  GODWIT_RETURN_IF_ERROR(Read(file, "context.cell.weight", c.cell_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.cell.bias", c.cell_bias));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.flag.weight", c.flag_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.flag.bias", c.flag_bias));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.symbol.weight", c.symbol_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.symbol.bias", c.symbol_bias));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.mean.weight", c.mean_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse.weight", c.coarse_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse.bias", c.coarse_bias));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse_mean.weight", c.coarse_mean_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse_mean.gain", c.coarse_mean_gain));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.coarse_dc.weight", c.coarse_dc_weights));
  GODWIT_RETURN_IF_ERROR(Read(file, "context.start", c.start));
  for (const auto& row : c.mean_weights) {
    for (const int16_t w : row) {
      if (std::abs(int{w}) > kMaxMeanWeight)
        return Refuse("context.mean.weight", "entry beyond 4095");
    }
  }
  for (const auto& row : c.coarse_dc_weights) {
    for (const int16_t w : row) {
      if (std::abs(int{w}) > kMaxMeanWeight)
        return Refuse("context.coarse_dc.weight", "entry beyond 4095");
    }
  }
  for (const auto& row : c.start) {
    if (std::count(row.begin(), row.end(), 0) != 0)
      return Refuse("context.start", "a probability of zero");
  }
  return {};
}

// Features 2 (two corner blocks) and 6 (two channels) share one weight each.
void PackBands(ContextParameters& c) {
  for (size_t group = 0; group < kGroups; ++group) {
    BandWeights& out = c.band[group];
    const Band& band = kBandTable[group % kBands];
    for (size_t i = 0; i < band.size; ++i) {
      const size_t channel = group / kBands * kChannels + band.channel[i];
      const auto& w = c.symbol_weights[channel];
      const auto& m = c.mean_weights[channel];
      const int16_t magnitude[kMagnitudePairs][2] = {{w[0], w[1]}, {w[2], w[2]},  {w[3], w[4]},
                                                     {w[5], w[6]}, {w[6], w[11]}, {w[9], w[10]},
                                                     {w[8], 0}};
      const int16_t mean[kMeanPairs][2] = {{m[0], m[1]}, {m[2], m[3]}, {m[4], m[5]}, {m[6], 0}};
      for (size_t k = 0; k < kMagnitudePairs; ++k)
        out.magnitude[k][i] = {magnitude[k][0], magnitude[k][1]};
      for (size_t k = 0; k < kMeanPairs; ++k) out.mean[k][i] = {mean[k][0], mean[k][1]};
      out.bias[i] = c.symbol_bias[channel];
      out.previous[i] = w[7];
    }
  }
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
  for (size_t row = 0; row < 4; ++row) {  // so that coarse symbols fit 16 bits at the finest step
    int norm = 0;
    for (size_t i = 0; i < 4; ++i) norm += std::abs(int{m.coarse_forward[row * 4 + i]});
    if (norm > 36000) return Refuse("transform.coarse_forward", "a row's norm is beyond 36000");
  }
  if (!CheckTransform(m.transform)) return Refuse("transform", "sums may pass 32 bits");
  GODWIT_ASSIGN_OR_RETURN(const auto predictor, file.Get<int16_t>("dc_predictor", {kPlanes, 8, 8}));
  for (size_t i = 0; i < predictor.size(); ++i)
    m.dc_predictor[i / 64][i / 8 % 8][i % 8] = predictor[i];
  std::array<uint8_t, 1> rounding;
  GODWIT_RETURN_IF_ERROR(Read(file, "rounding", rounding));
  m.rounding = rounding[0];
  for (const auto& plane : m.dc_predictor) {
    for (const auto& row : plane) {
      int norm = 0;
      for (const int16_t w : row) norm += std::abs(int{w});
      if (norm > 65535) return Refuse("dc_predictor", "sums may pass 32 bits");
    }
  }
  GODWIT_RETURN_IF_ERROR(ReadContext(file, m.context));
  PackBands(m.context);
  return m;
}

}  // namespace godwit::swift
