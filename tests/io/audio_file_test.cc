#include "io/audio_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "io/resample.h"
#include "tests/io/image_samples.h"

namespace godwit {
namespace {

AudioInfo Describe(const std::string& format, SampleType type, int bits, uint32_t channels) {
  AudioInfo info;
  info.rate_hz = 44100;
  info.channels = channels;
  info.type = type;
  info.bits = bits;
  info.format = format;
  return info;
}

// A tone that uses all bits.
NdArray Tone(const AudioInfo& info, int64_t frames) {
  NdArray array{info.type, Shape::Of(frames, info.channels), {}};
  array.data.resize(static_cast<size_t>(array.shape.count()) * SampleBytes(info.type));
  for (size_t i = 0; i < static_cast<size_t>(array.shape.count()); ++i) {
    const double v = std::sin(static_cast<double>(i) / 7);
    const double whole = v * std::ldexp(1, info.bits - 1) * 0.99;
    if (info.type == SampleType::kF32) {
      array.As<float>()[i] = static_cast<float>(v);
    } else if (info.type == SampleType::kI16) {
      array.As<int16_t>()[i] = static_cast<int16_t>(whole);
    } else {
      array.As<int32_t>()[i] = static_cast<int32_t>(whole);
    }
  }
  return array;
}

TEST(AudioFileTest, WavAndFlacComeBackExactlyWithTheirTags) {
  for (const auto& [format, type, bits, channels] : {std::tuple{"wav", SampleType::kI16, 16, 1u},
                                                     {"wav", SampleType::kI16, 16, 2u},
                                                     {"wav", SampleType::kI32, 24, 2u},
                                                     {"wav", SampleType::kI32, 32, 16u},
                                                     {"wav", SampleType::kF32, 32, 3u},
                                                     {"flac", SampleType::kI16, 16, 2u},
                                                     {"flac", SampleType::kI32, 24, 8u}}) {
    AudioInfo info = Describe(format, type, bits, channels);
    info.tags = {{"title", "Godwit"}};
    const NdArray tone = Tone(info, 5000);
    const auto file = WriteAudio(info, tone);
    ASSERT_TRUE(file.ok()) << format << bits << file.status().message();
    EXPECT_TRUE(IsAudio(*file));
    const auto reader = OpenAudioBytes(*file);
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    const AudioInfo& got = (*reader)->info();
    EXPECT_EQ(got.format, format);
    EXPECT_EQ(got.rate_hz, 44100u);
    EXPECT_EQ(got.frames, 5000u);
    EXPECT_EQ(got.bits, bits);
    EXPECT_EQ(got.tags, info.tags) << format << bits;
    const auto array = ReadAudioArray(**reader);
    ASSERT_TRUE(array.ok()) << array.status().message();
    EXPECT_EQ(array->type, type);
    EXPECT_EQ(array->shape, tone.shape);
    EXPECT_EQ(array->data, tone.data) << format << bits << channels;
  }
}

TEST(AudioFileTest, RawSoundStreamsAndEndsAtAFrame) {
  const TempFolder folder;
  const AudioInfo info = Describe("raw", SampleType::kI16, 16, 2);
  const NdArray tone = Tone(info, 3001);
  SaveBytes(folder.File("a.raw"), *WriteAudio(info, tone));
  auto reader = OpenRawAudio(folder.File("a.raw"), info);
  ASSERT_TRUE(reader.ok());
  const auto array = ReadAudioArray(**reader);
  ASSERT_TRUE(array.ok()) << array.status().message();
  EXPECT_EQ(array->data, tone.data);
  auto again = OpenRawAudio(folder.File("a.raw"), info);
  std::vector<float> frames(20);
  ASSERT_EQ(*(*again)->Read(frames), 10u);
  EXPECT_NEAR(frames[7], std::sin(1.0) * 0.99, 1e-4);
  SaveBytes(folder.File("cut.raw"), Bytes(4 * 100 + 3));
  reader = OpenRawAudio(folder.File("cut.raw"), info);
  EXPECT_EQ(ReadAudioArray(**reader).status().code(), StatusCode::kTruncated);
  EXPECT_EQ(OpenRawAudio("x", {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenRawAudio(folder.File("none"), info).status().code(), StatusCode::kUnreadable);
}

TEST(AudioFileTest, WhatIsWrongIsNamed) {
  const AudioInfo info = Describe("flac", SampleType::kI16, 16, 2);
  const Bytes file = *WriteAudio(info, Tone(info, 5000));
  EXPECT_EQ(OpenAudioBytes(file, {.max_memory_bytes = 1000}).status().code(),
            StatusCode::kOverLimit);
  EXPECT_EQ(OpenAudioBytes(ToBytes("no sound at all")).status().code(), StatusCode::kUnreadable);
  EXPECT_EQ(OpenAudio("/nowhere").status().code(), StatusCode::kUnreadable);
  const Bytes half(file.begin(), file.begin() + static_cast<ptrdiff_t>(file.size() / 2));
  auto reader = OpenAudioBytes(half);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(ReadAudioArray(**reader).status().code(), StatusCode::kTruncated);
  AudioInfo many = Describe("flac", SampleType::kI16, 16, 9);
  EXPECT_EQ(WriteAudio(many, Tone(many, 10)).status().code(), StatusCode::kUnsupported);
  many.channels = 2;
  EXPECT_EQ(WriteAudio(many, Tone(info, 10)).ok(), true);
  many.format = "mp5";
  EXPECT_EQ(WriteAudio(many, Tone(info, 10)).status().code(), StatusCode::kUnsupported);
}

TEST(ResamplerTest, AToneKeepsItsPitchAndPiecesEqualTheWhole) {
  std::vector<float> tone(2 * 44100);
  for (size_t i = 0; i < tone.size(); ++i) {
    const double t = static_cast<double>(i / 2) / 44100;
    tone[i] = static_cast<float>((i % 2 == 0 ? 0.5 : 0.25) * std::sin(2 * M_PI * 997 * t));
  }
  std::vector<float> whole, pieces;
  Result<Resampler> one = Resampler::Create(44100, 16000, 2);
  ASSERT_TRUE(one.ok() && one->Push(tone, whole).ok() && one->Finish(whole).ok());
  EXPECT_NEAR(static_cast<double>(whole.size()), 2 * 16000, 4);
  for (size_t i = 2000; i < 30000; ++i) {  // away from the ends
    const double t = static_cast<double>(i / 2) / 16000;
    const double want = (i % 2 == 0 ? 0.5 : 0.25) * std::sin(2 * M_PI * 997 * t);
    ASSERT_NEAR(whole[i], want, 2e-4) << i;
  }
  Result<Resampler> many = Resampler::Create(44100, 16000, 2);
  for (size_t at = 0; at < tone.size(); at += 1002) {
    const size_t n = std::min<size_t>(1002, tone.size() - at);
    ASSERT_TRUE(many->Push(std::span(tone).subspan(at, n), pieces).ok());
  }
  ASSERT_TRUE(many->Finish(pieces).ok());
  EXPECT_EQ(pieces, whole);
  EXPECT_EQ(Resampler::Create(0, 1, 1).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace godwit
