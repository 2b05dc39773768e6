#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "eval/array_error.h"
#include "eval/array_parts.h"
#include "eval/codec_table.h"
#include "eval/stream_parts.h"
#include "tests/eval/built_codecs.h"
#include "tests/io/image_samples.h"

namespace godwit {
namespace {

// Waves and a little noise, of any type and shape; `width`: of what is between the extremes.
NdArray Waves(SampleType type, std::vector<int64_t> sides, double width, double least = 0) {
  NdArray array;
  array.type = type;
  array.shape.rank = static_cast<int>(sides.size());
  array.shape.dims = {1, 1, 1, 1};
  size_t count = 1;
  for (size_t i = 0; i < sides.size(); ++i) {
    array.shape.dims[i] = sides[i];
    count *= static_cast<size_t>(sides[i]);
  }
  array.data.resize(count * SampleBytes(type));
  uint32_t state = 1;
  WithSampleType(type, [&](auto value) {
    using T = decltype(value);
    for (size_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      const double noise = (state >> 24) / 256.0 * 0.02;
      const auto at = static_cast<double>(i);
      const double wave = 0.49 + 0.245 * std::sin(at * 0.07) + 0.245 * std::sin(at * 0.011);
      array.As<T>()[i] = static_cast<T>(least + width * (wave + noise));
    }
  });
  return array;
}

struct Sample {
  const char* name;
  NdArray array;
};

std::vector<Sample> Samples() {
  std::vector<Sample> samples;
  samples.push_back({"table i16", Waves(SampleType::kI16, {3000, 11}, 4000, -2000)});
  samples.push_back({"table f32", Waves(SampleType::kF32, {2000, 3}, 7, -3)});
  samples.push_back({"volume u8", Waves(SampleType::kU8, {5, 40, 33}, 250)});
  samples.push_back({"cube u16", Waves(SampleType::kU16, {7, 31, 20}, 5000)});
  samples.push_back({"picture u16", Waves(SampleType::kU16, {50, 61}, 60000)});
  samples.push_back({"row i32", Waves(SampleType::kI32, {4001}, 1e6, -5e5)});
  samples.push_back({"four axes f64", Waves(SampleType::kF64, {3, 5, 8, 9}, 1, 0)});
  samples.push_back({"u32", Waves(SampleType::kU32, {20, 30}, 4e9)});
  samples.push_back({"i8", Waves(SampleType::kI8, {20, 30}, 200, -100)});
  return samples;
}

std::vector<std::string> Names() {
  return BuiltCodecs({"packet", "zfp", "jpeg2000", "flac", "zstd", "zstd:1"});
}

class EvalArrayCodecTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto entry = FindCodec(GetParam(), CodecContext{});
    ASSERT_TRUE(entry.ok()) << entry.status().message();
    entry_ = *std::move(entry);
    codec_ = *entry_.create(1);
  }
  bool Takes(const NdArray& array) const { return entry_.takes == nullptr || entry_.takes(&array); }
  CodecEntry entry_;
  std::unique_ptr<Codec> codec_;
};

TEST_P(EvalArrayCodecTest, EveryTypeComesBackWithinItsBound) {
  size_t taken = 0;
  for (const Sample& sample : Samples()) {
    if (!Takes(sample.array)) continue;
    ++taken;
    size_t before = 0;
    for (const double setting : {0.05, 0.001, 0.0}) {
      if (setting > 0 && entry_.lossless_only) continue;
      const auto stream = codec_->Encode(&sample.array, setting);
      ASSERT_TRUE(stream.ok()) << sample.name << ": " << stream.status().message();
      const size_t size = stream->size() - codec_->uncounted_bytes();
      // Not of 0: zfp takes other types there, and may be smaller.
      if (setting > 0) {
        EXPECT_GE(size, before) << sample.name << " at " << setting;
      }
      before = size;
      const Bytes copy(stream->begin(), stream->end());
      NdArray decoded = sample.array;
      std::fill(decoded.data.begin(), decoded.data.end(), std::byte{0});
      const Status status = codec_->Decode(copy, &decoded);
      ASSERT_TRUE(status.ok()) << sample.name << ": " << status.message();
      const double bound = ErrorBound(sample.array, setting);
      EXPECT_LE(ErrorOf(sample.array, decoded).max, bound) << sample.name;
      if (setting == 0) {
        EXPECT_EQ(decoded.data, sample.array.data) << sample.name;
      }
    }
    if (std::string_view(sample.name) == "table i16" || GetParam() == "packet") {
      EXPECT_LT(before, sample.array.data.size()) << sample.name;
    }
  }
  EXPECT_GE(taken, GetParam() == "flac" ? 1u : 3u);
}

TEST_P(EvalArrayCodecTest, AnotherArrayAndGarbageAreErrors) {
  for (const Sample& sample : Samples()) {
    if (!Takes(sample.array)) continue;
    const auto stream = codec_->Encode(&sample.array, 0);
    ASSERT_TRUE(stream.ok());
    const Bytes copy(stream->begin(), stream->end());
    NdArray other = Waves(sample.array.type, {1000, 7}, 10), same = sample.array;
    if (Takes(other)) {
      EXPECT_FALSE(codec_->Decode(copy, &other).ok()) << sample.name;
    }
    EXPECT_FALSE(codec_->Decode(ToBytes("no array at all, and not a long one"), &same).ok());
    EXPECT_FALSE(codec_->Decode({}, &same).ok());
    EXPECT_TRUE(codec_->Decode(copy, &same).ok());  // and goes on after that
  }
}

std::string TestName(const testing::TestParamInfo<std::string>& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, EvalArrayCodecTest, testing::ValuesIn(Names()), TestName);

TEST(ArrayPartsTest, TablesAreExchangedAndComeBack) {
  const NdArray table = Waves(SampleType::kI32, {64, 3}, 1000);
  ASSERT_TRUE(IsTable(table));
  const NdArray turned = ByChannel(table);
  EXPECT_EQ(turned.shape.dims[0], 3);
  EXPECT_EQ(turned.As<int32_t>()[64], table.As<int32_t>()[1]);
  NdArray back = table;
  std::fill(back.data.begin(), back.data.end(), std::byte{0});
  ASSERT_TRUE(FromByChannel(turned, &back).ok());
  EXPECT_EQ(back.data, table.data);
  EXPECT_FALSE(IsTable(Waves(SampleType::kI32, {64, 9}, 1000)));
}

TEST(StreamPartsTest, WhatIsJoinedIsSplit) {
  const std::vector<Bytes> parts = {ToBytes("one"), {}, ToBytes("three")};
  const Bytes joined = JoinParts(parts);
  EXPECT_EQ(joined.size(), 8 + JoiningBytes(3));
  const auto split = SplitParts(joined);
  ASSERT_TRUE(split.ok());
  ASSERT_EQ(split->size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(Bytes((*split)[i].begin(), (*split)[i].end()), parts[i]);
  }
  for (size_t size = 0; size < joined.size(); ++size) {
    EXPECT_FALSE(SplitParts(std::span(joined).first(size)).ok()) << size;
  }
  for (size_t i = 0; i < 24; ++i) {  // counts and sizes that lie
    Bytes bad = joined;
    bad[i] ^= std::byte{0xff};
    EXPECT_FALSE(SplitParts(bad).ok()) << i;
  }
}

}  // namespace
}  // namespace godwit
