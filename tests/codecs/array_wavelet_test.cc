// Arrays at low rates: the wavelet method from samples to samples, its bands, and what strangers
// may send of it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "codecs/array/wavelet_bands.h"
#include "codecs/array/wavelet_context.h"
#include "codecs/array/wavelet_tile.h"
#include "io/container.h"
#include "models/registry.h"
#include "models/safetensors_writer.h"
#include "tests/base/sanitized.h"
#include "tests/codecs/test_arrays.h"

namespace godwit {
namespace {

// Waves along every axis with a little noise, from about 40 to 200 for all types, times `gain`.
NdArray Smooth(SampleType type, std::vector<int64_t> sides, double gain = 1, double offset = 0) {
  NdArray array{type, ShapeOf(sides), {}};
  const auto count = static_cast<size_t>(array.shape.count());
  array.data.resize(count * SampleBytes(type));
  std::mt19937 rng(static_cast<uint32_t>(count));
  for (size_t i = 0; i < count; ++i) {
    double v = 120;
    auto rest = static_cast<int64_t>(i);
    for (size_t a = sides.size(); a-- > 0; rest /= sides[a]) {
      v += 20 * std::sin(static_cast<double>(rest % sides[a]) / (5.0 + 2 * static_cast<double>(a)));
    }
    v = (v + static_cast<double>(rng() % 5)) * gain + offset;
    WithSampleType(type, [&](auto t) { array.As<decltype(t)>()[i] = static_cast<decltype(t)>(v); });
  }
  return array;
}
double Psnr(const NdArray& a, const NdArray& b) {
  const size_t count = a.data.size() / SampleBytes(a.type);
  double least = INFINITY, largest = -INFINITY, sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const double v = At(a, i), d = v - At(b, i);
    if (!std::isfinite(v)) continue;
    least = std::min(least, v);
    largest = std::max(largest, v);
    sum += d * d;
  }
  return 10 * std::log10((largest - least) * (largest - least) * static_cast<double>(count) / sum);
}

TEST(WaveletBandsTest, BandsTileTheBoxAndComeBack) {
  std::mt19937 rng(1);
  for (const std::array<int64_t, 3>& sides : {std::array<int64_t, 3>{1, 1, 1},
                                              {1, 1, 9},
                                              {1, 8, 8},
                                              {9, 17, 33},
                                              {64, 8, 5},
                                              {2, 3, 70}}) {
    for (int most = 0; most <= array::kMaxWaveletLevels; ++most) {
      const array::WaveletShape shape = array::ShapeWithLevels(sides, most);
      std::vector<int> seen(static_cast<size_t>(shape.count()));
      const auto bands = array::BandsOf(shape);
      for (size_t b = 0; b < bands.size(); ++b) {
        const array::WaveletBand& band = bands[b];
        EXPECT_FALSE(band.is_empty());
        EXPECT_LT(band.parent, static_cast<int>(b));
        for (const int s : band.siblings) EXPECT_LT(s, static_cast<int>(b));
        for (int64_t z = 0; z < band.size[0]; ++z) {
          for (int64_t y = 0; y < band.size[1]; ++y) {
            for (int64_t x = 0; x < band.size[2]; ++x) {
              ++seen[static_cast<size_t>(((band.begin[0] + z) * sides[1] + band.begin[1] + y) *
                                             sides[2] +
                                         band.begin[2] + x)];
            }
          }
        }
      }
      EXPECT_EQ(seen, std::vector<int>(seen.size(), 1));
      std::vector<int32_t> data(seen.size()), scratch(array::WaveletScratch(shape));
      for (int32_t& v : data) v = static_cast<int32_t>(rng());
      std::vector<int32_t> want;
      for (const SimdLevel level : SupportedSimdLevels()) {
        std::vector<int32_t> work = data;
        array::ForwardWavelet(level, shape, work.data(), scratch);
        if (want.empty()) want = work;
        EXPECT_EQ(work, want) << SimdLevelName(level);
        array::InverseWavelet(level, shape, work.data(), scratch);
        EXPECT_EQ(work, data);
      }
    }
  }
}

TEST(ArrayWaveletTest, EveryTypeAndShapeDecodesCloseToWhatItWas) {
  for (const SampleType type :
       {SampleType::kU8, SampleType::kI16, SampleType::kU16, SampleType::kI32, SampleType::kU32,
        SampleType::kF32, SampleType::kF64}) {
    for (const std::vector<int64_t>& sides : {std::vector<int64_t>{1},
                                              {2},
                                              {1000},
                                              {1, 1, 1, 1},
                                              {300, 3},
                                              {64, 31},
                                              {9, 20, 31},
                                              {40, 30, 2},
                                              {3, 4, 15, 16},
                                              {0},
                                              {3, 0, 2}}) {
      const NdArray array = Smooth(type, sides);
      const Bytes file = Encoded(array, {.wavelet_step = 4});
      const auto back = Decoded(file);
      ASSERT_TRUE(back.ok()) << back.status().message();
      EXPECT_EQ(back->shape, array.shape);
      if (array.data.empty()) continue;
      double sum = 0;
      const auto count = static_cast<size_t>(array.shape.count());
      for (size_t i = 0; i < count; ++i) sum += std::pow(At(array, i) - At(*back, i), 2);
      // A uniform quantiser's error is step^2 / 12 = 1.33; dead zone and rounding add to it.
      EXPECT_LT(sum / static_cast<double>(count), 2.5)
          << SampleTypeName(type) << " of " << sides.size() << " axes, " << sides[0];
    }
  }
}

TEST(ArrayWaveletTest, RatesAreLowAndFallWithTheStep) {
  const NdArray array = Smooth(SampleType::kF32, {24, 60, 70});
  size_t last = 1 << 20;
  double quality = 100;
  for (const double step : {1.0, 2.0, 5.0, 12.5, 40.0}) {
    const Bytes file = Encoded(array, {.wavelet_step = step});
    const auto back = Decoded(file);
    ASSERT_TRUE(back.ok());
    EXPECT_LT(file.size(), last) << step;
    EXPECT_LT(Psnr(array, *back), quality) << step;
    last = file.size();
    quality = Psnr(array, *back);
  }
  EXPECT_LT(last, 24u * 60 * 70 / 40);  // 0.2 bit a sample
  EXPECT_GT(quality, 20);
}

TEST(ArrayWaveletTest, LargeAndDistantValuesKeepTheirPrecision) {
  for (const auto& [gain, offset] :
       {std::pair<double, double>{1e-30, 0}, {1e30, 0}, {1, 1e6}, {0.01, -5000}, {1e-3, 1e-3}}) {
    const NdArray array = Smooth(SampleType::kF32, {40, 50}, gain, offset);
    const auto back = Decoded(Encoded(array, {.wavelet_step = gain}));
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_GT(Psnr(array, *back), 40) << gain << ' ' << offset;
  }
  const NdArray whole = Smooth(SampleType::kU32, {40, 50}, 1, 4e9);
  EXPECT_GT(Psnr(whole, *Decoded(Encoded(whole, {.wavelet_step = 1}))), 40);
  const NdArray wide = Smooth(SampleType::kI32, {40, 50}, 1.2e7, -2e9);
  EXPECT_GT(Psnr(wide, *Decoded(Encoded(wide, {.wavelet_step = 1e7}))), 40);
  for (const float v : {0.0f, 1e30f, -3e38f, 1e-42f}) {  // constant: the range says nothing
    NdArray flat{SampleType::kF32, ShapeOf({30}), {}};
    flat.data.resize(120);
    for (size_t i = 0; i < 30; ++i) flat.As<float>()[i] = v;
    const auto back = Decoded(Encoded(flat, {.wavelet_step = 1e-30}));
    ASSERT_TRUE(back.ok());
    EXPECT_NEAR(back->As<float>()[7], v, std::abs(v) * 1e-6 + 1e-30);
  }
}

TEST(ArrayWaveletTest, WhatIsNotFiniteSurvives) {
  NdArray array = Smooth(SampleType::kF32, {30, 40});
  auto* const v = array.As<float>();
  const uint32_t odd[] = {0x7fc00000, 0xffc12345, 0x7f800001, 0x7f800000, 0xff800000};
  for (size_t i = 0; i < std::size(odd); ++i) std::memcpy(v + i * 61, &odd[i], 4);
  for (size_t i = 600; i < 700; ++i) v[i] = std::numeric_limits<float>::quiet_NaN();
  NdArray doubles = Smooth(SampleType::kF64, {30, 40});
  const uint64_t nan = 0x7ff8000000000123;
  std::memcpy(doubles.As<double>() + 77, &nan, 8);
  const auto wide = Decoded(Encoded(doubles, {.wavelet_step = 8}));
  ASSERT_TRUE(wide.ok());
  EXPECT_EQ(std::memcmp(wide->As<double>() + 77, &nan, 8), 0);
  doubles.As<double>()[5] = 1.7e308;  // a range that no f64 holds
  doubles.As<double>()[900] = -1.7e308;
  const auto far = Decoded(Encoded(doubles, {.wavelet_step = 8}));
  ASSERT_TRUE(far.ok());
  EXPECT_EQ(far->As<double>()[5], 1.7e308);
  EXPECT_EQ(far->As<double>()[900], -1.7e308);
  EXPECT_NEAR(far->As<double>()[500], doubles.As<double>()[500], 30);
  const auto back = Decoded(Encoded(array, {.wavelet_step = 8}));
  ASSERT_TRUE(back.ok());
  for (size_t i = 0; i < 1200; ++i) {
    if (!std::isfinite(v[i])) {
      ASSERT_EQ(std::memcmp(v + i, back->As<float>() + i, 4), 0) << i;
    } else {
      ASSERT_LT(std::abs(v[i] - back->As<float>()[i]), 30) << i;
    }
  }
}

TEST(ArrayWaveletTest, ChannelsThatFollowFromOthersCostLittle) {
  // Eight channels, mixed from two.
  NdArray array{SampleType::kF32, ShapeOf({4000, 8}), {}};
  array.data.resize(4000 * 8 * 4);
  std::mt19937 rng(3);
  for (size_t t = 0; t < 4000; ++t) {
    const double a = static_cast<double>(rng() % 1000), b = static_cast<double>(rng() % 1000);
    for (size_t c = 0; c < 8; ++c) {
      const double angle = static_cast<double>(c) * 0.7;
      array.As<float>()[t * 8 + c] = static_cast<float>(a * std::cos(angle) + b * std::sin(angle));
    }
  }
  const Bytes file = Encoded(array, {.channel_axes = 2, .wavelet_step = 20});
  const auto back = Decoded(file);
  ASSERT_TRUE(back.ok());
  EXPECT_GT(Psnr(array, *back), 40);
  // Two components of white noise 2000 wide at 8 bits each; the eight channels apart are 1000 wide
  // and more, at seven bits 28000 bytes.
  EXPECT_LT(file.size(), 9000u);
}

TEST(ArrayWaveletTest, ThreadsChangeNoByteAndPartsNoSample) {
  const NdArray array = Smooth(SampleType::kU16, {60, 70, 4}, 20);
  const Bytes one =
      Encoded(array, {.channel_axes = 4, .wavelet_step = 30, .tile_samples = 3000, .threads = 1});
  EXPECT_EQ(
      Encoded(array, {.channel_axes = 4, .wavelet_step = 30, .tile_samples = 3000, .threads = 3}),
      one);
  const auto whole = Decoded(one);
  ASSERT_TRUE(whole.ok());
  const auto threads = Decoded(one, {.threads = 3});
  EXPECT_EQ(threads->data, whole->data);
  ArrayDecodeOptions options;
  options.part = {{11, 22, 1, 0}, {30, 33, 2, 1}};
  const auto part = Decoded(one, options);
  ASSERT_TRUE(part.ok());
  size_t n = 0;
  for (int64_t z = 0; z < 30; ++z) {
    for (int64_t y = 0; y < 33; ++y) {
      for (int64_t x = 0; x < 2; ++x) {
        ASSERT_EQ(part->As<uint16_t>()[n++],
                  whole->As<uint16_t>()[((11 + z) * 70 + 22 + y) * 4 + 1 + x]);
      }
    }
  }
}

// Noise whose neighbours are alike (0.95 along both axes), as in pictures.
NdArray Texture(int64_t side) {
  NdArray array{SampleType::kF32, ShapeOf({side, side}), {}};
  array.data.resize(static_cast<size_t>(side * side) * 4);
  auto* const v = array.As<float>();
  std::mt19937 rng(8);
  for (int64_t i = 0; i < side * side; ++i) {
    const float left = i % side > 0 ? v[i - 1] : 0, above = i >= side ? v[i - side] : 0;
    const float corner = i % side > 0 && i >= side ? v[i - side - 1] : 0;
    const auto noise = static_cast<float>(static_cast<int>(rng() % 2001) - 1000) / 100;
    v[i] = 0.95f * (left + above) - 0.9025f * corner + noise;
  }
  return array;
}

TEST(ArrayWaveletTest, ErrorsBesideSeamsAreLikeTheRest) {
  const NdArray array = Texture(256);
  for (const double step : {10.0, 40.0, 160.0}) {
    const Bytes file = Encoded(array, {.wavelet_step = step, .tile_samples = 128 * 128});
    const auto stream = ParseArrayStream(file);
    ASSERT_TRUE(stream.ok());
    ASSERT_EQ(stream->tiles.size(), 4u);
    const auto back = DecodeArray(*stream);
    ASSERT_TRUE(back.ok());
    // Squared errors beside the seam and in all.
    double seam = 0, all = 0;
    for (size_t i = 0; i < 256 * 256; ++i) {
      const double d = At(*back, i) - At(array, i);
      all += d * d;
      if (i % 256 == 127 || i % 256 == 128) seam += d * d;
    }
    EXPECT_LT(seam / 2, 2 * all / 256) << step;  // 1.46 to 1.63: the 9/7 at its ends
  }
}

TEST(ArrayWaveletTest, EveryPrefixIsReportedAsTruncated) {
  const Bytes file =
      Encoded(Smooth(SampleType::kI16, {40, 50}), {.wavelet_step = 3, .tile_samples = 500});
  for (size_t n = 0; n < file.size(); ++n) {
    const Bytes prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(n));
    EXPECT_EQ(Decoded(prefix).status().code(), StatusCode::kTruncated) << n;
  }
}

Bytes FileWith(const Bytes& head, const Bytes& tile) {
  ContainerWriter writer;
  writer.Add(SectionType::kArray, head);
  writer.Add(SectionType::kArrayTile, tile);
  return writer.Release();
}

TEST(ArrayWaveletTest, BytesAfterWholeChecksumsAreCorruptOrDecode) {
  NdArray floats = Smooth(SampleType::kF32, {12, 30});
  floats.As<float>()[9] = INFINITY;
  const Bytes files[] = {
      Encoded(floats, {.wavelet_step = 0.5}),
      Encoded(Smooth(SampleType::kI32, {500, 6}, 1000), {.channel_axes = 2, .wavelet_step = 100})};
  std::mt19937 rng(3);
  const int rounds = kSanitized ? 600 : 2000;
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto stream = ParseArrayStream(files[round % 2]);
    ASSERT_TRUE(stream.ok());
    Bytes altered(stream->tiles[0].begin(), stream->tiles[0].end());
    altered[rng() % altered.size()] ^= static_cast<std::byte>(1 + rng() % 255);
    if (rng() % 4 == 0) altered.resize(rng() % altered.size());
    refused += !Decoded(FileWith(array::WriteHead(stream->header), altered)).ok();
  }
  EXPECT_GT(refused, rounds * 9 / 10);  // what passes is the stream of other symbols
}

TEST(ArrayWaveletTest, HostileHeadsAreRefusedBeforeAnythingIsAllocated) {
  using enum StatusCode;
  const auto code = [](auto change, const DecodeLimits& limits = {}) {
    ArrayHeader h;
    h.type = SampleType::kU8;
    h.map.type = h.type;
    h.map.kind = array::MapKind::kWavelet;
    h.map.step = 1 << 16;
    h.levels = {5, 5, 5};
    h.shape = ShapeOf({4, 4});
    h.tile = {4, 4, 1, 1};
    change(h);
    return Decoded(FileWith(array::WriteHead(h), Bytes(8)), {.limits = limits}).status().code();
  };
  const int64_t k40 = int64_t{1} << 40;
  const DecodeLimits none{.max_pixels = ~uint64_t{0}, .max_memory_bytes = ~uint64_t{0} >> 1};
  EXPECT_EQ(code([&](ArrayHeader& h) { h.shape.dims[0] = h.tile[0] = k40; }), kOverLimit);
  EXPECT_EQ(code(
                [&](ArrayHeader& h) {
                  h.shape = ShapeOf({k40, k40, k40, k40});
                  h.tile = {k40, k40, k40, k40};
                  h.channel_axes = 1;
                },
                none),
            kOverLimit);
  EXPECT_EQ(code([&](ArrayHeader& h) {
              h.shape = ShapeOf({0, k40, k40});
              h.tile = {1, k40, k40, 1};
            }),
            kCorrupt);  // no samples, but a tile is there
  EXPECT_EQ(code([](ArrayHeader& h) { h.map.step = 255; }), kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.map.step = (uint64_t{1} << 40) + 1; }), kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.map.exponent = 33; }), kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.map.exponent = -13; }), kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.map.offset = (int64_t{1} << 50) + 1; }), kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.levels[1] = 9; }), kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.model_id = 77; }), kModelMissing);
  // Four million channels of two samples each take many times their size.
  EXPECT_EQ(code(
                [](ArrayHeader& h) {
                  h.shape = ShapeOf({1 << 22, 2});
                  h.tile = {1, 2, 1, 1};
                  h.channel_axes = 1;
                },
                {.max_memory_bytes = 512 << 20}),
            kOverLimit);
  EXPECT_EQ(code([](ArrayHeader&) {}, {.max_memory_bytes = 1 << 19}), kOverLimit);
}

TEST(ArrayWaveletTest, WorkIsNoMoreThanTheHeadSays) {
  for (const std::vector<int64_t>& sides :
       {std::vector<int64_t>{5000}, {3000, 7}, {70, 90}, {20, 30, 40}, {2, 3, 4}}) {
    for (const uint8_t axes : {uint8_t{0}, uint8_t{1}}) {
      const NdArray array = Smooth(SampleType::kI16, sides);
      const auto stream =
          ParseArrayStream(Encoded(array, {.channel_axes = axes, .wavelet_step = 9}));
      ASSERT_TRUE(stream.ok());
      const ArrayHeader& h = stream->header;
      const array::BoxOrder order = array::OrderOf(h, array::TileBox(h, 0));
      const array::WaveletShape shape = ShapeOf(h, order);
      uint64_t bytes = 4 * array::WaveletScratch(shape) +
                       static_cast<uint64_t>(8 * shape.count() * order.channels);
      for (int64_t c = 0; c < order.channels; ++c) {
        for (const array::WaveletBand& band : BandsOf(shape)) {
          array::BandSymbols s;
          s.Create(band.size, shape.sides, band.high == 0);
          bytes += sizeof s + 4 * (s.symbols.size() + s.errors.size());
        }
      }
      EXPECT_LE(bytes, array::WorkBytes(h, array::TileBox(h, 0)));
    }
  }
}

TEST(ArrayWaveletTest, WhatCannotBeEncodedIsSaid) {
  const NdArray array = Smooth(SampleType::kU8, {8, 8});
  for (const double step : {-1.0, double{NAN}, double{INFINITY}}) {
    EXPECT_EQ(EncodeArray(array, {.wavelet_step = step}).status().code(),
              StatusCode::kInvalidArgument);
  }
}

// A model whose probabilities are all `p1`.
Bytes ModelFile(uint16_t p1, uint8_t count, int32_t weight, int64_t bits_less = 0) {
  array::WaveletModel model;
  int64_t bits = -bits_less;
  model.ForEachBit([&](CountedBit&) { ++bits; });
  SafeTensorsWriter writer;
  writer.SetMetadata("godwit.codec", "packet");
  writer.SetMetadata("godwit.kind", "stream");
  const auto sets = static_cast<int64_t>(model.weights.size());
  writer.Add<uint16_t>("start.p1", {bits}, std::vector<uint16_t>(static_cast<size_t>(bits), p1));
  writer.Add<uint8_t>("start.count", {bits},
                      std::vector<uint8_t>(static_cast<size_t>(bits), count));
  writer.Add<int32_t>("start.weight", {sets, 7},
                      std::vector<int32_t>(static_cast<size_t>(sets) * 7, weight));
  writer.Add<int32_t>("start.sign_weight", {3}, std::vector<int32_t>(3, weight));
  return writer.Finish();
}
Result<ArrayModel> LoadModel(const Bytes& file) {
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors tensors, SafeTensors::Parse(file));
  return ArrayModel::Load(tensors, ModelIdOf(file));
}

TEST(ArrayModelTest, AStreamNeedsTheModelThatItNames) {
  const auto model = LoadModel(ModelFile(9000, 5, 12000)),
             other = LoadModel(ModelFile(9001, 5, 12000));
  ASSERT_TRUE(model.ok() && other.ok());
  const NdArray array = Smooth(SampleType::kI16, {20, 30, 12});
  const Bytes file = Encoded(array, {.wavelet_step = 6, .model = &*model});
  EXPECT_NE(file, Encoded(array, {.wavelet_step = 6}));
  EXPECT_EQ(Decoded(file).status().code(), StatusCode::kModelMissing);
  EXPECT_EQ(Decoded(file, {.model = &*other}).status().code(), StatusCode::kModelMissing);
  const auto back = Decoded(file, {.model = &*model});
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_GT(Psnr(array, *back), 30);
}

TEST(ArrayModelTest, FilesThatHoldWhatNoModelMayAreRefused) {
  using enum StatusCode;
  EXPECT_TRUE(LoadModel(ModelFile(0, array::WaveletModel::kLimit, 1 << 20)).ok());
  EXPECT_EQ(LoadModel(ModelFile(1, array::WaveletModel::kLimit + 1, 0)).status().code(),
            kModelRefused);
  EXPECT_EQ(LoadModel(ModelFile(1, 1, (1 << 20) + 1)).status().code(), kModelRefused);
  EXPECT_EQ(LoadModel(ModelFile(1, 1, 1, 1)).status().code(), kModelRefused);
  SafeTensorsWriter writer;
  EXPECT_EQ(LoadModel(writer.Finish()).status().code(), kModelRefused);
}

}  // namespace
}  // namespace godwit
