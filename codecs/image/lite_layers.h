// codecs/image/lite_layers.h: an encoder's `lite` substreams of one tile. Layers collect their
// decisions, and when one has enough all are coded side by side: layers share no context.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "codecs/image/swift_context.h"
#include "entropy/decision_list.h"

namespace godwit::swift {

class LiteLayers {
 public:
  LiteLayers(SimdLevel level, int64_t max_cells_w) : level_(level) {
    for (Layer& layer : layers_) {
      layer.batch.resize(RoomFor(max_cells_w));
      layer.owner = this;
      layer.writer = DecisionWriter(layer.batch.data(), layer);
    }
  }
  LiteLayers(const LiteLayers&) = delete;
  LiteLayers& operator=(const LiteLayers&) = delete;
  // Of the lists; what has been coded grows with the picture.
  static uint64_t BytesFor(int64_t max_cells_w) {
    return kLayers * RoomFor(max_cells_w) * sizeof(Decision) + sizeof(LiteLayers);
  }

  void Start(const ContextParameters& p, int step_index) {
    contexts_.Reset(p, step_index);
    for (Layer& layer : layers_) {
      layer.writer.Clear();
      layer.encoder.Start();
    }
  }
  // Codes `layer` of a row of cells.
  void CodeLayer(const ContextParameters& p, CellRow& row, int layer) {
    DecisionWriter& writer = layers_[static_cast<size_t>(layer)].writer;
    ContextCoder<DecisionWriter, false> coder(p, row, writer, level_);
    coder.CodeLayer(layer);
    writer = coder.coder();
  }
  // After the last row, before the first Finish().
  void Flush() { Encode(nullptr, {}); }
  // The bytes are valid until Start(). Once for each layer.
  Result<std::span<const std::byte>> Finish(int layer) {
    return layers_[static_cast<size_t>(layer)].encoder.Finish();
  }

 private:
  struct Layer final : DecisionSink {
    LiteLayers* owner = nullptr;
    std::vector<Decision> batch;
    DecisionWriter writer;
    DecisionEncoder encoder;
    void Take(std::span<const Decision> decisions) override { owner->Encode(this, decisions); }
  };
  static size_t RoomFor(int64_t max_cells_w) {
    return static_cast<size_t>(DecisionWriter::kBatch + DecisionWriter::kSlack +
                               DecisionsBetweenPauses(max_cells_w));
  }
  // All that is collected; the list of `full`, whose writer is in use, is given.
  void Encode(const Layer* full, std::span<const Decision> decisions) {
    std::array<DecisionEncoder::Work, kLayers> work;
    size_t count = 0;
    for (Layer& layer : layers_) {
      work[count] = {&layer.encoder, &layer == full ? decisions : layer.writer.list()};
      count += !work[count].decisions.empty();
      layer.writer.Clear();
    }
    DecisionEncoder::EncodeSideBySide(level_, std::span(work).first(count), contexts_.bit.data());
  }

  SimdLevel level_;
  ContextState contexts_;
  std::array<Layer, kLayers> layers_;
};

}  // namespace godwit::swift
