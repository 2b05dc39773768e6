// models/network_gradient.h: a network on a whole picture, and how its output follows its input:
// for searches in encoders. Decoders never see it.
#pragma once

#include <cstdint>
#include <memory>

#include "base/cpu.h"
#include "models/network.h"

namespace godwit {

// Forward() is the integer network. Backward() takes the gradient of anything by its outputs and
// gives that by its inputs, roundings passed over. Between layers it has 16 bits, of the largest,
// and its sums are integers: floats are the same at every SIMD level. Owns its workspace; for one
// thread at a time.
class NetworkGradient {
 public:
  // Whether all layers are of the kind that this class knows: convolutions, with no residual from
  // the network's input.
  static bool Supports(const Network& network);
  // For pictures of at most so many positions. `network` must be supported and outlive this (and
  // may be moved). Work and memory follow the groups of a convolution, each padded to whole
  // vectors.
  NetworkGradient(const Network& network, SimdLevel level, int64_t max_height, int64_t max_width);
  NetworkGradient(NetworkGradient&&) noexcept;
  NetworkGradient& operator=(NetworkGradient&&) noexcept;
  ~NetworkGradient();
  static uint64_t BytesFor(const Network& network, int64_t max_height, int64_t max_width);

  // The picture that is worked on from now on.
  void SetSize(int64_t height, int64_t width);
  // A row of input bytes, which set before Forward(); what is set stays.
  TensorView<uint8_t> InputRow(int64_t y);
  void Forward();
  // Bytes as those of NetworkRunner.
  const uint8_t* Output(int64_t y, int64_t x) const;
  // The gradient by a position's outputs; set all of them before Backward(), after Forward().
  float* OutputGradient(int64_t y, int64_t x);
  void Backward();
  // Finite, whatever the network: at most 1e18 in magnitude.
  const float* InputGradient(int64_t y, int64_t x) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace godwit
