#include <algorithm>

#include "models/network_state.h"
#include "tensor/element_kernels.h"

namespace godwit {
namespace {

Rect Grow(Rect r, int64_t by) { return {r.y - by, r.x - by, r.h + 2 * by, r.w + 2 * by}; }
Rect Scale(Rect r, int64_t by) { return {r.y * by, r.x * by, r.h * by, r.w * by}; }
Rect Clip(Rect r, int64_t height, int64_t width) {
  const int64_t y = std::max<int64_t>(r.y, 0), x = std::max<int64_t>(r.x, 0);
  return {y, x, std::min(r.y + r.h, height) - y, std::min(r.x + r.w, width) - x};
}
bool Contains(Rect outer, Rect inner) {
  return outer.y <= inner.y && outer.x <= inner.x && inner.y + inner.h <= outer.y + outer.h &&
         inner.x + inner.w <= outer.x + outer.w;
}

// One value during a run: `rect` of the picture is computed, border positions may lie around it.
struct Activation {
  TensorView<uint8_t> view;  // of `rect`
  Rect rect;
  uint8_t* At(int64_t y, int64_t x) const {  // may lie in the border
    return view.data + (y - rect.y) * view.row_stride + (x - rect.x) * view.col_stride;
  }
};

}  // namespace

struct NetworkRunner::State {
  const Network::State* network;
  const std::vector<PackedConv>* packed;
  const ConvKernels* conv;
  const ElementKernels* elements;
  int64_t max_height, max_width;
  Rect window;  // of the current run
  ArenaPlan plan;
  Tensor<uint8_t> arena;
  std::vector<Activation> activations;  // of each value; the last is the caller's `out`
  std::array<uint8_t, 256> last_lut;    // of the last layer, with its flip

  void Place(int64_t picture_h, int64_t picture_w, Rect out_rect, TensorView<uint8_t> out);
  void LoadInput(TensorView<const uint8_t> input, Rect input_rect);
  void FillBorder(size_t value, int64_t picture_h, int64_t picture_w);
  void RunLayer(size_t index);
};

// Binds each value to memory for this window.
void NetworkRunner::State::Place(int64_t picture_h, int64_t picture_w, Rect out_rect,
                                 TensorView<uint8_t> out) {
  const Graph& graph = network->graph;
  window = out_rect;
  for (size_t v = 0; v + 1 < graph.values.size(); ++v) {
    const Value& value = graph.values[v];
    const Rect buffer = Grow(Scale(out_rect, value.scale), value.halo);
    const int64_t col_stride = value.col_stride();
    const int64_t row_stride = buffer.w * col_stride;
    const Rect rect = Clip(buffer, picture_h * value.scale, picture_w * value.scale);
    uint8_t* data = arena.data() + plan.offsets[v] + (rect.y - buffer.y) * row_stride +
                    (rect.x - buffer.x) * col_stride;
    activations[v] = {{data, rect.h, rect.w, value.channels, row_stride, col_stride}, rect};
  }
  activations.back() = {out, Scale(out_rect, graph.output().scale)};
}

void NetworkRunner::State::LoadInput(TensorView<const uint8_t> input, Rect input_rect) {
  const Activation& in = activations[0];
  const TensorView<const uint8_t> from =
      input.Window(in.rect.y - input_rect.y, in.rect.x - input_rect.x, in.rect.h, in.rect.w);
  const bool rows = from.col_stride == in.view.col_stride && from.channels == from.col_stride;
  for (int64_t y = 0; y < in.rect.h; ++y) {
    if (rows) {
      elements->copy(from.At(y, 0), in.view.At(y, 0), from.width * from.col_stride, 0);
      continue;
    }
    for (int64_t x = 0; x < in.rect.w; ++x) {
      elements->copy(from.At(y, x), in.view.At(y, x), from.channels, 0);
    }
  }
}

// Replicates edges where, and only where, the value reaches the picture's border, as far as its
// readers look and its buffer goes.
void NetworkRunner::State::FillBorder(size_t index, int64_t picture_h, int64_t picture_w) {
  const Value& value = network->graph.values[index];
  if (value.border == 0) return;
  const Activation& a = activations[index];
  const bool top = a.rect.y == 0, bottom = a.rect.y + a.rect.h == picture_h * value.scale;
  const bool left = a.rect.x == 0, right = a.rect.x + a.rect.w == picture_w * value.scale;
  const Rect buffer = Grow(Scale(window, value.scale), value.halo);
  const auto room = [&](bool there, int64_t positions) {
    return there ? std::min<int64_t>(value.border, positions) : 0;
  };
  ReplicateBorder(a.view, room(top, a.rect.y - buffer.y),
                  room(bottom, buffer.y + buffer.h - a.rect.y - a.rect.h),
                  room(left, a.rect.x - buffer.x),
                  room(right, buffer.x + buffer.w - a.rect.x - a.rect.w));
}

void NetworkRunner::State::RunLayer(size_t index) {
  const Layer& layer = network->graph.layers[index];
  const Activation& in = activations[layer.input];
  const Activation& out = activations[index + 1];
  const int zero_point = network->graph.values[index + 1].zero_point;
  const bool last = index + 1 == network->graph.layers.size();
  // Inside the network s8 is held as value + 128; the caller gets two's complement.
  const uint8_t flip = last && zero_point != 0 ? 0x80 : 0;
  const Activation* other = layer.other >= 0 ? &activations[layer.other] : nullptr;
  // Rows of equal layout are one run of bytes, the padding between positions included.
  const bool rows = out.view.col_stride == in.view.col_stride;
  const int64_t run =
      rows ? (out.rect.w - 1) * out.view.col_stride + out.view.channels : out.view.channels;
  const int64_t runs = rows ? 1 : out.rect.w;

  switch (layer.op) {
    case LayerOp::kConv: {
      const int border = layer.conv.kernel / 2;
      ConvArgs args{.in = in.At(out.rect.y - border, out.rect.x - border),
                    .in_row_stride = in.view.row_stride,
                    .in_col_stride = in.view.col_stride,
                    .out = out.view.data,
                    .out_row_stride = out.view.row_stride,
                    .out_col_stride = out.view.col_stride,
                    .height = out.rect.h,
                    .width = out.rect.w,
                    .offset = static_cast<int16_t>(zero_point),
                    .flip = flip};
      if (other != nullptr) {
        args.residual = other->At(out.rect.y, out.rect.x);
        args.residual_row_stride = other->view.row_stride;
        args.residual_col_stride = other->view.col_stride;
        const int held = network->graph.values[layer.other].zero_point;
        args.offset = static_cast<int16_t>(args.offset - held);
      }
      return conv->run((*packed)[index], args);
    }
    case LayerOp::kLut: {
      const uint8_t* table = last ? last_lut.data() : network->tensors[index].lut.data();
      for (int64_t y = 0; y < out.rect.h; ++y) {
        for (int64_t x = 0; x < runs; ++x) {
          elements->lut(in.At(out.rect.y + y, out.rect.x + x), table, out.view.At(y, x), run);
        }
      }
      return;
    }
    case LayerOp::kAdd: {
      for (int64_t y = 0; y < out.rect.h; ++y) {
        for (int64_t x = 0; x < runs; ++x) {
          elements->add(in.At(out.rect.y + y, out.rect.x + x),
                        other->At(out.rect.y + y, out.rect.x + x), out.view.At(y, x), run);
        }
      }
      return;
    }
    case LayerOp::kDepthToSpace: {
      const int block = layer.block;
      for (int64_t y = 0; y < out.rect.h; y += block) {
        DepthToSpaceRow(*elements, in.At((out.rect.y + y) / block, out.rect.x / block),
                        in.view.col_stride, block, out.view.Window(y, 0, block, out.rect.w), flip);
      }
      return;
    }
  }
}

Result<NetworkRunner> NetworkRunner::Create(const Network& network, SimdLevel level,
                                            int64_t max_height, int64_t max_width) {
  const std::vector<SimdLevel> levels = SupportedSimdLevels();
  if (std::find(levels.begin(), levels.end(), level) == levels.end()) {
    return Status(StatusCode::kInvalidArgument,
                  "this machine has no " + std::string(SimdLevelName(level)));
  }
  if (max_height < 1 || max_width < 1 || max_height > kMaxRunnerWindow ||
      max_width > kMaxRunnerWindow) {
    return Status(StatusCode::kInvalidArgument,
                  "window " + std::to_string(max_width) + "x" + std::to_string(max_height));
  }
  const Network::State& graph_state = *network.state_;
  auto state = std::make_unique<State>();
  try {
    state->network = &graph_state;
    state->packed = &graph_state.Packed(level);
    state->conv = &ConvKernelsFor(level);
    state->elements = &ElementKernelsFor(level);
    state->max_height = max_height;
    state->max_width = max_width;
    state->plan = PlanArena(graph_state.graph, max_height, max_width);
    state->arena = Tensor<uint8_t>(1, static_cast<int64_t>(state->plan.bytes));
    state->activations.resize(graph_state.graph.values.size());
    const uint8_t flip = network.output_signed() ? 0x80 : 0;
    std::transform(graph_state.tensors.back().lut.begin(), graph_state.tensors.back().lut.end(),
                   state->last_lut.begin(), [&](uint8_t b) { return b ^ flip; });
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kInternal,
                  "no memory for " + std::to_string(state->plan.bytes) + " bytes of workspace");
  }
  return NetworkRunner(std::move(state));
}

NetworkRunner::NetworkRunner(std::unique_ptr<State> state) : state_(std::move(state)) {}
NetworkRunner::NetworkRunner(NetworkRunner&&) noexcept = default;
NetworkRunner& NetworkRunner::operator=(NetworkRunner&&) noexcept = default;
NetworkRunner::~NetworkRunner() = default;

Status NetworkRunner::Run(TensorView<const uint8_t> input, Rect input_rect, int64_t picture_h,
                          int64_t picture_w, Rect out_rect, TensorView<uint8_t> out) {
  const Graph& graph = state_->network->graph;
  const auto refuse = [](const char* what) {
    return Status(StatusCode::kInvalidArgument, std::string("network: ") + what);
  };
  constexpr int64_t kMaxSide = int64_t{1} << 40;  // keeps the sums below in 64 bits
  if (picture_h < 1 || picture_w < 1 || picture_h > kMaxSide || picture_w > kMaxSide) {
    return refuse("picture size");
  }
  const Rect picture{0, 0, picture_h, picture_w};
  if (out_rect.h < 1 || out_rect.w < 1 || out_rect.h > state_->max_height ||
      out_rect.w > state_->max_width || out_rect.y < 0 || out_rect.x < 0 ||
      out_rect.y >= picture_h || out_rect.x >= picture_w || !Contains(picture, out_rect)) {
    return refuse("window outside the picture or the runner's size");
  }
  const Rect needed = Clip(Grow(out_rect, graph.input().halo), picture_h, picture_w);
  if (input.height != input_rect.h || input.width != input_rect.w || input_rect.y < -kMaxSide ||
      input_rect.x < -kMaxSide || input_rect.y > kMaxSide || input_rect.x > kMaxSide ||
      input_rect.h > kMaxSide || input_rect.w > kMaxSide ||
      input.channels != graph.input().channels || input.col_stride < input.channels ||
      !Contains(input_rect, needed)) {
    return refuse("input lacks part of the window and its halo");
  }
  const Value& last = graph.output();
  if (out.height != out_rect.h * last.scale || out.width != out_rect.w * last.scale ||
      out.channels != last.channels || out.col_stride < out.channels) {
    return refuse("output shape");
  }
  state_->Place(picture_h, picture_w, out_rect, out);
  state_->LoadInput(input, input_rect);
  state_->FillBorder(0, picture_h, picture_w);
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    state_->RunLayer(i);
    if (i + 1 < graph.layers.size()) state_->FillBorder(i + 1, picture_h, picture_w);
  }
  return {};
}

}  // namespace godwit
