#include "io/orientation.h"

#include <gtest/gtest.h>

#include "tests/io/image_samples.h"

namespace godwit {
namespace {

TEST(OrientationTest, StripsOfAnyHeightGiveTheReference) {
  for (uint32_t channels = 1; channels <= 4; ++channels) {
    for (const auto& [w, h] : {std::pair{1u, 1u}, {1u, 5u}, {7u, 1u}, {5u, 9u}, {8u, 4u}}) {
      const Picture stored = NoisePicture(w, h, channels, w * 10 + h);
      for (int orientation = 1; orientation <= 8; ++orientation) {
        for (int64_t strip = 1; strip <= 4; ++strip) {
          const Picture want = Upright(stored, orientation);
          Tensor<uint8_t> got(want.height, want.width, channels);
          for (int64_t y = 0; y < h; y += strip) {
            const int64_t n = std::min<int64_t>(strip, h - y);
            PlaceOriented(stored.view().Window(y, 0, n, w), y, h, orientation, got.view());
          }
          const std::vector<uint8_t> samples(got.data(), got.data() + got.size());
          EXPECT_EQ(samples, want.samples)
              << w << "x" << h << "x" << channels << " orientation " << orientation;
        }
      }
    }
  }
}

}  // namespace
}  // namespace godwit
