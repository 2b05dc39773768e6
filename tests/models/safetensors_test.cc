#include "models/safetensors.h"

#include <gtest/gtest.h>

#include <string>

#include "models/safetensors_writer.h"

namespace godwit {
namespace {

// A file of this header, padded to 8 bytes unless told not to, and `data_bytes` of data.
Bytes FileOf(std::string header, size_t data_bytes, bool pad = true) {
  if (pad) header.resize((header.size() + 7) / 8 * 8, ' ');
  ByteWriter writer;
  writer.U64(header.size());
  writer.Append(std::as_bytes(std::span(header)));
  writer.Append(Bytes(data_bytes));
  return writer.Release();
}

TEST(SafeTensorsTest, ReadsWhatTheWriterWrote) {
  const std::vector<int8_t> a{-1, 2, 3};
  const std::vector<int32_t> b{-70000, 70000};
  const std::vector<float> c{0.5f};
  SafeTensorsWriter writer;
  writer.Add<int8_t>("a", {3, 1}, a);
  writer.Add<int32_t>("b", {2}, b);
  writer.Add<float>("c", {}, c);
  writer.Add<uint16_t>("empty", {0, 7}, {});
  writer.SetMetadata("licence", "CC0 \"quoted\"");
  const Result<SafeTensors> file = SafeTensors::Parse(writer.Finish());
  ASSERT_TRUE(file.ok()) << file.status().message();
  const auto got_a = file->Get<int8_t>("a", {3, 1});
  ASSERT_TRUE(got_a.ok()) << got_a.status().message();
  EXPECT_TRUE(std::equal(a.begin(), a.end(), got_a->begin(), got_a->end()));
  const auto got_b = file->Get<int32_t>("b", {2});
  ASSERT_TRUE(got_b.ok());
  EXPECT_TRUE(std::equal(b.begin(), b.end(), got_b->begin(), got_b->end()));
  EXPECT_EQ((*file->Get<float>("c", {}))[0], 0.5f);
  EXPECT_TRUE(file->Get<uint16_t>("empty", {0, 7})->empty());
  EXPECT_EQ(file->Metadata("licence"), "CC0 \"quoted\"");
  EXPECT_EQ(file->Metadata("absent"), std::nullopt);
  EXPECT_EQ(file->Find("absent"), nullptr);
  EXPECT_EQ(file->tensors().size(), 4u);
}

TEST(SafeTensorsTest, AnotherTypeOrShapeIsRefused) {
  SafeTensorsWriter writer;
  writer.Add<int8_t>("a", {2, 3}, std::vector<int8_t>(6));
  const Result<SafeTensors> file = SafeTensors::Parse(writer.Finish());
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->Get<int8_t>("a", {2, 3}).ok());
  EXPECT_EQ(file->Get<uint8_t>("a", {2, 3}).status().code(), StatusCode::kModelRefused);
  EXPECT_EQ(file->Get<int8_t>("a", {3, 2}).status().code(), StatusCode::kModelRefused);
  EXPECT_EQ(file->Get<int8_t>("a", {6}).status().code(), StatusCode::kModelRefused);
  EXPECT_EQ(file->Get<int8_t>("b", {6}).status().code(), StatusCode::kModelRefused);
}

TEST(SafeTensorsTest, AnEmptyFileOfTensorsIsAccepted) {
  EXPECT_TRUE(SafeTensors::Parse(FileOf("{}", 0)).ok());
  EXPECT_TRUE(SafeTensors::Parse(FileOf("{\"__metadata__\":{}}", 0)).ok());
}

TEST(SafeTensorsTest, MalformedHeadersAreRefused) {
  const auto entry = [](const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return "{\"a\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
           "}}";
  };
  ASSERT_TRUE(SafeTensors::Parse(FileOf(entry("\"I32\"", "[2]", "[0,8]"), 8)).ok());
  const std::pair<std::string, size_t> files[] = {
      {"", 0},
      {"[]", 0},
      {" {}", 0},
      {"{", 0},
      {"{}x", 0},
      {"{\"a\":1}", 0},
      {"{\"a\":[]}", 0},
      {"{\"__metadata__\":[]}", 0},
      {"{\"__metadata__\":{\"k\":1}}", 0},
      {"{\"__metadata__\":{\"k\":\"\xff\"}}", 0},
      {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0},
      {"{}", 1},                              // data of no tensor
      {entry("\"I32\"", "[2]", "[0,8]"), 7},  // data ends early
      {entry("\"I32\"", "[2]", "[0,8]"), 9},  // and late
      {entry("\"I32\"", "[2]", "[0,7]"), 8},
      {entry("\"I32\"", "[2]", "[8,0]"), 8},
      {entry("\"I32\"", "[2]", "[1,9]"), 9},    // a hole, and unaligned
      {entry("\"I32\"", "[2]", "[4,12]"), 12},  // a hole
      {entry("\"I32\"", "[2]", "[-8,0]"), 8},
      {entry("\"I32\"", "[2]", "[0,8,8]"), 8},
      {entry("\"I32\"", "[2]", "[0]"), 8},
      {entry("\"I32\"", "[2]", "[0.0,8.0]"), 8},
      {entry("\"I32\"", "[2]", "[\"0\",\"8\"]"), 8},
      {entry("\"I32\"", "[-2]", "[0,8]"), 8},
      {entry("\"I32\"", "[2.0]", "[0,8]"), 8},
      {entry("\"I32\"", "2", "[0,8]"), 8},
      {entry("\"I32\"", "[[2]]", "[0,8]"), 8},
      {entry("\"I32\"", "[2,1,1,1,1,1,1,1,1]", "[0,8]"), 8},        // nine axes
      {entry("\"I32\"", "[4611686018427387905]", "[0,4]"), 4},      // times 4 wraps to 4
      {entry("\"I32\"", "[4294967296,4294967296,0]", "[0,0]"), 0},  // overflows before the 0
      {entry("\"I32\"", "[18446744073709551615]", "[0,8]"), 8},
      {entry("\"F64\"", "[1]", "[0,8]"), 8},
      {entry("\"i32\"", "[2]", "[0,8]"), 8},
      {entry("32", "[2]", "[0,8]"), 8},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1},
      {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1},
      {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":0}}", 1},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
       "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
       2},  // twice
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
       "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
       3},  // overlap
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
       "\"b\":{\"dtype\":\"U16\",\"shape\":[1],\"data_offsets\":[1,3]}}",
       3},  // unaligned
  };
  for (const auto& [header, data] : files) {
    const Status status = SafeTensors::Parse(FileOf(header, data)).status();
    EXPECT_EQ(status.code(), StatusCode::kModelRefused) << header << " + " << data;
  }
  EXPECT_FALSE(SafeTensors::Parse(FileOf("{}", 0, /*pad=*/false)).ok());
}

TEST(SafeTensorsTest, EveryTruncationIsRefused) {
  SafeTensorsWriter writer;
  writer.Add<int32_t>("b", {2}, std::vector<int32_t>(2));
  const Bytes whole = writer.Finish();
  for (size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(SafeTensors::Parse(part).status().code(), StatusCode::kModelRefused) << size;
  }
}

TEST(SafeTensorsTest, SizesAreHeldToTheLimits) {
  EXPECT_TRUE(SafeTensors::Parse(FileOf("{}", 0), 16).ok());
  EXPECT_FALSE(SafeTensors::Parse(FileOf("{}", 0), 15).ok());
  // A header of 1 MiB passes, a larger one does not, and neither does a length without bytes.
  const std::string text = "{\"__metadata__\":{\"k\":\"";
  std::string header = text + std::string((1 << 20) - text.size() - 3, 'x') + "\"}}";
  EXPECT_TRUE(SafeTensors::Parse(FileOf(header, 0)).ok());
  EXPECT_FALSE(SafeTensors::Parse(FileOf(header + "        ", 0)).ok());
  ByteWriter huge;
  huge.U64(UINT64_MAX);
  huge.Append(Bytes(64));
  EXPECT_FALSE(SafeTensors::Parse(huge.Release()).ok());
}

TEST(SafeTensorsTest, DeepNestingIsRefused) {
  for (const char* open : {"[", "{\"a\":"}) {
    std::string header = "{\"a\":";
    while (header.size() < 500000) header += open;
    EXPECT_EQ(SafeTensors::Parse(FileOf(header, 0)).status().code(), StatusCode::kModelRefused);
  }
}

}  // namespace
}  // namespace godwit
