#include "io/transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/crc32c.h"

namespace godwit {
namespace {

Bytes RandomBytes(std::mt19937& random, size_t n) {
  Bytes bytes(n);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

struct Owned {
  TransportPacket packet;
  Bytes head, piece;
};

Owned RandomPacket(std::mt19937& random, size_t most) {
  Owned o;
  o.piece = RandomBytes(random, random() % most + 1);
  o.head = RandomBytes(random, random() % 3 == 0 ? random() % 255 + 1 : 0);
  o.packet.picture = static_cast<uint16_t>(random());
  o.packet.sequence = random() >> random() % 32;
  o.packet.row = random() >> random() % 32;
  o.packet.offset = random() >> random() % 32;
  o.packet.last = random() % 2 == 0;
  return o;
}

Bytes Write(const Owned& o) {
  TransportPacket p = o.packet;
  p.head = o.head;
  p.piece = o.piece;
  Bytes out;
  EXPECT_TRUE(AppendPacket(p, &out).ok());
  return out;
}

void ExpectSame(const TransportPacket& p, const Owned& o) {
  EXPECT_EQ(p.picture, o.packet.picture);
  EXPECT_EQ(p.sequence, o.packet.sequence);
  EXPECT_EQ(p.row, o.packet.row);
  EXPECT_EQ(p.offset, o.packet.offset);
  EXPECT_EQ(p.last, o.packet.last);
  EXPECT_TRUE(std::ranges::equal(p.head, o.head));
  EXPECT_TRUE(std::ranges::equal(p.piece, o.piece));
}

TEST(TransportTest, PacketsComeBackFromBetweenGarbage) {
  std::mt19937 random(3);
  Bytes stream;
  std::vector<Owned> sent;
  size_t garbage = 0;
  for (int i = 0; i < 300; ++i) {
    sent.push_back(RandomPacket(random, i % 50 == 0 ? 60000 : 300));
    Bytes between = RandomBytes(random, random() % 3 == 0 ? random() % 40 : 0);
    // Half a mark, and a whole one before what is none.
    if (between.size() > 4) between[1] = std::byte{'G'}, between[2] = std::byte{'P'};
    garbage += between.size();
    stream.insert(stream.end(), between.begin(), between.end());
    const Bytes packet = Write(sent.back());
    TransportPacket p = sent.back().packet;
    p.head = sent.back().head;
    EXPECT_EQ(packet.size(), PacketBytesAround(p) + VarintSize(sent.back().piece.size()) +
                                 sent.back().piece.size());
    stream.insert(stream.end(), packet.begin(), packet.end());
  }
  EXPECT_TRUE(HoldsPackets(stream));
  TransportReader reader(stream);
  for (const Owned& o : sent) {
    const auto p = reader.Next();
    ASSERT_TRUE(p.has_value());
    ExpectSame(*p, o);
  }
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_EQ(reader.passed_over(), garbage);
}

TEST(TransportTest, AFlippedBitOrALostEndCostsItsPacketAlone) {
  std::mt19937 random(4);
  const Owned a = RandomPacket(random, 40), b = RandomPacket(random, 40);
  const Bytes first = Write(a), second = Write(b);
  for (size_t bit = 0; bit < 8 * first.size(); ++bit) {
    Bytes stream = first;
    stream[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    stream.insert(stream.end(), second.begin(), second.end());
    TransportReader reader(stream);
    const auto p = reader.Next();
    ASSERT_TRUE(p.has_value()) << bit;
    ExpectSame(*p, b);
    EXPECT_FALSE(reader.Next().has_value());
  }
  for (size_t n = 0; n < first.size(); ++n) {
    const auto begin = std::span(first).first(n);
    EXPECT_FALSE(HoldsPackets(begin)) << n;
    Bytes stream(begin.begin(), begin.end());
    stream.insert(stream.end(), second.begin(), second.end());
    TransportReader reader(stream);
    const auto p = reader.Next();
    ASSERT_TRUE(p.has_value()) << n;
    ExpectSame(*p, b);
    EXPECT_EQ(reader.passed_over(), n);
  }
}

TEST(TransportTest, OtherVersionsAndNumbersOutOfRangeArePassedOver) {
  std::mt19937 random(5);
  Owned o = RandomPacket(random, 40);
  o.head.clear();
  o.packet.sequence = o.packet.row = o.packet.offset = 1;
  const auto with_crc = [](Bytes packet) {
    const uint32_t crc = Crc32c(std::span(packet).first(packet.size() - 4));
    for (size_t i = 0; i < 4; ++i)
      packet[packet.size() - 4 + i] = static_cast<std::byte>(crc >> (8 * i));
    return packet;
  };
  const Bytes good = Write(o);
  EXPECT_EQ(with_crc(good), good);
  for (int flags = 0; flags < 256; ++flags) {
    Bytes packet = good;
    packet[2] = static_cast<std::byte>(flags);
    const bool known = (flags & 0xdf) == 1;  // without a head its piece would begin with one
    if ((flags & 0xcf) == 1 && !known) continue;
    EXPECT_EQ(TransportReader(with_crc(packet)).Next().has_value(), known) << flags;
  }
  for (const size_t at : {5, 6, 7}) {  // sequence, row, offset of 2^32
    Bytes packet = good;
    packet[at] = std::byte{0x80};
    const uint8_t more[] = {0x80, 0x80, 0x80, 0x10};
    packet.insert(packet.begin() + static_cast<ptrdiff_t>(at) + 1,
                  reinterpret_cast<const std::byte*>(more),
                  reinterpret_cast<const std::byte*>(more) + 4);
    EXPECT_FALSE(TransportReader(with_crc(packet)).Next().has_value()) << at;
    packet[at + 4] = std::byte{0x0f};  // 15 * 2^28 is below
    EXPECT_TRUE(TransportReader(with_crc(packet)).Next().has_value()) << at;
  }
}

TEST(TransportTest, AHeadOfNoBytesIsNone) {
  std::mt19937 random(6);
  Owned o = RandomPacket(random, 40);
  o.head.assign(1, std::byte{7});
  o.packet.sequence = o.packet.row = o.packet.offset = 1;
  Bytes packet = Write(o);
  EXPECT_TRUE(TransportReader(packet).Next().has_value());
  ASSERT_EQ(packet[9], std::byte{1});  // behind mark, flags, picture and four small numbers
  packet[9] = std::byte{0};
  packet.erase(packet.begin() + 10);
  const uint32_t crc = Crc32c(std::span(packet).first(packet.size() - 4));
  for (size_t i = 0; i < 4; ++i)
    packet[packet.size() - 4 + i] = static_cast<std::byte>(crc >> (8 * i));
  EXPECT_FALSE(TransportReader(packet).Next().has_value());
}

TEST(TransportTest, NothingLongerThanAPacketIsWritten) {
  const Bytes piece(65522), head(255), long_head(256);
  Bytes out;
  EXPECT_EQ(AppendPacket({.piece = piece}, &out).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(out.empty());
  ASSERT_TRUE(AppendPacket({.piece = std::span(piece).first(65520)}, &out).ok());
  EXPECT_LE(out.size(), kMaxPacketSize);
  EXPECT_TRUE(TransportReader(out).Next().has_value());
  EXPECT_TRUE(AppendPacket({.head = head}, &out).ok());
  EXPECT_EQ(AppendPacket({.head = long_head}, &out).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(AppendPacket({.row = uint64_t{1} << 32}, &out).code(), StatusCode::kInvalidArgument);
}

TEST(TransportTest, AFileIsNoPackets) {
  Bytes out;
  ASSERT_TRUE(AppendPacket({}, &out).ok());
  EXPECT_TRUE(HoldsPackets(out));
  const char* const magic = "GDW\1";
  Bytes file(reinterpret_cast<const std::byte*>(magic),
             reinterpret_cast<const std::byte*>(magic) + 4);
  file.insert(file.end(), out.begin(), out.end());
  EXPECT_FALSE(HoldsPackets(file));
  EXPECT_FALSE(HoldsPackets({}));
}

// A mark every seven bytes, each of a packet of 60000: no more CRCs than the document allows, so
// that this ends at once (without the bound: 60 GB of CRC).
TEST(TransportTest, AHostileStreamCostsNoMoreThanItsLength) {
  const uint8_t mark[] = {'G', 'P', 1, 0, 0, 0, 0, 0, 0xe0, 0xd4, 0x03};
  Bytes stream;
  while (stream.size() < (8u << 20))
    stream.insert(stream.end(), reinterpret_cast<const std::byte*>(mark),
                  reinterpret_cast<const std::byte*>(mark) + sizeof mark);
  EXPECT_FALSE(HoldsPackets(stream));
}

// Marks whose CRCs are wrong leave less of the bound than the packet behind them has bytes: it is
// read all the same.
TEST(TransportTest, APacketAtTheEndOfTheBoundIsRead) {
  constexpr size_t kCovered = 11 + 60000;
  const uint8_t mark[] = {'G', 'P', 1, 0, 0, 0, 0, 0, 0xe0, 0xd4, 0x03};
  Bytes good;
  const Bytes piece(60000);
  ASSERT_TRUE(AppendPacket({.piece = piece}, &good).ok());
  Bytes stream;
  const auto bound = [&] { return 16 * (stream.size() + 61000 + good.size()) + (1u << 20); };
  size_t marks = 0;
  for (; (marks + 1) * kCovered < bound(); ++marks)
    stream.insert(stream.end(), reinterpret_cast<const std::byte*>(mark),
                  reinterpret_cast<const std::byte*>(mark) + sizeof mark);
  const size_t left = bound() - marks * kCovered;
  ASSERT_GT(left, 0u);
  ASSERT_LT(left, good.size());
  stream.resize(stream.size() + 61000);
  stream.insert(stream.end(), good.begin(), good.end());
  EXPECT_TRUE(TransportReader(stream).Next().has_value());
}

}  // namespace
}  // namespace godwit
