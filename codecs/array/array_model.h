// codecs/array/array_model.h: trained starts of the wavelet method's probabilities, and all of a
// model of the live method, from weight files. docs/format/array.md sections 9 and 11.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "models/safetensors.h"

namespace godwit {

namespace array {
struct LiveModel;
struct WaveletModel;
}  // namespace array

// 16 hex digits, as model files are named.
std::string HexOf(uint64_t model_id);

// Immutable; may be used by several threads. Copies share.
class ArrayModel {
 public:
  // kModelRefused where a tensor is missing, or holds what no model may.
  static Result<ArrayModel> Load(const SafeTensors& file, uint64_t id);
  // Of three axes; fewer have less, and a mix of channels adds one for each component. Of the live
  // method all that its encoder does.
  double encoder_macs_per_sample() const;
  uint64_t id() const { return id_; }
  const array::WaveletModel& start() const { return *start_; }
  // What the live method has beside that; null: a model of the wavelet method.
  const array::LiveModel* live() const { return live_.get(); }

 private:
  ArrayModel(uint64_t id, std::shared_ptr<const array::WaveletModel> start,
             std::shared_ptr<const array::LiveModel> live)
      : id_(id), start_(std::move(start)), live_(std::move(live)) {}

  uint64_t id_;
  std::shared_ptr<const array::WaveletModel> start_;
  std::shared_ptr<const array::LiveModel> live_;
};

}  // namespace godwit
