// models/network.h: integer networks from model files; docs/format/network.md is the law.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/cpu.h"
#include "base/status.h"
#include "models/safetensors.h"
#include "tensor/tensor.h"

namespace godwit {

// A window of positions; those of the picture are [0, height) x [0, width).
struct Rect {
  int64_t y = 0, x = 0, h = 0, w = 0;
  friend bool operator==(const Rect&, const Rect&) = default;
};

// Read-only after Load(): one Network serves any number of runners and threads. Keeps no reference
// to the file.
class Network {
 public:
  // Graph and tensors of network `name`. kModelRefused if anything is missing, unknown, ill-shaped
  // or not provably free of overflow; the message names the layer and channel.
  static Result<Network> Load(const SafeTensors& file, std::string_view name);
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  ~Network();

  int input_channels() const;
  int output_channels() const;
  int input_zero_point() const;  // 128: an input byte b stands for b - 128
  bool output_signed() const;    // output bytes are s8 in two's complement, not u8
  int scale() const;             // output pixels a side per input position
  int halo() const;              // input positions of context on each side of a window
  uint64_t macs_per_position() const;

 private:
  friend class LayerKernels;
  friend class NetworkGradient;
  friend class NetworkRunner;
  friend class RowRunner;
  struct State;
  explicit Network(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

inline constexpr int64_t kMaxRunnerWindow = 1 << 16;  // input positions a side

// Windows anywhere in a picture; where rows follow each other, RowRunner (row_runner.h) does less.
// Owns the workspace for one thread's windows, which does not follow their height. Run() allocates
// nothing.
class NetworkRunner {
 public:
  // For windows of at most max_height x max_width input positions. `network` must outlive the
  // runner (and may be moved). kInvalidArgument for a level that this machine lacks or sizes
  // outside [1, kMaxRunnerWindow]; kInternal if memory is short.
  static Result<NetworkRunner> Create(const Network& network, SimdLevel level, int64_t max_height,
                                      int64_t max_width);
  NetworkRunner(NetworkRunner&&) noexcept;
  NetworkRunner& operator=(NetworkRunner&&) noexcept;
  ~NetworkRunner();

  // Computes the picture's samples in `out_rect`, all rects in input positions. `input` holds the
  // picture in `input_rect`, which must contain out_rect grown by halo() and clipped to the
  // picture. `out` is {out_rect.h * scale, out_rect.w * scale, output_channels}. Samples do not
  // depend on how a picture is cut into windows. kInvalidArgument for shapes that do not fit.
  Status Run(TensorView<const uint8_t> input, Rect input_rect, int64_t picture_h, int64_t picture_w,
             Rect out_rect, TensorView<uint8_t> out);

 private:
  struct State;
  explicit NetworkRunner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace godwit
