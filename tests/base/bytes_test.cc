#include "base/bytes.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

TEST(ByteWriterTest, WritesLittleEndian) {
  ByteWriter writer;
  writer.U8(0x01);
  writer.U16(0x0203);
  writer.U32(0x04050607);
  writer.U64(0x08090a0b0c0d0e0f);
  const std::vector<uint8_t> want = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f,
                                     0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08};
  ASSERT_EQ(writer.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(std::to_integer<uint8_t>(writer.bytes()[i]), want[i]) << "byte " << i;
  }
}

// One of each field, 27 bytes.
Bytes Sample() {
  const std::vector<uint8_t> tail = {9, 8, 7};
  ByteWriter writer;
  writer.U8(1);
  writer.U16(2);
  writer.U32(3);
  writer.U64(4);
  writer.Varint(300);
  writer.Varint(1234567890123);
  writer.Append(AsBytes(tail));
  return writer.Release();
}

Status ReadSample(ByteReader& reader) {
  GODWIT_ASSIGN_OR_RETURN(const uint8_t a, reader.U8());
  GODWIT_ASSIGN_OR_RETURN(const uint16_t b, reader.U16());
  GODWIT_ASSIGN_OR_RETURN(const uint32_t c, reader.U32());
  GODWIT_ASSIGN_OR_RETURN(const uint64_t d, reader.U64());
  GODWIT_ASSIGN_OR_RETURN(const uint64_t e, reader.Varint());
  GODWIT_ASSIGN_OR_RETURN(const uint64_t f, reader.Varint());
  GODWIT_ASSIGN_OR_RETURN(const auto tail, reader.Take(3));
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 2);
  EXPECT_EQ(c, 3u);
  EXPECT_EQ(d, 4u);
  EXPECT_EQ(e, 300u);
  EXPECT_EQ(f, 1234567890123u);
  EXPECT_EQ(std::to_integer<int>(tail[2]), 7);
  return Status();
}

TEST(ByteReaderTest, ReadsBackWhatWasWritten) {
  const Bytes bytes = Sample();
  ByteReader reader(bytes);
  EXPECT_TRUE(ReadSample(reader).ok());
  EXPECT_EQ(reader.offset(), bytes.size());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteReaderTest, EveryPrefixIsReportedAsTruncatedWhereItEnds) {
  const Bytes bytes = Sample();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Bytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ByteReader reader(prefix);
    const Status status = ReadSample(reader);
    EXPECT_EQ(status.code(), StatusCode::kTruncated) << "prefix of " << size;
    EXPECT_EQ(status.message().find("ends at byte " + std::to_string(size) + ","), 0u)
        << status.message();
  }
}

TEST(ByteReaderTest, TruncationNamesTheOffsetAndTheNeed) {
  const Bytes bytes(10);
  ByteReader reader(bytes);
  ASSERT_TRUE(reader.Take(7).ok());
  const Result<uint32_t> u32 = reader.U32();
  EXPECT_EQ(u32.status().message(), "ends at byte 10, 4 wanted at 7");
  EXPECT_EQ(reader.offset(), 7u) << "a fixed field that fails consumes nothing";
  EXPECT_EQ(reader.Take(4).status().message(), "ends at byte 10, 4 wanted at 7");
  EXPECT_TRUE(reader.Take(3).ok());
}

TEST(ByteReaderTest, HugeCountsDoNotWrapAround) {
  const Bytes bytes(16);
  ByteReader reader(bytes);
  ASSERT_TRUE(reader.U8().ok());
  for (const uint64_t count : {uint64_t{16}, uint64_t{1} << 32, kMax - 1, kMax}) {
    EXPECT_EQ(reader.Take(count).status().code(), StatusCode::kTruncated) << count;
    EXPECT_EQ(reader.offset(), 1u);
  }
}

TEST(ByteReaderTest, TakingNothingWorksAtTheEnd) {
  ByteReader reader({});
  const auto nothing = reader.Take(0);
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->empty());
}

Result<uint64_t> ReadVarint(const std::vector<uint8_t>& bytes) {
  ByteReader reader(AsBytes(bytes));
  return reader.Varint();
}

void ExpectRoundTrip(uint64_t v) {
  ByteWriter writer;
  writer.Varint(v);
  EXPECT_EQ(writer.size(), VarintSize(v)) << v;
  ByteReader reader(writer.bytes());
  const Result<uint64_t> got = reader.Varint();
  ASSERT_TRUE(got.ok()) << v << ": " << got.status().message();
  EXPECT_EQ(*got, v);
  EXPECT_EQ(reader.remaining(), 0u) << v;
}

TEST(VarintTest, RoundTripsSmallValuesAndEveryPowerOfTwo) {
  for (uint64_t v = 0; v < (1u << 16); ++v) ExpectRoundTrip(v);
  for (int bit = 0; bit < 64; ++bit) {
    for (const uint64_t near : {(uint64_t{1} << bit) - 1, uint64_t{1} << bit})
      ExpectRoundTrip(near);
  }
  ExpectRoundTrip(kMax);
}

TEST(VarintTest, TakesSevenBitsAByte) {
  EXPECT_EQ(VarintSize(0), 1u);
  for (int bits = 1; bits <= 64; ++bits) {
    EXPECT_EQ(VarintSize(kMax >> (64 - bits)), static_cast<size_t>((bits + 6) / 7)) << bits;
  }
}

TEST(VarintTest, EveryPrefixIsReportedAsTruncated) {
  for (int bits = 1; bits <= 64; ++bits) {
    ByteWriter writer;
    writer.Varint(kMax >> (64 - bits));
    for (size_t size = 0; size < writer.size(); ++size) {
      ByteReader reader(std::span(writer.bytes()).first(size));
      EXPECT_EQ(reader.Varint().status().code(), StatusCode::kTruncated) << bits << ' ' << size;
    }
  }
}

TEST(VarintTest, LongerFormsAreCorrupt) {
  EXPECT_EQ(ReadVarint({0x80, 0x00}).status().code(), StatusCode::kCorrupt);        // 0 in two
  EXPECT_EQ(ReadVarint({0xff, 0x00}).status().code(), StatusCode::kCorrupt);        // 127 in two
  EXPECT_EQ(ReadVarint({0x80, 0x80, 0x00}).status().code(), StatusCode::kCorrupt);  // 0 in three
  EXPECT_TRUE(ReadVarint({0x80, 0x01}).ok());
}

TEST(VarintTest, MoreThanSixtyFourBitsAreCorrupt) {
  std::vector<uint8_t> bytes(9, 0xff);
  bytes.push_back(0x01);
  const Result<uint64_t> largest = ReadVarint(bytes);
  ASSERT_TRUE(largest.ok());
  EXPECT_EQ(*largest, kMax);
  for (int last = 0x02; last <= 0xff; ++last) {  // bit 64 and up, or an eleventh byte to come
    bytes[9] = static_cast<uint8_t>(last);
    EXPECT_EQ(ReadVarint(bytes).status().code(), StatusCode::kCorrupt) << last;
  }
}

TEST(VarintTest, CorruptionNamesTheFirstByteOfTheVarint) {
  const std::vector<uint8_t> bytes = {0x05, 0x07, 0x80, 0x80, 0x00};
  ByteReader reader(AsBytes(bytes));
  ASSERT_TRUE(reader.Varint().ok());
  ASSERT_TRUE(reader.Varint().ok());
  EXPECT_EQ(reader.Varint().status().message(), "bad varint at byte 2");
}

}  // namespace
}  // namespace godwit
