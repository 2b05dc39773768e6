// encode, decode, info, verify and compare with sound.
#include <cmath>
#include <cstring>

#include "io/audio_file.h"
#include "tests/apps/program.h"

namespace godwit {
namespace {

class SoundTest : public ProgramTest {
 protected:
  AudioInfo Info(uint32_t rate_hz, uint32_t channels, const std::string& format = "wav") const {
    AudioInfo info;
    info.rate_hz = rate_hz;
    info.channels = channels;
    info.format = format;
    return info;
  }
  // Two tones on each channel, of 16 bits.
  NdArray Tones(int64_t samples, int64_t channels) const {
    NdArray array{SampleType::kI16, Shape::Of(samples, channels), {}};
    array.data.resize(static_cast<size_t>(samples * channels) * 2);
    for (int64_t i = 0; i < samples * channels; ++i) {
      const auto t = static_cast<double>(i / channels), c = static_cast<double>(i % channels);
      array.As<int16_t>()[i] =
          static_cast<int16_t>(6000 * std::sin(t * (0.05 + 0.02 * c)) + 3000 * std::sin(t * 0.31));
    }
    return array;
  }
  void Save(const std::string& name, const AudioInfo& info, const NdArray& samples) const {
    SaveBytes(File(name), Must(WriteAudio(info, samples)));
  }
  std::unique_ptr<AudioReader> Open(const std::string& name) const {
    return Must(OpenAudio(File(name)));
  }
  nlohmann::json Json(const std::vector<std::string>& args) const {
    const ProgramResult result = Run(args);
    EXPECT_EQ(result.exit, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }
};

TEST_F(SoundTest, MusicKeepsItsRateAndComesBackAlike) {
  Save("a.wav", Info(44100, 2), Tones(60000, 2));
  const auto json = Json({"encode", "a.wav", "a.gdw", "--kbps", "48", "--json"});
  EXPECT_EQ(json["codec"], "music");
  EXPECT_LE(json["kbps"], 48);
  EXPECT_GT(json["kbps"], 40);
  Decode("a.gdw", "b.wav");
  const auto error = Json({"compare", "a.wav", "b.wav", "--json"});
  EXPECT_GT(error["si_sdr_db"], 25);
  EXPECT_EQ(error["samples"], 60000);
  EXPECT_EQ(Run({"verify", "a.gdw"}).out, "a.gdw: ok\n");
  EXPECT_EQ(Json({"info", "a.gdw", "--json"})["samples"], 60000);
  EXPECT_NE(Run({"info", "a.gdw"}).out.find("44100 Hz, 2 channels, 1.36 s"), std::string::npos);
}

TEST_F(SoundTest, TheFileNamesTheModelThatItsContextsStartFrom) {
  Save("a.wav", Info(44100, 2), Tones(60000, 2));
  const auto trained = Json({"encode", "a.wav", "a.gdw", "--json"});
  const auto plain = Json({"encode", "a.wav", "b.gdw", "--model", "none", "--json"});
  EXPECT_EQ(plain["model"], "0000000000000000");
  EXPECT_NE(trained["model"], plain["model"]);
  EXPECT_NE(trained["bytes"], plain["bytes"]);
  EXPECT_EQ(Json({"info", "a.gdw", "--json"})["model"], trained["model"]);
  EXPECT_NE(Run({"info", "a.gdw"}).out.find("(music-1)"), std::string::npos);
  EXPECT_NE(Run({"info", "b.gdw"}).out.find("(untrained)"), std::string::npos);
  Decode("a.gdw", "a2.wav");
  Decode("b.gdw", "b2.wav");
  const std::string id = trained["model"];
  EXPECT_EQ(Json({"encode", "a.wav", "c.gdw", "--model", id, "--json"})["bytes"], trained["bytes"]);
  EXPECT_EQ(Run({"encode", "a.wav", "d.gdw", "--model", "0123456789abcdef"}).exit, 7);
  EXPECT_FALSE(Exists("d.gdw"));
  bool found = false;
  const auto models = Json({"models", "--json"});
  for (const auto& model : models["models"]) {
    if (model["id"] != id) continue;
    found = true;
    EXPECT_EQ(model["codec"], "music");
    EXPECT_EQ(model["default"], true);
    EXPECT_NEAR(model["macs_per_sample"].get<double>(), 19, 0.5);
  }
  EXPECT_TRUE(found);
}

TEST_F(SoundTest, FlacAndTagsGoInAndOut) {
  AudioInfo info = Info(48000, 3, "flac");
  info.tags = {{"title", "Limosa lapponica"}};
  Save("a.flac", info, Tones(20000, 3));
  ASSERT_EQ(Run({"encode", "a.flac", "a.gdw", "-q", "70"}).exit, 0);
  Decode("a.gdw", "b.flac");
  const auto reader = Open("b.flac");
  EXPECT_EQ(reader->info().channels, 3u);
  EXPECT_EQ(reader->info().rate_hz, 48000u);
  EXPECT_EQ(reader->info().tags, info.tags);
  ASSERT_EQ(Run({"encode", "a.flac", "c.gdw", "--strip"}).exit, 0);
  EXPECT_EQ(Run({"info", "c.gdw"}).out.find("Limosa"), std::string::npos);
}

TEST_F(SoundTest, VoiceIsSixteenKilohertz) {
  Save("a.wav", Info(48000, 1), Tones(48000, 1));
  const auto json =
      Json({"encode", "a.wav", "a.gdw", "--codec", "voice", "--kbps", "12", "--json"});
  EXPECT_EQ(json["rate_hz"], 16000);
  EXPECT_EQ(json["samples"], 16000);
  Save("b.wav", Info(16000, 1), Tones(16000, 1));
  EXPECT_EQ(Json({"encode", "b.wav", "b.gdw", "--json"})["codec"], "voice");
  EXPECT_EQ(Json({"encode", "b.wav", "c.gdw", "--codec", "music", "--json"})["codec"], "music");
}

TEST_F(SoundTest, RawSamplesStreamThroughPipes) {
  const NdArray tones = Tones(50000, 2);
  const std::string samples(reinterpret_cast<const char*>(tones.data.data()), tones.data.size());
  const ProgramResult coded = Run({"encode", "-", "-", "--raw", "44100,2", "--live"}, samples);
  ASSERT_EQ(coded.exit, 0) << coded.err;
  const ProgramResult decoded = Run({"decode", "-", "-", "--format", "raw"}, coded.out);
  ASSERT_EQ(decoded.exit, 0) << decoded.err;
  EXPECT_EQ(decoded.out.size(), samples.size());
  SaveBytes(File("s.gdw"), ToBytes(coded.out));
  Decode("s.gdw", "s.raw");
  EXPECT_EQ(Text(File("s.raw")), decoded.out);
  for (const char* bad :
       {"44100", "x,2", "44100,2,u8", "44100,2,s16,", "0,2", "44100,0", "-1,2", "44100, 2"}) {
    EXPECT_EQ(Run({"encode", "-", "x.gdw", "--raw", bad}, samples).exit, 2) << bad;
  }
  EXPECT_EQ(Run({"encode", "-", "x.gdw", "--raw", "44100,2"}, samples.substr(1)).exit, 5);
  EXPECT_FALSE(Exists("x.gdw"));
}

TEST_F(SoundTest, AllSimdLevelsWriteTheSameFiles) {
  Save("a.wav", Info(44100, 2), Tones(30000, 2));
  for (const std::string cpu : {"scalar", "avx2", "avx512"}) {
    ASSERT_EQ(Run({"encode", "a.wav", cpu + ".gdw"}, "", cpu).exit, 0);
    ASSERT_EQ(Run({"decode", cpu + ".gdw", cpu + ".wav"}, "", cpu).exit, 0);
    EXPECT_TRUE(SameFiles(cpu + ".gdw", "scalar.gdw")) << cpu;
    EXPECT_TRUE(SameFiles(cpu + ".wav", "scalar.wav")) << cpu;
  }
}

TEST_F(SoundTest, NaNIsSilenceAndLosslessIsTheArrayCodecs) {
  AudioInfo info = Info(44100, 1);
  info.type = SampleType::kF32;
  info.bits = 32;
  NdArray array{SampleType::kF32, Shape::Of(5000, 1), Bytes(20000)};
  for (size_t i = 0; i < 5000; ++i) {
    array.As<float>()[i] = i % 100 == 0   ? std::nanf("")
                           : i % 100 == 1 ? INFINITY
                                          : 0.3f * std::sin(static_cast<float>(i) * 0.1f);
  }
  Save("a.wav", info, array);
  ASSERT_EQ(Run({"encode", "a.wav", "a.gdw"}).exit, 0);
  Decode("a.gdw", "b.wav");
  std::vector<float> samples(5000);
  ASSERT_EQ(Must(Open("b.wav")->Read(std::span<float>(samples))), 5000u);
  for (const float v : samples) EXPECT_LE(std::abs(v), 1.0f);
  ASSERT_EQ(Run({"encode", "a.wav", "c.gdw", "--lossless"}).exit, 0);
  EXPECT_EQ(Json({"info", "c.gdw", "--json"})["codec"], "packet");
}

TEST_F(SoundTest, DamageIsAnErrorOrConcealed) {
  Save("a.wav", Info(44100, 2), Tones(200000, 2));
  ASSERT_EQ(Run({"encode", "a.wav", "a.gdw"}).exit, 0);
  Bytes file = LoadBytes(File("a.gdw"));
  SaveBytes(File("cut.gdw"), Bytes(file.begin(), file.end() - 9));
  const ProgramResult cut = Run({"decode", "cut.gdw", "cut.wav"});
  EXPECT_EQ(cut.exit, 5);
  ExpectOneLine(cut.err, "godwit decode: cut.gdw: ", "cut short");
  EXPECT_FALSE(Exists("cut.wav"));
  file[file.size() / 2] ^= std::byte{1};
  SaveBytes(File("bad.gdw"), file);
  EXPECT_EQ(Run({"decode", "bad.gdw", "bad.wav"}).exit, 5);
  EXPECT_EQ(Run({"verify", "bad.gdw"}).exit, 5);
  const ProgramResult concealed = Run({"decode", "bad.gdw", "bad.wav", "--conceal"});
  EXPECT_EQ(concealed.exit, 0) << concealed.err;
  EXPECT_NE(concealed.err.find("frames were lost"), std::string::npos);
  EXPECT_EQ(Open("bad.wav")->info().frames, 200000u);
}

TEST_F(SoundTest, DamagedLengthsEndTheDecoding) {
  Save("a.wav", Info(44100, 2), Tones(20000, 2));
  ASSERT_EQ(Run({"encode", "a.wav", "a.gdw", "--live"}).exit, 0);
  const Bytes whole = LoadBytes(File("a.gdw"));
  Bytes file = whole;
  for (const int b : {0x87, 0x80, 0x00}) file.push_back(static_cast<std::byte>(b));
  SaveBytes(File("form.gdw"), file);
  const ProgramResult form = Run({"decode", "form.gdw", "-", "--format", "raw", "--conceal"});
  EXPECT_EQ(form.exit, 5);
  EXPECT_LT(form.out.size(), 4 * 30000u);
  file = whole;  // a section of 2^40 bytes
  for (const int b : {0x87, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20})
    file.push_back(static_cast<std::byte>(b));
  file.resize(file.size() + (8 << 20));
  SaveBytes(File("long.gdw"), file);
  const ProgramResult big = Run({"decode", "long.gdw", "b.wav", "--max-memory", "4Mi"});
  EXPECT_EQ(big.exit, 6);
  ExpectOneLine(big.err, "godwit decode: long.gdw: ", "limit on memory");
  EXPECT_FALSE(Exists("b.wav"));
}

TEST_F(SoundTest, OptionsThatDoNotGoTogetherAreMisuse) {
  Save("a.wav", Info(44100, 1), Tones(100, 1));
  EXPECT_EQ(Run({"encode", "a.wav", "a.gdw", "--kbps", "48", "--lossless"}).exit, 2);
  EXPECT_EQ(Run({"encode", "a.wav", "a.gdw", "--codec", "music", "--max-error", "1"}).exit, 2);
  EXPECT_EQ(Run({"encode", "a.wav", "a.gdw", "--codec", "music", "--bpp", "1"}).exit, 2);
  EXPECT_EQ(Run({"encode", "a.wav", "a.gdw", "--size", "20"}).exit, 6);
  EXPECT_EQ(Run({"encode", "missing.wav", "a.gdw", "--kbps", "48"}).exit, 3);
  ASSERT_EQ(Run({"encode", "a.wav", "a.gdw"}).exit, 0);
  EXPECT_EQ(Run({"decode", "a.gdw", "a.png", "--format", "png"}).exit, 2);
  for (const std::vector<std::string>& option : {std::vector<std::string>{"--picture", "0"},
                                                 {"--layers", "2"},
                                                 {"--allow-truncated"},
                                                 {"--jpeg-quality", "9"}}) {
    std::vector<std::string> args = {"decode", "a.gdw", "x.wav"};
    args.insert(args.end(), option.begin(), option.end());
    const ProgramResult r = Run(args);
    EXPECT_EQ(r.exit, 2);
    ExpectOneLine(r.err, "godwit decode", option[0] + " is for pictures");
  }
  EXPECT_EQ(Run({"decode", "a.gdw", "b.wav", "--max-pixels", "50"}).exit, 6);
}

}  // namespace
}  // namespace godwit
