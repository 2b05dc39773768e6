// codecs/array/array_model.h: trained starts of the wavelet method's probabilities, from a weight
// file. docs/format/array.md section 9.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "models/safetensors.h"

namespace godwit {

namespace array {
struct WaveletModel;
}

// 16 hex digits, as model files are named.
std::string HexOf(uint64_t model_id);

// Immutable; may be used by several threads. Copies share.
class ArrayModel {
 public:
  // kModelRefused where a tensor is missing, or holds what no model may.
  static Result<ArrayModel> Load(const SafeTensors& file, uint64_t id);
  // Of three axes; fewer have less, and a mix of channels adds one for each component.
  static double encoder_macs_per_sample() { return 3 * 2 * 8 / 7.0; }
  uint64_t id() const { return id_; }
  const array::WaveletModel& start() const { return *start_; }

 private:
  ArrayModel(uint64_t id, std::shared_ptr<const array::WaveletModel> start)
      : id_(id), start_(std::move(start)) {}

  uint64_t id_;
  std::shared_ptr<const array::WaveletModel> start_;
};

}  // namespace godwit
