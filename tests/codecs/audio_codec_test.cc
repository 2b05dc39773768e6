#include <gtest/gtest.h>

#include <cmath>

#include "codecs/audio/audio_decoder.h"
#include "codecs/audio/audio_encoder.h"
#include "io/container.h"
#include "tests/codecs/test_sounds.h"

namespace godwit {
namespace {

AudioHeader Header(AudioKind kind, uint32_t rate_hz, uint32_t channels) {
  const auto header = MakeAudioHeader(kind, rate_hz, channels);
  EXPECT_TRUE(header.ok()) << header.status().message();
  return *header;
}
AudioHeader Music(uint32_t channels = 2) { return Header(AudioKind::kMusic, 44100, channels); }
AudioHeader Voice() { return Header(AudioKind::kVoice, 16000, 1); }

Bytes Encode(const std::vector<int32_t>& samples, const AudioHeader& header,
             const AudioEncodeOptions& options = {}) {
  const auto file = EncodeAudio(samples, header, options);
  EXPECT_TRUE(file.ok()) << file.status().message();
  return file.ok() ? *file : Bytes();
}
std::vector<int32_t> Decode(const Bytes& file, const AudioDecodeOptions& options = {}) {
  const auto sound = DecodeAudio(file, options);
  EXPECT_TRUE(sound.ok()) << sound.status().message();
  return sound.ok() ? sound->samples : std::vector<int32_t>();
}

double SnrDb(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  double signal = 0, error = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    signal += double(a[i]) * a[i];
    error += double(a[i] - b[i]) * (a[i] - b[i]);
  }
  return 10 * std::log10(signal / error);
}

std::vector<Section> Sections(const Bytes& file) {
  std::vector<Section> sections;
  auto reader = ContainerReader::Open(file);
  while (auto section = *reader->Next()) sections.push_back(*section);
  return sections;
}

TEST(AudioCodecTest, EveryLengthComesBackWhole) {
  for (const uint32_t channels : {1u, 2u, 3u, 5u}) {
    for (const size_t length : {0u, 1u, 2u, 319u, 320u, 321u, 640u, 977u, 16001u}) {
      const AudioHeader header = Header(AudioKind::kVoice, 16000, channels);
      const auto samples = TestSound(length, channels);
      const auto decoded = Decode(Encode(samples, header, {.step = 400}));
      ASSERT_EQ(decoded.size(), samples.size()) << channels << " channels, " << length;
      if (length < 100) continue;
      EXPECT_GT(SnrDb(samples, decoded), 40) << channels << ", " << length;
    }
  }
}

TEST(AudioCodecTest, RatesFromTelephonesToStudiosHaveFramesShortEnough) {
  for (const uint32_t rate :
       {8000u, 11025u, 16000u, 22050u, 32000u, 44100u, 48000u, 96000u, 192000u}) {
    for (const AudioKind kind : {AudioKind::kMusic, AudioKind::kVoice}) {
      const AudioHeader header = Header(kind, rate, 2);
      EXPECT_LE(2000.0 * header.hop / rate, kind == AudioKind::kMusic ? 100 : 40) << rate;
      const auto samples = TestSound(5000, 2);
      const auto decoded = Decode(Encode(samples, header, {.step = 700}));
      EXPECT_GT(SnrDb(samples, decoded), 25) << rate;
    }
  }
}

TEST(AudioCodecTest, FinerStepsGiveMoreBytesAndLessError) {
  const auto samples = TestSound(30000, 2);
  double snr = -100;
  size_t bytes = 0;
  for (const int step : {1300, 1150, 1000, 850, 600, 300}) {
    const Bytes file = Encode(samples, Music(), {.step = step});
    const double now = SnrDb(samples, Decode(file));
    EXPECT_GT(now, snr + 3) << step;
    EXPECT_GT(file.size(), bytes) << step;
    snr = now;
    bytes = file.size();
  }
  EXPECT_GT(snr, 70);
}

TEST(AudioCodecTest, AllSimdLevelsWriteAndReadTheSame) {
  for (const AudioHeader& header : {Music(), Music(3), Voice()}) {
    const auto samples = TestSound(20000, header.channels);
    const Bytes file = Encode(samples, header, {.level = SimdLevel::kScalar});
    const auto decoded = Decode(file, {.level = SimdLevel::kScalar});
    for (const SimdLevel level : SupportedSimdLevels()) {
      EXPECT_EQ(Encode(samples, header, {.level = level}), file) << SimdLevelName(level);
      EXPECT_EQ(Decode(file, {.level = level}), decoded) << SimdLevelName(level);
    }
  }
}

TEST(AudioCodecTest, PiecesMakeTheSameFileAndTheSameSamples) {
  const auto samples = TestSound(30000, 2);
  const AudioEncodeOptions options{.part_frames = 3, .key_parts = 2};
  const Bytes whole = Encode(samples, Music(), options);
  const auto decoded = Decode(whole);
  for (const size_t piece : {1u, 7u, 2048u, 29999u}) {
    auto encoder = *AudioEncoder::Create(Music(), options);
    Bytes file;
    for (size_t at = 0; at < 30000; at += piece) {
      const size_t count = std::min<size_t>(piece, 30000 - at);
      ASSERT_TRUE(encoder.Push(std::span(samples).subspan(2 * at, 2 * count), &file).ok());
    }
    ASSERT_TRUE(encoder.Finish(&file).ok());
    EXPECT_EQ(file, whole) << piece;

    SectionFeed feed;
    std::optional<AudioDecoder> decoder;
    std::vector<int32_t> out;
    for (size_t at = 0; at < file.size(); at += piece) {
      feed.Push(std::span(file).subspan(at, std::min(piece, file.size() - at)));
      while (true) {
        const auto section = feed.Next();
        ASSERT_TRUE(section.ok()) << section.status().message();
        if (!*section) break;
        if ((*section)->type == static_cast<uint8_t>(SectionType::kSound)) {
          decoder.emplace(*AudioDecoder::Create(*ParseAudioHeader((*section)->body)));
        } else {
          ASSERT_TRUE(decoder->Decode((*section)->body, &out).ok());
        }
      }
    }
    EXPECT_TRUE(feed.Finish().ok() && decoder->Finish().ok());
    EXPECT_EQ(out, decoded) << piece;
  }
}

TEST(AudioCodecTest, ASampleIsOnItsWayTwoHopsAfterItsFrameBegan) {
  for (const AudioHeader& header : {Music(), Voice()}) {
    const auto samples = TestSound(2 * header.hop, header.channels);
    auto encoder = *AudioEncoder::Create(header, {.part_frames = 1});
    Bytes file;
    const size_t most = samples.size() - header.channels;
    ASSERT_TRUE(encoder.Push(std::span(samples).first(most), &file).ok());
    EXPECT_EQ(Sections(file).size(), 1u);  // the header
    ASSERT_TRUE(encoder.Push(std::span(samples).subspan(most), &file).ok());
    EXPECT_EQ(Sections(file).size(), 2u);
  }
}

TEST(AudioCodecTest, FrameJoinsAreNoWorseThanTheRest) {
  AudioHeader header = Music(1);
  header.noise = 0;
  const auto samples = TestSound(40 * header.hop, 1);
  const auto decoded = Decode(Encode(samples, header, {.step = 1100, .splits = false}));
  double join = 0, all = 0;
  for (size_t i = header.hop; i < samples.size() - header.hop; ++i) {
    const double jump = (decoded[i] - samples[i]) - (decoded[i - 1] - samples[i - 1]);
    all += jump * jump;
    if (i % header.hop == 0) join += jump * jump;
  }
  // 38 joins among 38 hops of samples: on average a hop's share each.
  EXPECT_LT(join * header.hop, 4 * all);
  EXPECT_GT(all, 0);
}

TEST(AudioCodecTest, SilenceTakesNextToNothingAndStaysSilent) {
  const std::vector<int32_t> samples(2 * 44100);
  const Bytes file = Encode(samples, Music());
  EXPECT_LT(file.size(), 120u);
  EXPECT_EQ(Decode(file), samples);
}

TEST(AudioCodecTest, FullScaleIsLimitedAndNotWrapped) {
  std::vector<int32_t> samples(20000);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = i / 50 % 2 == 0 ? 1 << 30 : -(1 << 30);
  const auto decoded = Decode(Encode(samples, Music(1), {.step = 900}));
  size_t wrong = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    EXPECT_LE(std::abs(double(decoded[i])), double(1 << 23));
    wrong += (decoded[i] < 0) != (samples[i] < 0);
  }
  EXPECT_LT(wrong, 20u);
}

TEST(AudioCodecTest, LostPartsAreConcealedWithoutClicksUntilTheNextKey) {
  const auto samples = TestSound(40 * 2048, 2);
  const Bytes file = Encode(samples, Music(), {.step = 900, .part_frames = 2, .key_parts = 3});
  const auto whole = Decode(file);
  const std::vector<Section> sections = Sections(file);
  auto decoder = *AudioDecoder::Create(*ParseAudioHeader(sections[0].body));
  std::vector<int32_t> out;
  for (size_t i = 1; i < sections.size(); ++i) {
    if (i == 5) {  // part 4; part 5 builds on it, part 6 has a key
      ASSERT_TRUE(decoder.Conceal(2, &out).ok());
    } else {
      const Status status = decoder.Decode(sections[i].body, &out);
      ASSERT_TRUE(status.ok()) << i << ": " << status.message();
    }
  }
  ASSERT_TRUE(decoder.Finish().ok());
  EXPECT_EQ(decoder.concealed(), 4u);
  ASSERT_EQ(out.size(), whole.size());
  const size_t lost = 8 * 2048 - 1024, back = 12 * 2048 + 1024;
  EXPECT_TRUE(std::equal(out.begin(), out.begin() + 2 * lost, whole.begin()));
  EXPECT_TRUE(std::equal(out.begin() + 2 * back, out.end(), whole.begin() + 2 * back));
  double made_up = 0, real = 0, jump = 0, largest = 0;
  for (size_t i = 2; i < out.size(); ++i) {
    largest = std::max(largest, std::abs(double(whole[i]) - whole[i - 2]));
    if (i < 2 * lost || i >= 2 * back) continue;
    made_up += double(out[i]) * out[i];
    real += double(whole[i]) * whole[i];
    jump = std::max(jump, std::abs(double(out[i]) - out[i - 2]));
  }
  EXPECT_GT(made_up, real / 50);
  EXPECT_LT(made_up, real * 2);
  EXPECT_LT(jump, 1.5 * largest);
}

TEST(AudioCodecTest, AStreamMeetsItsRate) {
  const auto samples = TestSound(44100 * 20, 2);
  for (const double kbps : {24.0, 64.0, 128.0}) {
    const Bytes file = Encode(samples, Music(), {.step = 1000, .bits_per_second = kbps * 1000});
    EXPECT_NEAR(static_cast<double>(file.size()) * 8 / 20e3, kbps, 0.06 * kbps);
  }
}

TEST(AudioCodecTest, ASizeIsMetAndNeverPassed) {
  const auto samples = TestSound(60000, 2);
  for (const uint64_t size : {2000u, 9000u, 40000u}) {
    const auto file = EncodeAudioToSize(samples, Music(), size);
    ASSERT_TRUE(file.ok());
    EXPECT_LE(file->size(), size);
    EXPECT_GT(file->size(), size - size / 20);
  }
  EXPECT_EQ(EncodeAudioToSize(samples, Music(), 30).status().code(), StatusCode::kOverLimit);
}

TEST(AudioCodecTest, EveryPrefixIsReportedAsTruncated) {
  const Bytes file = Encode(TestSound(3000, 1), Voice(), {.part_frames = 2});
  for (size_t size = 0; size < file.size(); ++size) {
    const auto sound = DecodeAudio(std::span(file).first(size));
    EXPECT_EQ(sound.status().code(), StatusCode::kTruncated) << size;
  }
}

TEST(AudioCodecTest, EveryFlippedBitIsReported) {
  const Bytes file = Encode(TestSound(1500, 1), Voice());
  for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
    Bytes bad = file;
    bad[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(DecodeAudio(bad).ok()) << bit;
  }
}

TEST(AudioCodecTest, PartsThatDoNotFitTheHeaderAreRefused) {
  AudioHeader header = Voice();
  const Bytes file = Encode(TestSound(3000, 1), header, {.part_frames = 2});
  const std::vector<Section> sections = Sections(file);
  header.length = 900;
  auto decoder = *AudioDecoder::Create(header);
  std::vector<int32_t> out;
  EXPECT_TRUE(decoder.Decode(sections[1].body, &out).ok());
  EXPECT_EQ(decoder.Decode(sections[2].body, &out).code(), StatusCode::kCorrupt);
  Bytes body(sections[1].body.begin(), sections[1].body.end());
  body.push_back(std::byte{0});
  auto longer = *AudioDecoder::Create(Voice());
  EXPECT_EQ(longer.Decode(body, &out).code(), StatusCode::kCorrupt);
  body[0] = std::byte{4};
  EXPECT_EQ(longer.Decode(body, &out).code(), StatusCode::kUnsupported);
}

TEST(AudioCodecTest, LimitsHoldBeforeAnythingIsAllocated) {
  AudioHeader header = Music(64);
  header.length = uint64_t{1} << 40;
  EXPECT_EQ(ParseAudioHeader(WriteAudioHeader(header)).status().code(), StatusCode::kOverLimit);
  header.length.reset();
  EXPECT_EQ(ParseAudioHeader(WriteAudioHeader(header), {.max_memory_bytes = 1000}).status().code(),
            StatusCode::kOverLimit);
  const Bytes file = Encode(TestSound(3000, 1), Voice());
  EXPECT_EQ(DecodeAudio(file, {.limits = {.max_pixels = 2000}}).status().code(),
            StatusCode::kOverLimit);
}

TEST(AudioCodecTest, HeadersOutOfRangeAreRefused) {
  const auto code = [](auto change) {
    AudioHeader header = Music();
    change(header);
    return ParseAudioHeader(WriteAudioHeader(header)).status().code();
  };
  EXPECT_EQ(code([](AudioHeader&) {}), StatusCode::kOk);
  EXPECT_EQ(code([](AudioHeader& h) { h.rate_hz = 0; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](AudioHeader& h) { h.rate_hz = 800'000; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](AudioHeader& h) { h.channels = 0; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](AudioHeader& h) { h.channels = 65; }), StatusCode::kCorrupt);
  for (const uint32_t hop : {0u, 1u, 32u, 100u, 1000u, 3000u, 8192u}) {
    EXPECT_EQ(code([&](AudioHeader& h) { h.hop = hop; }), StatusCode::kCorrupt) << hop;
  }
  EXPECT_EQ(code([](AudioHeader& h) { h.shape = 17; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](AudioHeader& h) { h.noise = 17; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](AudioHeader& h) { h.grain = 33; }), StatusCode::kCorrupt);
  EXPECT_EQ(code([](AudioHeader& h) { h.samples = static_cast<AudioSamples>(3); }),
            StatusCode::kUnsupported);
}

TEST(AudioCodecTest, TagsComeBack) {
  const AudioTags tags = {{"title", "Limosa"}, {"artist", ""}};
  const auto file = EncodeAudio(TestSound(500, 1), Voice(), {}, tags);
  EXPECT_EQ(DecodeAudio(*file)->tags, tags);
  const Bytes body = WriteAudioTags(tags);
  EXPECT_EQ(ParseAudioTags(std::span(body).first(9)).status().code(), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace godwit
