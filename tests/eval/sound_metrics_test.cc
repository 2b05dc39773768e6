#include "eval/sound_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numbers>

#include "eval/fft.h"
#include "eval/metric.h"
#include "tests/eval/test_sound.h"

namespace godwit {
namespace {

Sound Tone(double amplitude = 0.5) {
  Sound tone{48000, 1, 32, {}};
  for (int i = 0; i < 48000; ++i) {
    tone.samples.push_back(
        static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * 480 * i / 48000)));
  }
  return tone;
}

// A tone at right angles to Tone(), `decibels` below it.
Sound WithDisturbance(double scale, double decibels) {
  Sound sound = Tone();
  for (int i = 0; i < 48000; ++i) {
    const double other =
        0.5 * std::pow(10, -decibels / 20) * std::sin(2 * std::numbers::pi * 1920 * i / 48000);
    float& v = sound.samples[static_cast<size_t>(i)];
    v = static_cast<float>(scale * (double{v} + other));
  }
  return sound;
}

Sound Scaled(Sound sound, float by) {
  for (float& v : sound.samples) v *= by;
  return sound;
}

TEST(SoundMetricsTest, ValuesEqualThoseOfAnotherImplementation) {
  const nlohmann::json rows =
      nlohmann::json::parse(std::ifstream(GODWIT_SOURCE_DIR "/testdata/eval/sound_reference.json"));
  ASSERT_EQ(rows.size(), 12u);
  size_t compared = 0;
  for (const nlohmann::json& row : rows) {
    const uint32_t rate = row["rate_hz"], channels = row["channels"], seconds = row["seconds"];
    const Sound original = MakeTestSound(rate, channels, rate * seconds),
                decoded = MakeTestSound(rate, channels, rate * seconds, row["name"]);
    for (const Metric& metric : Metrics()) {
      if (metric.medium != Medium::kSound || !row.contains(metric.name)) continue;
      const double want = row[std::string(metric.name)];
      EXPECT_NEAR(metric.measure(&original, &decoded), want, 1e-8 * std::abs(want))
          << metric.name << " of " << row["name"] << " at " << rate;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 12u * 4 + 3);
}

TEST(SoundMetricsTest, AKnownDisturbanceHasItsDecibels) {
  const Sound tone = Tone();
  for (const double decibels : {3.0, 20.0, 47.0}) {
    EXPECT_NEAR(SiSdr(tone, WithDisturbance(1, decibels)), decibels, 1e-3);
    EXPECT_NEAR(SiSdr(tone, WithDisturbance(3, decibels)), decibels, 1e-3);  // scale is nothing
    EXPECT_NEAR(SiSdr(tone, WithDisturbance(-1, decibels)), decibels, 1e-3);
    const double limited = std::min(decibels, 35.0);
    EXPECT_NEAR(SegmentalSnr(tone, WithDisturbance(1, decibels)), limited, 1e-2);
  }
  // At half the level the error is as large as what is left: 6 dB below the tone.
  EXPECT_NEAR(SegmentalSnr(tone, Scaled(tone, 0.5f)), 20 * std::log10(2), 1e-9);
}

TEST(SoundMetricsTest, LogMelSeesAChangeOfLevelAsItsDecibels) {
  const Sound noise = MakeTestSound(24000, 1, 24000);
  EXPECT_EQ(LogMelDistance(noise, noise), 0);
  EXPECT_NEAR(LogMelDistance(noise, Scaled(noise, 2)), 20 * std::log10(2), 1e-3);
}

TEST(SoundMetricsTest, ScaledPsnrIsOfTheOriginalsPeak) {
  const Sound tone = Tone();
  Sound shifted = tone;
  for (float& v : shifted.samples) v += 0.01f;  // a hundredth of twice the peak
  EXPECT_NEAR(ScaledPsnr(tone, shifted), 40, 1e-3);
}

TEST(SoundMetricsTest, StoiFallsWithNoiseAndIgnoresLevel) {
  const Sound speech = MakeTestSound(16000, 1, 32000);
  EXPECT_NEAR(Stoi(speech, speech), 1, 1e-9);
  EXPECT_NEAR(Stoi(speech, Scaled(speech, 0.25f)), 1, 1e-6);
  double before = 1;
  for (const float level : {1.0f, 4.0f, 16.0f}) {
    Sound noisy = speech;
    const Sound noise = MakeTestSound(16000, 1, 32000, "noise");
    for (size_t i = 0; i < noisy.samples.size(); ++i) {
      noisy.samples[i] += level * (noise.samples[i] - speech.samples[i]) * 2;
    }
    const double score = Stoi(speech, noisy);
    EXPECT_LT(score, before - 0.01) << level;
    before = score;
  }
}

TEST(SoundMetricsTest, SilenceHasNoValueAndGivesNone) {
  const Sound tone = Tone(), silence = Scaled(tone, 0);
  for (const auto measure : {SiSdr, SegmentalSnr, ScaledPsnr}) {
    EXPECT_TRUE(std::isnan(measure(silence, tone)));
  }
  EXPECT_EQ(SiSdr(tone, silence), kLeastSiSdr);
  EXPECT_NEAR(SegmentalSnr(tone, silence), 0, 1e-12);
  EXPECT_GT(LogMelDistance(tone, silence), 10);
  EXPECT_NEAR(Stoi(MakeTestSound(16000, 1, 32000), Scaled(MakeTestSound(16000, 1, 32000), 0)), 0,
              1e-9);
}

TEST(SoundMetricsTest, TooShortHasNoValue) {
  const Sound few = MakeTestSound(16000, 1, 100);
  EXPECT_TRUE(std::isnan(SegmentalSnr(few, few)));
  EXPECT_TRUE(std::isnan(LogMelDistance(few, few)));
  EXPECT_TRUE(std::isnan(Stoi(few, few)));
}

TEST(PowerSpectrumTest, EqualsTheSum) {
  const size_t size = 16;
  std::vector<double> samples, bins;
  for (size_t i = 0; i < 11; ++i) samples.push_back(static_cast<double>((i * i * 7) % 13) - 6);
  PowerSpectrum spectrum(size);
  spectrum.Of(samples, &bins);
  ASSERT_EQ(bins.size(), size / 2 + 1);
  for (size_t k = 0; k < bins.size(); ++k) {
    std::complex<double> sum;
    for (size_t i = 0; i < samples.size(); ++i) {
      sum +=
          samples[i] * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i * k) / size);
    }
    EXPECT_NEAR(bins[k], std::norm(sum), 1e-10) << k;
  }
}

}  // namespace
}  // namespace godwit
