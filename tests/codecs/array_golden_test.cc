// The arrays of testdata/v1/array decode to the recorded samples. Their encoder fits weights in
// floating point, so that it may write other bytes elsewhere; the decoder may not.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include "base/crc32c.h"
#include "codecs/array/array_decoder.h"
#include "codecs/array/array_encoder.h"
#include "models/registry.h"
#include "tests/codecs/test_live_model.h"

namespace godwit {
namespace {

struct Golden {
  const char* name;
  SampleType type;
  std::array<int64_t, 4> sides;
  int rank;
  double max_error;
  uint32_t stream_crc, samples_crc;
  double wavelet_step = 0, relative_error = 0;
};

// GODWIT_RECORD=1 writes the files and prints the digests: with a change of the format only.
constexpr Golden kGoldens[] = {
    {"u8_volume", SampleType::kU8, {7, 21, 30, 1}, 3, 0, 3093160268u, 986772890u},
    {"i16_leads", SampleType::kI16, {900, 3, 1, 1}, 2, 0, 273177384u, 846147750u},
    {"u16_cube_error_3", SampleType::kU16, {6, 20, 25, 1}, 3, 3, 29026612u, 3538061223u},
    {"i32_line", SampleType::kI32, {700, 1, 1, 1}, 1, 0, 802444641u, 1135011805u},
    {"f32_table", SampleType::kF32, {1200, 1, 1, 1}, 1, 0, 62648939u, 2722343316u},
    {"f32_four_axes_error", SampleType::kF32, {4, 3, 12, 15}, 4, 0.01, 1576746687u, 3540936423u},
    {"i16_leads_relative",
     SampleType::kI16,
     {700, 3, 1, 1},
     2,
     0,
     1831057767u,
     3566667011u,
     0,
     0.02},
    {"f32_line_relative",
     SampleType::kF32,
     {900, 1, 1, 1},
     1,
     0,
     3470362884u,
     4126475601u,
     0,
     0.001},
    {"f64_line", SampleType::kF64, {500, 1, 1, 1}, 1, 0, 649225226u, 2782086048u},
    {"f64_line_singles", SampleType::kF64, {500, 1, 1, 1}, 1, 0, 1628113843u, 1505021968u},
    {"f64_leads_error", SampleType::kF64, {500, 2, 1, 1}, 2, 0.01, 3986058417u, 1995474236u},
    {"u8_volume_wavelet", SampleType::kU8, {9, 30, 41, 1}, 3, 0, 1516689999u, 1896279528u, 6},
    {"f32_leads_wavelet", SampleType::kF32, {700, 5, 1, 1}, 2, 0, 3328760103u, 172786016u, 0.3},
    {"i32_line_wavelet", SampleType::kI32, {900, 1, 1, 1}, 1, 0, 3966743713u, 2304117094u, 2},
    {"u16_picture_wavelet", SampleType::kU16, {65, 70, 1, 1}, 2, 0, 355207613u, 3600801278u, 40},
};

// Smooth, with noise, and a few samples that are not finite where there may be such.
NdArray Samples(const Golden& golden) {
  NdArray array{golden.type, {golden.sides, golden.rank}, {}};
  const auto count = static_cast<size_t>(array.shape.count());
  array.data.resize(count * SampleBytes(array.type));
  uint32_t noise = 1;
  int32_t v = 60;
  for (size_t i = 0; i < count; ++i) {
    noise = noise * 1664525 + 1013904223;
    v += static_cast<int32_t>(noise >> 29) - 3 - (v > 150 ? 2 : v < 40 ? -2 : 0);
    const float f = static_cast<float>(v) * 0.0625f;
    if (array.type == SampleType::kF64) {
      const bool is_single = std::strstr(golden.name, "singles") != nullptr;
      array.As<double>()[i] = is_single ? double{f} : static_cast<double>(v) * 0.1;
      if (i % 300 == 7) array.As<double>()[i] = std::numeric_limits<double>::quiet_NaN();
    } else if (array.type == SampleType::kF32) {
      const uint32_t nan = 0x7fc00000;
      std::memcpy(array.data.data() + 4 * i, i % 300 == 7 ? static_cast<const void*>(&nan) : &f, 4);
    } else {
      std::memcpy(array.data.data() + i * SampleBytes(array.type), &v, SampleBytes(array.type));
    }
  }
  return array;
}

Bytes ReadGolden(const std::string& name) {
  std::ifstream in(GODWIT_SOURCE_DIR "/testdata/v1/array/" + name + ".gdw", std::ios::binary);
  EXPECT_TRUE(in) << name;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void WriteGolden(const std::string& name, const Bytes& file) {
  std::ofstream(GODWIT_SOURCE_DIR "/testdata/v1/array/" + name + ".gdw", std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
}

NdArray Decoded(const Bytes& file, const ArrayDecodeOptions& options) {
  const auto stream = ParseArrayStream(file);
  if (!stream.ok()) {
    ADD_FAILURE() << stream.status().message();
    return {};
  }
  auto array = DecodeArray(*stream, options);
  EXPECT_TRUE(array.ok()) << array.status().message();
  return array.ok() ? *std::move(array) : NdArray();
}

// The recorded file decodes to the recorded samples, which these are; with GODWIT_RECORD it is
// made first.
NdArray ExpectRecorded(const Golden& golden, const ArrayEncodeOptions& encode,
                       const ArrayDecodeOptions& decode = {}) {
  SCOPED_TRACE(golden.name);
  if (std::getenv("GODWIT_RECORD") != nullptr) {
    const auto file = EncodeArray(Samples(golden), encode);
    EXPECT_TRUE(file.ok()) << file.status().message();
    if (file.ok()) WriteGolden(golden.name, *file);
  }
  const Bytes file = ReadGolden(golden.name);
  EXPECT_EQ(Crc32c(file), golden.stream_crc);
  NdArray array = Decoded(file, decode);
  EXPECT_EQ(Crc32c(array.data), golden.samples_crc);
  return array;
}

// The networks that ship, on streams of a volume and of a plane.
TEST(ArrayGoldenTest, NetworksMakeTheRecordedSamples) {
  struct Mended {
    const char *name, *size;
    uint32_t samples_crc;
  };
  constexpr Mended kMended[] = {{"u8_volume_wavelet", "small", 3222298554u},
                                {"u8_volume_wavelet", "medium", 184329048u},
                                {"u16_picture_wavelet", "small", 726260283u},
                                {"u16_picture_wavelet", "medium", 198571217u}};
  ModelRegistry registry;
  for (const Mended& mended : kMended) {
    const auto file = registry.FindSynthesis("packet", 0, mended.size);
    ASSERT_TRUE(file.ok()) << file.status().message();
    const auto synthesis = ArraySynthesis::Load(*file);
    ASSERT_TRUE(synthesis.ok()) << synthesis.status().message();
    const NdArray array = Decoded(ReadGolden(mended.name), {.synthesis = &*synthesis});
    EXPECT_EQ(Crc32c(array.data), mended.samples_crc) << mended.name << " " << mended.size;
  }
}

// Of models whose weights are random numbers, so that no training changes them.
TEST(ArrayGoldenTest, LiveStreamsDecodeToTheRecordedSamples) {
  struct Live {
    Golden golden;
    LiveTestModel model;
  };
  const Live goldens[] = {
      {{"f32_leads_live", SampleType::kF32, {700, 6, 1, 1}, 2, 0, 3158802284u, 2677748666u, 0.3},
       {.channels = 3, .levels = 4, .rise = 5}},
      {{"i16_leads_live", SampleType::kI16, {500, 2, 1, 1}, 2, 0, 887384964u, 206101647u, 4},
       {.channels = 1, .levels = 3, .seed = 5}}};
  for (const auto& [golden, made] : goldens) {
    const auto model = LoadArrayModel(made.File());
    ASSERT_TRUE(model.ok()) << model.status().message();
    ExpectRecorded(golden,
                   {.channel_axes = 2,
                    .wavelet_step = golden.wavelet_step,
                    .model = &*model,
                    .tile_samples = 3000,
                    .threads = 1},
                   {.model = &*model});
  }
}

// The model that ships.
TEST(ArrayGoldenTest, TheShippedLiveModelMakesTheRecordedSamples) {
  const Golden golden{
      "f32_leads_motion", SampleType::kF32, {900, 6, 1, 1}, 2, 0, 3726391640u, 1805321733u, 0.1};
  ModelRegistry registry;
  uint64_t id = 0;
  for (const ModelEntry& entry : registry.List()) {
    if (entry.name == "motion-live") id = entry.id;
  }
  const auto tensors = registry.FindStreamModel(id);
  ASSERT_TRUE(tensors.ok()) << tensors.status().message();
  const auto model = ArrayModel::Load(*tensors, id);
  ASSERT_TRUE(model.ok()) << model.status().message();
  ExpectRecorded(
      golden,
      {.channel_axes = 2, .wavelet_step = golden.wavelet_step, .model = &*model, .threads = 1},
      {.model = &*model});
}

TEST(ArrayGoldenTest, StreamsDecodeToTheRecordedSamples) {
  for (const Golden& golden : kGoldens) {
    const NdArray array = ExpectRecorded(golden, {.max_error = golden.max_error,
                                                  .relative_error = golden.relative_error,
                                                  .wavelet_step = golden.wavelet_step,
                                                  .tile_samples = 3000,
                                                  .threads = 1});
    EXPECT_TRUE(golden.max_error + golden.wavelet_step + golden.relative_error > 0 ||
                array.data == Samples(golden).data)
        << golden.name;
  }
}

}  // namespace
}  // namespace godwit
