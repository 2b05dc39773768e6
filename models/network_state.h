// models/network_state.h: what Network keeps; private to this folder.
#pragma once

#include <array>
#include <mutex>
#include <vector>

#include "models/graph.h"
#include "models/network.h"

namespace godwit {

// As in the file, but for the zero point, which `bias` has taken up. Empty vectors where a layer
// has no such tensor.
struct LayerTensors {
  std::vector<int8_t> weight;
  std::vector<int32_t> bias, mult;
  std::vector<uint8_t> shift;
  std::array<uint8_t, 256> lut{};
};

struct Network::State {
  Graph graph;
  std::vector<LayerTensors> tensors;  // of each layer

  // Each layer's weights in the order of `level`, packed when first asked for. Any thread.
  const std::vector<PackedConv>& Packed(SimdLevel level) const;

 private:
  mutable std::array<std::once_flag, 3> packed_once_;
  mutable std::array<std::vector<PackedConv>, 3> packed_;
};

}  // namespace godwit
