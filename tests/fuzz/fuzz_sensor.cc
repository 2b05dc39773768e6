// Small pictures of any pixels, in any chunks, with any memory for symbols and output: the firmware
// library writes the host's bytes, or says what it dropped and writes a file that decodes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "codecs/image/image_decoder.h"
#include "codecs/image/image_packets.h"
#include "godwit_packets.h"
#include "tests/sensor/sensor_encoder.h"

namespace {

using namespace godwit;

// The same picture once more, in packets: they hold the same file.
void TestPackets(gws* encoder, const gws_params& p, const Tensor<uint8_t>& picture, uint32_t size,
                 const Bytes& file) {
  gwp_params how{};
  how.packet_bytes = static_cast<uint16_t>(size);
  how.head_every = static_cast<uint16_t>(size % 4);
  gwp packets;
  if (gws_reset(encoder) != GWS_OK || gwp_init(&packets, &how) != GWS_OK) std::abort();
  const auto stride = static_cast<size_t>(picture.width() * picture.channels());
  Bytes stream;
  for (uint32_t y = 0; y < p.height || gws_finish(encoder) != GWS_OK;) {
    uint32_t taken = 0;
    if (gws_push_rows(encoder, picture.data() + y * stride, stride, p.height - y, &taken) >
        GWS_PULL) {
      std::abort();
    }
    y += taken;
    for (size_t n = 1; n > 0;) {
      const SensorMemory packet(size);
      if (gwp_pull(&packets, encoder, packet.data(), size, &n) != GWS_OK || n > size) std::abort();
      const auto* const bytes = static_cast<const std::byte*>(packet.data());
      stream.insert(stream.end(), bytes, bytes + n);
    }
  }
  const Result<GatheredImage> image = GatherImagePackets(stream);
  if (!image.ok() || image->file != file || !image->losses.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  if (size < 8) return 0;
  const bool grey = (data[0] & 1) != 0;
  const int64_t w = data[1] % 70 + 1, h = data[2] % 100 + 1, channels = grey ? 1 : 3;
  gws_params p =
      SensorParams(w, h, grey ? GWS_GREY : GWS_RGB888, (data[3] | (data[0] & 2) << 7) % 352);
  p.layers = data[4] % 9;
  p.tile_height = static_cast<uint16_t>(data[0] & 4 ? 32 : 64);
  if (data[0] & 8) p.output_bytes = data[5] * 8u + 1;
  if (data[0] & 16) p.symbol_bytes = data[6] * 8u + 1;
  Tensor<uint8_t> picture(h, w, channels);
  const size_t given = size - 7;
  for (int64_t i = 0; i < picture.size(); ++i) {
    const auto at = static_cast<size_t>(i);
    picture.data()[i] =
        static_cast<uint8_t>(data[7 + at % given] ^ (at / given % 2 != 0 ? 0xff : 0));
  }
  const SensorMemory memory(gws_mem_size(&p));
  gws* const encoder = gws_init(memory.data(), memory.size(), &p, nullptr);
  if (encoder == nullptr) std::abort();
  uint32_t n = data[7];
  const Chunks chunks = [&](uint32_t most) { return std::min(most, (n = n * 5 + 1) % 64); };
  const Bytes file =
      RunSensor(encoder, p, picture.data(), static_cast<size_t>(w * channels), chunks, chunks);
  if (data[0] & 32) TestPackets(encoder, p, picture, 64u + data[4] * 3u, file);
  gws_stats stats{};
  if (gws_get_stats(encoder, &stats) != GWS_OK) std::abort();
  if (stats.dropped_layers + stats.dropped_symbols == 0) {
    if (file != HostEncode(p, picture.view())) std::abort();
    return 0;
  }
  const Result<ImageStream> stream = ParseImageStream(file);
  if (!stream.ok() || !DecodeImage(*stream, ShippedModel(), nullptr, {.threads = 1}).ok())
    std::abort();
  return 0;
}
