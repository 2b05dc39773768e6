// models/layer_kernels.h: one layer on some rows of its picture; private to this folder.
#pragma once

#include <array>
#include <vector>

#include "models/network_state.h"
#include "tensor/element_kernels.h"

namespace godwit {

// Some rows of a value in memory: `rect` of the picture; what readers need beyond it lies around.
struct Activation {
  TensorView<uint8_t> view;  // of `rect`
  Rect rect;
  uint8_t* At(int64_t y, int64_t x) const {  // may lie outside `rect`
    return view.data + (y - rect.y) * view.row_stride + (x - rect.x) * view.col_stride;
  }
};

// A network's layers with the kernels of one level. `network` must outlive it.
class LayerKernels {
 public:
  LayerKernels(const Network::State& network, SimdLevel level);
  const Graph& graph() const { return network_->graph; }
  // Most positions of the input have most of these channels; only speed depends on it.
  void SetRest(const uint8_t* input);
  // Computes out.rect, a whole number of blocks for depth_to_space. `other` may be null. Inside the
  // network s8 is held as value + 128; the last layer writes two's complement.
  void Run(size_t layer, const Activation& in, const Activation* other,
           const Activation& out) const;

 private:
  const Network::State* network_;
  const std::vector<PackedConv>* packed_;
  const ConvKernels* conv_;
  const ElementKernels* elements_;
  std::vector<RestingConv> resting_;   // by layer; empty where input does not rest
  std::array<uint8_t, 256> last_lut_;  // of the last layer, with its flip
};

}  // namespace godwit
