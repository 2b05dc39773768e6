#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "eval/array_error.h"
#include "eval/codec_table.h"
#include "tests/eval/built_codecs.h"

namespace godwit {
namespace {

// A smooth volume with an edge and a little noise; 12 bits.
NdArray Volume(int64_t depth) {
  NdArray array;
  array.type = SampleType::kU16;
  array.shape.rank = 3;
  array.shape.dims = {depth, 48, 40, 1};
  array.data.resize(static_cast<size_t>(depth) * 48 * 40 * 2);
  uint32_t state = 1;
  size_t i = 0;
  for (int64_t z = 0; z < depth; ++z) {
    for (int64_t y = 0; y < 48; ++y) {
      for (int64_t x = 0; x < 40; ++x) {
        state = state * 1664525u + 1013904223u;
        const double wave =
            std::sin(double(x) * 0.2 + double(z) * 0.1) * std::cos(double(y) * 0.15);
        const double edge = x + y > 45 ? 900 : 0;
        array.As<uint16_t>()[i++] =
            static_cast<uint16_t>(1500 + 900 * wave + edge + (state >> 24) * 0.2);
      }
    }
  }
  return array;
}

std::vector<std::string> Names() {
  return BuiltCodecs({"array", "jpeg2000:lossy", "jpeg2000:lossy:53", "zfp:rate"});
}

class ArrayRateTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto entry = FindCodec(GetParam(), {});
    ASSERT_TRUE(entry.ok()) << entry.status().message();
    entry_ = *std::move(entry);
    codec_ = *entry_.create(1);
  }
  CodecEntry entry_;
  std::unique_ptr<Codec> codec_;
};

TEST_P(ArrayRateTest, TheLadderGoesFromFewBytesToFewErrors) {
  EXPECT_EQ(entry_.aim, Aim::kSetting);
  const NdArray volume = Volume(9);
  std::vector<double> sizes, qualities;
  for (const double setting : entry_.ladder) {
    const auto stream = codec_->Encode(&volume, setting);
    ASSERT_TRUE(stream.ok()) << stream.status().message();
    const Bytes copy(stream->begin(), stream->end());
    sizes.push_back(static_cast<double>(copy.size() - codec_->uncounted_bytes()));
    NdArray decoded = volume;
    std::fill(decoded.data.begin(), decoded.data.end(), std::byte{0});
    const Status status = codec_->Decode(copy, &decoded);
    ASSERT_TRUE(status.ok()) << status.message();
    qualities.push_back(RangePsnr(volume, decoded));
  }
  EXPECT_TRUE(std::is_sorted(sizes.begin(), sizes.end()));
  EXPECT_TRUE(std::is_sorted(qualities.begin(), qualities.end()));
  EXPECT_GT(sizes.back(), 4 * sizes.front());
  EXPECT_GT(qualities.back(), qualities.front() + 20);
  EXPECT_GT(qualities.back(), 45);
}

TEST_P(ArrayRateTest, AnotherArrayIsAnError) {
  const NdArray volume = Volume(5);
  const double setting = GetParam() == "zfp:rate" ? 4 : 40;
  const auto stream = codec_->Encode(&volume, setting);
  ASSERT_TRUE(stream.ok()) << stream.status().message();
  const Bytes copy(stream->begin(), stream->end());
  NdArray other = Volume(9), same = volume;
  EXPECT_FALSE(codec_->Decode(copy, &other).ok());
  EXPECT_FALSE(codec_->Decode({}, &same).ok());
  EXPECT_TRUE(codec_->Decode(copy, &same).ok());
}

std::string TestName(const testing::TestParamInfo<std::string>& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, ArrayRateTest, testing::ValuesIn(Names()), TestName);

#if GODWIT_EVAL_ZFP
// zfp holds a rate to the block.
TEST(ZfpRateTest, ARateIsKept) {
  const auto entry = FindCodec("zfp:rate", {});
  ASSERT_TRUE(entry.ok()) << entry.status().message();
  const auto codec = *entry->create(1);
  const NdArray volume = Volume(8);  // whole blocks of 4 x 4 x 4
  const auto stream = codec->Encode(&volume, 3);
  ASSERT_TRUE(stream.ok()) << stream.status().message();
  const double bits = 8.0 * static_cast<double>(stream->size() - codec->uncounted_bytes());
  EXPECT_NEAR(bits / (8 * 48 * 40), 3, 0.02);
}
#endif

#if GODWIT_EVAL_JPEG2000
// The two transforms of JPEG 2000 at one quality are not one file, and 5/3 is the larger.
TEST(Jpeg2000LossyTest, TransformsDiffer) {
  const NdArray volume = Volume(5);
  size_t sizes[2];
  for (const bool is_53 : {false, true}) {
    const auto entry = FindCodec(is_53 ? "jpeg2000:lossy:53" : "jpeg2000:lossy", {});
    ASSERT_TRUE(entry.ok()) << entry.status().message();
    const auto codec = *entry->create(1);
    const auto stream = codec->Encode(&volume, 36);
    ASSERT_TRUE(stream.ok()) << stream.status().message();
    sizes[is_53] = stream->size();
  }
  EXPECT_GT(sizes[1], sizes[0]);
}
#endif

TEST(ArrayRateTableTest, OptionsAreChecked) {
  for (const std::string& name :
       BuiltCodecs({"array:vast", "zfp:0.5", "jpeg2000:53", "jpeg2000:97", "jpeg2000:lossy:97"})) {
    EXPECT_EQ(FindCodec(name, {}).status().code(), StatusCode::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace godwit
