// eval/pchip.h: monotone piecewise cubic interpolation (F. N. Fritsch and J. Butland, "A method for
// constructing local monotone piecewise cubic interpolants", 1984), as in SciPy and MATLAB.
#pragma once

#include <cstddef>
#include <vector>

namespace godwit {

class Pchip {
 public:
  // At least two points, `x` growing strictly.
  Pchip(std::vector<double> x, std::vector<double> y);
  double At(double x) const;                       // x inside the range of the points
  double Integral(double low, double high) const;  // exact; low <= high, both inside the range

 private:
  double Cubic(size_t piece, double x) const;
  std::vector<double> x_, y_, slope_;
};

}  // namespace godwit
