#include "eval/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "eval/svg_plot.h"
#include "tests/eval/example_results.h"

namespace godwit {
namespace {

TEST(ReportTest, HoldsCurvesAndBdRatesOfEveryPair) {
  const nlohmann::ordered_json data = ReportData(ExampleResults(), {});
  EXPECT_EQ(data["anchor"], "a");
  ASSERT_EQ(data["curves"].size(), 2u);
  EXPECT_EQ(data["curves"][1]["points"].size(), 3u);
  EXPECT_EQ(data["curves"][1]["items"]["y.png"].size(), 3u);
  EXPECT_NEAR(data["bd"]["psnr"]["a"]["b"]["rate"].get<double>(), -20, 1e-9);
  EXPECT_NEAR(data["bd"]["psnr"]["b"]["a"]["rate"].get<double>(), 25, 1e-9);
  EXPECT_EQ(data["bd"]["psnr"]["a"]["b"]["items"], 2);
}

TEST(ReportTest, NothingInTheDataEndsTheScript) {
  Results results = ExampleResults();
  results.command = "</script><script>alert(1)</script> @plot.js@";
  const std::string html = ReportHtml(results, {});
  EXPECT_EQ(html.find("alert(1)</script>"), html.npos);
  EXPECT_NE(html.find("\\u003cscript>alert(1)"), html.npos);
  EXPECT_NE(html.find("class Plot"), html.npos);  // all files are in
  EXPECT_NE(html.find("class Slider"), html.npos);
  EXPECT_NE(html.find("prefers-color-scheme"), html.npos);
  EXPECT_EQ(html.find("@data@"), html.npos);
}

TEST(ReportTest, AReportOfNothingIsStillAPage) {
  EXPECT_NE(ReportHtml(Results(), {}).find("\"curves\":[]"), std::string::npos);
}

TEST(SvgPlotTest, DrawsEachCurve) {
  Results results = ExampleResults();
  results.codecs[0].name = "a<b";
  for (Measurement& m : results.measurements) {
    if (m.codec == "a") m.codec = "a<b";
  }
  const std::string svg = SvgPlot(results, *FindMetric("psnr"));
  EXPECT_NE(svg.find(">a&lt;b</text>"), svg.npos) << svg;
  EXPECT_NE(svg.find("PSNR, RGB (dB)"), svg.npos);
  EXPECT_EQ(svg.find("nan"), svg.npos);
  EXPECT_EQ(svg.find("inf"), svg.npos);
  EXPECT_EQ(SvgPlot(results, *FindMetric("ssim")), "");  // was not measured
}

}  // namespace
}  // namespace godwit
