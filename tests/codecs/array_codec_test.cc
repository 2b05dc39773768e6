#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/crc32c.h"
#include "io/container.h"
#include "tests/base/sanitized.h"
#include "tests/codecs/test_arrays.h"

namespace godwit {
namespace {

constexpr SampleType kTypes[] = {SampleType::kU8,  SampleType::kI8,  SampleType::kU16,
                                 SampleType::kI16, SampleType::kU32, SampleType::kI32,
                                 SampleType::kF32, SampleType::kF64};

// A walk with jumps, from the type's least value to its largest.
NdArray Walk(SampleType type, const Shape& shape, uint32_t seed) {
  std::mt19937 rng(seed);
  NdArray array{type, shape, {}};
  const auto count = static_cast<size_t>(shape.count());
  array.data.resize(count * SampleBytes(type));
  int64_t v = 100;
  for (size_t i = 0; i < count; ++i) {
    v += static_cast<int64_t>(rng() % 9) - 4;
    if (rng() % 97 == 0) v = static_cast<int32_t>(rng());
    if (type == SampleType::kF32) {
      array.As<float>()[i] = static_cast<float>(v) * 0.37f;
    } else if (type == SampleType::kF64) {
      array.As<double>()[i] = static_cast<double>(v) * 0.37;
    } else {
      std::memcpy(array.data.data() + i * SampleBytes(type), &v, SampleBytes(type));
    }
  }
  return array;
}

TEST(ArrayCodecTest, EveryTypeAndShapeComesBackExactly) {
  uint32_t seed = 0;
  int count = 0;
  for (const SampleType type : kTypes) {
    for (const std::vector<int64_t>& sides : {std::vector<int64_t>{1},
                                              {2},
                                              {1000},
                                              {1, 1, 1, 1},
                                              {37, 1},
                                              {300, 3},
                                              {2, 500},
                                              {20, 31},
                                              {5, 6, 7},
                                              {40, 30, 2},
                                              {3, 4, 5, 6},
                                              {1, 9, 1, 70},
                                              {0},
                                              {3, 0, 2}}) {
      const NdArray array = Walk(type, ShapeOf(sides), ++seed);
      for (const int axes : {-1, 0, 1, 3}) {
        ArrayEncodeOptions options;
        if (axes >= 0) options.channel_axes = static_cast<uint8_t>(axes);
        if (axes >> sides.size() > 0 || (axes == 0 && sides.size() == 4)) continue;
        if (kSanitized && ++count % 3 != 0) continue;
        const auto back = Decoded(Encoded(array, options));
        ASSERT_TRUE(back.ok()) << back.status().message();
        EXPECT_EQ(back->shape, array.shape);
        EXPECT_EQ(back->data, array.data) << SampleTypeName(type) << " seed " << seed;
      }
    }
  }
}

TEST(ArrayCodecTest, NoSampleIsOffByMoreThanTheError) {
  uint32_t seed = 1000;
  for (const SampleType type : kTypes) {
    for (const double error : {0.01, 0.5, 1.0, 3.7, 1000.0, 3e9, 1e30}) {
      const NdArray array = Walk(type, ShapeOf({50, 41}), ++seed);
      const auto back = Decoded(Encoded(array, {.max_error = error}));
      ASSERT_TRUE(back.ok()) << back.status().message();
      for (size_t i = 0; i < 50 * 41; ++i) {
        ASSERT_LE(std::abs(At(array, i) - At(*back, i)), error)
            << SampleTypeName(type) << " seed " << seed << " sample " << i;
      }
    }
  }
}

TEST(ArrayCodecTest, WhatIsNotFiniteSurvivesEveryError) {
  NdArray array = Walk(SampleType::kF32, ShapeOf({30, 40}), 7);
  float* const v = array.As<float>();
  const uint32_t odd[] = {0x7fc00000, 0xffc12345, 0x7f800001, 0x7f800000, 0xff800000,
                          0x80000000, 0x00000001, 0x7f7fffff, 0xff7fffff};
  for (size_t i = 0; i < std::size(odd); ++i) std::memcpy(v + i * 61 + 5, &odd[i], 4);
  for (size_t i = 600; i < 700; ++i) v[i] = std::numeric_limits<float>::quiet_NaN();
  for (const double error : {0.0, 1e-30, 0.25, 100.0, 1e38, 1e300}) {
    const auto back = Decoded(Encoded(array, {.max_error = error}));
    ASSERT_TRUE(back.ok()) << back.status().message();
    for (size_t i = 0; i < 1200; ++i) {
      const float w = back->As<float>()[i];
      if (!std::isfinite(v[i]) || error == 0) {
        ASSERT_EQ(std::memcmp(v + i, &w, 4), 0) << "error " << error << " sample " << i;
      } else {
        ASSERT_LE(std::abs(double{v[i]} - w), error) << i;
      }
    }
  }
}

TEST(ArrayCodecTest, NoSampleIsOffByMoreThanItsPart) {
  uint32_t seed = 2000;
  for (const SampleType type : kTypes) {
    if (type == SampleType::kF64) continue;
    for (const double part : {1e-10, 1e-7, 1e-3, 0.05, 0.5, 1.0}) {
      NdArray array = Walk(type, ShapeOf({50, 41}), ++seed);
      if (type == SampleType::kF32) {  // all sizes, zeros of both signs, subnormals
        std::mt19937 rng(seed);
        for (size_t i = 0; i < 400; ++i) {
          const auto bits = static_cast<uint32_t>(i < 20   ? (i % 2) << 31
                                                  : i < 40 ? i * 777
                                                           : rng());
          std::memcpy(array.As<float>() + 3 * i, &bits, 4);
        }
      } else {
        for (size_t i = 0; i < 50; ++i) std::memset(array.data.data() + 32 * i, 0, 8);
      }
      const auto back = Decoded(Encoded(array, {.relative_error = part}));
      ASSERT_TRUE(back.ok()) << back.status().message();
      for (size_t i = 0; i < 50 * 41; ++i) {
        const double v = At(array, i), w = At(*back, i);
        if (std::isfinite(v)) {
          ASSERT_LE(std::abs(v - w), part * std::abs(v))
              << SampleTypeName(type) << " seed " << seed << " sample " << i;
        } else {
          ASSERT_EQ(std::memcmp(array.As<float>() + i, back->As<float>() + i, 4), 0);
        }
      }
    }
  }
}

TEST(RelativeScaleTest, NumbersRiseAndEveryWordIsWithinItsPart) {
  for (const SampleType type : {SampleType::kU8, SampleType::kI8, SampleType::kU16}) {
    const auto largest =
        static_cast<uint32_t>(std::max(array::LargestSample(type), -array::LeastSample(type)));
    for (const uint32_t ratio : {1u, 1u << 20, 1u << 28, 1u << 30, 0xffffffffu}) {
      const auto scale = array::RelativeScale::Create(type, ratio, 0);
      ASSERT_NE(scale, nullptr);
      int32_t last = -1;
      for (uint32_t w = 0; w <= largest; ++w) {
        const int32_t n = scale->NumberOf(w);
        ASSERT_TRUE(n == last || n == last + 1) << w;  // none is left out
        last = n;
        const auto error = std::abs(int64_t{scale->WordOf(n)} - int64_t{w});
        ASSERT_LE(error << 32, int64_t{ratio} * w) << w << ' ' << ratio;
        ASSERT_EQ(scale->NumberOf(scale->WordOf(n)), n);
      }
      EXPECT_EQ(last, scale->last());
    }
  }
}

TEST(ArrayCodecTest, PartsOfSamplesThatChangeTheirSignCostLittle) {
  NdArray array{SampleType::kF32, ShapeOf({8000}), {}};
  array.data.resize(32000);
  for (size_t i = 0; i < 8000; ++i) {
    array.As<float>()[i] = 5 * std::sin(static_cast<float>(i) * 0.05f);
  }
  EXPECT_LT(Encoded(array, {.relative_error = 0.02}).size(), 8000u * 3 / 8);
}

TEST(ArrayCodecTest, DoublesThatAreSinglesCostWhatTheseDo) {
  const NdArray singles = Walk(SampleType::kF32, ShapeOf({900, 3}), 5);
  NdArray doubles{SampleType::kF64, singles.shape, {}};
  doubles.data.resize(singles.data.size() * 2);
  for (size_t i = 0; i < 2700; ++i) doubles.As<double>()[i] = double{singles.As<float>()[i]};
  doubles.As<double>()[5] = 0.1;  // one that is none, and two that are not finite
  doubles.As<double>()[6] = -INFINITY;
  const uint64_t nan = 0x7ff8000000000123;
  std::memcpy(doubles.As<double>() + 1000, &nan, 8);
  const Bytes file = Encoded(doubles, {});
  const auto back = Decoded(file);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(back->data, doubles.data);
  EXPECT_LT(file.size(), Encoded(singles, {}).size() + 100);
}

TEST(ArrayCodecTest, ThreadsChangeNoByteAndTilesNoSample) {
  const NdArray array = Walk(SampleType::kI16, ShapeOf({90, 50, 3}), 11);
  const Bytes one = Encoded(array, {.tile_samples = 3000, .threads = 1});
  EXPECT_EQ(Encoded(array, {.tile_samples = 3000, .threads = 3}), one);
  const auto stream = ParseArrayStream(one);
  ASSERT_TRUE(stream.ok());
  EXPECT_GT(stream->tiles.size(), 3u);
  for (const int threads : {1, 3}) {
    const auto back = DecodeArray(*stream, {.threads = threads});
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(back->data, array.data);
  }
}

TEST(ArrayCodecTest, ThreadsGiveWayToTheLimitOnMemory) {
  const NdArray array = Walk(SampleType::kU8, ShapeOf({400, 100}), 19);
  const Bytes file = Encoded(array, {.tile_samples = 5000});
  const auto back = Decoded(file, {.limits = {.max_memory_bytes = 6 << 20}, .threads = 64});
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(back->data, array.data);
}

TEST(ArrayCodecTest, APartEqualsThatOfTheWhole) {
  const NdArray array = Walk(SampleType::kU16, ShapeOf({60, 70, 4}), 13);
  const Bytes file = Encoded(array, {.max_error = 2, .tile_samples = 2000});
  const auto whole = Decoded(file);
  ASSERT_TRUE(whole.ok());
  std::mt19937 rng(5);
  for (int round = 0; round < 20; ++round) {
    ArrayDecodeOptions options;
    for (size_t i = 0; i < 3; ++i) {
      options.part.begin[i] = rng() % array.shape.dims[i];
      options.part.size[i] = 1 + rng() % (array.shape.dims[i] - options.part.begin[i]);
    }
    const auto part = Decoded(file, options);
    ASSERT_TRUE(part.ok()) << part.status().message();
    size_t n = 0;
    const auto& [begin, size] = options.part;
    for (int64_t z = 0; z < size[0]; ++z) {
      for (int64_t y = 0; y < size[1]; ++y) {
        for (int64_t x = 0; x < size[2]; ++x) {
          const int64_t at = ((begin[0] + z) * 70 + begin[1] + y) * 4 + begin[2] + x;
          ASSERT_EQ(part->As<uint16_t>()[n++], whole->As<uint16_t>()[at]);
        }
      }
    }
  }
  ArrayDecodeOptions outside;
  outside.part = {{0, 0, 0, 0}, {61, 1, 1, 1}};
  EXPECT_EQ(Decoded(file, outside).status().code(), StatusCode::kInvalidArgument);
}

TEST(ArrayCodecTest, APlaneThatFollowsFromOthersCostsLittle) {
  // Third channel = second - first, as in leads of an ECG.
  NdArray array = Walk(SampleType::kI32, ShapeOf({5000, 3}), 3);
  std::mt19937 rng(1);
  int32_t* const v = array.As<int32_t>();
  for (size_t i = 0; i < 5000; ++i) {
    v[3 * i] = static_cast<int32_t>(rng() % 1000);
    v[3 * i + 1] = static_cast<int32_t>(rng() % 1000);
    v[3 * i + 2] = v[3 * i + 1] - v[3 * i];
  }
  // Ten bits for each of two channels of noise; coded apart, the third would take eleven more.
  EXPECT_LT(Encoded(array, {}).size(), 5000u * 2 * 10 / 8 + 2000);
}

TEST(ArrayCodecTest, ShortPlanesKeepWhatThoseBeforeLearned) {
  NdArray array{SampleType::kI16, ShapeOf({400, 8, 8}), Bytes(400 * 64 * 2)};
  std::mt19937 rng(4);
  int16_t* const v = array.As<int16_t>();
  for (size_t i = 0; i < 400 * 64; ++i) {  // sums of noise along both axes
    const int left = i % 8 > 0 ? v[i - 1] : 0, above = i % 64 >= 8 ? v[i - 8] : 0;
    const int corner = i % 8 > 0 && i % 64 >= 8 ? v[i - 9] : 0;
    v[i] = static_cast<int16_t>(left + above - corner + static_cast<int>(rng() % 7) - 3);
  }
  const Bytes file = Encoded(array, {.channel_axes = 1});
  const auto back = Decoded(file);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(back->data, array.data);
  EXPECT_LT(file.size(), 400u * 64 * 3.25 / 8);  // the noise alone has 2.81 bits
}

// A converter's steps behind floats, with an offset, a gap and NaN.
NdArray Converted(int64_t samples) {
  NdArray array{SampleType::kF32, ShapeOf({samples, 2}), {}};
  array.data.resize(static_cast<size_t>(samples) * 8);
  std::mt19937 rng(2);
  int level = 0;
  for (size_t i = 0; i < static_cast<size_t>(samples) * 2; ++i) {
    level = std::clamp(level + static_cast<int>(rng() % 7) - 3, -400, 400);
    array.As<float>()[i] = static_cast<float>(level * 0.0010653 + (level > 100 ? 3.7 : 1.3));
  }
  array.As<float>()[77] = std::numeric_limits<float>::quiet_NaN();
  return array;
}

TEST(ArrayCodecTest, FloatsThatAreAConvertersNumbersCostWhatTheseDo) {
  const NdArray array = Converted(6000);
  const Bytes file = Encoded(array, {});
  const auto back = Decoded(file);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(back->data, array.data);
  // log2(7) bits a sample, and the tables; without them more than thrice that.
  EXPECT_LT(file.size(), 12000 * 2.81 / 8 * 1.25 + 1000);
}

TEST(ArrayCodecTest, EveryPrefixIsReportedAsTruncated) {
  const Bytes file = Encoded(Walk(SampleType::kI16, ShapeOf({40, 50}), 17), {.tile_samples = 500});
  for (size_t n = 0; n < file.size(); ++n) {
    const Bytes prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(n));
    EXPECT_EQ(Decoded(prefix).status().code(), StatusCode::kTruncated) << n;
  }
}

TEST(ArrayCodecTest, EveryFlippedBitIsAnError) {
  const Bytes file = Encoded(Walk(SampleType::kI16, ShapeOf({10, 9}), 17), {});
  for (size_t i = 0; i < 8 * file.size(); ++i) {
    Bytes altered = file;
    altered[i / 8] ^= static_cast<std::byte>(1 << i % 8);
    EXPECT_FALSE(Decoded(altered).ok()) << i;
  }
}

// A file with this head and tile, checksums and all.
Bytes FileWith(const Bytes& head, const Bytes& tile) {
  ContainerWriter writer;
  writer.Add(SectionType::kArray, head);
  writer.Add(SectionType::kArrayTile, tile);
  return writer.Release();
}

TEST(ArrayCodecTest, HostileHeadsAreRefusedBeforeAnythingIsAllocated) {
  using enum StatusCode;
  const auto code = [](auto change, const DecodeLimits& limits = {}) {
    ArrayHeader h;
    h.type = SampleType::kU8;
    h.map.type = h.type;
    h.shape = ShapeOf({4, 4});
    h.tile = {4, 4, 1, 1};
    change(h);
    return Decoded(FileWith(array::WriteHead(h), Bytes(8)), {.limits = limits}).status().code();
  };
  const int64_t k40 = int64_t{1} << 40;
  EXPECT_EQ(code([&](ArrayHeader& h) { h.shape.dims[0] = h.tile[0] = k40; }), kOverLimit);
  EXPECT_EQ(code([&](ArrayHeader& h) {
              h.shape = ShapeOf({k40, k40, k40, k40});
              h.channel_axes = 1;
            }),
            kOverLimit);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.shape.dims[0] = k40 + 1; }), kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.tile[1] = 5; }), kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.tile[1] = 0; }), kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.channel_axes = 4; }), kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.shape.rank = 0; }), kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.type = SampleType::kF64; }), kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.type = static_cast<SampleType>(8); }), kUnsupported);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.map.kind = array::MapKind::kSingle; }), kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.map.kind = array::MapKind::kRelative; }), kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.map.kind = static_cast<array::MapKind>(8); }),
            kUnsupported);
  EXPECT_EQ(code([&](ArrayHeader& h) {  // 2^32 steps, were there as many
              h.type = SampleType::kU32;
              h.map.kind = array::MapKind::kRelative;
              h.map.ratio = 1;
            }),
            kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) { h.map.kind = array::MapKind::kOrdered; }), kCorrupt);
  EXPECT_EQ(code([&](ArrayHeader& h) {
              h.shape = ShapeOf({2, 2, 2, 2});
              h.tile = {2, 2, 2, 2};
            }),
            kCorrupt);
  // Planes of two samples take many times their size while they are decoded.
  const auto thin = [&](ArrayHeader& h) {
    h.shape = ShapeOf({1 << 22, 2});
    h.tile = {1, 2, 1, 1};
    h.channel_axes = 1;
  };
  EXPECT_EQ(code(thin, {.max_memory_bytes = 256 << 20}), kOverLimit);
  EXPECT_EQ(code([](ArrayHeader&) {}, {.max_memory_bytes = 1 << 20}), kOverLimit);
}

TEST(ArrayCodecTest, BytesAfterWholeChecksumsAreCorruptOrDecode) {
  const Bytes with_steps =
      Encoded(Walk(SampleType::kF32, ShapeOf({12, 30}), 23), {.max_error = 0.1});
  const Bytes with_tables = Encoded(Converted(300), {});
  std::mt19937 rng(3);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto stream = ParseArrayStream(round % 2 == 0 ? with_steps : with_tables);
    ASSERT_TRUE(stream.ok());
    const Bytes head = array::WriteHead(stream->header);
    const Bytes tile(stream->tiles[0].begin(), stream->tiles[0].end());
    Bytes altered = tile;
    altered[rng() % altered.size()] ^= static_cast<std::byte>(1 + rng() % 255);
    if (rng() % 4 == 0) altered.resize(rng() % altered.size());
    const auto back = Decoded(FileWith(head, altered));
    refused += !back.ok();
  }
  EXPECT_GT(refused, 1900);  // what passes is the stream of other symbols
}

TEST(ArrayCodecTest, WhatCannotBeEncodedIsSaid) {
  NdArray array = Walk(SampleType::kU8, ShapeOf({2, 2, 2, 2}), 1);
  EXPECT_EQ(EncodeArray(array, {.channel_axes = 0}).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(EncodeArray(array, {.channel_axes = 16}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(EncodeArray(array, {.max_error = -1}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(EncodeArray(array, {.max_error = NAN}).status().code(), StatusCode::kInvalidArgument);
  for (const double error : {-1.0, double{NAN}, double{INFINITY}}) {
    EXPECT_EQ(EncodeArray(array, {.relative_error = error}).status().code(),
              StatusCode::kInvalidArgument);
  }
  array = Walk(SampleType::kF64, ShapeOf({4}), 1);
  EXPECT_EQ(EncodeArray(array, {.relative_error = 0.1}).status().code(), StatusCode::kUnsupported);
}

TEST(ArrayCodecTest, AxesAreGuessed) {
  EXPECT_EQ(GuessChannelAxes(ShapeOf({40000, 9})), 2);
  EXPECT_EQ(GuessChannelAxes(ShapeOf({2, 48000})), 1);
  EXPECT_EQ(GuessChannelAxes(ShapeOf({198, 100, 100})), 0);
  EXPECT_EQ(GuessChannelAxes(ShapeOf({512, 512, 3})), 4);
  EXPECT_EQ(GuessChannelAxes(ShapeOf({30, 40, 50, 60})), 1);
  EXPECT_EQ(GuessChannelAxes(ShapeOf({5})), 0);
}

TEST(ValueMapTest, FloatsAreRoundedAsTheMachineRounds) {
  std::mt19937_64 rng(9);
  for (int i = 0; i < 200000; ++i) {
    const uint64_t size = rng() >> (11 + rng() % 53);
    const int exponent = static_cast<int>(rng() % 340) - 200;
    const auto want = static_cast<float>(std::ldexp(static_cast<double>(size), exponent));
    if (std::isinf(want)) continue;
    ASSERT_EQ(array::FloatFromWhole(false, size, exponent), want) << size << ' ' << exponent;
    ASSERT_EQ(array::FloatFromWhole(true, size, exponent), -want) << size << ' ' << exponent;
  }
  EXPECT_EQ(array::FloatFromWhole(false, 1, 200), std::numeric_limits<float>::max());
}

}  // namespace
}  // namespace godwit
