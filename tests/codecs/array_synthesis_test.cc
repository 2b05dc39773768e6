// Corrections of a network to decoded arrays: equal to a second opinion written from the document,
// at all levels; the same whatever is decoded at once; bounded.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/crc32c.h"
#include "codecs/array/slice_synthesis.h"
#include "tests/codecs/test_array_synthesis.h"
#include "tests/codecs/test_arrays.h"

namespace godwit {
namespace {

using array::BoundsOf;
using array::CorrectSlices;
using array::ValueBounds;
using array::WaveletShape;

ArraySynthesis Synthesis(unsigned seed) {
  Result<ArraySynthesis> synthesis = TestArraySynthesis(seed);
  EXPECT_TRUE(synthesis.ok()) << synthesis.status().message();
  return *std::move(synthesis);
}

// docs/format/array.md section 10 in plain loops over whole slices.
std::vector<int32_t> Reference(const TestNetwork& net, const std::array<int64_t, 3>& sides,
                               uint64_t step, ValueBounds bounds, std::vector<int32_t> samples) {
  const int64_t places = sides[0], height = sides[1],
                width = sides[2];  // clang captures no bindings
  const auto bits = [](uint64_t v) {
    int n = 0;
    for (; v != 0; v >>= 1) ++n;
    return n;
  };
  const int n = std::max(0, bits(step) - 32), b = bits(step >> n), s = b + 7 + n;
  const int64_t factor = static_cast<int64_t>((uint64_t{1} << (b + 29)) / (step >> n));
  std::vector<int64_t> scaled;
  for (int32_t& v : samples) {
    v = std::clamp(v, bounds.least, bounds.largest);
    const int64_t x = (v * factor + (int64_t{1} << (s - 1))) >> s;
    scaled.push_back(std::clamp<int64_t>(x, -(1 << 24), 1 << 24));
  }
  const auto at = [&](int64_t z, int64_t y, int64_t x) {
    return scaled[static_cast<size_t>((z * height + std::min(y, height - 1)) * width +
                                      std::min(x, width - 1))];
  };
  const auto mean = [&](int64_t z, int64_t row, int64_t column) {
    int64_t sum = 32;
    for (int i = 0; i < 64; ++i) sum += at(z, row * 8 + i / 8, column * 8 + i % 8);
    return sum >> 6;
  };
  const auto k = [](int64_t v) {
    const int64_t size = std::abs(v), level = size <= 64 ? size : 64 + (size - 64) / 8;
    return static_cast<int>(std::min<int64_t>(level, 127)) * (v < 0 ? -1 : 1);
  };
  const int64_t rows = (height + 7) / 8, columns = (width + 7) / 8;
  for (int64_t z = 0; z < places; ++z) {
    TestPicture in{rows, columns, 194, true,
                   std::vector<int>(static_cast<size_t>(rows * columns * 194))};
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        const int64_t m = mean(z, r, c);
        for (int i = 0; i < 64; ++i) {
          const int64_t y = r * 8 + i / 8, x = c * 8 + i % 8, here = at(z, y, x);
          in.At(r, c, i) = k((here - m + 1) >> 1);
          in.At(r, c, 64 + i) = z == 0 ? 0 : k((at(z - 1, y, x) - here + 1) >> 1);
          in.At(r, c, 128 + i) = z + 1 == places ? 0 : k((at(z + 1, y, x) - here + 1) >> 1);
        }
        in.At(r, c, 192) = c == 0 ? 0 : k(m - mean(z, r, c - 1));
        in.At(r, c, 193) = r == 0 ? 0 : k(m - mean(z, r - 1, c));
      }
    }
    TestPicture out = net.Reference(in);
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        int32_t& v = samples[static_cast<size_t>((z * height + y) * width + x)];
        const int64_t c = out.At(y / 8, x / 8, y % 8 * 8 + x % 8);
        const int64_t changed = v + ((c * static_cast<int64_t>(step) + (1 << 22)) >> 23);
        v = static_cast<int32_t>(std::clamp<int64_t>(changed, -(1 << 30), 1 << 30));
      }
    }
  }
  return samples;
}

// Waves of a few steps with noise, and some samples far away.
std::vector<int32_t> Values(int64_t count, uint64_t step, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> values;
  const double unit = static_cast<double>(step) / 65536;
  for (int64_t i = 0; i < count; ++i) {
    double v =
        unit * (3 * std::sin(static_cast<double>(i) / 7) + static_cast<double>(random() % 64) / 32);
    if (random() % 50 == 0) v *= 1000;
    values.push_back(static_cast<int32_t>(std::clamp(v, -0x1p30, 0x1p30)));
  }
  return values;
}

class SliceSynthesisTest : public testing::TestWithParam<SimdLevel> {};

TEST_P(SliceSynthesisTest, EqualsTheReference) {
  const TestNetwork net = PatchNetwork(1);
  const ArraySynthesis synthesis = Synthesis(1);
  const std::array<int64_t, 3> shapes[] = {{1, 2, 2},  {1, 8, 8},    {3, 9, 17}, {2, 2, 33},
                                           {4, 41, 5}, {1, 3, 2100}, {2, 70, 9}};
  const uint64_t steps[] = {1 << 8, 3 << 16, (uint64_t{1} << 32) + 12345, uint64_t{1} << 40};
  for (const auto& sides : shapes) {
    for (const uint64_t step : steps) {
      for (const ValueBounds bounds : {ValueBounds{}, ValueBounds{-50, 70}}) {
        std::vector<int32_t> got = Values(sides[0] * sides[1] * sides[2], step, 2);
        const std::vector<int32_t> start = got, want = Reference(net, sides, step, bounds, got);
        const Status status =
            CorrectSlices(synthesis, GetParam(), WaveletShape{sides, {}}, step, bounds, got.data());
        ASSERT_TRUE(status.ok()) << status.message();
        EXPECT_EQ(got, want) << sides[0] << "x" << sides[1] << "x" << sides[2] << " step " << step;
        if (step > 1 << 20) {
          EXPECT_NE(got, start);
        }
      }
    }
  }
}

TEST_P(SliceSynthesisTest, LinesStayAsTheyAre) {
  const ArraySynthesis synthesis = Synthesis(1);
  for (const std::array<int64_t, 3>& sides :
       {std::array<int64_t, 3>{1, 1, 1}, {1, 1, 100}, {5, 1, 20}, {5, 20, 1}}) {
    std::vector<int32_t> got = Values(sides[0] * sides[1] * sides[2], 1 << 24, 3);
    const std::vector<int32_t> want = got;
    EXPECT_TRUE(CorrectSlices(synthesis, GetParam(), WaveletShape{sides, {}}, 1 << 24,
                              ValueBounds{-5, 5}, got.data())
                    .ok());
    EXPECT_EQ(got, want);
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, SliceSynthesisTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

NdArray Volume(SampleType type, std::vector<int64_t> sides) {
  NdArray a{type, ShapeOf(sides), {}};
  const auto count = static_cast<size_t>(a.shape.count());
  a.data.resize(count * SampleBytes(type));
  std::mt19937 random(7);
  for (size_t i = 0; i < count; ++i) {
    const double v =
        60 + 40 * std::sin(static_cast<double>(i) / 11) + static_cast<double>(random() % 20);
    WithSampleType(type, [&](auto t) { a.As<decltype(t)>()[i] = static_cast<decltype(t)>(v); });
  }
  return a;
}

TEST(ArraySynthesisTest, AnyPartAndAnyThreadsGiveTheSameSamples) {
  const ArraySynthesis synthesis = Synthesis(2);
  const NdArray a = Volume(SampleType::kI16, {21, 37, 50});
  const Bytes file =
      Encoded(a, {.channel_axes = 0, .wavelet_step = 12, .tile_samples = 9000, .threads = 1});
  const auto plain = Decoded(file), whole = Decoded(file, {.threads = 1, .synthesis = &synthesis});
  ASSERT_TRUE(plain.ok() && whole.ok());
  EXPECT_NE(plain->data, whole->data);
  EXPECT_EQ(Decoded(file, {.threads = 3, .synthesis = &synthesis})->data, whole->data);
  const array::Box part{{2, 5, 40, 0}, {18, 30, 7, 1}};
  const auto cut = Decoded(file, {.synthesis = &synthesis, .part = part});
  ASSERT_TRUE(cut.ok());
  for (int64_t z = 0; z < 18; ++z) {
    for (int64_t y = 0; y < 30; ++y) {
      const auto from = static_cast<size_t>(((z + 2) * 37 + y + 5) * 50 + 40);
      ASSERT_EQ(std::memcmp(cut->As<int16_t>() + (z * 30 + y) * 7, whole->As<int16_t>() + from, 14),
                0);
    }
  }
}

TEST(ArraySynthesisTest, OtherMethodsAndLinesDecodeAsWithoutIt) {
  const ArraySynthesis synthesis = Synthesis(3);
  const NdArray a = Volume(SampleType::kU8, {5, 20, 20});
  const Bytes predicted = Encoded(a, {.max_error = 3});
  EXPECT_EQ(Decoded(predicted, {.synthesis = &synthesis})->data, Decoded(predicted)->data);
  const Bytes line = Encoded(Volume(SampleType::kF32, {900}), {.wavelet_step = 20});
  EXPECT_EQ(Decoded(line, {.synthesis = &synthesis})->data, Decoded(line)->data);
  const Bytes leads =
      Encoded(Volume(SampleType::kF32, {900, 3}), {.channel_axes = 2, .wavelet_step = 20});
  EXPECT_EQ(Decoded(leads, {.synthesis = &synthesis})->data, Decoded(leads)->data);
}

TEST(ArraySynthesisTest, EveryTypeAndChannelsOfAMixTakeCorrections) {
  const ArraySynthesis synthesis = Synthesis(4);
  for (const SampleType type :
       {SampleType::kU8, SampleType::kI8, SampleType::kU16, SampleType::kI16, SampleType::kU32,
        SampleType::kI32, SampleType::kF32, SampleType::kF64}) {
    for (const uint8_t axes : {uint8_t{0}, uint8_t{1}}) {
      const Bytes file =
          Encoded(Volume(type, {4, 24, 31}), {.channel_axes = axes, .wavelet_step = 30});
      const auto with = Decoded(file, {.synthesis = &synthesis});
      ASSERT_TRUE(with.ok()) << with.status().message();
      EXPECT_NE(with->data, Decoded(file)->data) << static_cast<int>(type) << " axes " << int{axes};
    }
  }
}

// What is mixed has no bounds of the type's: samples near them, where bounds would be felt.
TEST(ArraySynthesisTest, ChannelsOfAMixAreRecorded) {
  const ArraySynthesis synthesis = Synthesis(4);
  NdArray a = Volume(SampleType::kU8, {4, 24, 31});
  for (size_t i = 0; i < a.data.size(); ++i) {
    auto& v = reinterpret_cast<uint8_t&>(a.data[i]);
    const size_t x = i % 31, y = i % 744 / 31;  // the same in all channels, more or less
    v = static_cast<uint8_t>((x / 5 + y / 6) % 2 == 0 ? v % 8 : 255 - v % 8);
  }
  const auto back =
      Decoded(Encoded(a, {.channel_axes = 1, .wavelet_step = 30}), {.synthesis = &synthesis});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(Crc32c(back->data), 3538022773u);
}

TEST(ArraySynthesisTest, WhatIsNotFiniteComesBackAsItWas) {
  const ArraySynthesis synthesis = Synthesis(5);
  NdArray a = Volume(SampleType::kF32, {3, 20, 20});
  const float odd[] = {std::numeric_limits<float>::quiet_NaN(), INFINITY, -INFINITY};
  for (size_t i = 0; i < 30; ++i) a.As<float>()[i * 40 + i] = odd[i % 3];
  const auto back =
      Decoded(Encoded(a, {.channel_axes = 0, .wavelet_step = 10}), {.synthesis = &synthesis});
  ASSERT_TRUE(back.ok());
  for (size_t i = 0; i < 1200; ++i) {
    const float was = a.As<float>()[i], is = back->As<float>()[i];
    if (std::isfinite(was)) {
      EXPECT_TRUE(std::isfinite(is)) << i;
    } else {
      EXPECT_EQ(std::memcmp(&was, &is, 4), 0) << i;
    }
  }
}

TEST(ArraySynthesisTest, BoundsAreThoseOfTheType) {
  array::ValueMap map;
  map.kind = array::MapKind::kWavelet;
  map.type = SampleType::kU8;
  map.exponent = -4;
  map.offset = 2000;
  EXPECT_EQ(BoundsOf(map).least, -2000);
  EXPECT_EQ(BoundsOf(map).largest, 255 * 16 - 2000);
  map.type = SampleType::kU32;
  map.exponent = 3;
  EXPECT_EQ(BoundsOf(map).least, -2000);
  EXPECT_EQ(BoundsOf(map).largest, (1 << 29) - 1 - 2000);
  map.exponent = -12;
  EXPECT_EQ(BoundsOf(map).largest, 1 << 30);
  map.type = SampleType::kF32;
  EXPECT_EQ(BoundsOf(map).least, -(1 << 30));
}

TEST(ArraySynthesisTest, ItsMemoryCounts) {
  const ArraySynthesis synthesis = Synthesis(6);
  const Bytes file =
      Encoded(Volume(SampleType::kU8, {6, 50, 60}), {.channel_axes = 0, .wavelet_step = 10});
  DecodeLimits limits;
  const auto refused = [&](const ArraySynthesis* s) {
    const ArrayStream stream = *ParseArrayStream(file);
    return DecodeArray(stream, {.limits = limits, .synthesis = s}).status().code() ==
           StatusCode::kOverLimit;
  };
  uint64_t low = 0, high = uint64_t{1} << 32;  // the least that decodes without
  while (high - low > 1) {
    limits.max_memory_bytes = (low + high) / 2;
    (refused(nullptr) ? low : high) = limits.max_memory_bytes;
  }
  limits.max_memory_bytes = high;
  EXPECT_FALSE(refused(nullptr));
  EXPECT_TRUE(refused(&synthesis));
  const array::BoxOrder order{.places = 6, .height = 50, .width = 60};
  limits.max_memory_bytes = high + array::SliceWorkBytes(synthesis, order) - 1;
  EXPECT_TRUE(refused(&synthesis));
  ++limits.max_memory_bytes;
  EXPECT_FALSE(refused(&synthesis));
  // Sides that no memory holds are a large number, not a small one.
  const array::BoxOrder huge{.height = int64_t{1} << 40, .width = int64_t{1} << 40};
  EXPECT_GT(array::SliceWorkBytes(synthesis, huge), uint64_t{1} << 62);
}

TEST(ArraySynthesisTest, FilesThatAreNoneAreRefused) {
  const auto load = [](const SafeTensorsWriter& writer) {
    const Result<SafeTensors> file = SafeTensors::Parse(writer.Finish());
    EXPECT_TRUE(file.ok());
    return ArraySynthesis::Load(*file).status().code();
  };
  const TestNetwork good = PatchNetwork(1);
  EXPECT_EQ(load(PatchNetworkFile(good)), StatusCode::kOk);
  for (const auto& [key, value] :
       {std::pair("godwit.codec", "swift"), std::pair("godwit.kind", "stream")}) {
    SafeTensorsWriter writer = PatchNetworkFile(good);
    writer.SetMetadata(key, value);
    EXPECT_EQ(load(writer), StatusCode::kModelRefused) << key;
  }
  SafeTensorsWriter without_size = good.Writer("synthesis");
  without_size.SetMetadata("godwit.codec", "packet");
  without_size.SetMetadata("godwit.kind", "synthesis");
  EXPECT_EQ(load(without_size), StatusCode::kModelRefused);
  SafeTensorsWriter other_name = PatchNetworkFile(good);
  other_name.SetMetadata("network.synthesis", "{}");
  EXPECT_EQ(load(other_name), StatusCode::kModelRefused);
  const auto edited = [&](auto edit) {
    TestNetwork net{
        .input_channels = good.input_channels, .input_signed = true, .layers = good.layers};
    for (TestLayer& layer : net.layers)
      layer.weight.clear(), layer.bias.clear(), layer.mult.clear(), layer.shift.clear();
    edit(net);
    net.Randomise(1);
    return load(PatchNetworkFile(net));
  };
  EXPECT_EQ(edited([](TestNetwork&) {}), StatusCode::kOk);
  EXPECT_EQ(edited([](TestNetwork& n) { n.input_channels = 195; }), StatusCode::kModelRefused);
  EXPECT_EQ(edited([](TestNetwork& n) { n.input_signed = false; }), StatusCode::kModelRefused);
  EXPECT_EQ(edited([](TestNetwork& n) { n.layers.back().out = 63; }), StatusCode::kModelRefused);
  EXPECT_EQ(edited([](TestNetwork& n) { n.layers.back().is_signed = false; }),
            StatusCode::kModelRefused);
  EXPECT_EQ(
      edited([](TestNetwork& n) {
        n.layers.back().out = 256;
        n.layers.push_back({.op = "depth_to_space", .name = "up", .input = "tail", .block = 2});
      }),
      StatusCode::kModelRefused);
}

}  // namespace
}  // namespace godwit
