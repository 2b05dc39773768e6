#include "eval/picture_planes.h"

#include <cassert>

namespace godwit {
namespace {

constexpr double kRed = 0.299, kGreen = 0.587, kBlue = 0.114;  // BT.601

double Luma(const uint8_t* p) { return kRed * p[0] + kGreen * p[1] + kBlue * p[2]; }

template <typename F>
Plane MakePlane(TensorView<const uint8_t> picture, F value) {
  Plane plane(picture.height, picture.width);
  double* out = plane.data();
  for (int64_t y = 0; y < picture.height; ++y) {
    for (int64_t x = 0; x < picture.width; ++x) *out++ = value(picture.At(y, x));
  }
  return plane;
}

}  // namespace

Plane ChannelPlane(TensorView<const uint8_t> picture, int channel) {
  assert(channel < picture.channels);
  return MakePlane(picture, [channel](const uint8_t* p) { return double{1} * p[channel]; });
}

Plane LumaPlane(TensorView<const uint8_t> rgb) {
  assert(rgb.channels == 3);
  return MakePlane(rgb, Luma);
}

std::array<Plane, 3> YcbcrPlanes(TensorView<const uint8_t> rgb) {
  assert(rgb.channels == 3);
  return {MakePlane(rgb, Luma),
          MakePlane(rgb, [](const uint8_t* p) { return (p[2] - Luma(p)) / (2 * (1 - kBlue)); }),
          MakePlane(rgb, [](const uint8_t* p) { return (p[0] - Luma(p)) / (2 * (1 - kRed)); })};
}

Plane HalfSize(const Plane& plane) {
  Plane half(plane.height() / 2, plane.width() / 2);
  for (int64_t y = 0; y < half.height(); ++y) {
    const double* top = plane.data() + 2 * y * plane.width();
    const double* bottom = top + plane.width();
    double* out = half.data() + y * half.width();
    for (int64_t x = 0; x < half.width(); ++x) {
      out[x] = (top[2 * x] + top[2 * x + 1] + bottom[2 * x] + bottom[2 * x + 1]) / 4;
    }
  }
  return half;
}

double MeanSquaredError(const Plane& a, const Plane& b) {
  assert(a.height() == b.height() && a.width() == b.width());
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double d = a.data()[i] - b.data()[i];
    sum += d * d;
  }
  return sum / static_cast<double>(a.size());
}

}  // namespace godwit
