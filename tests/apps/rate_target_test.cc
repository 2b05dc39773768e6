#include "apps/rate_target.h"

#include <gtest/gtest.h>

#include "apps/option_parser.h"

namespace godwit {
namespace {

// 400 bytes a layer at step 0, one less at each step.
Result<EncodedPicture> Encode(int step_index, int layers) {
  EncodedPicture picture;
  picture.stream.resize(static_cast<size_t>(400 * layers - step_index));
  picture.step_index = step_index;
  picture.layers = layers;
  return picture;
}

TEST(RateTargetTest, EverySizeIsUsedToTheByte) {
  for (uint64_t size = 3200 - 351; size <= 3200; ++size) {
    const Result<EncodedPicture> got = EncodeToSize(size, 8, Encode);
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(got->stream.size(), size);
    EXPECT_EQ(got->layers, 8);
  }
  EXPECT_EQ(EncodeToSize(9999, 8, Encode)->step_index, 0);
}

TEST(RateTargetTest, LayersAreGivenUpLast) {
  EXPECT_EQ(EncodeToSize(2848, 8, Encode)->layers, 7);
  EXPECT_EQ(EncodeToSize(60, 8, Encode)->layers, 1);
  const Result<EncodedPicture> got = EncodeToSize(48, 8, Encode);
  EXPECT_EQ(got.status().code(), StatusCode::kOverLimit);
  EXPECT_NE(got.status().message().find("the smallest file possible has 49"), std::string::npos);
}

TEST(RateTargetTest, TheCoarsestStepOfEnoughPsnrIsFound) {
  const MeasurePsnr measure = [](const Bytes& stream) -> Result<double> {
    return 60 - (3200 - static_cast<double>(stream.size())) / 10;
  };
  for (int step = 0; step <= 351; ++step) {
    const double psnr_db = 60 - step / 10.0;
    const Result<EncodedPicture> got = EncodeToPsnr(psnr_db - 0.01, 8, Encode, measure);
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(got->step_index, step);
    EXPECT_DOUBLE_EQ(got->psnr_db, psnr_db);
  }
  EXPECT_EQ(EncodeToPsnr(60.5, 8, Encode, measure)->step_index, 0);
}

TEST(RateTargetTest, ErrorsEndTheSearch) {
  const EncodeAt fails = [](int, int) -> Result<EncodedPicture> {
    return Status(StatusCode::kUnreadable, "gone");
  };
  const MeasurePsnr measure = [](const Bytes&) -> Result<double> { return 1.0; };
  EXPECT_EQ(EncodeToSize(100, 8, fails).status().message(), "gone");
  EXPECT_EQ(EncodeToPsnr(30, 8, fails, measure).status().message(), "gone");
}

TEST(ParseCountTest, UnitsAreThousandsOrPowersOf1024) {
  EXPECT_EQ(ParseCount("1"), 1u);
  EXPECT_EQ(ParseCount("50k"), 50000u);
  EXPECT_EQ(ParseCount("1.5M"), 1500000u);
  EXPECT_EQ(ParseCount("2G"), 2000000000u);
  EXPECT_EQ(ParseCount("64Ki"), 65536u);
  EXPECT_EQ(ParseCount("0.5Mi"), 524288u);
  for (const char* const bad :
       {"", "0", "k", "-5", "+5", "1e3", "5 k", "5kb", "0.5", "1.2.3", ".", "99999999G", "0x10"}) {
    EXPECT_EQ(ParseCount(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace godwit
