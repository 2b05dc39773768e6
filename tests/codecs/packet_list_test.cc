#include "codecs/audio/packet_list.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/bytes.h"
#include "codecs/audio/frame_encoder.h"
#include "entropy/bit_stream.h"

namespace godwit::audio {
namespace {

// Decisions that are listed first give the bytes of those that are coded at once, with likely and
// unlikely bits, signs and numbers, at every level.
TEST(PacketListTest, CodedLaterIsCodedAlike) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    std::minstd_rand engine(seed + 1);
    const auto random = [&] { return static_cast<uint32_t>(engine()); };
    const size_t count = seed * 97;
    std::vector<PacketDecision> list(count + 1);
    PacketWriter later(list.data());
    Bytes at_once(2 * count + 64);
    BitWriter writer(at_once);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t kind = random() % 8;
      if (kind < 5) {
        const uint32_t p1 = kind == 0 ? 1 : kind == 1 ? 65535 : 1 + random() % 65535;
        const bool bit = random() % 65536 < p1 || kind == 1;
        later.CodeBit(bit, p1);
        writer.CodeBit(bit, p1);
      } else {
        const int bits = kind == 5 ? static_cast<int>(random() % 17) : 1;
        const uint32_t value = random() & ((1u << bits) - 1);
        later.CodeRaw(value, bits);
        writer.CodeRaw(value, bits);
      }
    }
    const auto want = writer.FinishOpen();
    ASSERT_TRUE(want.ok());
    const std::span<const PacketDecision> decisions(list.data(), later.at());
    EXPECT_EQ(decisions.size(), count);
    for (const SimdLevel level : SupportedSimdLevels()) {
      Bytes bytes(2 * count + 64);
      RangeEncoder encoder(bytes);
      EncodePacketList(level, decisions, encoder);
      const auto got = encoder.FinishOpen();
      ASSERT_TRUE(got.ok());
      ASSERT_EQ(*got, *want) << seed;
      EXPECT_TRUE(
          std::equal(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(*got), at_once.begin()))
          << seed << ' ' << SimdLevelName(level);
    }
  }
}

// Full scale of nothing but steps up and down, at the finest step: nearly every symbol is an escape
// of many bits.
TEST(PacketListTest, NoFrameMakesMoreDecisionsThanThereIsRoomFor) {
  for (const uint32_t hop : {64u, 2048u, 4096u}) {
    for (const int channels : {1, 2}) {
      for (const SimdLevel level : SupportedSimdLevels()) {
        FrameEncoder encoder(hop, channels, {}, AudioModel(), level);
        const size_t most = MostDecisions(hop) * static_cast<size_t>(channels);
        std::vector<PacketDecision> list(2 * most);
        std::minstd_rand engine(hop);
        for (int frame = 0; frame < 4; ++frame) {
          std::vector<int32_t> samples[2] = {std::vector<int32_t>(hop), std::vector<int32_t>(hop)};
          for (auto& of_channel : samples) {
            for (int32_t& v : of_channel) v = engine() >> 16 & 1 ? (1 << 23) - 1 : -(1 << 23);
          }
          encoder.Push({samples[0].data(), samples[1].data()});
          if (frame == 0) continue;
          PacketWriter writer(list.data());
          encoder.Encode(writer, /*step=*/0, /*key=*/frame == 1, /*last=*/false);
          const auto count = static_cast<size_t>(writer.at() - list.data());
          EXPECT_LE(count, most) << hop << ' ' << channels;
          EXPECT_GT(count, 33 * hop * static_cast<size_t>(channels)) << hop << ' ' << channels;
        }
      }
    }
  }
}

}  // namespace
}  // namespace godwit::audio
