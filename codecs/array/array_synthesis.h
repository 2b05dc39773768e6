// codecs/array/array_synthesis.h: networks that mend what the wavelet method decodes, from weight
// files. docs/format/array.md section 10.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "models/network.h"
#include "models/safetensors.h"

namespace godwit {

// Serves every stream of the wavelet method, whatever its model. Read-only; share it between
// threads.
class ArraySynthesis {
 public:
  // kModelRefused for a file that is none; `file` is not kept.
  static Result<ArraySynthesis> Load(const SafeTensors& file);
  const std::string& size() const { return size_; }  // "small", "medium"
  double macs_per_sample() const;
  const Network& network() const { return network_; }

 private:
  ArraySynthesis(Network network, std::string size)
      : network_(std::move(network)), size_(std::move(size)) {}

  Network network_;
  std::string size_;
};

}  // namespace godwit
