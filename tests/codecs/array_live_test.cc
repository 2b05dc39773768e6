// The live method: equal to a second opinion written from the document, at all levels, whole and
// in parts; near the samples; bounded; refused where the model is another.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/cpu.h"
#include "codecs/array/live_decode.h"
#include "codecs/array/live_encode.h"
#include "codecs/array/live_tile.h"
#include "codecs/array/symbol_writer.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/wavelet_decode.h"
#include "io/container.h"
#include "tests/codecs/test_arrays.h"
#include "tests/codecs/test_live_model.h"
#include "transforms/packets.h"

namespace godwit {
namespace {

using array::WaveletTile;

ArrayModel Model(const LiveTestModel& made) {
  Result<ArrayModel> model = LoadArrayModel(made.File());
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *std::move(model);
}

// Waves of some hundred steps that differ by channel, with noise.
NdArray Waves(SampleType type, const std::vector<int64_t>& sides, unsigned seed = 1) {
  NdArray array{type, ShapeOf(sides), {}};
  const auto count = static_cast<size_t>(array.shape.count());
  array.data.resize(count * SampleBytes(type));
  std::mt19937 random(seed);
  const auto channels = static_cast<size_t>(sides.size() > 1 ? sides[1] : 1);
  for (size_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i / channels), c = static_cast<double>(i % channels);
    const double v = 120 + 60 * std::sin(t / (5 + 3 * c)) + 20 * std::sin(t / 1.7 + c) +
                     static_cast<double>(random() % 64) / 8;
    WithSampleType(type,
                   [&](auto as) { array.As<decltype(as)>()[i] = static_cast<decltype(as)>(v); });
  }
  return array;
}

double MeanSquare(const NdArray& a, const NdArray& b) {
  double sum = 0;
  const auto count = static_cast<size_t>(a.shape.count());
  for (size_t i = 0; i < count; ++i) {
    const double e = At(a, i) - At(b, i);
    if (std::isfinite(At(a, i))) sum += e * e;
  }
  return sum / static_cast<double>(count);
}

int64_t Floor(int64_t v, int64_t by) { return v / by - (v % by < 0 ? 1 : 0); }

// docs/format/array.md section 11 from the symbols on, in plain loops; of f32 without exceptions.
std::vector<float> Reference(const LiveTestModel& made, const ArrayHeader& header,
                             const WaveletTile& tile, int64_t n) {
  const int64_t bands = int64_t{1} << made.levels, length = tile.shape.count();
  const int64_t positions = length / bands;
  const std::vector<int32_t> curve = made.Curve();
  const auto k = [](int64_t v) {
    const int64_t s = std::abs(v);
    const int64_t level = s <= 32    ? s
                          : s <= 288 ? 32 + (s - 32) / 8
                                     : std::min<int64_t>(127, 64 + (s - 288) / 64);
    return static_cast<int>(v < 0 ? -level : level);
  };
  std::vector<int64_t> scale(17);  // T(i - 8)
  scale[8] = 65536;
  for (size_t i = 8; i < 16; ++i) scale[i + 1] = Floor(75340 * scale[i] + 32768, 65536);
  for (size_t i = 8; i > 0; --i) scale[i - 1] = Floor(57007 * scale[i] + 32768, 65536);
  std::vector<float> out(static_cast<size_t>(n * tile.channels));
  for (int64_t g = 0; g < tile.channels; g += made.channels) {
    TestPicture in{1, positions, made.inputs(), true,
                   std::vector<int>(static_cast<size_t>(positions * made.inputs()))};
    const std::vector<int16_t> weights = made.Predict();
    const int64_t most = int64_t{1} << 30;
    const auto symbol = [&](int64_t f, int64_t c, int64_t x) {
      const array::BandSymbols& s = tile.symbols[static_cast<size_t>((g + c) * bands + f)];
      return int64_t{s.symbols[static_cast<size_t>(s.At(0, 0, x))]};
    };
    std::vector<int64_t> latents(static_cast<size_t>(positions * made.inputs()));
    const auto latent = [&](int64_t f, int64_t c, int64_t x) -> int64_t& {
      x = std::clamp<int64_t>(x, 0, positions - 1);
      return latents[static_cast<size_t>((f * made.channels + c) * positions + x)];
    };
    for (int64_t f = 0; f < bands; ++f) {
      for (int64_t c = 0; c < made.channels; ++c) {
        for (int64_t x = 0; x < positions; ++x) {
          int64_t sum = 0;
          for (int64_t low = 0; made.has_predict && low < f; ++low) {
            for (int64_t d = 0; d < 3; ++d) {
              sum += latent(low, c, x + d - 1) *
                     weights[static_cast<size_t>((f * bands + low) * 3 + d)];
            }
          }
          const int64_t own = std::clamp(64 * symbol(f, c, x), -most, most);
          latent(f, c, x) = std::clamp(own + Floor(sum + 2048, 4096), -most, most);
        }
      }
    }
    for (int64_t x = 0; x < positions; ++x) {
      for (int64_t f = 0; f < bands; ++f) {
        for (int64_t c = 0; c < made.channels; ++c) {
          in.At(0, x, f * made.channels + c) = k(Floor(latent(f, c, x) + 4, 8));
        }
      }
    }
    TestPicture added = in;
    if (made.has_synthesis) added = made.synthesis().Reference(in);
    if (!made.has_synthesis) std::fill(added.values.begin(), added.values.end(), 0);
    for (int64_t c = 0; c < made.channels; ++c) {
      std::vector<int32_t> line(static_cast<size_t>(length));
      for (int64_t f = 0; f < bands; ++f) {
        const int64_t natural = f ^ f / 2;
        const int h = std::popcount(static_cast<uint64_t>(natural)), l = made.levels - h;
        const int64_t step = std::max<int64_t>(
            1, Floor(static_cast<int64_t>(header.map.step) * scale[static_cast<size_t>(8 + h - l)],
                     65536));
        const array::BandPoints p = tile.points[static_cast<size_t>(f)];
        for (int64_t x = 0; x < positions; ++x) {
          const int64_t q = symbol(f, c, x), m = std::abs(q);
          const int64_t less = m == 0 ? 0 : m == 1 ? p.one : p.more;
          int64_t r = std::clamp(latent(f, c, x) - (q < 0 ? -less : less), -most, most);
          r = std::clamp<int64_t>(r + 2 * added.At(0, x, f * made.channels + c), -most, most);
          const int64_t s = std::abs(r), i = std::min<int64_t>(s / 16, 1023);
          const int64_t low = curve[static_cast<size_t>(i)];
          const int64_t rise = curve[static_cast<size_t>(i + 1)] - low;
          const int64_t v = std::min(low + (rise * (s - 16 * i) + 8) / 16, most);
          const int64_t size =
              v > (int64_t{1} << 52) / step ? most : (v * step + (1 << 21)) / (1 << 22);
          line[static_cast<size_t>(natural * positions + x)] =
              static_cast<int32_t>(r < 0 ? -size : size);
        }
      }
      const PacketAxis axis{length, made.levels};
      std::vector<int32_t> scratch(PacketScratch({&axis, 1}));
      InversePackets(LiftingKernelsFor(SimdLevel::kScalar), Wavelet::k97, {&axis, 1}, line.data(),
                     scratch);
      for (int64_t t = 0; t < n; ++t) {
        out[static_cast<size_t>(t * tile.channels + g + c)] =
            array::FloatFromWhole(header.map, line[static_cast<size_t>(t)]);
      }
    }
  }
  return out;
}

class LiveTileTest : public testing::TestWithParam<SimdLevel> {};

TEST_P(LiveTileTest, EqualsTheDocument) {
  const LiveTestModel models[] = {{.channels = 1, .levels = 3, .rise = 5},
                                  {.channels = 3, .levels = 4},
                                  {.channels = 4, .levels = 1, .rise = 7},
                                  {.channels = 1, .levels = 5, .has_synthesis = false},
                                  {.channels = 3, .levels = 2, .has_predict = false},
                                  {.channels = 2, .levels = 8, .has_analysis = false}};
  for (const LiveTestModel& made : models) {
    const ArrayModel model = Model(made);
    for (const int64_t n : {1, 2, 31, 64, 2600}) {
      for (const double step : {0.01, 2.0, 70.0}) {
        const NdArray array = Waves(SampleType::kF32, {n, int64_t{2} * made.channels});
        const ArrayEncodeOptions options{.channel_axes = 2, .wavelet_step = step, .model = &model};
        const Bytes file = Encoded(array, options);
        const auto stream = ParseArrayStream(file);
        ASSERT_TRUE(stream.ok()) << stream.status().message();
        const ArrayHeader& header = stream->header;
        const array::Box box = array::WholeBox(header);
        const array::BoxOrder order = array::OrderOf(header, box);
        BitReader symbols(stream->tiles[0]);
        ASSERT_EQ(symbols.CodeRaw(0, 4), 2u);
        std::vector<uint8_t> mask;
        std::vector<int32_t> bits;
        array::CodeExceptions(symbols, array::GeometryOf(order), mask, bits, nullptr);
        WaveletTile tile = array::LiveTile(order, made.levels);
        ASSERT_TRUE(array::ReadTileSymbols(symbols, model.start(), tile).ok());
        const std::vector<float> want = Reference(made, header, tile, n);

        const auto body = array::EncodeLiveTile(array, header, model, GetParam(), model.start(), 0);
        ASSERT_TRUE(body.ok()) << body.status().message();
        EXPECT_TRUE(std::equal(body->begin(), body->end(), stream->tiles[0].begin(),
                               stream->tiles[0].end()));

        NdArray got{header.type, header.shape, Bytes(array.data.size())};
        BitReader reader(stream->tiles[0]);
        reader.CodeRaw(0, 4);
        const Status status =
            array::DecodeLiveTile(reader, header, model, GetParam(), box, box, got, box);
        ASSERT_TRUE(status.ok()) << status.message();
        EXPECT_EQ(std::memcmp(got.data.data(), want.data(), got.data.size()), 0)
            << made.channels << " channels, " << made.levels << " levels, " << n
            << " samples, step " << step;
      }
    }
  }
}
// A file of the model's with these symbols, magnitudes up to 2^20.
Bytes FileOf(const ArrayModel& model, const ArrayHeader& header,
             const std::vector<int32_t>& symbols) {
  const array::BoxOrder order = array::OrderOf(header, array::WholeBox(header));
  WaveletTile tile = array::LiveTile(order, header.live_levels);
  std::vector<int32_t> latents;
  for (const int32_t q : symbols) latents.push_back(64 * q);
  const std::vector<double> inverses(tile.bands.size(), 1.0 / 64);
  const auto body = array::WriteGrowing(1 << 16, [&](BitWriter& writer) -> Status {
    writer.CodeRaw(2, 4);
    std::vector<uint8_t> mask;
    std::vector<int32_t> bits;
    array::CodeExceptions(writer, array::GeometryOf(order), mask, bits, nullptr);
    array::SymbolWriter(tile, inverses, model.start(), latents).Code(writer);
    return {};
  });
  EXPECT_TRUE(body.ok());
  ContainerWriter writer;
  writer.Add(SectionType::kArray, array::WriteHead(header));
  writer.Add(SectionType::kArrayTile, *body);
  return writer.Release();
}

ArrayHeader HeaderOf(const ArrayModel& model, int64_t n) {
  ArrayHeader header;
  header.type = SampleType::kI32;
  header.shape = ShapeOf({n});
  header.tile[0] = n;
  header.map.kind = array::MapKind::kLive;
  header.map.type = header.type;
  header.map.step = 1 << 16;
  header.live_levels = static_cast<uint8_t>(model.live()->levels);
  header.model_id = model.id();
  return header;
}

TEST(LiveTileTest, TheDocumentsExample) {
  const ArrayModel model =
      Model({.levels = 1, .has_analysis = false, .has_synthesis = false, .has_predict = false});
  const auto array = Decoded(FileOf(model, HeaderOf(model, 2), {10, 3}), {.model = &model});
  ASSERT_TRUE(array.ok()) << array.status().message();
  EXPECT_EQ(array->As<int32_t>()[0], 5);
  EXPECT_EQ(array->As<int32_t>()[1], 8);
}

// What no encoder writes: a decoder limits it.
TEST(LiveTileTest, HugeSymbolsDecode) {
  for (const bool has_network : {false, true}) {
    const ArrayModel model = Model({.rise = 8, .has_synthesis = has_network});
    for (const uint64_t step : {uint64_t{256}, uint64_t{1} << 40}) {
      ArrayHeader header = HeaderOf(model, 80);
      header.map.step = step;
      std::vector<int32_t> symbols(80);
      for (size_t i = 0; i < 80; ++i) symbols[i] = (i % 3 == 0 ? -1 : 1) * ((1 << 24) - 1);
      EXPECT_TRUE(Decoded(FileOf(model, header, symbols), {.model = &model}).ok());
    }
  }
}

// Nor what no training makes: sums and products at the ends of their ranges.
TEST_P(LiveTileTest, ExtremesEqualTheDocument) {
  for (const LiveTestModel& made :
       {LiveTestModel{.channels = 1, .levels = 5, .is_extreme = true},
        LiveTestModel{.channels = 3, .levels = 2, .is_extreme = true},
        LiveTestModel{.channels = 2, .levels = 8, .has_synthesis = false, .is_extreme = true}}) {
    const ArrayModel model = Model(made);
    const int64_t n = 3 << made.levels;
    for (const uint64_t step : {uint64_t{256}, uint64_t{1} << 16, uint64_t{1} << 40}) {
      for (const int32_t size : {1, 40, 1 << 14, (1 << 24) - 1}) {
        ArrayHeader header = HeaderOf(model, n);
        header.type = header.map.type = SampleType::kF32;
        header.map.offset = int64_t{1} << 50;
        header.shape = ShapeOf({n, made.channels});
        header.channel_axes = 2;
        header.tile[1] = made.channels;
        std::mt19937 random(7);
        std::vector<int32_t> symbols(static_cast<size_t>(n * made.channels));
        for (int32_t& q : symbols) q = static_cast<int32_t>(random() % 3 - 1) * size;
        const Bytes file = FileOf(model, header, symbols);
        const auto stream = ParseArrayStream(file);
        ASSERT_TRUE(stream.ok()) << stream.status().message();
        const array::Box box = array::WholeBox(header);
        WaveletTile tile = array::LiveTile(array::OrderOf(header, box), made.levels);
        const auto reader = [&] {
          BitReader at_symbols(stream->tiles[0]);
          at_symbols.CodeRaw(0, 4);
          return at_symbols;
        };
        BitReader symbol_reader = reader(), sample_reader = reader();
        std::vector<uint8_t> mask;
        std::vector<int32_t> bits;
        array::CodeExceptions(symbol_reader, array::GeometryOf(array::OrderOf(header, box)), mask,
                              bits, nullptr);
        ASSERT_TRUE(array::ReadTileSymbols(symbol_reader, model.start(), tile).ok());
        const std::vector<float> want = Reference(made, header, tile, n);
        NdArray got{header.type, header.shape, Bytes(want.size() * sizeof(float))};
        const Status status =
            array::DecodeLiveTile(sample_reader, header, model, GetParam(), box, box, got, box);
        ASSERT_TRUE(status.ok()) << status.message();
        EXPECT_EQ(std::memcmp(got.data.data(), want.data(), got.data.size()), 0)
            << made.levels << " levels, step " << step << ", symbols of " << size;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, LiveTileTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& param) { return std::string(SimdLevelName(param.param)); });

// Quantised in steps and no worse.
TEST(ArrayLiveTest, SamplesComeBackNearly) {
  const ArrayModel plain = Model({.has_analysis = false, .has_synthesis = false});
  for (const SampleType type :
       {SampleType::kU8, SampleType::kI16, SampleType::kU32, SampleType::kF32, SampleType::kF64}) {
    for (const int64_t n : {1, 2, 7, 8, 9, 255, 1000}) {
      const NdArray array = Waves(type, {n, 3});
      const Bytes file = Encoded(array, {.channel_axes = 2, .wavelet_step = 1.5, .model = &plain});
      const auto back = Decoded(file, {.model = &plain});
      ASSERT_TRUE(back.ok()) << back.status().message();
      EXPECT_EQ(back->shape, array.shape);
      const double rounding = type < SampleType::kF32 ? 1.0 / 12 : 0;
      // A few samples may be off by as much as a zero saves.
      EXPECT_LT(MeanSquare(array, *back), (n < 8 ? 0.4 : 0.2) * 1.5 * 1.5 + rounding) << n;
    }
  }
}

TEST(ArrayLiveTest, ACurveAndItsInverseMeet) {
  for (const int rise : {8, 5, 4}) {
    const auto curve = array::ExpansionCurve::Create(LiveTestModel{.rise = rise}.Curve());
    ASSERT_TRUE(curve.ok());
    for (int64_t v = 0; v < 200000; v += 1 + v / 100) {
      const int64_t up = curve->Expanded(v), back = curve->Companded(up);
      EXPECT_LE(std::abs(back - v), rise > 4 ? 16 : 0) << v;  // a rise of 1 may be all there is
      EXPECT_EQ(curve->Expanded(-v), -up);
      EXPECT_EQ(curve->Companded(-up), -back);
      EXPECT_GE(curve->Expanded(v + 1), up);
    }
  }
}

TEST(ArrayLiveTest, WhatIsNotFiniteComesBack) {
  const ArrayModel model = Model({.channels = 3});
  NdArray array = Waves(SampleType::kF32, {300, 3});
  array.As<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  array.As<float>()[400] = -std::numeric_limits<float>::infinity();
  const auto back = Decoded(Encoded(array, {.channel_axes = 2, .wavelet_step = 1, .model = &model}),
                            {.model = &model});
  ASSERT_TRUE(back.ok()) << back.status().message();
  for (const size_t i : {7, 400}) {
    EXPECT_EQ(std::memcmp(back->As<float>() + i, array.As<float>() + i, 4), 0);
  }
  EXPECT_TRUE(std::isfinite(back->As<float>()[8]));
}

TEST(ArrayLiveTest, ThreadsAndPartsChangeNoSample) {
  const ArrayModel model = Model({.channels = 3, .levels = 4});
  const NdArray array = Waves(SampleType::kF32, {3000, 6});
  ArrayEncodeOptions options{.channel_axes = 2, .wavelet_step = 3, .model = &model};
  options.tile_samples = 4000;
  options.threads = 1;
  const Bytes file = Encoded(array, options);
  options.threads = 4;
  EXPECT_EQ(file, Encoded(array, options));
  const auto whole = Decoded(file, {.threads = 1, .model = &model});
  const auto threads = Decoded(file, {.threads = 4, .model = &model});
  ASSERT_TRUE(whole.ok() && threads.ok());
  EXPECT_EQ(whole->data, threads->data);
  EXPECT_LT(MeanSquare(array, *whole), 100 * 9);  // random networks move symbols by up to 8
  for (const int64_t begin : {0, 5, 1400, 2990}) {
    const array::Box box{{begin, 2, 0, 0}, {10, 3, 1, 1}};
    const auto part = Decoded(file, {.model = &model, .part = box});
    ASSERT_TRUE(part.ok()) << part.status().message();
    for (int64_t t = 0; t < 10; ++t) {
      EXPECT_EQ(
          std::memcmp(part->As<float>() + 3 * t, whole->As<float>() + 6 * (begin + t) + 2, 12), 0);
    }
  }
}

TEST(ArrayLiveTest, ShapesThatAreNotForTheModelAreUnsupported) {
  const ArrayModel model = Model({.channels = 3});
  const auto code = [&](const std::vector<int64_t>& sides, uint8_t axes) {
    const NdArray array = Waves(SampleType::kF32, sides);
    return EncodeArray(array, {.channel_axes = axes, .wavelet_step = 1, .model = &model})
        .status()
        .code();
  };
  EXPECT_EQ(code({40, 3}, 2), StatusCode::kOk);
  EXPECT_EQ(code({40, 1, 3}, 4), StatusCode::kOk);
  EXPECT_EQ(code({5, 3, 2}, 7), StatusCode::kOk);  // of one sample each
  EXPECT_EQ(code({0, 3}, 2), StatusCode::kOk);
  EXPECT_EQ(code({40, 4}, 2), StatusCode::kUnsupported);
  EXPECT_EQ(code({40, 3}, 0), StatusCode::kUnsupported);
  EXPECT_EQ(code({40, 30, 3}, 4), StatusCode::kUnsupported);
}

TEST(ArrayLiveTest, AStreamNeedsTheModelThatItNames) {
  const ArrayModel model = Model({.channels = 3}), other = Model({.channels = 3, .seed = 9});
  const NdArray array = Waves(SampleType::kF32, {100, 3});
  const Bytes file = Encoded(array, {.channel_axes = 2, .wavelet_step = 1, .model = &model});
  EXPECT_EQ(Decoded(file).status().code(), StatusCode::kModelMissing);
  EXPECT_EQ(Decoded(file, {.model = &other}).status().code(), StatusCode::kModelMissing);
  EXPECT_TRUE(Decoded(file, {.model = &model}).ok());
  auto unnamed = ParseArrayStream(file);
  ASSERT_TRUE(unnamed.ok());
  unnamed->header.model_id = 0;  // which no head can say
  EXPECT_EQ(DecodeArray(*unnamed, {.model = &model}).status().code(), StatusCode::kCorrupt);
}

TEST(ArrayLiveTest, HeadsThatDoNotGoWithTheModelAreCorrupt) {
  const ArrayModel model = Model({.channels = 2, .has_analysis = false, .has_synthesis = false});
  const auto code = [&](auto change) {
    ArrayHeader header = HeaderOf(model, 64);
    header.shape = ShapeOf({64, 2});
    header.channel_axes = 2;
    header.tile[1] = 2;
    const Bytes file = FileOf(model, header, std::vector<int32_t>(128, 3));
    const auto stream = ParseArrayStream(file);
    EXPECT_TRUE(stream.ok()) << stream.status().message();
    change(header);
    ContainerWriter writer;
    writer.Add(SectionType::kArray, array::WriteHead(header));
    writer.Add(SectionType::kArrayTile, stream->tiles[0]);
    return Decoded(writer.Release(), {.model = &model}).status().code();
  };
  EXPECT_EQ(code([](ArrayHeader&) {}), StatusCode::kOk);
  EXPECT_EQ(code([](ArrayHeader& h) { h.live_levels = 0; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.live_levels = 2; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.live_levels = 9; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.model_id = 0; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.channel_axes = 0; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.shape.dims[1] = h.tile[1] = 3; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.map.step = 255; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) { h.map.exponent = 40; }), StatusCode::kCorrupt);
  // The same model and tile as a wavelet.
  EXPECT_EQ(code([](ArrayHeader& h) { h.map.kind = array::MapKind::kWavelet; }),
            StatusCode::kCorrupt);
  EXPECT_EQ(code([](ArrayHeader& h) {
              h.map.kind = array::MapKind::kWavelet;
              h.model_id = 0;
            }),
            StatusCode::kUnsupported);
}

TEST(ArrayLiveTest, EveryPrefixIsReportedAsTruncated) {
  const ArrayModel model = Model({.channels = 3});
  const Bytes file =
      Encoded(Waves(SampleType::kI16, {90, 3}),
              {.channel_axes = 2, .wavelet_step = 4, .model = &model, .tile_samples = 100});
  for (size_t n = 0; n < file.size(); ++n) {
    const Bytes prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(n));
    EXPECT_EQ(Decoded(prefix, {.model = &model}).status().code(), StatusCode::kTruncated) << n;
  }
}

// The last byte may be all that tells a tile from another, so that a checksum must.
TEST(ArrayLiveTest, ATileCutShortDoesNotPassForTheWhole) {
  const ArrayModel model = Model({.channels = 3});
  const Bytes file = Encoded(Waves(SampleType::kI16, {90, 3}),
                             {.channel_axes = 2, .wavelet_step = 4, .model = &model});
  const auto stream = ParseArrayStream(file);
  const auto whole = Decoded(file, {.model = &model});
  ASSERT_TRUE(stream.ok() && whole.ok());
  size_t decoded = 0;
  for (size_t n = 0; n < stream->tiles[0].size(); ++n) {
    ContainerWriter writer;
    writer.Add(SectionType::kArray, array::WriteHead(stream->header));
    writer.Add(SectionType::kArrayTile, stream->tiles[0].first(n));
    const auto cut = Decoded(writer.Release(), {.model = &model});
    decoded += cut.ok();
    EXPECT_TRUE(!cut.ok() || cut->data != whole->data) << n;
  }
  EXPECT_LE(decoded, 1u);
}

TEST(ArrayLiveTest, HostileShapesAreOverTheLimitBeforeAnythingIsAllocated) {
  const ArrayModel model = Model({});
  const std::vector<std::vector<int64_t>> shapes = {{int64_t{1} << 40},
                                                    {int64_t{1} << 30, 1},
                                                    {int64_t{1} << 40, int64_t{1} << 40},
                                                    {1, 1 << 24}};
  for (const auto& sides : shapes) {
    ArrayHeader header = HeaderOf(model, 1);
    header.shape = ShapeOf(sides);
    header.channel_axes = sides.size() > 1 ? 2 : 0;
    header.tile = header.shape.dims;
    header.live_levels = 8;
    ContainerWriter writer;
    writer.Add(SectionType::kArray, array::WriteHead(header));
    DecodeLimits limits;
    limits.max_pixels = uint64_t{1} << 62;
    EXPECT_EQ(ParseArrayStream(writer.Release(), limits).status().code(), StatusCode::kOverLimit)
        << sides[0];
  }
  // A tile that fits, and a network for which there is no room.
  const NdArray array = Waves(SampleType::kF32, {64, 1});
  const Bytes file = Encoded(array, {.channel_axes = 2, .wavelet_step = 1, .model = &model});
  const auto stream = ParseArrayStream(file);
  ASSERT_TRUE(stream.ok());
  const array::Box box = array::WholeBox(stream->header);
  DecodeLimits limits;
  limits.max_memory_bytes = array::WorkBytes(stream->header, box) + 256 + 100;
  EXPECT_EQ(DecodeArray(*stream, {.limits = limits, .model = &model}).status().code(),
            StatusCode::kOverLimit);
}

TEST(ArrayLiveTest, FilesThatAreNoModelAreRefused) {
  const auto refused = [](auto change) {
    LiveTestModel made{.channels = 3};
    SafeTensorsWriter writer = made.Writer();
    change(writer);
    return LoadArrayModel(writer.Finish()).status().code() == StatusCode::kModelRefused;
  };
  EXPECT_FALSE(refused([](SafeTensorsWriter&) {}));
  const auto says = [](const char* key, const char* value) {
    return [=](SafeTensorsWriter& w) { w.SetMetadata(key, value); };
  };
  EXPECT_TRUE(refused(says("godwit.live.channels", "0")));
  EXPECT_TRUE(refused(says("godwit.live.channels", "33")));
  EXPECT_TRUE(refused(says("godwit.live.channels", "3x")));
  EXPECT_TRUE(refused(says("godwit.live.channels", "")));
  EXPECT_TRUE(refused(says("godwit.live.channels", "99999999999999999999")));
  EXPECT_TRUE(refused(says("godwit.live.channels", "4")));  // networks of other shapes
  EXPECT_TRUE(refused(says("godwit.live.levels", "9")));
  EXPECT_TRUE(refused(says("godwit.method", "wavelet")));
  EXPECT_TRUE(refused(says("godwit.method", "magic")));
  EXPECT_TRUE(refused(says("godwit.kind", "synthesis")));
  EXPECT_TRUE(refused([](SafeTensorsWriter& w) {  // of two levels, not three
    w.Add<int16_t>("live.predict", {4, 4, 3}, std::vector<int16_t>(48));
  }));
  for (const size_t at : {size_t{0}, size_t{3 * 8 + 3}, size_t{3 * 8 + 8}}) {
    LiveTestModel made{.channels = 3, .has_predict = false};
    SafeTensorsWriter writer = made.Writer();
    std::vector<int16_t> weights(192);
    weights[at] = 1;  // of a band from itself or one above
    writer.Add<int16_t>("live.predict", {8, 8, 3}, weights);
    EXPECT_FALSE(LoadArrayModel(writer.Finish()).ok()) << at;
  }
  EXPECT_TRUE(refused([](SafeTensorsWriter& w) {  // a start that is not all there
    w.Add<uint16_t>("start.p1", {1}, std::vector<uint16_t>(1));
  }));
  EXPECT_TRUE(refused([](SafeTensorsWriter& w) {
    w.Add<int32_t>("start.sign_weight", {3}, std::vector<int32_t>(3));
  }));
}

TEST(ArrayLiveTest, CurvesThatDoNotRiseAreRefused) {
  std::vector<int32_t> entries(array::ExpansionCurve::kEntries);
  for (size_t i = 0; i < entries.size(); ++i) entries[i] = static_cast<int32_t>(i) << 20;
  EXPECT_TRUE(array::ExpansionCurve::Create(entries).ok());
  const auto refused = [&](size_t at, int32_t v) {
    std::vector<int32_t> changed = entries;
    changed[at] = v;
    return array::ExpansionCurve::Create(changed).status().code() == StatusCode::kModelRefused;
  };
  EXPECT_TRUE(refused(0, 1));
  EXPECT_TRUE(refused(0, -1));
  EXPECT_TRUE(refused(7, entries[6]));
  EXPECT_TRUE(refused(7, entries[6] - 5));
  EXPECT_TRUE(refused(1, (1 << 24) + 1));
  EXPECT_TRUE(refused(1024, (1 << 30) + 1));
  EXPECT_FALSE(array::ExpansionCurve::Create({}).ok());
}

}  // namespace
}  // namespace godwit
