// tests/sensor/sensor_encoder.h: runs the firmware library, and the host's encoder beside it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "codecs/image/image_encoder.h"
#include "godwit_sensor.h"
#include "models/registry.h"
#include "tensor/tensor.h"

namespace godwit {

// Aligned as the library wants it, and not a byte more: sanitizers see what is beyond.
class SensorMemory {
 public:
  explicit SensorMemory(size_t size)
      : size_(size), memory_(static_cast<uint8_t*>(std::malloc(size))) {
    std::memset(memory_.get(), 0x5a, size);
  }
  void* data() const { return memory_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  size_t size_;
  std::unique_ptr<uint8_t, Free> memory_;
};

// Room for anything small pictures have.
inline gws_params SensorParams(int64_t width, int64_t height, gws_input input, int step_index) {
  gws_params p{};
  p.width = static_cast<uint32_t>(width);
  p.height = static_cast<uint32_t>(height);
  p.input = static_cast<uint8_t>(input);
  p.step_index = static_cast<uint16_t>(step_index);
  p.symbol_bytes = 60000;
  p.output_bytes = 200000;
  return p;
}

using Chunks = std::function<uint32_t(uint32_t most)>;  // how many rows or bytes next

// Pushes a whole picture into `encoder` and pulls all of its bytes.
inline Bytes RunSensor(gws* encoder, const gws_params& p, const uint8_t* pixels, size_t stride,
                       const Chunks& rows, const Chunks& bytes) {
  Bytes file;
  std::vector<std::byte> buffer;
  for (uint32_t y = 0;;) {
    if (y < p.height) {
      uint32_t taken = 0;
      const uint32_t count = rows(p.height - y);
      const gws_status status = gws_push_rows(encoder, pixels + y * stride, stride, count, &taken);
      if (status != GWS_OK && status != GWS_PULL) std::abort();
      if (taken > count || (status == GWS_OK && taken != count)) std::abort();
      y += taken;
    }
    size_t n = 0;
    buffer.resize(bytes(4096));
    if (gws_pull(encoder, buffer.data(), buffer.size(), &n) != GWS_OK || n > buffer.size())
      std::abort();
    file.insert(file.end(), buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(n));
    const gws_status end = gws_finish(encoder);
    if (end == GWS_OK) return file;
    if ((end == GWS_PULL) != (y == p.height)) std::abort();
  }
}

inline Bytes SensorEncode(const gws_params& p, const uint8_t* pixels, size_t stride,
                          gws_stats* stats = nullptr) {
  const SensorMemory memory(gws_mem_size(&p));
  gws_status status = GWS_OK;
  gws* const encoder = gws_init(memory.data(), memory.size(), &p, &status);
  if (encoder == nullptr) std::abort();
  const Chunks all = [](uint32_t most) { return most; };
  const Bytes file = RunSensor(encoder, p, pixels, stride, all, all);
  if (stats != nullptr && gws_get_stats(encoder, stats) != GWS_OK) std::abort();
  return file;
}

inline const ImageModel& ShippedModel() {
  static const ImageModel* const model = [] {
    ModelRegistry registry;
    const Result<uint64_t> id = registry.DefaultStreamModel("swift");
    if (!id.ok()) std::abort();
    const Result<SafeTensors> file = registry.FindStreamModel(*id);
    if (!file.ok()) std::abort();
    Result<ImageModel> loaded = ImageModel::Load(*file, *id);
    if (!loaded.ok()) std::abort();
    return new ImageModel(*std::move(loaded));
  }();
  return *model;
}

inline Bytes HostEncode(const gws_params& p, TensorView<const uint8_t> pixels) {
  const ImageEncodeOptions options{.step_index = p.step_index,
                                   .layers = p.layers == 0 ? 8 : p.layers,
                                   .tile_height = p.tile_height,
                                   .order = ImageOrder::kRows,
                                   .threads = 1};
  Result<ImageEncoder> encoder = ImageEncoder::Create(ShippedModel(), options);
  if (!encoder.ok()) std::abort();
  Result<Bytes> file = encoder->Encode(pixels);
  if (!file.ok()) std::abort();
  return *std::move(file);
}

}  // namespace godwit
