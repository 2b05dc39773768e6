#include "eval/bd_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "eval/pchip.h"

namespace godwit {
namespace {

std::vector<RatePoint> PointsOf(const nlohmann::json& rows) {
  std::vector<RatePoint> points;
  for (const auto& row : rows) points.push_back({row[0].get<double>(), row[1].get<double>()});
  return points;
}

TEST(BdRateTest, EqualsSciPy) {
  const nlohmann::json cases =
      nlohmann::json::parse(std::ifstream(GODWIT_SOURCE_DIR "/testdata/eval/reference.json"))["bd"];
  ASSERT_EQ(cases.size(), 3u);
  for (const auto& c : cases) {
    const auto anchor = PointsOf(c["anchor"]), tested = PointsOf(c["tested"]);
    const auto rate = BdRate(anchor, tested), quality = BdQuality(anchor, tested);
    ASSERT_TRUE(rate.ok()) << rate.status().message();
    ASSERT_TRUE(quality.ok()) << quality.status().message();
    EXPECT_NEAR(rate->value, c["bd_rate"].get<double>(), 1e-6);
    EXPECT_NEAR(quality->value, c["bd_quality"].get<double>(), 1e-7);
    EXPECT_NEAR(rate->low, c["quality"][0].get<double>(), 1e-12);
    EXPECT_NEAR(rate->high, c["quality"][1].get<double>(), 1e-12);
    EXPECT_NEAR(quality->low, c["rate"][0].get<double>(), 1e-12);
    EXPECT_NEAR(quality->high, c["rate"][1].get<double>(), 1e-12);
  }
}

TEST(BdRateTest, AConstantFactorIsFound) {
  std::vector<RatePoint> anchor, tested;
  for (int i = 0; i < 6; ++i) {
    const double rate = 0.1 * std::pow(1.7, i), quality = 25 + 2.2 * i;
    anchor.push_back({rate, quality});
    tested.push_back({rate * 0.8, quality});
  }
  const auto result = BdRate(anchor, tested);
  ASSERT_TRUE(result.ok());
  EXPECT_NEAR(result->value, -20, 1e-9);
  EXPECT_NEAR(result->overlap, 1, 1e-12);
  EXPECT_NEAR(BdRate(tested, anchor)->value, 25, 1e-9);
}

TEST(BdRateTest, ASmallOverlapIsRefused) {
  const std::vector<RatePoint> low = {{0.1, 20}, {0.2, 24}, {0.3, 28}},
                               high = {{0.4, 27}, {0.8, 32}, {1.6, 37}};
  const auto refused = BdRate(low, high);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(refused.status().message(),
            "the curves share 12 % of the narrower range of quality, 50 % are needed");
  EXPECT_TRUE(BdRate(low, high, 0.1).ok());
  EXPECT_FALSE(BdQuality(low, high).ok());
  EXPECT_FALSE(BdRate(low, {{1, 30}}).ok());
  EXPECT_FALSE(BdRate(low, {}).ok());
}

TEST(BdRateTest, PointsThatCostMoreForLessAreLeftOut) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const auto front = ParetoFront(
      {{0.4, 31}, {0.1, 25}, {0.3, 29}, {0.2, 30}, {0.2, 28}, {nan, 40}, {3, infinity}, {0, 9}});
  ASSERT_EQ(front.size(), 3u);
  EXPECT_EQ(front[0].quality, 25);
  EXPECT_EQ(front[1].quality, 30);
  EXPECT_EQ(front[2].quality, 31);
}

TEST(PchipTest, PassesThroughItsPointsAndStaysBetweenThem) {
  const std::vector<double> x = {0, 1, 1.5, 4, 9}, y = {0, 0.1, 3, 3, 10};
  const Pchip f(x, y);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_DOUBLE_EQ(f.At(x[i]), y[i]);
  double last = f.At(0);
  for (double at = 0; at <= 9; at += 0.01) {
    EXPECT_GE(f.At(at), last - 1e-12);
    last = f.At(at);
  }
  EXPECT_NEAR(f.Integral(0, 4) + f.Integral(4, 9), f.Integral(0, 9), 1e-12);
}

}  // namespace
}  // namespace godwit
