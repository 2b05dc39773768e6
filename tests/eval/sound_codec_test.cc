#include <gtest/gtest.h>

#include <cmath>

#include "eval/codec_table.h"
#include "eval/sound_metrics.h"
#include "tests/eval/built_codecs.h"
#include "tests/eval/test_sound.h"
#include "tests/io/image_samples.h"

namespace godwit {
namespace {

CodecContext TestContext() {
  CodecContext context;
  context.version = "test";
  context.load_sound = [](const std::string&, const std::string&) -> Result<AudioModel> {
    return AudioModel();
  };
  return context;
}

// What this build has.
std::vector<std::string> Names() {
  return BuiltCodecs(
      {"sound", "music", "opus", "opus:0:audio", "opus:packets", "vorbis", "mp3", "mp3:9"});
}

class SoundCodecTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto entry = FindCodec(GetParam(), TestContext());
    ASSERT_TRUE(entry.ok()) << entry.status().message();
    entry_ = *std::move(entry);
    auto codec = entry_.create(1);
    ASSERT_TRUE(codec.ok()) << codec.status().message();
    codec_ = *std::move(codec);
  }
  // The decoded sound; empty after a failure.
  Sound RoundTrip(const Sound& sound, double setting, size_t* bytes = nullptr) {
    const auto stream = codec_->Encode(&sound, setting);
    if (!stream.ok()) {
      ADD_FAILURE() << stream.status().message();
      return {};
    }
    if (bytes != nullptr) *bytes = stream->size() - codec_->uncounted_bytes();
    const Bytes copy(stream->begin(), stream->end());
    Item decoded = BlankLike(&sound);
    const Status status = codec_->Decode(copy, ViewOf(decoded));
    EXPECT_TRUE(status.ok()) << status.message();
    return std::get<Sound>(decoded);
  }

  CodecEntry entry_;
  std::unique_ptr<Codec> codec_;
};

// The cosine between them with `decoded` moved by so many frames.
double Likeness(const Sound& original, const Sound& decoded, int shift) {
  double xx = 0, yy = 0, xy = 0;
  const int frames = static_cast<int>(original.frames());
  for (int i = 0; i < frames; ++i) {
    if (i + shift < 0 || i + shift >= frames) continue;
    for (size_t c = 0; c < original.channels; ++c) {
      const double x = original.samples[static_cast<size_t>(i) * original.channels + c],
                   y = decoded.samples[static_cast<size_t>(i + shift) * original.channels + c];
      xx += x * x;
      yy += y * y;
      xy += x * y;
    }
  }
  return xy / std::sqrt(xx * yy + 1e-30);
}

TEST_P(SoundCodecTest, DecodedSoundLiesWhereTheOriginalDoes) {
  // 32 kHz is a rate that some resample from; two channels that differ.
  for (const auto& [rate, channels] : {std::pair{16000u, 1u}, {44100u, 2u}, {32000u, 1u}}) {
    const Sound sound = MakeTestSound(rate, channels, rate);
    const Sound decoded = RoundTrip(sound, entry_.ladder[8]);
    ASSERT_EQ(decoded.samples.size(), sound.samples.size());
    const double there = Likeness(sound, decoded, 0);
    EXPECT_GT(there, 0.9) << rate;
    for (const int shift : {-3, -2, -1, 1, 2, 3}) {
      EXPECT_GT(there, Likeness(sound, decoded, shift)) << shift << " at " << rate;
    }
  }
}

TEST_P(SoundCodecTest, TheLadderLeadsFromSmallToGood) {
  const Sound sound = MakeTestSound(48000, 2, 48000);
  size_t first = 0, last = 0;
  const Sound coarse = RoundTrip(sound, entry_.ladder.front(), &first);
  const Sound fine = RoundTrip(sound, entry_.ladder.back(), &last);
  EXPECT_LT(first * 2, last);
  EXPECT_LT(SiSdr(sound, coarse) + 5, SiSdr(sound, fine));
  EXPECT_FALSE(entry_.version.empty());
}

TEST_P(SoundCodecTest, StreamsDoNotDependOnWhatCameBefore) {
  const Sound sound = MakeTestSound(16000, 1, 16000), other = MakeTestSound(44100, 2, 20000);
  const double setting = entry_.ladder[6];
  const auto once = codec_->Encode(&sound, setting);
  ASSERT_TRUE(once.ok()) << once.status().message();
  const Bytes first(once->begin(), once->end());
  ASSERT_TRUE(codec_->Encode(&other, entry_.ladder.back()).ok());
  const auto again = codec_->Encode(&sound, setting);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(first, Bytes(again->begin(), again->end()));
}

TEST_P(SoundCodecTest, OddAndShortLengthsComeBack) {
  for (const uint32_t frames : {1u, 100u, 959u, 4097u, 12345u}) {
    const Sound sound = MakeTestSound(16000, 1, frames);
    EXPECT_EQ(RoundTrip(sound, entry_.ladder[6]).samples.size(), frames);
  }
}

TEST_P(SoundCodecTest, AnotherSizeAndGarbageAreErrors) {
  const Sound sound = MakeTestSound(16000, 1, 8000);
  const auto stream = codec_->Encode(&sound, entry_.ladder[6]);
  ASSERT_TRUE(stream.ok());
  const Bytes copy(stream->begin(), stream->end());
  Sound longer = MakeTestSound(16000, 1, 9000), stereo = MakeTestSound(16000, 2, 8000),
        same = sound;
  EXPECT_FALSE(codec_->Decode(copy, &longer).ok());
  EXPECT_FALSE(codec_->Decode(copy, &stereo).ok());
  EXPECT_FALSE(codec_->Decode(ToBytes("no sound at all"), &same).ok());
  EXPECT_FALSE(codec_->Decode({}, &same).ok());
  EXPECT_TRUE(codec_->Decode(copy, &same).ok());  // and goes on after that
}

TEST_P(SoundCodecTest, TheNearestRateIsFound) {
  const Sound sound = MakeTestSound(16000, 1, 32000);
  const uint64_t target = 2 * 24000 / 8;
  const auto setting = SettingForSize(entry_, *codec_, &sound, target);
  ASSERT_TRUE(setting.ok()) << setting.status().message();
  size_t bytes = 0;
  RoundTrip(sound, *setting, &bytes);
  if (GetParam().starts_with("vorbis")) return;                    // its least rate is above
  EXPECT_NEAR(static_cast<double>(bytes), target, 0.06 * target);  // LAME's steps are wide
}

TEST_P(SoundCodecTest, DelaysAreWhatIsKnown) {
  const Sound sound = MakeTestSound(48000, 2, 4800);
  const auto delay = codec_->DelaySeconds(&sound, entry_.ladder[6]);
  ASSERT_TRUE(delay.ok()) << delay.status().message();
  if (GetParam().starts_with("opus")) {
    EXPECT_DOUBLE_EQ(*delay, 0.0265);  // RFC 6716: 20 ms and 6.5 ms
  } else {
    EXPECT_GT(*delay, 0.02);
    EXPECT_LT(*delay, 0.2);
  }
}

std::string TestName(const testing::TestParamInfo<std::string>& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, SoundCodecTest, testing::ValuesIn(Names()), TestName);

TEST(SoundCodecTableTest, OptionsAreChecked) {
  for (const std::string& name : BuiltCodecs(
           {"opus:11", "opus:fast", "vorbis:3", "mp3:10", "music:quick", "sound:model=none"})) {
    EXPECT_EQ(FindCodec(name, TestContext()).status().code(), StatusCode::kInvalidArgument) << name;
  }
}

#if GODWIT_EVAL_OPUS
TEST(SoundCodecTableTest, PacketsAreFewerBytesThanTheirFile) {
  const auto whole = FindCodec("opus", TestContext()),
             packets = FindCodec("opus:packets", TestContext());
  ASSERT_TRUE(whole.ok()) << whole.status().message();
  ASSERT_TRUE(packets.ok()) << packets.status().message();
  const Sound sound = MakeTestSound(16000, 1, 16000);
  const auto a = *whole->create(1), b = *packets->create(1);
  const auto in_ogg = a->Encode(&sound, 16), alone = b->Encode(&sound, 16);
  ASSERT_TRUE(in_ogg.ok()) << in_ogg.status().message();
  ASSERT_TRUE(alone.ok()) << alone.status().message();
  const size_t size = in_ogg->size(), other = alone->size();
  EXPECT_EQ(size, other);
  EXPECT_EQ(a->uncounted_bytes(), 0u);
  EXPECT_GT(b->uncounted_bytes(), 51u);  // 50 packets, each with a length
  EXPECT_LT(b->uncounted_bytes(), 400u);
}
#endif

}  // namespace
}  // namespace godwit
