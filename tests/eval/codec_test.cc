#include <gtest/gtest.h>

#include <cmath>

#include "eval/codec_table.h"
#include "eval/eval_picture.h"
#include "eval/picture_error.h"
#include "models/registry.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"
#include "tests/eval/built_codecs.h"
#include "tests/io/image_samples.h"

namespace godwit {
namespace {

CodecContext TestContext() {
  CodecContext context;
  context.version = "test";
  context.load_swift = [](const std::string&, const std::string&,
                          const std::string&) -> Result<SwiftModels> {
    return SwiftModels{std::shared_ptr<const ImageModel>(&TestImageModel(), [](auto*) {}), nullptr,
                       ""};
  };
  return context;
}

double Psnr(TensorView<const uint8_t> a, TensorView<const uint8_t> b) {
  PictureError error;
  error.Add(a, b);
  return error.psnr_db();
}

EvalPicture Original() {
  Result<EvalPicture> picture = ReadEvalPicture(GODWIT_SOURCE_DIR "/testdata/eval/original.png");
  EXPECT_TRUE(picture.ok()) << picture.status().message();
  return *std::move(picture);
}

// What this build has, with options.
std::vector<std::string> Names() {
  return BuiltCodecs({"swift", "swift:effort=3", "jpeg", "jpeg:444", "jpeg:progressive",
                      "jpeg:fixed", "jpeg:444:progressive", "webp", "webp:0", "avif:10",
                      "avif:10:420", "avif:9:psnr:aom", "jxl:3", "jxl:1"});
}

class CodecTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto entry = FindCodec(GetParam(), TestContext());
    ASSERT_TRUE(entry.ok()) << entry.status().message();
    entry_ = *std::move(entry);
    auto codec = entry_.create(1);
    ASSERT_TRUE(codec.ok()) << codec.status().message();
    codec_ = *std::move(codec);
  }
  // The decoded picture; empty after a failure.
  Tensor<uint8_t> RoundTrip(TensorView<const uint8_t> rgb, double setting, size_t* bytes) {
    const auto stream = codec_->Encode(rgb, setting);
    if (!stream.ok()) {
      ADD_FAILURE() << stream.status().message();
      return {};
    }
    *bytes = stream->size();
    const Bytes copy(stream->begin(), stream->end());
    Tensor<uint8_t> decoded(rgb.height, rgb.width, 3);
    const Status status = codec_->Decode(copy, decoded.view());
    EXPECT_TRUE(status.ok()) << status.message();
    return decoded;
  }

  CodecEntry entry_;
  std::unique_ptr<Codec> codec_;
};

TEST_P(CodecTest, TheLadderLeadsFromSmallToGood) {
  const EvalPicture picture = Original();
  size_t first = 0, last = 0;
  const Tensor<uint8_t> coarse = RoundTrip(picture.rgb.view(), entry_.ladder.front(), &first);
  const Tensor<uint8_t> fine = RoundTrip(picture.rgb.view(), entry_.ladder.back(), &last);
  EXPECT_LT(first * 3, last);
  const double low = Psnr(picture.rgb.view(), coarse.view()),
               high = Psnr(picture.rgb.view(), fine.view());
  EXPECT_LT(low + 5, high);
  EXPECT_GT(high, 28);  // 4:2:0 holds it down
  EXPECT_FALSE(entry_.version.empty());
}

TEST_P(CodecTest, StreamsDoNotDependOnWhatCameBefore) {
  const EvalPicture picture = Original();
  const TensorView<const uint8_t> corner = picture.rgb.view().Window(0, 0, 64, 48);
  Tensor<uint8_t> small(64, 48, 3);
  for (int64_t y = 0; y < 64; ++y) std::copy_n(corner.At(y, 0), 48 * 3, small.view().At(y, 0));
  const double setting = entry_.ladder[entry_.ladder.size() / 2];
  const auto once = codec_->Encode(small.view(), setting);
  ASSERT_TRUE(once.ok());
  const Bytes first(once->begin(), once->end());
  ASSERT_TRUE(codec_->Encode(picture.rgb.view(), entry_.ladder.back()).ok());
  const auto again = codec_->Encode(small.view(), setting);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(first, Bytes(again->begin(), again->end()));
}

TEST_P(CodecTest, TakesOddAndTinySizes) {
  for (const auto& [width, height] : {std::pair{1u, 1u}, {2u, 1u}, {17u, 3u}, {33u, 65u}}) {
    const Picture picture = SmoothPicture(width, height, 3);
    size_t bytes = 0;
    const Tensor<uint8_t> decoded = RoundTrip(picture.view(), entry_.ladder.back(), &bytes);
    ASSERT_EQ(decoded.width(), width);
    EXPECT_GT(Psnr(picture.view(), decoded.view()), 20) << width << "x" << height;
  }
}

TEST_P(CodecTest, AnotherSizeAndGarbageAreErrors) {
  const Picture picture = SmoothPicture(40, 24, 3);
  const auto stream = codec_->Encode(picture.view(), entry_.ladder.back());
  ASSERT_TRUE(stream.ok());
  const Bytes copy(stream->begin(), stream->end());
  Tensor<uint8_t> other(24, 41, 3), same(24, 40, 3);
  EXPECT_FALSE(codec_->Decode(copy, other.view()).ok());
  EXPECT_FALSE(codec_->Decode(ToBytes("not a picture at all"), same.view()).ok());
  EXPECT_TRUE(codec_->Decode(copy, same.view()).ok());  // and goes on after that
}

std::string TestName(const testing::TestParamInfo<std::string>& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), ':', '_');
  std::replace(name.begin(), name.end(), '=', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, CodecTest, testing::ValuesIn(Names()), TestName);

TEST(CodecTableTest, HasEveryCodecThatWasBuilt) {
  for (const CodecKind& kind : CodecKinds()) {
    EXPECT_EQ(kind.make != nullptr, IsBuilt(kind.name)) << kind.name;
  }
  for (const Rival& rival : kRivals) {
    const StatusCode want = rival.is_built ? StatusCode::kOk : StatusCode::kUnsupported;
    EXPECT_EQ(FindCodec(std::string(rival.name), TestContext()).status().code(), want)
        << rival.name;
  }
}

TEST(CodecTableTest, WithoutModelsCodecsThatNeedThemSaySo) {
  for (const char* const name :
       {"swift", "swift:none", "sound", "music", "voice:model=none", "array:small"}) {
    EXPECT_EQ(FindCodec(name, {}).status().code(), StatusCode::kModelMissing) << name;
  }
  EXPECT_TRUE(FindCodec("array", {}).ok());
}

TEST(CodecTableTest, NamesAndOptionsAreChecked) {
  const CodecContext context = TestContext();
  EXPECT_EQ(FindCodec("jpg", context).status().message(),
            "no codec jpg; there are swift, jpeg, webp, avif, jxl, cmd, sound, music, voice, opus, "
            "vorbis, mp3, packet, array, zfp, jpeg2000, flac, zstd");
  EXPECT_EQ(FindCodec("jpeg:443", context).status().message(),
            "jpeg: no option 443; it takes jpeg[:444][:progressive][:fixed]");
  for (const char* const name :
       {"webp:7", "webp:x", "jpeg:", "swift:vast", "swift:effort=10", "swift:effort=", "cmd",
        "cmd:a|b|c", "cmd:n|cp {ppm} {file}|cp {file} {png}|1",
        "cmd:n|cp {ppm} {file}|cp {file} {ppm}|one", "cmd:n|cp {ppm} {file}|cp {file} {ppm}|"}) {
    EXPECT_EQ(FindCodec(name, context).status().code(), StatusCode::kInvalidArgument) << name;
  }
}

TEST(CodecTableTest, FullEntropyCodingTakesFewerBytesAndNeedsItsWeights) {
  ModelRegistry registry;
  const uint64_t id = Must(registry.DefaultStreamModel("swift"));
  const auto model =
      std::make_shared<ImageModel>(Must(ImageModel::Load(Must(registry.FindStreamModel(id)), id)));
  CodecContext context;
  std::string asked;
  context.load_swift = [&](const std::string&, const std::string&,
                           const std::string& entropy) -> Result<SwiftModels> {
    asked = entropy;
    return SwiftModels{model, nullptr, ""};
  };
  EXPECT_EQ(FindCodec("swift:full", context).status().code(), StatusCode::kModelMissing);
  const SafeTensors weights = Must(registry.FindEntropy(id, "full"));
  ASSERT_TRUE(model->SetEntropy(weights, ModelIdOf(weights.file())).ok());
  const EvalPicture picture = Original();
  std::vector<size_t> sizes;
  std::vector<Tensor<uint8_t>> decoded;
  for (const char* const name : {"swift", "swift:full"}) {
    const auto codec = Must(Must(FindCodec(name, context)).create(1));
    const auto stream = Must(codec->Encode(picture.rgb.view(), 50));
    sizes.push_back(stream.size());
    decoded.emplace_back(picture.rgb.height(), picture.rgb.width(), 3);
    ASSERT_TRUE(codec->Decode(stream, decoded.back().view()).ok()) << name;
  }
  EXPECT_LT(sizes[1], sizes[0]);
  for (const auto& [name, size] : {std::pair<std::string, std::string>{"swift", "lite"},
                                   {"swift:mid", "mid"},
                                   {"swift:full", "full"}}) {
    const std::string version = Must(FindCodec(name, context)).version;
    EXPECT_EQ(asked, size);
    const std::string said =
        ", " + size + " entropy coding " + ModelIdHex(model->entropy_model_id());
    EXPECT_EQ(version.find(said) != std::string::npos, size != "lite") << version;
  }
  EXPECT_EQ(FindCodec("swift:mid:full", context).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(
      std::equal(decoded[0].data(), decoded[0].data() + decoded[0].size(), decoded[1].data()));
}

TEST(CodecTableTest, CommandsKeepTheirCommas) {
  EXPECT_EQ(SplitCodecNames({"jpeg,webp:6", "cmd:a,b|c", "swift"}),
            (std::vector<std::string>{"jpeg", "webp:6", "cmd:a,b|c", "swift"}));
  EXPECT_EQ(SplitCodecNames({"jpeg,,", ""}), (std::vector<std::string>{"jpeg"}));
}

TEST(CommandCodecTest, TwoCommandsAreACodec) {
  const auto entry =
      FindCodec("cmd:copy|cat {ppm} \\| cat > {file.x} && test {q} = 1.5|cp {file.x} {ppm}|1.5 2",
                TestContext());
  ASSERT_TRUE(entry.ok()) << entry.status().message();
  EXPECT_EQ(entry->name, "copy");
  EXPECT_TRUE(entry->runs_processes);
  EXPECT_EQ(entry->ladder, (std::vector<double>{1.5, 2}));
  EXPECT_EQ(entry->settings_per_one, 10);
  const auto codec = entry->create(1);
  ASSERT_TRUE(codec.ok());
  const Picture picture = NoisePicture(7, 5, 3, 1);
  const auto stream = (*codec)->Encode(picture.view(), 1.5);
  ASSERT_TRUE(stream.ok()) << stream.status().message();
  const Bytes copy(stream->begin(), stream->end());
  Tensor<uint8_t> decoded(5, 7, 3), other(5, 8, 3);
  ASSERT_TRUE((*codec)->Decode(copy, decoded.view()).ok());
  EXPECT_TRUE(std::isinf(Psnr(picture.view(), decoded.view())));
  EXPECT_GT((*codec)->child_peak_bytes(), 0u);
  EXPECT_FALSE((*codec)->Decode(copy, other.view()).ok());
}

TEST(CommandCodecTest, FailureNamesCommandAndCause) {
  const auto entry =
      FindCodec("cmd:broken|echo oh >&2; exit 3 # {ppm} {file}|true {file} {ppm}|1", TestContext());
  ASSERT_TRUE(entry.ok());
  const auto codec = entry->create(1);
  ASSERT_TRUE(codec.ok());
  const Picture picture = NoisePicture(4, 4, 3, 1);
  EXPECT_EQ((*codec)->Encode(picture.view(), 1).status().message(),
            "broken: \"echo oh >&2; exit 3 # {ppm} {file}\": /bin/sh: exit code 3: oh");
  Tensor<uint8_t> decoded(4, 4, 3);
  EXPECT_FALSE((*codec)->Decode(ToBytes("x"), decoded.view()).ok());  // writes no picture
}

TEST(SettingsTest, PointsAreSpreadOverTheLadder) {
  CodecEntry entry;
  entry.ladder = {60, 40, 30, 10};
  EXPECT_EQ(SettingsOf(entry, 0), entry.ladder);
  EXPECT_EQ(SettingsOf(entry, 2), (std::vector<double>{60, 10}));
  EXPECT_EQ(SettingsOf(entry, 3), (std::vector<double>{60, 35, 10}));
  EXPECT_EQ(SettingsOf(entry, 4), entry.ladder);
  entry.ladder = {15, 0.3};
  entry.settings_per_one = 10;
  EXPECT_EQ(SettingsOf(entry, 3), (std::vector<double>{15, 7.7, 0.3}));
  entry.settings_per_one = 1;
  entry.ladder = {1, 2};
  EXPECT_EQ(SettingsOf(entry, 9), entry.ladder);  // whole numbers only, each once
}

TEST(SettingsTest, TheNearestSizeIsFound) {
  auto entry = FindCodec("jpeg", TestContext());
  ASSERT_TRUE(entry.ok());
  const auto codec = entry->create(1);
  ASSERT_TRUE(codec.ok());
  const EvalPicture picture = Original();
  const auto setting = SettingForSize(*entry, **codec, picture.rgb.view(), 6000);
  ASSERT_TRUE(setting.ok());
  const auto size = [&](double q) {
    return static_cast<double>((*codec)->Encode(picture.rgb.view(), q)->size());
  };
  EXPECT_LE(std::abs(size(*setting) - 6000), std::abs(size(*setting + 1) - 6000));
  EXPECT_LE(std::abs(size(*setting) - 6000), std::abs(size(*setting - 1) - 6000));
  EXPECT_EQ(*SettingForSize(*entry, **codec, picture.rgb.view(), 0), 5);
  EXPECT_EQ(*SettingForSize(*entry, **codec, picture.rgb.view(), 1 << 30), 95);
}

}  // namespace
}  // namespace godwit
