#include "tensor/element_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

namespace godwit {
namespace {

std::vector<uint8_t> RandomBytes(size_t seed, size_t count) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::vector<uint8_t> bytes(count);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(random());
  return bytes;
}

class ElementKernelsTest : public testing::TestWithParam<SimdLevel> {
 protected:
  const ElementKernels& scalar_ = ElementKernelsFor(SimdLevel::kScalar);
  const ElementKernels& tested_ = ElementKernelsFor(GetParam());
};

TEST_P(ElementKernelsTest, AddSaturatesEveryPair) {
  std::vector<uint8_t> a(65536), b(65536), want(65536), got(65536);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<uint8_t>(i), b[i] = static_cast<uint8_t>(i >> 8);
    want[i] = static_cast<uint8_t>(std::min<size_t>((i & 255) + (i >> 8), 255));
  }
  tested_.add(a.data(), b.data(), got.data(), 65536);
  EXPECT_EQ(got, want);
}

TEST_P(ElementKernelsTest, EveryTailEqualsScalarAndNothingElseIsWritten) {
  const std::vector<uint8_t> table = RandomBytes(7, 256);
  for (size_t n = 0; n <= 131; ++n) {
    const std::vector<uint8_t> a = RandomBytes(n, n), b = RandomBytes(n + 1000, n);
    std::vector<uint8_t> want = RandomBytes(n + 2000, n + 64), got = want;
    scalar_.add(a.data(), b.data(), want.data(), n);
    tested_.add(a.data(), b.data(), got.data(), n);
    EXPECT_EQ(got, want) << "add, n=" << n;
    scalar_.lut(a.data(), table.data(), want.data(), n);
    tested_.lut(a.data(), table.data(), got.data(), n);
    EXPECT_EQ(got, want) << "lut, n=" << n;
    scalar_.copy(a.data(), want.data(), n, 0x80);
    tested_.copy(a.data(), got.data(), n, 0x80);
    EXPECT_EQ(got, want) << "copy, n=" << n;
  }
}

TEST_P(ElementKernelsTest, LutLooksUpEveryByte) {
  std::vector<uint8_t> all(256), got(256);
  for (size_t i = 0; i < 256; ++i) all[i] = static_cast<uint8_t>(i);
  const std::vector<uint8_t> table = RandomBytes(1, 256);
  tested_.lut(all.data(), table.data(), got.data(), 256);
  EXPECT_EQ(got, table);
}

TEST_P(ElementKernelsTest, DepthToSpaceFollowsItsFormula) {
  for (const int block : {2, 3, 8}) {
    for (const int64_t channels : {1, 3, 5, 16, 24}) {
      for (const int64_t gap : {0, 2}) {
        const int64_t width = 5, in_stride = channels * block * block + 3;
        const std::vector<uint8_t> in = RandomBytes(1, width * in_stride);
        std::vector<uint8_t> out(block * width * block * (channels + gap));
        const TensorView<uint8_t> view{
            out.data(),    block, width * block, channels, width * block * (channels + gap),
            channels + gap};
        DepthToSpaceRow(tested_, in.data(), in_stride, block, view, 0x80);
        for (int64_t y = 0; y < block; ++y) {
          for (int64_t x = 0; x < width * block; ++x) {
            for (int64_t c = 0; c < channels; ++c) {
              const int64_t from = (y * block + x % block) * channels + c;
              ASSERT_EQ(view.At(y, x)[c], in[x / block * in_stride + from] ^ 0x80)
                  << "block " << block << " channels " << channels << " at " << x << "," << y;
            }
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, ElementKernelsTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

TEST(ReplicateBorderTest, CopiesTheNearestSampleAndNothingBeyond) {
  constexpr int64_t kSide = 12;
  for (const auto& [top, bottom, left, right] :
       {std::array<int64_t, 4>{0, 0, 0, 0}, {1, 2, 3, 4}, {4, 0, 0, 1}, {0, 3, 2, 0}}) {
    Tensor<uint8_t> buffer(kSide, kSide, 2);
    const std::vector<uint8_t> before = RandomBytes(1, buffer.size());
    std::copy(before.begin(), before.end(), buffer.data());
    const int64_t y0 = 4, x0 = 4, h = 3, w = 4;
    ReplicateBorder(buffer.view().Window(y0, x0, h, w), top, bottom, left, right);
    for (int64_t y = 0; y < kSide; ++y) {
      for (int64_t x = 0; x < kSide; ++x) {
        const bool filled =
            y >= y0 - top && y < y0 + h + bottom && x >= x0 - left && x < x0 + w + right;
        const int64_t from_y = filled ? std::clamp(y, y0, y0 + h - 1) : y;
        const int64_t from_x = filled ? std::clamp(x, x0, x0 + w - 1) : x;
        for (int64_t c = 0; c < 2; ++c) {
          ASSERT_EQ(buffer.view().At(y, x)[c], before[(from_y * kSide + from_x) * 2 + c])
              << x << "," << y;
        }
      }
    }
  }
}

}  // namespace
}  // namespace godwit
