#include "eval/svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "eval/summary.h"
#include "fmt/core.h"

namespace godwit {
namespace {

constexpr double kWidth = 640, kHeight = 440, kLeft = 58, kTop = 16, kRight = 620, kBottom = 390;
// Colours of report/plot.js.
constexpr std::array<const char*, 10> kColours = {"#0f7f8c", "#d1603d", "#5b62c9", "#3f8f3a",
                                                  "#c2428a", "#a97b10", "#7c5a47", "#6b7a85",
                                                  "#b03a3a", "#2f6fb3"};
constexpr int kShapes = 4;

struct Axis {
  double low = INFINITY, high = -INFINITY, from = 0, to = 0;  // values and their pixels
  void Take(double v) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  double At(double v) const { return from + (v - low) / (high - low) * (to - from); }
  std::vector<double> Ticks(int about) const {
    const double rough = (high - low) / about, power = std::pow(10, std::floor(std::log10(rough)));
    double step = power;
    for (const double m : {1, 2, 5, 10}) {
      step = m * power;
      if (step >= rough * 0.999) break;
    }
    std::vector<double> ticks;
    for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) {
      ticks.push_back(k * step + 0.0);  // never -0
    }
    return ticks;
  }
};

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string Marker(size_t series, double x, double y) {
  const char* const colour = kColours[series % kColours.size()];
  const double r = 3.5;
  switch ((series + series / kColours.size()) % kShapes) {
    case 0:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"/>\n", x, y, r,
                         colour);
    case 1:
      return fmt::format("<path d=\"M{:.1f} {:.1f}h7v7h-7z\" fill=\"{}\"/>\n", x - r, y - r,
                         colour);
    case 2:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l4.2 7.4h-8.4z\" fill=\"{}\"/>\n", x, y - 4.4,
                         colour);
    default:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l4.7 4.7l-4.7 4.7l-4.7 -4.7z\" fill=\"{}\"/>\n",
                         x, y - 4.7, colour);
  }
}

std::string Axes(const Axis& x, const Axis& y, std::string_view rate, const Metric& metric) {
  std::string text;
  for (const double v : x.Ticks(8)) {
    text += fmt::format(
        "<path d=\"M{0:.1f} {1}V{2}\" stroke=\"#ddd\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:.6g}</text>\n",
        x.At(v), kTop, kBottom, kBottom + 18, v);
  }
  for (const double v : y.Ticks(8)) {
    text += fmt::format(
        "<path d=\"M{1} {0:.1f}H{2}\" stroke=\"#ddd\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.6g}</text>\n",
        y.At(v), kLeft, kRight, kLeft - 8, y.At(v) + 4, v);
  }
  const double middle = (kTop + kBottom) / 2;
  return text +
         fmt::format(
             "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" "
             "stroke=\"#333\"/>\n"
             "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n"
             "<text x=\"15\" y=\"{}\" text-anchor=\"middle\" transform=\"rotate(-90 15 {})\">"
             "{}</text>\n",
             kLeft, kTop, kRight - kLeft, kBottom - kTop, (kLeft + kRight) / 2, kBottom + 40, rate,
             middle, middle, metric.label);
}

}  // namespace

std::string SvgPlot(const Results& results, const Metric& metric) {
  struct Series {
    std::string name;
    bool imported;
    std::vector<RatePoint> points;
  };
  std::vector<Series> series;
  Axis x, y;
  x.Take(0);
  for (const CurveSummary& curve : SummariseCurves(results)) {
    Series& one = series.emplace_back(Series{curve.name, curve.imported, curve.Points(metric)});
    std::erase_if(one.points, [](const RatePoint& p) {
      return !std::isfinite(p.rate) || !std::isfinite(p.quality);
    });
    std::sort(one.points.begin(), one.points.end(),
              [](const RatePoint& a, const RatePoint& b) { return a.rate < b.rate; });
    for (const RatePoint& p : one.points) {
      x.Take(p.rate);
      y.Take(p.quality);
    }
  }
  if (!(y.low < y.high) || !(x.low < x.high)) return "";
  const double margin = (y.high - y.low) * 0.04;
  x = {x.low, x.high * 1.03, kLeft, kRight};
  y = {y.low - margin, y.high + margin, kBottom, kTop};
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" "
      "font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
      kWidth, kHeight);
  text += Axes(x, y, WordsOf(results.medium).rate_label, metric);
  double legend = kBottom - 12 - 18 * static_cast<double>(series.size() - 1);
  for (size_t i = 0; i < series.size(); ++i, legend += 18) {
    const char* const colour = kColours[i % kColours.size()];
    const char* const dash = series[i].imported ? " stroke-dasharray=\"6 4\"" : "";
    std::string path, markers;
    for (const RatePoint& p : series[i].points) {
      path +=
          fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x.At(p.rate), y.At(p.quality));
      markers += Marker(i, x.At(p.rate), y.At(p.quality));
    }
    if (!path.empty()) {
      text += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"{}/>\n",
                          path, colour, dash);
    }
    text += markers;
    text += fmt::format("<path d=\"M{0} {1}h26\" stroke=\"{2}\" stroke-width=\"1.6\"{3}/>",
                        kRight - 170, legend, colour, dash);
    text += Marker(i, kRight - 157, legend);
    text += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", kRight - 136, legend + 4,
                        Escaped(series[i].name));
  }
  return text + "</svg>\n";
}

}  // namespace godwit
