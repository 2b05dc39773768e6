#include "models/layer_kernels.h"

#include <algorithm>

namespace godwit {

LayerKernels::LayerKernels(const Network::State& network, SimdLevel level)
    : network_(&network),
      packed_(&network.Packed(level)),
      conv_(&ConvKernelsFor(level)),
      elements_(&ElementKernelsFor(level)) {
  const uint8_t flip = network.graph.output().zero_point != 0 ? 0x80 : 0;
  std::transform(network.tensors.back().lut.begin(), network.tensors.back().lut.end(),
                 last_lut_.begin(), [&](uint8_t b) { return b ^ flip; });
}

void LayerKernels::SetRest(const uint8_t* input) {
  const Graph& graph = network_->graph;
  resting_.resize(graph.layers.size());
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    if (layer.op == LayerOp::kConv && layer.input == 0 && conv_->CanRest(layer.conv))
      resting_[i] = MakeResting((*packed_)[i], input);
  }
}

void LayerKernels::Run(size_t index, const Activation& in, const Activation* other,
                       const Activation& out) const {
  const Graph& graph = network_->graph;
  const Layer& layer = graph.layers[index];
  const int zero_point = graph.values[index + 1].zero_point;
  const bool last = index + 1 == graph.layers.size();
  const uint8_t flip = last && zero_point != 0 ? 0x80 : 0;
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
        const int held = graph.values[layer.other].zero_point;
        args.offset = static_cast<int16_t>(args.offset - held);
      }
      if (index < resting_.size() && resting_[index].sums.size() > 0)
        return conv_->run_resting((*packed_)[index], resting_[index], args);
      return conv_->run((*packed_)[index], args);
    }
    case LayerOp::kLut: {
      const uint8_t* table = last ? last_lut_.data() : network_->tensors[index].lut.data();
      for (int64_t y = 0; y < out.rect.h; ++y) {
        for (int64_t x = 0; x < runs; ++x) {
          elements_->lut(in.At(out.rect.y + y, out.rect.x + x), table, out.view.At(y, x), run);
        }
      }
      return;
    }
    case LayerOp::kAdd: {
      for (int64_t y = 0; y < out.rect.h; ++y) {
        for (int64_t x = 0; x < runs; ++x) {
          elements_->add(in.At(out.rect.y + y, out.rect.x + x),
                         other->At(out.rect.y + y, out.rect.x + x), out.view.At(y, x), run);
        }
      }
      return;
    }
    case LayerOp::kShuffle: {
      for (int64_t y = 0; y < out.rect.h; ++y) {
        for (int64_t x = 0; x < out.rect.w; ++x) {
          ShuffleChannels(in.At(out.rect.y + y, out.rect.x + x), out.view.At(y, x), layer.groups,
                          out.view.channels / layer.groups, flip);
        }
      }
      return;
    }
    case LayerOp::kDepthToSpace: {
      const int block = layer.block;
      for (int64_t y = 0; y < out.rect.h; y += block) {
        DepthToSpaceRow(*elements_, in.At((out.rect.y + y) / block, out.rect.x / block),
                        in.view.col_stride, block, out.view.Window(y, 0, block, out.rect.w), flip);
      }
      return;
    }
  }
}

}  // namespace godwit
