#include "eval/metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "eval/picture_planes.h"
#include "eval/similarity.h"
#include "tests/io/image_samples.h"

namespace godwit {
namespace {

const std::string kFolder = GODWIT_SOURCE_DIR "/testdata/eval/";

Picture Load(const std::string& name) {
  Picture picture;
  const auto reader = OpenImage(kFolder + name + ".png");
  if (!reader.ok()) {
    ADD_FAILURE() << reader.status().message();
    return picture;
  }
  const Status status = ReadPicture(**reader, &picture);
  EXPECT_TRUE(status.ok()) << status.message();
  return picture;
}

TEST(MetricTest, ValuesEqualThoseOfAnotherImplementation) {
  const nlohmann::json reference =
      nlohmann::json::parse(std::ifstream(kFolder + "reference.json"))["pictures"];
  ASSERT_EQ(reference.size(), 3u);
  const Picture original = Load("original");
  for (const auto& [name, values] : reference.items()) {
    const Picture decoded = Load(name);
    size_t compared = 0;
    for (const Metric& metric : Metrics()) {
      if (metric.measure == nullptr || metric.medium != Medium::kPicture) continue;
      const double want = values.at(metric.name).get<double>();
      EXPECT_NEAR(metric.measure(original.view(), decoded.view()), want, 1e-9 * std::abs(want))
          << metric.name << " of " << name;
      ++compared;
    }
    EXPECT_EQ(compared, values.size());
  }
}

TEST(MetricTest, EqualPicturesAreBestOnEveryAxis) {
  const Picture picture = Load("original");
  for (const Metric& metric : Metrics()) {
    if (metric.measure == nullptr || metric.medium != Medium::kPicture) continue;
    const double quality = QualityOf(metric, metric.measure(picture.view(), picture.view()));
    // One, but for rounding, is some 150 dB.
    EXPECT_GT(quality, 120) << metric.name;
  }
}

TEST(MetricTest, TheAxisOfADistanceGrowsWithQuality) {
  const Metric* const butteraugli = FindMetric("butteraugli");
  ASSERT_NE(butteraugli, nullptr);
  EXPECT_GT(QualityOf(*butteraugli, 1.0), QualityOf(*butteraugli, 2.0));
  const Metric* const msssim = FindMetric("msssim");
  ASSERT_NE(msssim, nullptr);
  EXPECT_DOUBLE_EQ(QualityOf(*msssim, 0.99), 20);
}

TEST(MetricTest, UnrelatedPicturesHaveAMsssimOfAboutNothing) {
  const Picture a = NoisePicture(176, 176, 3, 1);
  Picture b = a;
  for (uint8_t& v : b.samples) v = static_cast<uint8_t>(255 - v);
  const Metric* const msssim = FindMetric("msssim");
  EXPECT_EQ(msssim->measure(a.view(), b.view()), 0);  // its contrast means are negative
}

TEST(MetricTest, SmallestSidesAreMeasured) {
  for (const Metric& metric : Metrics()) {
    if (metric.measure == nullptr || metric.medium != Medium::kPicture) continue;
    const uint32_t side = static_cast<uint32_t>(metric.min_side);
    const Picture a = SmoothPicture(side, side + 1, 3);
    Picture b = a;
    b.samples[0] ^= 1;
    EXPECT_TRUE(std::isfinite(metric.measure(a.view(), b.view()))) << metric.name;
  }
}

TEST(MetricTest, NamesAreChecked) {
  const auto some = ParseMetricNames(Medium::kPicture, {"msssim", "psnr"});
  ASSERT_TRUE(some.ok());
  ASSERT_EQ(some->size(), 2u);
  EXPECT_EQ((*some)[0]->name, "psnr");  // in the order of the table
  EXPECT_EQ(ParseMetricNames(Medium::kPicture, {"psrn"}).status().code(),
            StatusCode::kInvalidArgument);
  const auto all = ParseMetricNames(Medium::kPicture, {"all"});
  ASSERT_TRUE(all.ok());
  EXPECT_GE(all->size(), 6u);
}

TEST(PicturePlanesTest, HalfSizeLeavesOutTheLastOddRowAndColumn) {
  Plane plane(3, 5);
  for (int64_t i = 0; i < plane.size(); ++i) plane.data()[i] = static_cast<double>(i);
  const Plane half = HalfSize(plane);
  ASSERT_EQ(half.height(), 1);
  ASSERT_EQ(half.width(), 2);
  EXPECT_DOUBLE_EQ(half.data()[0], (0 + 1 + 5 + 6) / 4.0);
  EXPECT_DOUBLE_EQ(half.data()[1], (2 + 3 + 7 + 8) / 4.0);
}

}  // namespace
}  // namespace godwit
