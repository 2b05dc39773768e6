// The firmware library's packets are those that the host cuts the same file into, and hold the same
// file.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "codecs/image/image_packets.h"
#include "godwit_packets.h"
#include "io/transport.h"
#include "tests/codecs/test_pictures.h"
#include "tests/sensor/sensor_encoder.h"

namespace godwit {
namespace {

gwp_params PacketParams(uint32_t size, uint32_t picture = 0, uint32_t head_every = 0) {
  gwp_params p{};
  p.packet_bytes = static_cast<uint16_t>(size);
  p.picture = static_cast<uint16_t>(picture);
  p.head_every = static_cast<uint16_t>(head_every);
  return p;
}

// Pushes `rows` at a time, and takes each packet into a buffer of exactly its size.
Bytes SendPicture(gws* encoder, gwp* packets, const gws_params& p, const uint8_t* pixels,
                  size_t stride, uint32_t size, const Chunks& rows) {
  Bytes stream;
  for (uint32_t y = 0; y < p.height || gws_finish(encoder) != GWS_OK;) {
    uint32_t taken = 0;
    const uint32_t count = y < p.height ? rows(p.height - y) : 0;
    EXPECT_LE(gws_push_rows(encoder, pixels + y * stride, stride, count, &taken), GWS_PULL);
    y += taken;
    size_t n = 0;
    do {
      const SensorMemory packet(size);
      EXPECT_EQ(gwp_pull(packets, encoder, packet.data(), size, &n), GWS_OK);
      EXPECT_LE(n, size);
      const auto* const bytes = static_cast<const std::byte*>(packet.data());
      stream.insert(stream.end(), bytes, bytes + n);
    } while (n > 0 && y % 3 != 0);  // not always all of them at once
  }
  return stream;
}

TEST(SensorPacketsTest, AreThoseOfTheHost) {
  std::mt19937 random(1);
  const Chunks some = [&](uint32_t most) {
    return std::min(most, static_cast<uint32_t>(random() % 40));
  };
  for (const auto& [height, width] : {std::pair{1, 1}, {150, 70}, {33, 200}, {300, 40}}) {
    for (const bool grey : {false, true}) {
      const int64_t channels = grey ? 1 : 3;
      const Tensor<uint8_t> picture = MakePicture(height, width, channels);
      gws_params p = SensorParams(width, height, grey ? GWS_GREY : GWS_RGB888, 120);
      p.tile_height = 32;
      const Bytes file = HostEncode(p, picture.view());
      const SensorMemory memory(gws_mem_size(&p));
      gws* const encoder = gws_init(memory.data(), memory.size(), &p, nullptr);
      ASSERT_NE(encoder, nullptr);
      for (uint32_t size = 64; size <= 65535; size = size < 200 ? size + 17 : size * 2 + 1) {
        for (const uint32_t every : {1u, 3u}) {
          const gwp_params how = PacketParams(size, 65535, every);
          gwp packets;
          ASSERT_EQ(gwp_init(&packets, &how), GWS_OK);
          for (const uint16_t number : {uint16_t{65535}, uint16_t{0}}) {
            const Bytes stream = SendPicture(encoder, &packets, p, picture.data(),
                                             static_cast<size_t>(width * channels), size, some);
            const ImagePacketOptions options{
                .packet_bytes = size, .picture = number, .head_every = every};
            EXPECT_TRUE(stream == Must(WriteImagePackets(file, options))) << size;
            EXPECT_TRUE(Must(GatherImagePackets(stream)).file == file) << size;
            ASSERT_EQ(gws_reset(encoder), GWS_OK);
          }
        }
      }
    }
  }
}

// Lengths take more bytes from 128 and from 16384 on: no packet is longer than it may be, and all
// but a row's last are as long as they can be.
TEST(SensorPacketsTest, FillTheirSize) {
  const Tensor<uint8_t> picture = MakePicture(64, 700, 3);
  gws_params p = SensorParams(700, 64, GWS_RGB888, 20);
  const SensorMemory memory(gws_mem_size(&p));
  gws* const encoder = gws_init(memory.data(), memory.size(), &p, nullptr);
  const Chunks all = [](uint32_t most) { return most; };
  for (const uint32_t near : {140u, 170u, 16410u}) {
    for (uint32_t size = near - 15; size < near + 15; ++size) {
      const gwp_params how = PacketParams(size);
      gwp packets;
      ASSERT_EQ(gwp_init(&packets, &how), GWS_OK);
      const Bytes stream = SendPicture(encoder, &packets, p, picture.data(), 2100, size, all);
      TransportReader reader(stream);
      while (const auto packet = reader.Next()) {
        const size_t whole =
            PacketBytesAround(*packet) + VarintSize(packet->piece.size()) + packet->piece.size();
        EXPECT_LE(whole, size);
        if (!packet->last) {
          EXPECT_GE(whole + 1, size);
        }
      }
      EXPECT_EQ(reader.passed_over(), 0u);
      ASSERT_EQ(gws_reset(encoder), GWS_OK);
    }
  }
}

TEST(SensorPacketsTest, APictureThatIsGivenUpHasItsNumberAndTheNextBegins) {
  const Tensor<uint8_t> picture = MakePicture(100, 50, 3), other = MakePicture(100, 50, 3, 9);
  gws_params p = SensorParams(50, 100, GWS_RGB888, 160);
  p.tile_height = 32;
  const SensorMemory memory(gws_mem_size(&p));
  gws* const encoder = gws_init(memory.data(), memory.size(), &p, nullptr);
  const gwp_params how = PacketParams(100, 7);
  gwp packets;
  ASSERT_EQ(gwp_init(&packets, &how), GWS_OK);
  uint32_t taken = 0;
  size_t n = 0;
  std::byte packet[100];
  ASSERT_LE(gws_push_rows(encoder, other.data(), 150, 40, &taken), GWS_PULL);
  ASSERT_EQ(gwp_pull(&packets, encoder, packet, sizeof packet, &n), GWS_OK);
  ASSERT_LE(gws_push_rows(encoder, other.data() + 150 * taken, 150, 40, &taken), GWS_PULL);
  ASSERT_EQ(gwp_pull(&packets, encoder, packet, sizeof packet, &n), GWS_OK);
  ASSERT_GT(n, 0u);
  ASSERT_EQ(gws_reset(encoder), GWS_OK);
  const Chunks all = [](uint32_t most) { return most; };
  const Bytes stream = SendPicture(encoder, &packets, p, picture.data(), 150, 100, all);
  const GatheredImage image = Must(GatherImagePackets(stream));
  EXPECT_EQ(image.picture, 8);
  EXPECT_TRUE(image.file == HostEncode(p, picture.view()));
}

TEST(SensorPacketsTest, MisuseHasItsCodeAndDoesNoHarm) {
  gws_params p = SensorParams(40, 50, GWS_RGB888, 150);
  const SensorMemory memory(gws_mem_size(&p)), second(gws_mem_size(&p));
  gws* const e = gws_init(memory.data(), memory.size(), &p, nullptr);
  gws* const other = gws_init(second.data(), second.size(), &p, nullptr);
  gwp packets{}, more{};
  gwp_params how = PacketParams(64);
  uint8_t packet[64] = {1, 2, 3};
  size_t n = 9;
  EXPECT_EQ(gwp_init(nullptr, &how), GWS_ERR_NULL);
  EXPECT_EQ(gwp_init(&packets, nullptr), GWS_ERR_NULL);
  how = PacketParams(63);
  EXPECT_EQ(gwp_init(&packets, &how), GWS_ERR_PARAMS);
  EXPECT_EQ(gwp_pull(&packets, e, packet, 64, &n), GWS_ERR_STATE);  // no gwp yet
  EXPECT_EQ(n, 0u);
  how = PacketParams(64);
  ASSERT_EQ(gwp_init(&packets, &how), GWS_OK);
  ASSERT_EQ(gwp_init(&more, &how), GWS_OK);
  EXPECT_EQ(gwp_pull(nullptr, e, packet, 64, &n), GWS_ERR_NULL);
  EXPECT_EQ(gwp_pull(&packets, nullptr, packet, 64, &n), GWS_ERR_NULL);
  EXPECT_EQ(gwp_pull(&packets, e, nullptr, 64, &n), GWS_ERR_NULL);
  EXPECT_EQ(gwp_pull(&packets, e, packet, 64, nullptr), GWS_ERR_NULL);
  EXPECT_EQ(gwp_pull(&packets, e, packet, 63, &n), GWS_ERR_PACKET);
  alignas(8) uint8_t none[sizeof(void*) * 64] = {};
  EXPECT_EQ(gwp_pull(&packets, reinterpret_cast<gws*>(none), packet, 64, &n), GWS_ERR_STATE);
  EXPECT_EQ(packet[0], 1);
  // Packets after bytes, bytes after packets, packets of two.
  uint8_t bytes[8];
  ASSERT_EQ(gws_pull(e, bytes, 1, &n), GWS_OK);
  EXPECT_EQ(gwp_pull(&packets, e, packet, 64, &n), GWS_ERR_MIXED);
  EXPECT_EQ(n, 0u);
  ASSERT_EQ(gws_reset(e), GWS_OK);
  EXPECT_EQ(gws_pull(e, bytes, 0, &n), GWS_OK);  // nothing was taken
  EXPECT_EQ(gwp_pull(&packets, e, packet, 64, &n), GWS_OK);
  EXPECT_EQ(n, 0u);  // no row is done
  EXPECT_EQ(gws_pull(e, bytes, 8, &n), GWS_ERR_MIXED);
  EXPECT_EQ(gwp_pull(&more, e, packet, 64, &n), GWS_ERR_MIXED);
  EXPECT_EQ(gwp_pull(&packets, other, packet, 64, &n), GWS_OK);
  EXPECT_EQ(gwp_pull(&packets, e, packet, 64, &n), GWS_ERR_MIXED);  // it has left that picture
  EXPECT_EQ(packet[0], 1);
}

}  // namespace
}  // namespace godwit
