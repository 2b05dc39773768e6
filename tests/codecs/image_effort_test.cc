// The encoder's efforts: what they promise, and what they must leave alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "codecs/image/image_repack.h"
#include "codecs/image/swift_analysis.h"
#include "codecs/image/swift_effort.h"
#include "codecs/image/swift_layout.h"
#include "codecs/image/swift_msssim_scales.h"
#include "codecs/image/swift_msssim_weights.h"
#include "codecs/image/swift_tile_search.h"
#include "io/image_file.h"
#include "models/registry.h"
#include "tests/base/sanitized.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

namespace godwit {
namespace {

Bytes EncodeAt(const Tensor<uint8_t>& picture, int effort, int step_index,
               const ImageSynthesis* synthesis = &TestImageSynthesis()) {
  return EncodePicture(
      TestImageModel(), picture,
      {.step_index = step_index, .threads = 1, .effort = effort, .synthesis = synthesis});
}

TEST(ImageEffortTest, EverySizeDecodesAtEachEffort) {
  for (const int effort : {2, 3, 5, -2, -5}) {
    ImageEncoder encoder = Must(ImageEncoder::Create(
        TestImageModel(), {.step_index = 64,
                           .tile = 32,
                           .threads = 2,
                           .effort = std::abs(effort),
                           .synthesis = &TestImageSynthesis(),
                           .entropy = effort < 0 ? ImageEntropy::kFull : ImageEntropy::kLite}));
    int64_t channels = 1;
    for (const int64_t h : {1, 2, 31, 32, 33, 65}) {
      for (const int64_t w : {1, 7, 32, 33, 70}) {
        const Tensor<uint8_t> picture = MakePicture(h, w, channels, static_cast<uint32_t>(h + w));
        const Bytes file = Must(encoder.Encode(picture.view()));
        EXPECT_FALSE(Must(ParseImageStream(file)).header.full);  // repacking makes it that
        const Tensor<uint8_t> decoded = DecodePicture(file, TestImageModel(), nullptr);
        ASSERT_EQ(decoded.width(), w);
        ASSERT_EQ(decoded.height(), h);
        EXPECT_GT(Psnr(picture, decoded), 38) << w << 'x' << h << " effort " << effort;
        if (channels % 2 == 0) {
          EXPECT_TRUE(SameAlpha(picture, decoded));
        }
        channels = channels % 4 + 1;
      }
    }
  }
}

// In units of squared samples: what the search minimises, at 0.1 squared steps for a bit.
double CostOf(const Tensor<uint8_t>& picture, const Bytes& file, int step_index,
              const ImageSynthesis* synthesis) {
  const double step = swift::StepFromIndex(step_index) / 64.0;
  return SquaredError(picture, DecodePicture(file, TestImageModel(), synthesis)) +
         0.1 * step * step * 8 * static_cast<double>(file.size());
}

TEST(ImageEffortTest, EverySizeDecodesTunedForMsssim) {
  for (const int effort : {1, 2, 5}) {
    ImageEncoder encoder =
        Must(ImageEncoder::Create(TestImageModel(), {.step_index = 100,
                                                     .tile = 64,
                                                     .threads = 2,
                                                     .effort = effort,
                                                     .synthesis = &TestImageSynthesis(),
                                                     .tune = ImageTune::kMsssim}));
    int64_t channels = 1;
    for (const int64_t h : {1, 33, 97}) {
      for (const int64_t w : {1, 32, 70}) {
        const Tensor<uint8_t> picture = MakePicture(h, w, channels, static_cast<uint32_t>(h + w));
        const Bytes file = Must(encoder.Encode(picture.view()));
        EXPECT_GT(Psnr(picture, DecodePicture(file, TestImageModel(), nullptr)), 24)
            << w << 'x' << h << " effort " << effort;
        channels = channels % 4 + 1;
      }
    }
  }
}

TEST(ImageEffortTest, TunedFilesAreTheSameForAllThreadsAndLevels) {
  const Tensor<uint8_t> picture = MakePicture(130, 200, 3);
  for (const int effort : {1, 4}) {
    Bytes first;
    for (const SimdLevel level : SupportedSimdLevels()) {
      for (const int threads : {1, 3}) {
        const Bytes file = EncodePicture(TestImageModel(), picture,
                                         {.step_index = 180,
                                          .tile = 64,
                                          .threads = threads,
                                          .effort = effort,
                                          .synthesis = &TestImageSynthesis(),
                                          .tune = ImageTune::kMsssim,
                                          .simd = level});
        if (first.empty()) first = file;
        EXPECT_EQ(file, first) << SimdLevelName(level) << ' ' << threads;
      }
    }
    EXPECT_NE(first, EncodeAt(picture, effort, 180)) << effort;
  }
}

// Noise on the left half, a slope on the right: what is smooth and what is coarse counts for more.
TEST(MsssimWeightsTest, NoiseHighFrequenciesAndColourCountForLess) {
  using namespace swift;
  LatentTile tile;
  tile.planes = 3;
  tile.cells_w = 4;
  tile.cells_h = 2;
  const int64_t blocks = tile.rows() * tile.columns();
  for (size_t p = 0; p < 3; ++p) {
    tile.coefficient[p] = Tensor<int16_t>(1, blocks, kChannels);
    tile.weight[p] = Tensor<float>(1, blocks, kChannels);
  }
  tile.variance = Tensor<float>(1, blocks, kMsssimScales);
  for (int64_t b = 0; b < blocks; ++b) {
    const bool noisy = b % tile.columns() < tile.columns() / 2;
    for (int64_t c = 1; c < kChannels; ++c)
      tile.coefficient[0].data()[b * kChannels + c] = static_cast<int16_t>(noisy ? 500 : 3);
  }
  SetMsssimWeights(tile);
  const float* const noise = tile.weight[0].data() + tile.BlockAt(4, 1);
  const float* const smooth = tile.weight[0].data() + tile.BlockAt(4, tile.columns() - 2);
  for (int64_t c = 0; c < kChannels; ++c) {
    EXPECT_GT(smooth[c], 2 * noise[c]) << c;
    EXPECT_GE(smooth[0], smooth[c]) << c;
    EXPECT_GT(smooth[c], 0) << c;
  }
  EXPECT_GT(smooth[1], 4 * smooth[63]);
  const int64_t at = tile.BlockAt(4, 1);
  EXPECT_FLOAT_EQ(tile.weight[1].data()[at] * 4, noise[0]);
  EXPECT_FLOAT_EQ(tile.weight[2].data()[at + 9] * 4, noise[9]);
}

TEST(ImageEffortTest, NoEffortCostsMoreThanTheOneBelow) {
  for (const int step_index : {80, 140, 200, 260, 330}) {
    for (const uint32_t seed : {1u, 2u}) {
      const Tensor<uint8_t> picture = MakePicture(160, 224, 3, seed);
      double last = 0;
      size_t first_size = 0;
      for (const int effort : {1, 2, 3}) {
        const Bytes file = EncodeAt(picture, effort, step_index);
        const double cost = CostOf(picture, file, step_index, nullptr);
        if (effort == 1) {
          first_size = file.size();
        } else {
          // Tolls are estimates: on pictures this small they may lose a little.
          EXPECT_LT(cost, last * (effort == 2 ? 1 : 1.003)) << step_index << " effort " << effort;
          EXPECT_LT(file.size(), first_size) << step_index << " effort " << effort;
        }
        last = cost;
      }
      const double without =
          CostOf(picture, EncodeAt(picture, 3, step_index), step_index, &TestImageSynthesis());
      const double with =
          CostOf(picture, EncodeAt(picture, 6, step_index), step_index, &TestImageSynthesis());
      EXPECT_LT(with, without * 1.001) << step_index;
    }
  }
}

// Efforts 4 to 9 do 1, 2, 3, 4, 6 and 10 rounds, each the beginning of the next: files are equal
// where the rounds between bring nothing. Here one round and two in a row bring nothing, then one
// does.
TEST(ImageEffortTest, RoundsGoOnAfterTwoThatBringNothing) {
  constexpr struct {
    int step_index;
    uint32_t seed;
    int last_stale;  // effort
  } kCases[] = {{200, 3, 5}, {205, 27, 5}, {150, 4, 6}};
  for (const auto& [step_index, seed, last_stale] : kCases) {
    const Tensor<uint8_t> picture = MakePicture(96, 96, 3, seed);
    const Bytes first = EncodeAt(picture, 4, step_index);
    for (int effort = 5; effort <= last_stale; ++effort)
      EXPECT_EQ(EncodeAt(picture, effort, step_index), first) << seed << " effort " << effort;
    const Bytes better = EncodeAt(picture, last_stale + 1, step_index);
    EXPECT_NE(better, first) << seed;
    EXPECT_LT(CostOf(picture, better, step_index, &TestImageSynthesis()),
              CostOf(picture, first, step_index, &TestImageSynthesis()))
        << seed;
  }
}

// The third round is the best here, and the sixth the last, whatever the effort.
TEST(ImageEffortTest, RoundsEndAfterThreeThatBringNothing) {
  constexpr int kStepIndex = 205;
  const Tensor<uint8_t> picture = MakePicture(96, 96, 3, 27);
  const auto last_bits = [&](int effort) {
    swift::TileSearch search(TestImageModel().swift(), nullptr, &TestImageSynthesis(), effort,
                             ImageTune::kPsnr, BestSimdLevel(), 3, 3, 3);
    swift::RowAnalyser analyser(TestImageModel().swift(), BestSimdLevel());
    analyser.SetStep(kStepIndex, ImageTune::kPsnr);
    search.StartTile(kStepIndex, 8, 3, 3);
    for (int64_t y = 0; y < 3; ++y)
      search.AddRow(analyser, picture.view().Window(y * 32, 0, 32, 96), y);
    search.Search();
    return search.bits();
  };
  EXPECT_EQ(EncodeAt(picture, 6, kStepIndex), EncodeAt(picture, 9, kStepIndex));
  EXPECT_NE(last_bits(6), last_bits(7));
  EXPECT_NE(last_bits(7), last_bits(8));
  EXPECT_EQ(last_bits(8), last_bits(9));
}

TEST(ImageEffortTest, BytesDoNotFollowThreadsLevelsOrWhatWasEncodedBefore) {
  // Tiles of both sizes and their edges.
  const Tensor<uint8_t> picture = kSanitized ? MakePicture(90, 150, 4) : MakePicture(150, 310, 4);
  const Tensor<uint8_t> other =
      kSanitized ? MakePicture(100, 170, 4, 9) : MakePicture(200, 330, 4, 9);
  for (const int effort : {2, 3, 5, -3, -5}) {
    for (const int step_index : {90, 250}) {
      ImageEncodeOptions options{.step_index = step_index,
                                 .tile = 64,
                                 .threads = 1,
                                 .effort = std::abs(effort),
                                 .synthesis = &TestImageSynthesis(),
                                 .entropy = effort < 0 ? ImageEntropy::kFull : ImageEntropy::kLite};
      const ImageModel& model =
          effort == -5 && step_index == 250 ? TestMidModel() : TestImageModel();
      const Bytes want = EncodePicture(model, picture, options);
      options.threads = 3;
      ImageEncoder encoder = Must(ImageEncoder::Create(model, options));
      EXPECT_FALSE(Must(encoder.Encode(other.view())).empty());
      EXPECT_EQ(Must(encoder.Encode(picture.view())), want) << effort;
      for (const SimdLevel level : SupportedSimdLevels()) {
        options.simd = level;
        EXPECT_EQ(EncodePicture(model, picture, options), want)
            << effort << ' ' << SimdLevelName(level);
      }
    }
  }
}

struct Shipped {
  ImageModel model;
  ImageSynthesis medium;
};

const Shipped& ShippedModels() {
  static const Shipped* const shipped = [] {
    ModelRegistry registry;
    const uint64_t id = Must(registry.DefaultStreamModel("swift"));
    auto* const models = new Shipped{
        Must(ImageModel::Load(Must(registry.FindStreamModel(id)), id)),
        Must(ImageSynthesis::Load(Must(registry.FindSynthesis("swift", id, "medium"))))};
    const SafeTensors entropy = Must(registry.FindEntropy(id, "full"));
    EXPECT_TRUE(models->model.SetEntropy(entropy, ModelIdOf(entropy.file())).ok());
    return models;
  }();
  return *shipped;
}

// Part of a real picture.
Tensor<uint8_t> DemoPart(const ImageRegion& part) {
  auto reader = Must(OpenImage(GODWIT_SOURCE_DIR "/testdata/demo.png"));
  const ImageInfo& info = reader->info();
  Tensor<uint8_t> whole(info.height, info.width, info.channels);
  EXPECT_TRUE(reader->ReadRows(whole.view()).ok());
  return Crop(whole, part);
}

TEST(ImageEffortTest, ATrainedNetworkGivesTheSameBytesAtEveryLevel) {
  const Tensor<uint8_t> picture = DemoPart({32, 32, 100, 70});
  const auto encode = [&](SimdLevel level, const ImageSynthesis* synthesis) {
    return EncodePicture(ShippedModels().model, picture,
                         {.step_index = 200, .effort = 5, .synthesis = synthesis, .simd = level});
  };
  const Bytes want = encode(SimdLevel::kScalar, &ShippedModels().medium);
  for (const SimdLevel level : SupportedSimdLevels())
    EXPECT_EQ(encode(level, &ShippedModels().medium), want) << SimdLevelName(level);
  EXPECT_NE(encode(SimdLevel::kScalar, nullptr), want);
}

TEST(ImageEffortTest, WithoutANetworkTheHighestEffortsDoAsTheThird) {
  const Tensor<uint8_t> picture = MakePicture(70, 90, 3);
  EXPECT_EQ(EncodeAt(picture, 9, 220, nullptr), EncodeAt(picture, 3, 220, nullptr));
}

// Of all substreams.
double FullBytes(const Bytes& file, const ImageModel& model) {
  const Bytes full = Must(RepackImage(Must(ParseImageStream(file)), model,
                                      {.entropy = ImageEntropy::kFull, .limits = {}}));
  const ImageStream stream = Must(ParseImageStream(full));
  size_t bytes = 0;
  for (const auto& layer : stream.layers) {
    for (const auto& tile : layer) bytes += tile.size();
  }
  return static_cast<double>(bytes);
}

// Bits that the search counts, and the file that the symbols make.
TEST(ImageEffortTest, BitsOfFullAreThoseOfTheFile) {
  const ImageModel& model = ShippedModels().model;
  const Tensor<uint8_t> picture = DemoPart({64, 64, 256, 192});
  for (const int effort : {2, 3}) {
    for (const int step_index : {100, 180, 260}) {
      swift::TileSearch search(model.swift(), model.full(), nullptr, effort, ImageTune::kPsnr,
                               BestSimdLevel(), 3, 8, 6);
      swift::RowAnalyser analyser(model.swift(), BestSimdLevel());
      analyser.SetStep(step_index, ImageTune::kPsnr);
      search.StartTile(step_index, 8, 8, 6);
      for (int64_t y = 0; y < 6; ++y)
        search.AddRow(analyser, picture.view().Window(y * 32, 0, 32, 256), y);
      search.Search();
      const Bytes file = EncodePicture(
          model, picture,
          {.step_index = step_index, .effort = effort, .entropy = ImageEntropy::kFull});
      const double bytes = search.bits() / 8, size = FullBytes(file, model);
      // A substream ends with up to four bytes, and cells that turn out empty were coded.
      EXPECT_GT(size, bytes * 0.97) << step_index << " effort " << effort;
      EXPECT_LT(size, bytes * 1.003 + 8 * 4) << step_index << " effort " << effort;
    }
  }
}

TEST(ImageEffortTest, CountingBitsOfFullPaysInFull) {
  const ImageModel& model = ShippedModels().model;
  const Tensor<uint8_t> picture = DemoPart({64, 64, 256, 192});
  for (const int step_index : {140, 200, 260}) {
    for (const int effort : {2, 3, 5}) {
      if (kSanitized && step_index != 200) continue;
      const double step = swift::StepFromIndex(step_index) / 64.0;
      const auto cost = [&](ImageEntropy entropy) {
        const Bytes file = EncodePicture(model, picture,
                                         {.step_index = step_index,
                                          .effort = effort,
                                          .synthesis = &ShippedModels().medium,
                                          .entropy = entropy});
        const ImageSynthesis* const synthesis = effort > 3 ? &ShippedModels().medium : nullptr;
        return SquaredError(picture, DecodePicture(file, model, synthesis)) +
               0.1 * step * step * 8 * FullBytes(file, model);
      };
      EXPECT_LT(cost(ImageEntropy::kFull), cost(ImageEntropy::kLite))
          << step_index << " effort " << effort;
    }
  }
}

TEST(ImageEffortTest, TheFirstEffortIsTheSameForBothEntropies) {
  const Tensor<uint8_t> picture = MakePicture(70, 90, 3);
  EXPECT_EQ(EncodePicture(TestImageModel(), picture, {.entropy = ImageEntropy::kFull}),
            EncodePicture(TestImageModel(), picture, {}));
}

TEST(ImageEffortTest, LayersMayBeLeftOut) {
  const Tensor<uint8_t> picture = MakePicture(90, 120, 3);
  double last = 0;
  for (int layers = 1; layers <= 8; ++layers) {
    const Bytes file = EncodePicture(
        TestImageModel(), picture,
        {.step_index = 100, .layers = layers, .effort = 5, .synthesis = &TestImageSynthesis()});
    const double psnr = Psnr(picture, DecodePicture(file, TestImageModel(), nullptr));
    EXPECT_GT(psnr, last) << layers;
    last = psnr;
  }
}

TEST(ImageEffortTest, FlatPicturesAndExtremesDecode) {
  for (const int step_index : {0, 351}) {
    for (const int kind : {0, 1, 2}) {
      Tensor<uint8_t> picture(40, 70, 3);
      for (int64_t i = 0; i < picture.size(); ++i) {
        const uint32_t noise = HashOf(static_cast<uint32_t>(i), 3, 4);
        picture.data()[i] =
            kind == 0 ? 255 : static_cast<uint8_t>(kind == 1 ? noise : noise % 2 * 255);
      }
      const Tensor<uint8_t> decoded =
          DecodePicture(EncodeAt(picture, 5, step_index), TestImageModel(), nullptr);
      EXPECT_GT(Psnr(picture, decoded), step_index == 0 ? 48 : 4) << kind;
    }
  }
}

TEST(ImageEffortTest, OptionsThatDoNotFitAreRefused) {
  const auto code = [](const ImageEncodeOptions& options) {
    return ImageEncoder::Create(TestImageModel(), options).status().code();
  };
  EXPECT_EQ(code({.effort = 0}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.effort = 10}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.effort = 9, .synthesis = &OtherImageSynthesis()}), StatusCode::kModelRefused);
  ModelRegistry registry;
  const uint64_t id = Must(registry.DefaultStreamModel("swift"));
  const ImageModel without = Must(ImageModel::Load(Must(registry.FindStreamModel(id)), id));
  EXPECT_EQ(
      ImageEncoder::Create(without, {.effort = 2, .entropy = ImageEntropy::kFull}).status().code(),
      StatusCode::kModelMissing);
}

TEST(ImageEffortTest, WhereMemoryIsShortFewerThreadsAreUsed) {
  const Tensor<uint8_t> picture = MakePicture(256, 1024, 3);
  ImageEncodeOptions options{
      .tile = 256, .threads = 4, .effort = 5, .synthesis = &TestImageSynthesis()};
  const Bytes want = EncodePicture(TestImageModel(), picture, options);
  uint64_t least = 0;
  for (uint64_t memory = 1 << 20; least == 0; memory += 1 << 18) {
    options.max_memory_bytes = memory;
    ImageEncoder encoder = Must(ImageEncoder::Create(TestImageModel(), options));
    const Result<Bytes> file = encoder.Encode(picture.view());
    if (!file.ok()) {
      ASSERT_EQ(file.status().code(), StatusCode::kOverLimit);
      ASSERT_LT(memory, uint64_t{1} << 28);
      continue;
    }
    EXPECT_EQ(*file, want);
    least = memory;
  }
  EXPECT_GT(least, uint64_t{4} << 20);
}

TEST(ImageEffortTest, QualityAndStepAreInverseAtEachEffort) {
  for (const ImageTune tune : {ImageTune::kPsnr, ImageTune::kMsssim}) {
    for (int effort = 1; effort <= 9; ++effort) {
      int last = 352;
      for (double quality = 0; quality <= 100; quality += 0.25) {
        const int step = StepIndexFromQuality(quality, effort, tune);
        EXPECT_LE(step, last);
        last = step;
      }
      EXPECT_EQ(last, 0);
      const int coarsest = StepIndexFromQuality(0, effort, tune);
      for (int step = 0; step <= coarsest; ++step) {
        EXPECT_EQ(StepIndexFromQuality(QualityFromStepIndex(step, effort, tune), effort, tune),
                  step);
      }
    }
  }
}

TEST(ImageEffortTest, AQualityIsAboutAsGoodInFewerBitsWithShippedModels) {
  const Tensor<uint8_t> picture = DemoPart({64, 64, 256, 192});
  const auto& [model, synthesis] = ShippedModels();
  for (const double quality : {20.0, 45.0, 70.0}) {
    double psnr = 0;
    size_t size = 0;
    for (const int effort : {1, 3, 6}) {
      const Bytes file = EncodePicture(model, picture,
                                       {.step_index = StepIndexFromQuality(quality, effort),
                                        .effort = effort,
                                        .synthesis = &synthesis});
      const double now = Psnr(picture, DecodePicture(file, model, &synthesis));
      std::cout << "quality " << quality << " effort " << effort << ": " << file.size()
                << " bytes, " << now << " dB\n";
      if (effort > 1) {
        EXPECT_NEAR(now, psnr, 0.25) << quality << " effort " << effort;
        EXPECT_LT(file.size(), size) << quality << " effort " << effort;
      }
      if (effort == 1) {
        psnr = now;
        size = file.size();
      }
    }
  }
}

}  // namespace
}  // namespace godwit
