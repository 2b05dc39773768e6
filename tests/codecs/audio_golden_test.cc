// The sounds of testdata/v1/sound decode to the recorded samples, and those of testdata/bad/sound
// fail with the code in their names.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>

#include "base/crc32c.h"
#include "codecs/audio/audio_decoder.h"
#include "codecs/audio/audio_encoder.h"
#include "io/container.h"
#include "models/registry.h"
#include "tests/codecs/test_sounds.h"
#include "tests/io/document_example.h"

namespace godwit {
namespace {

// GODWIT_RECORD=1 writes the files and prints the digests: with a change of the format only.
const bool kRecords = std::getenv("GODWIT_RECORD") != nullptr;

struct Golden {
  const char* name;
  AudioKind kind;
  uint32_t rate_hz, channels;
  size_t length;
  int step;
  const char* model;  // in models/weights; nullptr: untrained
  uint32_t stream_crc, samples_crc;
};

constexpr Golden kGoldens[] = {
    {"music_stereo", AudioKind::kMusic, 44100, 2, 30000, 1000, nullptr, 2809423232u, 3211898521u},
    {"music_mono_fine", AudioKind::kMusic, 48000, 1, 9000, 400, nullptr, 3608529429u, 2645959673u},
    {"music_three_coarse", AudioKind::kMusic, 32000, 3, 20000, 1200, nullptr, 1667001906u,
     3605004599u},
    {"music_long_frames", AudioKind::kMusic, 96000, 2, 20000, 900, nullptr, 725169045u, 441242531u},
    {"voice", AudioKind::kVoice, 16000, 1, 20000, 1030, nullptr, 1178892096u, 1716048211u},
    {"voice_short_frames", AudioKind::kVoice, 6400, 1, 2000, 800, nullptr, 1021168061u, 96947137u},
    {"one_sample", AudioKind::kVoice, 16000, 1, 1, 1030, nullptr, 3128516724u, 2659055922u},
    {"music_trained", AudioKind::kMusic, 44100, 3, 30000, 1040, "music-1", 284500444u, 3622201461u},
    {"voice_trained", AudioKind::kVoice, 16000, 1, 30000, 1100, "voice-1", 3081530414u,
     2680775817u},
    {"nothing", AudioKind::kMusic, 44100, 2, 0, 1030, nullptr, 3191900303u, 0},
};

Bytes Load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return Bytes(bytes.begin(), bytes.end());
}
void Save(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

uint32_t Digest(const std::vector<int32_t>& samples) {
  return Crc32c(std::as_bytes(std::span(samples)));
}

AudioModel ModelOf(const Golden& golden) {
  if (golden.model == nullptr) return {};
  const auto file = ReadModelFile(std::string(GODWIT_SOURCE_DIR "/models/weights/") + golden.model +
                                  ".safetensors");
  EXPECT_TRUE(file.ok()) << file.status().message();
  const auto model = AudioModel::Load(*file, ModelIdOf(file->file()));
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *model;
}

Bytes Encoded(const Golden& golden) {
  AudioHeader header = *MakeAudioHeader(golden.kind, golden.rate_hz, golden.channels);
  header.length = golden.length;
  AudioEncodeOptions options{.step = golden.step, .part_frames = 6, .key_parts = 2};
  options.model = ModelOf(golden);
  return *EncodeAudio(TestSound(golden.length, golden.channels), header, options,
                      {{"title", golden.name}});
}

TEST(AudioGoldenTest, StreamsDecodeToTheRecordedSamples) {
  for (const Golden& golden : kGoldens) {
    const std::string path =
        std::string(GODWIT_SOURCE_DIR "/testdata/v1/sound/") + golden.name + ".gdw";
    if (kRecords) Save(path, Encoded(golden));
    const Bytes file = Load(path);
    const auto sound = DecodeAudio(file, {.model = ModelOf(golden)});
    ASSERT_TRUE(sound.ok()) << golden.name << ": " << sound.status().message();
    EXPECT_EQ(Crc32c(file), golden.stream_crc) << golden.name;
    EXPECT_EQ(Digest(sound->samples), golden.samples_crc) << golden.name;
    EXPECT_EQ(sound->samples.size(), golden.length * golden.channels) << golden.name;
  }
}

TEST(AudioGoldenTest, TheEncoderWritesTheRecordedStreams) {
  for (const Golden& golden : kGoldens) {
    EXPECT_EQ(Crc32c(Encoded(golden)), golden.stream_crc) << golden.name;
  }
}

TEST(AudioGoldenTest, TheDocumentsExample) {
  const Bytes file = BytesInDocument(GODWIT_SOURCE_DIR "/docs/format/audio.md");
  const auto sound = DecodeAudio(file);
  ASSERT_TRUE(sound.ok()) << sound.status().message();
  std::vector<int32_t> rounded;
  for (const int32_t v : sound->samples) rounded.push_back((v + 128) >> 8);
  EXPECT_EQ(rounded, (std::vector<int32_t>{33, -29, -7}));
  AudioHeader header = *MakeAudioHeader(AudioKind::kVoice, 16000, 1);
  header.length = 3;
  const std::vector<int32_t> samples = {256000, -256000, 256000};
  EXPECT_EQ(*EncodeAudio(samples, header, {.step = 1030}), file);
}

std::string Hyphened(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, ' ', '-');
  return out;
}

// Files whose checksums are right and whose bodies are not.
void RecordBad(const std::string& folder) {
  const AudioHeader header = *MakeAudioHeader(AudioKind::kVoice, 16000, 1);
  const Bytes good = *EncodeAudio(TestSound(2000, 1), header, {.part_frames = 3});
  std::vector<Section> sections;
  auto reader = *ContainerReader::Open(good);
  while (auto section = *reader.Next()) sections.push_back(*section);
  const auto write = [&](const std::string& name, auto change) {
    std::vector<std::pair<uint8_t, Bytes>> parts;
    for (const Section& s : sections)
      parts.emplace_back(s.type, Bytes(s.body.begin(), s.body.end()));
    change(parts);
    ContainerWriter writer;
    for (const auto& [type, body] : parts) writer.Add(type, body);
    Save(folder + "/" + name + ".gdw", writer.Release());
  };
  write("corrupt-header-cut", [](auto& p) { p[0].second.resize(5); });
  write("corrupt-header-left-over", [](auto& p) { p[0].second.push_back(std::byte{0}); });
  write("corrupt-no-channels", [](auto& p) { p[0].second[3] = std::byte{0}; });
  write("corrupt-hop-321", [](auto& p) { p[0].second[4] = std::byte{0xc1}; });
  write("corrupt-shape-17", [](auto& p) { p[0].second[6] = std::byte{17}; });
  write("corrupt-grain-33", [](auto& p) { p[0].second[8] = std::byte{33}; });
  write("model-missing-for-its-id", [](auto& p) { p[0].second[10] = std::byte{1}; });
  write("unsupported-kind-9", [](auto& p) { p[0].second[0] = std::byte{9}; });
  write("unsupported-part-flags", [](auto& p) { p[1].second[0] = std::byte{5}; });
  write("corrupt-first-part-no-key", [](auto& p) { p[1].second[0] = std::byte{0}; });
  write("corrupt-step-2000", [](auto& p) {
    p[1].second[1] = std::byte{0xd0};
    p[1].second[2] = std::byte{0x0f};
  });
  write("corrupt-part-cut", [](auto& p) { p[1].second.resize(p[1].second.size() - 2); });
  write("corrupt-part-left-over", [](auto& p) { p[1].second.push_back(std::byte{1}); });
  write("corrupt-a-frame-more", [](auto& p) { p[1].second[3] = std::byte{4}; });
  write("corrupt-part-after-the-last", [](auto& p) { p.push_back(p.back()); });
  write("corrupt-tile-of-array", [](auto& p) { p[1].first = 0x85; });
  write("truncated-no-last-part", [](auto& p) { p.pop_back(); });
  write("corrupt-noise-of-bytes", [](auto& p) {
    for (size_t i = 4; i < p[1].second.size(); ++i) p[1].second[i] = std::byte(i * 71 + 3);
  });
  write("over-limit-2-40-samples", [](auto& p) {
    p[0].second.pop_back();
    for (const int b : {0x80, 0x80, 0x80, 0x80, 0x80, 0x20}) p[0].second.push_back(std::byte(b));
  });
}

TEST(AudioGoldenTest, EachBadStreamFailsWithTheCodeInItsName) {
  const std::string folder = GODWIT_SOURCE_DIR "/testdata/bad/sound";
  if (kRecords) RecordBad(folder);
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const Status status = DecodeAudio(Load(entry.path().string())).status();
    ASSERT_FALSE(status.ok()) << name;
    const std::string code = Hyphened(StatusCodeName(status.code()));
    EXPECT_TRUE(name.starts_with(code + "-")) << name << ": " << code << ", " << status.message();
    ++count;
  }
  EXPECT_GE(count, 15u);
}

}  // namespace
}  // namespace godwit
