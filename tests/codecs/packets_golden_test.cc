// testdata/v1/packets/*.gdp hold the golden pictures in the order of rows; what is made up where
// packets of them are lost is on record too. GODWIT_RECORD=1 writes the streams and prints the
// digests; they change only with the format or the weights.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "codecs/image/image_packets.h"
#include "io/input_file.h"
#include "io/transport.h"
#include "models/registry.h"
#include "tests/codecs/golden_set.h"

namespace godwit {
namespace {

const std::string kFolder = GODWIT_SOURCE_DIR "/testdata/v1/";

struct Golden {
  const char* name;
  uint32_t packet_bytes;
  // Every third packet is lost, from this one on.
  uint64_t first_lost;
  const char *stream, *none, *large;
};
constexpr Golden kGoldens[] = {
    {"rgb_97x161_rows", 64, 1, "4a8859d6a49323a9", "89048bbc2ac603a7", "58ae60dc03e0314c"},
    {"grey_200x70_rows_64x32", 300, 1, "02ae7ccdbef422d4", "7e3aa1b3ebffa8f4", "705325f5aaa5770b"},
    {"full_rgb_97x161_rows", 100, 2, "13e1199745e30567", "3ac2901cc2fb2ce8", "764107e5b5389e94"},
};

class PacketsGoldenTest : public testing::TestWithParam<Golden> {};

TEST_P(PacketsGoldenTest, AreThoseOnRecordAndSoIsWhatIsMadeUp) {
  const Golden& g = GetParam();
  const bool record = std::getenv("GODWIT_RECORD") != nullptr;
  const std::string path = kFolder + "packets/" + g.name + ".gdp";
  const Bytes file = Must(ReadFile(kFolder + g.name + ".gdw", 1 << 20));
  const Bytes stream =
      Must(WriteImagePackets(file, {.packet_bytes = g.packet_bytes, .picture = 259}));
  if (record) {
    std::filesystem::create_directories(kFolder + "packets");
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(stream.data()),
               static_cast<std::streamsize>(stream.size()));
  }
  EXPECT_TRUE(Must(ReadFile(path, 1 << 20)) == stream);
  EXPECT_TRUE(Must(GatherImagePackets(stream)).file == file);

  Bytes arrived;
  TransportReader reader(stream);
  while (const auto p = reader.Next()) {
    if (p->sequence % 3 == g.first_lost) continue;
    ASSERT_TRUE(AppendPacket(*p, &arrived).ok());
  }
  const GatheredImage image = Must(GatherImagePackets(arrived));
  EXPECT_FALSE(image.losses.empty());
  ImageStream damaged = Must(ParseDamagedImage(image.file));
  damaged.losses = image.losses;
  ModelRegistry registry;
  const uint64_t id = damaged.header.model_id;
  ImageModel model = Must(ImageModel::Load(Must(registry.FindStreamModel(id)), id));
  SetEntropy(registry, model, damaged.header.full ? "full" : "lite");
  const ImageSynthesis large =
      Must(ImageSynthesis::Load(Must(registry.FindSynthesis("swift", id, "large"))));
  for (const SimdLevel level : SupportedSimdLevels()) {
    const ImageDecodeOptions options{.threads = 1, .simd = level};
    const std::string none = DigestOf(Must(DecodeImage(damaged, model, nullptr, options))),
                      full = DigestOf(Must(DecodeImage(damaged, model, &large, options)));
    if (record)
      std::printf("\"%s\", \"%s\", \"%s\"\n", DigestOf(stream).c_str(), none.c_str(), full.c_str());
    EXPECT_EQ(DigestOf(stream), g.stream);
    EXPECT_EQ(none, g.none);
    EXPECT_EQ(full, g.large);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PacketsGoldenTest, testing::ValuesIn(kGoldens),
                         [](const auto& golden) { return std::string(golden.param.name); });

}  // namespace
}  // namespace godwit
