#include "codecs/audio/audio_model.h"

#include <gtest/gtest.h>

#include "codecs/audio/audio_decoder.h"
#include "codecs/audio/audio_encoder.h"
#include "tests/codecs/test_audio_model.h"
#include "tests/codecs/test_sounds.h"

namespace godwit {
namespace {

std::vector<uint8_t> SomeBytes(uint32_t seed) {
  std::vector<uint8_t> bytes(9973);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  return bytes;
}

StatusCode CodeOf(const Bytes& file) { return LoadAudioModel(file).status().code(); }

TEST(AudioModelTest, AFileSaysHowEverythingStarts) {
  const AudioModelTensors tensors(SomeBytes(1));
  const auto model = LoadAudioModel(tensors.File());
  ASSERT_TRUE(model.ok()) << model.status().message();
  size_t at = 0;
  audio::ForEachContext(model->start(), [&](const CountedBit& bit) {
    EXPECT_EQ(bit.p1, tensors.p1[at]);
    EXPECT_EQ(bit.count, tensors.count[at++]);
  });
  at = 0;
  audio::ForEachSymbolWeight(model->start(),
                             [&](int16_t w) { EXPECT_EQ(w, tensors.of_symbols[at++]); });
  at = 0;
  audio::ForEachLevelWeight(model->start(),
                            [&](int32_t w) { EXPECT_EQ(w, tensors.of_levels[at++]); });
  EXPECT_EQ(at, tensors.of_levels.size());
  EXPECT_EQ(AudioModel().id(), 0u);
}

TEST(AudioModelTest, FilesThatLackSomethingAreRefused) {
  const AudioModelTensors good(SomeBytes(2));
  EXPECT_EQ(CodeOf(good.File("music")), StatusCode::kOk);
  EXPECT_EQ(CodeOf(good.File("swift")), StatusCode::kModelRefused);
  EXPECT_EQ(CodeOf(good.File("voice", "synthesis")), StatusCode::kModelRefused);
  AudioModelTensors t = good;
  t.p1.pop_back();
  EXPECT_EQ(CodeOf(t.File()), StatusCode::kModelRefused);
  t = good;
  t.count.push_back(0);
  EXPECT_EQ(CodeOf(t.File()), StatusCode::kModelRefused);
  t = good;
  t.of_symbols.clear();
  EXPECT_EQ(CodeOf(t.File()), StatusCode::kModelRefused);
  for (const int32_t w : {(1 << 20) + 1, -(1 << 20) - 1, INT32_MAX, INT32_MIN}) {
    t = good;
    t.of_levels.back() = w;
    EXPECT_EQ(CodeOf(t.File()), StatusCode::kModelRefused) << w;
  }
  const auto file = SafeTensors::Parse(good.File());
  EXPECT_EQ(AudioModel::Load(*file, 0).status().code(), StatusCode::kModelRefused);
  EXPECT_EQ(CodeOf(SafeTensorsWriter().Finish()), StatusCode::kModelRefused);
}

TEST(AudioModelTest, WhateverTheStartsWhatIsCodedComesBack) {
  AudioModelTensors extreme({});
  std::fill(extreme.of_symbols.begin(), extreme.of_symbols.end(), int16_t{-32768});
  for (const Bytes& file : {AudioModelTensors(SomeBytes(3)).File(), AudioModelTensors({}).File(),
                            extreme.File(), AudioModelTensors(SomeBytes(4)).File("music")}) {
    AudioEncodeOptions options{.part_frames = 3, .key_parts = 2};
    options.model = *LoadAudioModel(file);
    for (const uint32_t channels : {1u, 2u, 3u}) {
      const auto header = MakeAudioHeader(AudioKind::kVoice, 16000, channels);
      const auto samples = TestSound(6000, channels);
      options.level = SimdLevel::kScalar;
      const auto coded = EncodeAudio(samples, *header, options);
      ASSERT_TRUE(coded.ok());
      const auto sound = DecodeAudio(*coded, {.model = options.model});
      ASSERT_TRUE(sound.ok()) << sound.status().message();
      EXPECT_EQ(sound->header.model_id, options.model.id());
      const auto plain =
          EncodeAudio(samples, *header, {.part_frames = 3, .key_parts = 2, .lambda = 0});
      options.lambda = 0;  // no choice depends on what bits cost
      const auto same =
          DecodeAudio(*EncodeAudio(samples, *header, options), {.model = options.model});
      EXPECT_EQ(same->samples, DecodeAudio(*plain)->samples);
      for (const SimdLevel level : SupportedSimdLevels()) {
        options.level = level;
        options.lambda = 6000;
        EXPECT_EQ(*EncodeAudio(samples, *header, options), *coded) << SimdLevelName(level);
        EXPECT_EQ(DecodeAudio(*coded, {.model = options.model, .level = level})->samples,
                  sound->samples);
      }
    }
  }
}

TEST(AudioModelTest, AStreamOfAnotherModelIsNotDecoded) {
  const auto model = LoadAudioModel(AudioModelTensors(SomeBytes(5)).File());
  AudioEncodeOptions options;
  options.model = *model;
  const auto header = MakeAudioHeader(AudioKind::kVoice, 16000, 1);
  const auto coded = EncodeAudio(TestSound(900, 1), *header, options);
  EXPECT_EQ(DecodeAudio(*coded).status().code(), StatusCode::kModelMissing);
  const auto plain = EncodeAudio(TestSound(900, 1), *header);
  EXPECT_EQ(DecodeAudio(*plain, {.model = *model}).status().code(), StatusCode::kModelMissing);
}

}  // namespace
}  // namespace godwit
