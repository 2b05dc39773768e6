// The streams of testdata/v1 decode to the recorded samples and are what the encoder still writes,
// at every SIMD level. `make_goldens` writes both; they change only with the format or the weights.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "io/input_file.h"
#include "models/registry.h"
#include "tests/codecs/golden_set.h"

namespace godwit {
namespace {

const std::string kFolder = GODWIT_SOURCE_DIR "/testdata/v1";

class GoldenTest : public testing::TestWithParam<SimdLevel> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::exists(kFolder + "/digests.json")) << "run make_goldens";
    std::ifstream(kFolder + "/digests.json") >> digests_;
    const std::optional<uint64_t> id = ParseModelId(digests_.at("model").get<std::string>());
    ASSERT_TRUE(id.has_value());
    model_.emplace(Must(ImageModel::Load(Must(registry_.FindStreamModel(*id)), *id)));
    for (const std::string_view size : kSynthesisSizes) {
      syntheses_.emplace(
          size, Must(ImageSynthesis::Load(Must(registry_.FindSynthesis("swift", *id, size)))));
    }
  }
  void SetRecordedEntropy(const GoldenPicture& g) {
    if (g.entropy == "lite") return;
    const auto id = ParseModelId(digests_.at("entropy").at(g.entropy).get<std::string>());
    ASSERT_TRUE(id.has_value());
    const SafeTensors file = Must(registry_.FindEntropy(model_->id(), static_cast<uint32_t>(*id)));
    ASSERT_TRUE(model_->SetEntropy(file, ModelIdOf(file.file())).ok());
    ASSERT_EQ(model_->entropy_model_id(), *id);
  }
  std::string Recorded(const GoldenPicture& g, const std::string& of) {
    return digests_.at("files").at(g.name + ".gdw").at(of).get<std::string>();
  }

  nlohmann::json digests_;
  ModelRegistry registry_;
  std::optional<ImageModel> model_;
  std::map<std::string, ImageSynthesis> syntheses_;
};

TEST_P(GoldenTest, StreamsAreThoseOnRecord) {
  for (const GoldenPicture& g : GoldenPictures()) {
    const Bytes file = Must(ReadFile(kFolder + "/" + g.name + ".gdw", 1 << 20));
    EXPECT_EQ(DigestOf(file), Recorded(g, "stream")) << g.name;
  }
  EXPECT_EQ(digests_.at("files").size(), GoldenPictures().size());
}

TEST_P(GoldenTest, EncodingGivesTheSameBytes) {
  for (const GoldenPicture& g : GoldenPictures()) {
    ImageEncodeOptions options = g.options;
    options.simd = GetParam();
    SetRecordedEntropy(g);
    EXPECT_EQ(DigestOf(EncodeGolden(*model_, g, options)), Recorded(g, "stream")) << g.name;
  }
}

TEST_P(GoldenTest, DecodingGivesTheSameSamples) {
  for (const GoldenPicture& g : GoldenPictures()) {
    const Bytes file = Must(ReadFile(kFolder + "/" + g.name + ".gdw", 1 << 20));
    SetRecordedEntropy(g);
    for (const std::string& size : GoldenSynthesesOf(g)) {
      const auto found = syntheses_.find(size);
      const ImageSynthesis* synthesis = found == syntheses_.end() ? nullptr : &found->second;
      const Tensor<uint8_t> decoded = DecodePicture(file, *model_, synthesis, {.simd = GetParam()});
      EXPECT_EQ(DigestOf(decoded), Recorded(g, size)) << g.name << " " << size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, GoldenTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

}  // namespace
}  // namespace godwit
