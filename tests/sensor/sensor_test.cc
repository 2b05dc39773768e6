// The firmware library writes the host's bytes, whatever the size, the input and the chunks, and
// survives misuse.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "codecs/image/image_decoder.h"
#include "tests/codecs/test_pictures.h"
#include "tests/sensor/sensor_encoder.h"

namespace godwit {
namespace {

void ExpectHostBytes(const gws_params& p, const Tensor<uint8_t>& picture, const std::string& name) {
  const auto stride = static_cast<size_t>(picture.width() * picture.channels());
  gws_stats stats{};
  const Bytes file = SensorEncode(p, picture.data(), stride, &stats);
  EXPECT_TRUE(file == HostEncode(p, picture.view())) << name;
  EXPECT_EQ(stats.dropped_symbols + stats.dropped_layers, 0u) << name;
}

TEST(SensorTest, AllSizesUpTo40GiveTheHostsBytes) {
  for (int64_t h = 1; h <= 40; ++h) {
    for (int64_t w = 1; w <= 40; ++w) {
      const int64_t channels = (w + h) % 4 == 0 ? 1 : 3;
      const int step = static_cast<int>((w * 41 + h * 7) % 352);
      gws_params p = SensorParams(w, h, channels == 1 ? GWS_GREY : GWS_RGB888, step);
      p.tile_height = w % 2 != 0 ? 32 : 0;
      ExpectHostBytes(p, MakePicture(h, w, channels, static_cast<uint32_t>(w)),
                      std::to_string(w) + "x" + std::to_string(h));
    }
  }
}

TEST(SensorTest, StepsLayersAndTilesGiveTheHostsBytes) {
  const Tensor<uint8_t> picture = MakePicture(150, 100, 3), grey = MakePicture(150, 100, 1);
  for (int step = 0; step <= 351; step += 13) {
    gws_params p = SensorParams(100, 150, GWS_RGB888, step);
    p.layers = static_cast<uint8_t>(step % 9);
    p.tile_height = static_cast<uint16_t>(32 << step % 5);
    ExpectHostBytes(p, picture, "step " + std::to_string(step));
    p.input = GWS_GREY;
    ExpectHostBytes(p, grey, "grey, step " + std::to_string(step));
  }
}

TEST(SensorTest, NoiseAndFlatPicturesGiveTheHostsBytes) {
  std::mt19937 random(3);
  for (const int contrast : {0, 1, 8, 255}) {
    Tensor<uint8_t> picture(70, 90, 3);
    for (int64_t i = 0; i < picture.size(); ++i)
      picture.data()[i] =
          static_cast<uint8_t>(128 + static_cast<int>(random() % 256 - 128) * contrast / 255);
    for (const int step : {40, 150, 250})
      ExpectHostBytes(SensorParams(90, 70, GWS_RGB888, step), picture, std::to_string(contrast));
    for (int64_t i = 0; i < picture.size(); ++i) picture.data()[i] = random() % 2 != 0 ? 255 : 0;
    for (const int step : {100, 200, 300})
      ExpectHostBytes(SensorParams(90, 70, GWS_RGB888, step), picture, "black and white");
  }
}

TEST(SensorTest, ChunksOfRowsAndBytesChangeNothing) {
  const Tensor<uint8_t> picture = MakePicture(133, 70, 3);
  gws_params p = SensorParams(70, 133, GWS_RGB888, 180);
  p.tile_height = 32;
  const Bytes want = HostEncode(p, picture.view());
  std::mt19937 random(5);
  for (int round = 0; round < 60; ++round) {
    const bool strips = round % 3 == 2;
    p.whole_strips = strips;
    const SensorMemory memory(gws_mem_size(&p));
    gws* const encoder = gws_init(memory.data(), memory.size(), &p, nullptr);
    ASSERT_NE(encoder, nullptr);
    const auto most_rows = static_cast<uint32_t>(1 + random() % 50),
               most_bytes = static_cast<uint32_t>(1 + random() % 100);
    const Chunks rows = [&](uint32_t most) {
      if (strips) return std::min(most, static_cast<uint32_t>(8 * (1 + random() % 5)));
      return std::min<uint32_t>(most, static_cast<uint32_t>(random() % (most_rows + 1)));
    };
    const Chunks bytes = [&](uint32_t most) {
      return std::min<uint32_t>(most, static_cast<uint32_t>(random() % (most_bytes + 1)));
    };
    for (int again = 0; again < 2; ++again) {
      EXPECT_TRUE(RunSensor(encoder, p, picture.data(), 210, rows, bytes) == want) << round;
      ASSERT_EQ(gws_reset(encoder), GWS_OK);
    }
  }
}

TEST(SensorTest, OneRowAtATimeMayHaveAnyStride) {
  const Tensor<uint8_t> picture = MakePicture(41, 30, 1);
  gws_params p = SensorParams(30, 41, GWS_GREY, 180);
  const Bytes want = HostEncode(p, picture.view());
  for (const size_t stride : {size_t{0}, size_t{30}, SIZE_MAX}) {
    const SensorMemory memory(gws_mem_size(&p));
    gws* const encoder = gws_init(memory.data(), memory.size(), &p, nullptr);
    ASSERT_NE(encoder, nullptr);
    Bytes file;
    std::byte some[500];
    for (int64_t y = 0; y < 41;) {
      uint32_t taken = 0;
      ASSERT_LE(gws_push_rows(encoder, picture.data() + 30 * y, stride, 1, &taken), GWS_PULL);
      y += taken;
      for (size_t n = 1; n > 0;) {
        ASSERT_EQ(gws_pull(encoder, some, sizeof some, &n), GWS_OK);
        file.insert(file.end(), some, some + n);
      }
    }
    EXPECT_EQ(gws_finish(encoder), GWS_OK);
    EXPECT_TRUE(file == want) << stride;
  }
}

TEST(SensorTest, AResetInTheMiddleForgetsEverything) {
  const Tensor<uint8_t> picture = MakePicture(100, 50, 3), other = MakePicture(100, 50, 3, 9);
  const gws_params p = SensorParams(50, 100, GWS_RGB888, 160);
  const SensorMemory memory(gws_mem_size(&p));
  gws* const encoder = gws_init(memory.data(), memory.size(), &p, nullptr);
  const Bytes want = HostEncode(p, picture.view());
  for (const uint32_t rows : {1u, 8u, 31u, 33u, 64u}) {
    uint32_t taken = 0;
    size_t n = 0;
    std::byte some[10];
    ASSERT_EQ(gws_pull(encoder, some, rows % 10, &n), GWS_OK);
    ASSERT_LE(gws_push_rows(encoder, other.data(), 150, rows, &taken), GWS_PULL);
    ASSERT_EQ(gws_reset(encoder), GWS_OK);
    const Chunks all = [](uint32_t most) { return most; };
    EXPECT_TRUE(RunSensor(encoder, p, picture.data(), 150, all, all) == want) << rows;
    ASSERT_EQ(gws_reset(encoder), GWS_OK);
  }
}

TEST(SensorTest, OtherInputsGiveTheBytesOfTheirRgb) {
  constexpr int64_t kWidth = 46, kHeight = 35;
  const Tensor<uint8_t> source = MakePicture(kHeight, kWidth, 3);
  Tensor<uint8_t> rgb(kHeight, kWidth, 3);
  std::vector<uint8_t> little, big, yuyv;
  for (int64_t i = 0; i < kWidth * kHeight; ++i) {
    const uint8_t* const s = source.data() + 3 * i;
    const int r = s[0] >> 3, g = s[1] >> 2, b = s[2] >> 3, v = r << 11 | g << 5 | b;
    uint8_t* const t = rgb.data() + 3 * i;
    t[0] = static_cast<uint8_t>(r << 3 | r >> 2);
    t[1] = static_cast<uint8_t>(g << 2 | g >> 4);
    t[2] = static_cast<uint8_t>(b << 3 | b >> 2);
    little.push_back(static_cast<uint8_t>(v & 255));
    little.push_back(static_cast<uint8_t>(v >> 8));
    big.push_back(static_cast<uint8_t>(v >> 8));
    big.push_back(static_cast<uint8_t>(v & 255));
  }
  gws_params p = SensorParams(kWidth, kHeight, GWS_RGB565, 150);
  const Bytes want = HostEncode(p, rgb.view());
  EXPECT_TRUE(SensorEncode(p, little.data(), 2 * kWidth) == want);
  p.input = GWS_RGB565_BE;
  EXPECT_TRUE(SensorEncode(p, big.data(), 2 * kWidth) == want);

  p.input = GWS_YUYV;
  std::mt19937 random(7);
  for (int64_t i = 0; i < kWidth * kHeight / 2; ++i) {
    int yuyv4[4];
    for (int k = 0; k < 4; ++k)
      yuyv4[k] = static_cast<int>(i % 9 == 0 ? random() % 256  // beyond what cameras give
                                             : random() % 64 + static_cast<uint32_t>(3 * i % 160));
    for (int k = 0; k < 4; ++k) yuyv.push_back(static_cast<uint8_t>(yuyv4[k]));
    for (int64_t k = 0; k < 2; ++k) {
      // BT.601: 16..235 to 0..255, in 1/256.
      const int y = 298 * (yuyv4[2 * k] - 16) + 128, u = yuyv4[1] - 128, v = yuyv4[3] - 128;
      const auto limit = [](int x) { return static_cast<uint8_t>(std::clamp(x >> 8, 0, 255)); };
      uint8_t* const t = rgb.data() + 3 * (2 * i + k);
      t[0] = limit(y + 409 * v);
      t[1] = limit(y - 100 * u - 208 * v);
      t[2] = limit(y + 516 * u);
    }
  }
  EXPECT_TRUE(SensorEncode(p, yuyv.data(), 2 * kWidth) == HostEncode(p, rgb.view()));
}

TEST(SensorTest, WhatDoesNotFitIsLeftOutAndSaidAndTheFileDecodes) {
  const Tensor<uint8_t> picture = MakePicture(100, 120, 3);
  const gws_params roomy = SensorParams(120, 100, GWS_RGB888, 100);
  const double best =
      Psnr(picture, DecodePicture(HostEncode(roomy, picture.view()), ShippedModel(), nullptr));
  for (uint32_t bytes = 1; bytes < 6000; bytes = bytes * 3 + 1) {
    gws_params p = roomy;
    gws_stats stats{};
    p.output_bytes = bytes;
    const Bytes few = SensorEncode(p, picture.data(), 360, &stats);
    EXPECT_GT(stats.dropped_layers, 0u) << bytes;
    EXPECT_EQ(stats.dropped_symbols, 0u);
    EXPECT_LE(few.size(), 2 * bytes + 200);
    EXPECT_LT(Psnr(picture, DecodePicture(few, ShippedModel(), nullptr)), best);
    p = roomy;
    p.symbol_bytes = bytes;
    const Bytes poor = SensorEncode(p, picture.data(), 360, &stats);
    EXPECT_GT(stats.dropped_symbols, 0u) << bytes;
    EXPECT_EQ(stats.dropped_layers, 0u);
    EXPECT_LT(Psnr(picture, DecodePicture(poor, ShippedModel(), nullptr)), best);
  }
}

TEST(SensorTest, MisuseHasItsCodeAndDoesNoHarm) {
  gws_params p = SensorParams(40, 50, GWS_RGB888, 150);
  const size_t size = gws_mem_size(&p);
  ASSERT_GT(size, 0u);
  const SensorMemory memory(size);
  auto* const bytes = static_cast<uint8_t*>(memory.data());
  gws_status status = GWS_OK;
  EXPECT_EQ(gws_mem_size(nullptr), 0u);
  EXPECT_EQ(gws_init(nullptr, size, &p, &status), nullptr);
  EXPECT_EQ(status, GWS_ERR_NULL);
  EXPECT_EQ(gws_init(bytes, size, nullptr, &status), nullptr);
  EXPECT_EQ(status, GWS_ERR_NULL);
  EXPECT_EQ(gws_init(bytes, 0, &p, &status), nullptr);
  EXPECT_EQ(status, GWS_ERR_MEMORY);
  EXPECT_EQ(gws_init(bytes, size - 1, &p, &status), nullptr);
  EXPECT_EQ(status, GWS_ERR_MEMORY);
  EXPECT_EQ(gws_init(bytes + 4, size, &p, &status), nullptr);
  EXPECT_EQ(status, GWS_ERR_MEMORY);
  EXPECT_EQ(bytes[0], 0x5a);  // nothing was written
  const auto params = [&](auto change) {
    gws_params wrong = p;
    change(wrong);
    EXPECT_EQ(gws_mem_size(&wrong), 0u);
    EXPECT_EQ(gws_init(bytes, size, &wrong, &status), nullptr);
    return status;
  };
  EXPECT_EQ(params([](gws_params& w) { w.width = 0; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.width = 16385; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.height = 0; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.height = 0x80000001u; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.input = 9; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.step_index = 352; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.tile_height = 16; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.tile_height = 96; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.tile_height = 8192; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.layers = 9; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.whole_strips = 2; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.symbol_bytes = 60001; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.output_bytes = 1000001; }), GWS_ERR_PARAMS);
  EXPECT_EQ(params([](gws_params& w) { w.width = 41, w.input = GWS_YUYV; }), GWS_ERR_PARAMS);

  uint32_t taken = 7;
  size_t n = 7;
  gws_stats stats{};
  uint8_t row[120] = {}, out[10];
  gws* const none = static_cast<gws*>(memory.data());  // 0x5a everywhere
  EXPECT_EQ(gws_push_rows(none, row, 120, 1, &taken), GWS_ERR_STATE);
  EXPECT_EQ(taken, 0u);
  EXPECT_EQ(gws_pull(none, out, 10, &n), GWS_ERR_STATE);
  EXPECT_EQ(n, 0u);
  EXPECT_EQ(gws_finish(none), GWS_ERR_STATE);
  EXPECT_EQ(gws_reset(none), GWS_ERR_STATE);
  EXPECT_EQ(gws_get_stats(none, &stats), GWS_ERR_STATE);

  gws* const e = gws_init(bytes, size, &p, &status);
  ASSERT_NE(e, nullptr);
  EXPECT_EQ(status, GWS_OK);
  EXPECT_EQ(gws_push_rows(nullptr, row, 120, 1, &taken), GWS_ERR_NULL);
  EXPECT_EQ(gws_push_rows(e, nullptr, 120, 1, &taken), GWS_ERR_NULL);
  EXPECT_EQ(gws_push_rows(e, row, 120, 1, nullptr), GWS_ERR_NULL);
  EXPECT_EQ(gws_pull(nullptr, out, 10, &n), GWS_ERR_NULL);
  EXPECT_EQ(gws_pull(e, nullptr, 10, &n), GWS_ERR_NULL);
  EXPECT_EQ(gws_pull(e, out, 10, nullptr), GWS_ERR_NULL);
  EXPECT_EQ(gws_finish(nullptr), GWS_ERR_NULL);
  EXPECT_EQ(gws_reset(nullptr), GWS_ERR_NULL);
  EXPECT_EQ(gws_get_stats(nullptr, &stats), GWS_ERR_NULL);
  EXPECT_EQ(gws_get_stats(e, nullptr), GWS_ERR_NULL);
  EXPECT_EQ(gws_push_rows(e, row, 119, 2, &taken), GWS_ERR_STRIDE);
  EXPECT_EQ(gws_push_rows(e, row, 120, 51, &taken), GWS_ERR_ROWS);
  EXPECT_EQ(gws_push_rows(e, nullptr, 0, 0, &taken), GWS_OK);
  EXPECT_EQ(gws_finish(e), GWS_ERR_ROWS);
  // Nobody pulls: the rows stop, and nothing is lost.
  const Tensor<uint8_t> picture = MakePicture(50, 40, 3);
  EXPECT_EQ(gws_push_rows(e, picture.data(), 120, 50, &taken), GWS_PULL);
  EXPECT_LT(taken, 50u);
  const uint32_t before = taken;
  EXPECT_EQ(gws_push_rows(e, picture.data() + 120 * before, 120, 50 - before, &taken), GWS_PULL);
  EXPECT_EQ(gws_finish(e), GWS_ERR_ROWS);

  p.whole_strips = 1;
  gws* const strips = gws_init(bytes, size, &p, &status);
  ASSERT_NE(strips, nullptr);
  EXPECT_EQ(gws_push_rows(strips, picture.data(), 120, 7, &taken), GWS_ERR_STRIP);
  EXPECT_EQ(gws_push_rows(strips, picture.data(), 120, 16, &taken), GWS_OK);
  for (int s = GWS_OK; s <= GWS_ERR_INPUT; ++s) EXPECT_STRNE(gws_status_text(s), "unknown");
  EXPECT_STREQ(gws_status_text(99), "unknown");
}

}  // namespace
}  // namespace godwit
