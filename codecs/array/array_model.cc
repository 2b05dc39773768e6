#include "codecs/array/array_model.h"

#include <algorithm>

#include "codecs/array/live_model.h"
#include "codecs/array/wavelet_context.h"
#include "models/registry.h"

namespace godwit {
namespace {

using array::LiveModel;
using array::WaveletModel;

Status Refuse(const std::string& why) { return Status(StatusCode::kModelRefused, why); }

Status LoadStart(const SafeTensors& file, WaveletModel* model) {
  int64_t count = 0;
  model->ForEachBit([&](CountedBit&) { ++count; });
  GODWIT_ASSIGN_OR_RETURN(const auto p1, file.Get<uint16_t>("start.p1", {count}));
  GODWIT_ASSIGN_OR_RETURN(const auto counts, file.Get<uint8_t>("start.count", {count}));
  size_t i = 0;
  bool within = true;
  model->ForEachBit([&](CountedBit& bit) {
    bit.p1 = p1[i];
    bit.count = counts[i++];
    within &= bit.count <= WaveletModel::kLimit;
  });
  if (!within) return Refuse("tensor start.count: beyond the limit of counts");
  constexpr auto kInputs = static_cast<int64_t>(array::SymbolContext::kInputs);
  const auto sets = static_cast<int64_t>(model->weights.size());
  GODWIT_ASSIGN_OR_RETURN(const auto weights, file.Get<int32_t>("start.weight", {sets, kInputs}));
  GODWIT_ASSIGN_OR_RETURN(const auto signs, file.Get<int32_t>("start.sign_weight", {3}));
  const auto fits = [](int32_t w) { return w >= -(1 << 20) && w <= 1 << 20; };
  if (!std::all_of(weights.begin(), weights.end(), fits)) {
    return Refuse("tensor start.weight: beyond 2^20");
  }
  if (!std::all_of(signs.begin(), signs.end(), fits)) {
    return Refuse("tensor start.sign_weight: beyond 2^20");
  }
  for (size_t s = 0; s < model->weights.size(); ++s) {
    std::copy_n(weights.data() + s * kInputs, kInputs, model->weights[s].w.data());
  }
  std::copy_n(signs.data(), 3, model->sign_weights.w.data());
  return {};
}

}  // namespace

std::string HexOf(uint64_t model_id) { return ModelIdHex(model_id); }

double ArrayModel::encoder_macs_per_sample() const {
  return live_ != nullptr ? live_->encoder_macs_per_sample() : 3 * 2 * 8 / 7.0;
}

Result<ArrayModel> ArrayModel::Load(const SafeTensors& file, uint64_t id) {
  if (file.Metadata("godwit.codec") != "packet" || file.Metadata("godwit.kind") != "stream") {
    return Refuse("not a model for arrays");
  }
  const std::string method = file.Metadata("godwit.method").value_or("wavelet");
  const bool is_live = method == "live";
  if (!is_live && method != "wavelet") return Refuse("a model for the method " + method);
  auto start = std::make_shared<WaveletModel>();
  // A model of the live method may do without all four.
  bool has_start = !is_live;
  for (const char* const part : {"p1", "count", "weight", "sign_weight"}) {
    has_start |= file.Find(std::string("start.") + part) != nullptr;
  }
  if (has_start) {
    GODWIT_RETURN_IF_ERROR(LoadStart(file, start.get()));
  }
  std::shared_ptr<LiveModel> live;
  if (is_live) {
    GODWIT_ASSIGN_OR_RETURN(LiveModel loaded, LiveModel::Load(file));
    live = std::make_shared<LiveModel>(std::move(loaded));
  }
  return ArrayModel(id, std::move(start), std::move(live));
}

}  // namespace godwit
