#include <algorithm>
#include <string>

#include "models/network_state.h"
#include "models/row_runner.h"
#include "tensor/element_kernels.h"

namespace godwit {
namespace {

constexpr int64_t kStepRows = 8;

bool Contains(Rect outer, Rect inner) {
  return outer.y <= inner.y && outer.x <= inner.x && inner.y + inner.h <= outer.y + outer.h &&
         inner.x + inner.w <= outer.x + outer.w;
}

void Copy(const ElementKernels& kernels, TensorView<const uint8_t> from, TensorView<uint8_t> to) {
  const bool rows = from.col_stride == to.col_stride && from.channels == from.col_stride;
  for (int64_t y = 0; y < to.height; ++y) {
    if (rows) {
      kernels.copy(from.At(y, 0), to.At(y, 0), from.width * from.col_stride, 0);
      continue;
    }
    for (int64_t x = 0; x < to.width; ++x) {
      kernels.copy(from.At(y, x), to.At(y, x), from.channels, 0);
    }
  }
}

Status Refused(const char* what) {
  return {StatusCode::kInvalidArgument, std::string("network: ") + what};
}

}  // namespace

struct NetworkRunner::State {
  const Graph* graph;
  const ElementKernels* elements;
  RowRunner rows;
  int64_t max_height;
};

Result<NetworkRunner> NetworkRunner::Create(const Network& network, SimdLevel level,
                                            int64_t max_height, int64_t max_width) {
  if (max_height < 1 || max_height > kMaxRunnerWindow) {
    return Status(StatusCode::kInvalidArgument,
                  "window " + std::to_string(max_width) + "x" + std::to_string(max_height));
  }
  GODWIT_ASSIGN_OR_RETURN(RowRunner rows, RowRunner::Create(network, level, max_width,
                                                            std::min(max_height, kStepRows)));
  return NetworkRunner(std::make_unique<State>(
      State{&network.state_->graph, &ElementKernelsFor(level), std::move(rows), max_height}));
}

NetworkRunner::NetworkRunner(std::unique_ptr<State> state) : state_(std::move(state)) {}
NetworkRunner::NetworkRunner(NetworkRunner&&) noexcept = default;
NetworkRunner& NetworkRunner::operator=(NetworkRunner&&) noexcept = default;
NetworkRunner::~NetworkRunner() = default;

Status NetworkRunner::Run(TensorView<const uint8_t> input, Rect input_rect, int64_t picture_h,
                          int64_t picture_w, Rect out_rect, TensorView<uint8_t> out) {
  const Graph& graph = *state_->graph;
  if (out_rect.h > state_->max_height) return Refused("window beyond the runner's size");
  GODWIT_RETURN_IF_ERROR(state_->rows.Start(picture_h, picture_w, out_rect));
  constexpr int64_t kMaxSide = int64_t{1} << 40;  // keeps the sums below in 64 bits
  const int64_t halo = graph.input().halo;
  const int64_t y = std::max<int64_t>(out_rect.y - halo, 0);
  const int64_t x = std::max<int64_t>(out_rect.x - halo, 0);
  const Rect needed{y, x, std::min(out_rect.y + out_rect.h + halo, picture_h) - y,
                    std::min(out_rect.x + out_rect.w + halo, picture_w) - x};
  if (input.height != input_rect.h || input.width != input_rect.w || input_rect.y < -kMaxSide ||
      input_rect.x < -kMaxSide || input_rect.y > kMaxSide || input_rect.x > kMaxSide ||
      input_rect.h > kMaxSide || input_rect.w > kMaxSide ||
      input.channels != graph.input().channels || input.col_stride < input.channels ||
      !Contains(input_rect, needed)) {
    return Refused("input lacks part of the window and its halo");
  }
  const Value& last = graph.output();
  if (out.height != out_rect.h * last.scale || out.width != out_rect.w * last.scale ||
      out.channels != last.channels || out.col_stride < out.channels) {
    return Refused("output shape");
  }
  while (!state_->rows.done()) {
    const RowRunner::Step& step = state_->rows.Next(kStepRows);
    const Rect& in = step.input_rect;
    Copy(*state_->elements, input.Window(in.y - input_rect.y, in.x - input_rect.x, in.h, in.w),
         step.input);
    GODWIT_RETURN_IF_ERROR(state_->rows.Run(out.Window(
        (step.out_rect.y - out_rect.y) * last.scale, 0, step.out_rect.h * last.scale, out.width)));
  }
  return {};
}

}  // namespace godwit
