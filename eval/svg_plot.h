// eval/svg_plot.h: rate-distortion plots for papers, as SVG.
#pragma once

#include <string>

#include "eval/metric.h"
#include "eval/results.h"

namespace godwit {

// The curves of means by one metric; empty where fewer than one curve has two points. Black on
// white, with markers that tell curves apart without colour.
std::string SvgPlot(const Results& results, const Metric& metric);

}  // namespace godwit
