#include "codecs/image/lossless_plane.h"

#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace godwit {
namespace {

Tensor<uint8_t> MakePlane(int64_t h, int64_t w, const std::function<double(int64_t, int64_t)>& f) {
  Tensor<uint8_t> plane(h, w);
  for (int64_t y = 0; y < h; ++y) {
    for (int64_t x = 0; x < w; ++x) {
      *plane.view().At(y, x) = static_cast<uint8_t>(std::lround(std::clamp(f(y, x), 0.0, 255.0)));
    }
  }
  return plane;
}

Tensor<uint8_t> Noise(int64_t h, int64_t w, uint32_t seed, int mask = 255) {
  std::mt19937 random(seed);
  return MakePlane(h, w, [&](int64_t, int64_t) { return static_cast<double>(random() & mask); });
}

// Opaque discs with an edge `softness` pixels wide on nothing: a cut-out as people make them.
Tensor<uint8_t> SoftMask(int64_t h, int64_t w, double softness) {
  return MakePlane(h, w, [=](int64_t y, int64_t x) {
    double inside = -1e9;
    for (const auto& [cy, cx, r] :
         {std::array{0.45, 0.4, 0.3}, {0.6, 0.65, 0.25}, {0.15, 0.8, 0.08}}) {
      const double dy = static_cast<double>(y) - cy * static_cast<double>(h);
      const double dx = static_cast<double>(x) - cx * static_cast<double>(w);
      inside = std::max(inside, r * static_cast<double>(h) - std::hypot(dy, dx));
    }
    return 127.5 + 255 * inside / softness;
  });
}

// Ramps and waves, with noise of up to +-`noise`.
Tensor<uint8_t> Gradient(int64_t h, int64_t w, double noise, uint32_t seed) {
  std::mt19937 random(seed);
  return MakePlane(h, w, [&](int64_t y, int64_t x) {
    const double fy = static_cast<double>(y), fx = static_cast<double>(x);
    const double jitter = noise * (static_cast<double>(random() % 2001) / 1000 - 1);
    return 128 + 0.11 * fx - 0.17 * fy + 30 * std::sin(fx / 70 + fy / 110) + jitter;
  });
}

Bytes Encode(TensorView<const uint8_t> plane) {
  Bytes out(LosslessPlaneBound(plane.height, plane.width));
  const Result<size_t> size = EncodeLosslessPlane(plane, out);
  EXPECT_TRUE(size.ok());
  out.resize(size.ok() ? *size : 0);
  return out;
}

// Encodes, decodes, compares; returns the stream.
Bytes RoundTrip(TensorView<const uint8_t> plane) {
  const Bytes stream = Encode(plane);
  Tensor<uint8_t> decoded(plane.height, plane.width);
  const Status status = DecodeLosslessPlane(stream, decoded.view());
  EXPECT_TRUE(status.ok()) << status.message();
  for (int64_t y = 0; y < plane.height; ++y) {
    for (int64_t x = 0; x < plane.width; ++x) {
      if (*decoded.view().At(y, x) != *plane.At(y, x)) {
        ADD_FAILURE() << plane.height << "x" << plane.width << " differs at " << y << "," << x;
        return stream;
      }
    }
  }
  return stream;
}

// Bytes of the whole file; all but about 60 are samples.
size_t PngSize(const Tensor<uint8_t>& plane, int filters) {
  size_t size = 0;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &size,
      [](png_structp p, png_bytep, size_t n) { *static_cast<size_t*>(png_get_io_ptr(p)) += n; },
      nullptr);
  png_set_compression_level(png, 9);
  png_set_filter(png, 0, filters);
  png_set_IHDR(png, info, static_cast<uint32_t>(plane.width()),
               static_cast<uint32_t>(plane.height()), 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (int64_t y = 0; y < plane.height(); ++y) png_write_row(png, plane.view().At(y, 0));
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return size;
}

size_t BestPngSize(const Tensor<uint8_t>& plane) {
  size_t best = ~size_t{0};
  for (const int filters :
       {PNG_ALL_FILTERS, PNG_FILTER_NONE, PNG_FILTER_SUB, PNG_FILTER_UP, PNG_FILTER_PAETH}) {
    best = std::min(best, PngSize(plane, filters));
  }
  return best;
}

TEST(LosslessPlaneTest, EverySmallSizeComesBack) {
  for (int64_t h = 0; h <= 20; ++h) {
    for (int64_t w = 0; w <= 36; ++w) {
      RoundTrip(Noise(h, w, 1).view());
      RoundTrip(Noise(h, w, 2, 1).view());
      RoundTrip(SoftMask(h, w, 3).view());
      RoundTrip(Gradient(h, w, 0, 3).view());
      if (HasFailure()) return;
    }
  }
}

TEST(LosslessPlaneTest, ViewsWithStridesComeBack) {
  Tensor<uint8_t> pixels(33, 40, 4);
  const Tensor<uint8_t> alpha = SoftMask(33, 40, 4);
  for (int64_t y = 0; y < 33; ++y) {
    for (int64_t x = 0; x < 40; ++x) pixels.view().At(y, x)[3] = *alpha.view().At(y, x);
  }
  const TensorView<uint8_t> view{pixels.data() + 3, 33, 40, 1, 160, 4};
  const Bytes stream = RoundTrip(view);
  EXPECT_EQ(stream, Encode(alpha.view()));
  const TensorView<uint8_t> window = view.Window(3, 5, 20, 30);
  RoundTrip(window);
  Tensor<uint8_t> target(33, 40, 4);
  ASSERT_TRUE(DecodeLosslessPlane(stream, {target.data() + 3, 33, 40, 1, 160, 4}).ok());
  EXPECT_TRUE(std::equal(pixels.data(), pixels.data() + pixels.size(), target.data()));
}

TEST(LosslessPlaneTest, AnOpaquePlaneTakesNoBytesAndOtherConstantsFew) {
  for (const int64_t size : {1, 16, 100, 700}) {
    const auto constant = [=](double v) {
      return MakePlane(size, size, [=](int64_t, int64_t) { return v; });
    };
    EXPECT_EQ(RoundTrip(constant(255).view()).size(), 0u);
    EXPECT_LE(RoundTrip(constant(0).view()).size(), 8u);
    EXPECT_LE(RoundTrip(constant(77).view()).size(), 8u);
  }
}

// Alternating rows cannot be repeated; runs must carry them.
TEST(LosslessPlaneTest, ConstantRowsCostFarLessThanABitForEightPixels) {
  const Tensor<uint8_t> stripes =
      MakePlane(512, 512, [](int64_t y, int64_t) { return static_cast<double>(y * 37 % 251); });
  EXPECT_LT(RoundTrip(stripes.view()).size() * 8, 512u * 512 / 16);
}

TEST(LosslessPlaneTest, NoiseCostsNoMoreThanItself) {
  const Tensor<uint8_t> noise = Noise(100, 100, 3);
  EXPECT_LE(RoundTrip(noise.view()).size(), LosslessPlaneBound(100, 100));
  std::mt19937 random(4);
  const Tensor<uint8_t> dither =
      MakePlane(1000, 100, [&](int64_t, int64_t) { return random() % 2 ? 255.0 : 0.0; });
  EXPECT_LE(RoundTrip(dither.view()).size(), 100000u / 7);
}

struct Rival {
  std::string name;
  Tensor<uint8_t> plane;
  double ratio;  // of the best of five PNG encodings
};

TEST(LosslessPlaneTest, BeatsPngLevelNine) {
  std::vector<Rival> rivals;
  rivals.push_back({"sharp mask", SoftMask(512, 512, 1.5), 0.58});
  rivals.push_back({"soft mask", SoftMask(512, 512, 12), 0.55});
  rivals.push_back({"feathered mask", SoftMask(512, 512, 60), 0.82});
  rivals.push_back({"clean gradient", Gradient(512, 512, 0, 5), 0.92});
  rivals.push_back({"slightly noisy gradient", Gradient(512, 512, 0.6, 6), 0.78});
  rivals.push_back({"noisy gradient", Gradient(512, 512, 3, 7), 0.97});
  rivals.push_back({"small soft mask", SoftMask(48, 48, 6), 0.63});
  for (const Rival& rival : rivals) {
    const size_t ours = RoundTrip(rival.plane.view()).size();
    const size_t png = BestPngSize(rival.plane);
    EXPECT_LT(static_cast<double>(ours), rival.ratio * static_cast<double>(png)) << rival.name;
    std::cout << rival.name << ": " << ours << " bytes, PNG " << png << ", ratio "
              << static_cast<double>(ours) / static_cast<double>(png) << '\n';
  }
}

TEST(LosslessPlaneTest, SmallBuffersAreReportedAndNotOverrun) {
  const Tensor<uint8_t> plane = SoftMask(40, 50, 5);
  const Bytes want = Encode(plane.view());
  for (size_t capacity = 0; capacity <= want.size() + 3; ++capacity) {
    Bytes out(capacity + 1, std::byte{0xaa});
    const Result<size_t> size = EncodeLosslessPlane(plane.view(), {out.data(), capacity});
    EXPECT_EQ(size.ok(), capacity >= want.size()) << capacity;
    if (!size.ok()) {
      EXPECT_EQ(size.status().code(), StatusCode::kOverLimit);
    }
    EXPECT_EQ(out[capacity], std::byte{0xaa});
  }
}

TEST(LosslessPlaneTest, LongerStreamsAreCorruptAndShorterOnesErrorsOrNoise) {
  const Tensor<uint8_t> plane = SoftMask(40, 50, 5);
  Tensor<uint8_t> decoded(40, 50);
  const Bytes stream = Encode(plane.view());
  Bytes longer = stream;
  longer.insert(longer.end(), 3, std::byte{1});
  EXPECT_FALSE(DecodeLosslessPlane(longer, decoded.view()).ok());
  EXPECT_EQ(DecodeLosslessPlane(Bytes(2001), decoded.view()).code(), StatusCode::kCorrupt);
  int missed = 0;
  for (size_t size = 1; size < stream.size(); ++size) {
    missed += DecodeLosslessPlane({stream.data(), size}, decoded.view()).ok();
  }
  EXPECT_LE(missed, static_cast<int>(stream.size() / 8)) << "of " << stream.size();
}

TEST(LosslessPlaneTest, HostileBytesGiveNoiseOrAnError) {
  std::mt19937 random(8);
  for (int i = 0; i < 3000; ++i) {
    Tensor<uint8_t> plane(1 + static_cast<int64_t>(random() % 30),
                          1 + static_cast<int64_t>(random() % 50));
    Bytes bytes(random() % 200);
    for (std::byte& b : bytes) b = static_cast<std::byte>(i % 3 ? random() : 0xff);
    (void)DecodeLosslessPlane(bytes, plane.view());
  }
}

}  // namespace
}  // namespace godwit
