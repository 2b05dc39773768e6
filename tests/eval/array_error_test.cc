#include "eval/array_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "eval/metric.h"

namespace godwit {
namespace {

template <typename T>
NdArray ArrayFrom(SampleType type, const std::vector<T>& values) {
  NdArray array;
  array.type = type;
  array.shape.rank = 1;
  array.shape.dims = {static_cast<int64_t>(values.size()), 1, 1, 1};
  array.data.resize(values.size() * sizeof(T));
  std::memcpy(array.data.data(), values.data(), array.data.size());
  return array;
}

TEST(ArrayErrorTest, LargestErrorAndPsnrAreOfTheRange) {
  const NdArray x = ArrayFrom<int16_t>(SampleType::kI16, {-50, 0, 50, 20}),
                y = ArrayFrom<int16_t>(SampleType::kI16, {-50, 3, 50, 16});
  EXPECT_EQ(ErrorOf(x, y).max, 4);
  EXPECT_EQ(ErrorOf(x, y).mean_square, 25.0 / 4);
  EXPECT_DOUBLE_EQ(LargestError(x, y), 0.04);
  EXPECT_NEAR(RangePsnr(x, y), 10 * std::log10(100.0 * 100 / 6.25), 1e-12);
  EXPECT_EQ(LargestError(x, x), 0);
  EXPECT_TRUE(std::isinf(RangePsnr(x, x)));
  const NdArray flat = ArrayFrom<int16_t>(SampleType::kI16, {7, 7});
  EXPECT_TRUE(std::isnan(LargestError(flat, flat)));
  EXPECT_TRUE(std::isnan(RangePsnr(flat, flat)));
}

TEST(ArrayErrorTest, NanEqualsOnlyNan) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const NdArray x = ArrayFrom<float>(SampleType::kF32, {kNan, 0, 1}),
                y = ArrayFrom<float>(SampleType::kF32, {0, 0, 1});
  EXPECT_EQ(ErrorOf(x, x).max, 0);
  EXPECT_TRUE(std::isinf(ErrorOf(x, y).max));
  EXPECT_TRUE(std::isinf(ErrorOf(y, x).max));
}

TEST(ArrayErrorTest, BoundsOfIntegersAreWhole) {
  const NdArray integers = ArrayFrom<uint8_t>(SampleType::kU8, {0, 250}),
                floats = ArrayFrom<float>(SampleType::kF32, {0, 250});
  EXPECT_EQ(ErrorBound(integers, 0), 0);
  EXPECT_EQ(ErrorBound(integers, 0.0001), 1);
  EXPECT_EQ(ErrorBound(integers, 0.01), 2);   // 2.5
  EXPECT_EQ(ErrorBound(integers, 0.011), 3);  // 2.75
  EXPECT_DOUBLE_EQ(ErrorBound(floats, 0.0001), 0.025);
}

TEST(ArrayErrorTest, TheAxisOfTheLargestErrorGrowsWithQuality) {
  const Metric* const metric = FindMetric("max-error");
  ASSERT_NE(metric, nullptr);
  EXPECT_DOUBLE_EQ(QualityOf(*metric, 0.001), 60);
  EXPECT_GT(QualityOf(*metric, 0.001), QualityOf(*metric, 0.01));
  EXPECT_TRUE(std::isinf(QualityOf(*metric, 0)));
}

}  // namespace
}  // namespace godwit
