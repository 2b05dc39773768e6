#include "io/container.h"
#include "tests/apps/program.h"

namespace godwit {
namespace {

using DecodeCommandTest = ProgramTest;

TEST_F(DecodeCommandTest, EveryKindOfPictureComesBack) {
  for (const int64_t channels : {1, 2, 3, 4}) {
    for (const auto& [height, width] : {std::pair{1, 1}, {37, 50}, {1, 90}, {70, 3}}) {
      SCOPED_TRACE(testing::Message() << height << "x" << width << "x" << channels);
      const Tensor<uint8_t> picture = MakePicture(height, width, channels);
      SavePicture("in.png", picture);
      Encode("in.png", "out.gdw", {"-f", "-q", "95"});
      Decode("out.gdw", "out.png", {"-f", "--synthesis", "none"});  // the test model's is noise
      const Tensor<uint8_t> got = LoadPicture("out.png");
      ASSERT_EQ(got.channels(), channels);
      EXPECT_GT(Psnr(picture, got), 36);
      if (channels % 2 == 0) {
        EXPECT_TRUE(SameAlpha(picture, got));
      }
    }
  }
}

TEST_F(DecodeCommandTest, ARegionEqualsTheCropOfTheWhole) {
  SavePicture("in.png", MakePicture(130, 150, 4));
  Encode("in.png", "out.gdw", {"--tile", "64"});
  Decode("out.gdw", "whole.png");
  Decode("out.gdw", "part.png", {"--region", "37,21,80,99"});
  EXPECT_TRUE(
      SameSamples(LoadPicture("part.png"), Crop(LoadPicture("whole.png"), {37, 21, 80, 99})));
  for (const char* const region : {"100,0,51,10", "0,130,1,1"}) {
    const ProgramResult outside = Run({"decode", "out.gdw", "no.png", "--region", region});
    EXPECT_EQ(outside.exit, 2) << outside.err;
    EXPECT_FALSE(Exists("no.png"));
  }
}

TEST_F(DecodeCommandTest, FewerLayersAreCoarser) {
  const Tensor<uint8_t> picture = MakePicture(96, 96, 3);
  SavePicture("in.png", picture);
  Encode("in.png", "out.gdw", {"-q", "90"});
  double last = 0;
  for (const char* const layers : {"1", "3", "5", "8"}) {
    Decode("out.gdw", "out.png", {"-f", "--synthesis", "none", "--layers", layers});
    const double psnr_db = Psnr(picture, LoadPicture("out.png"));
    EXPECT_GT(psnr_db, last) << layers;
    last = psnr_db;
  }
  // Layers that were left out by the encoder are the same layers.
  Encode("in.png", "short.gdw", {"-q", "90", "--layers", "3"});
  Decode("short.gdw", "a.ppm");
  Decode("out.gdw", "b.ppm", {"--layers", "3"});
  EXPECT_TRUE(SameFiles("a.ppm", "b.ppm"));
}

TEST_F(DecodeCommandTest, SynthesisIsChosenByTheReader) {
  SavePicture("in.png", MakePicture(48, 48, 3));
  Encode("in.png", "out.gdw", {"-q", "80"});
  Decode("out.gdw", "small.ppm", {"--synthesis", "small"});
  Decode("out.gdw", "none.ppm", {"--synthesis", "none"});
  Decode("out.gdw", "file.ppm", {"--synthesis", "models/small.safetensors"});
  EXPECT_FALSE(SameFiles("small.ppm", "none.ppm"));
  EXPECT_TRUE(SameFiles("small.ppm", "file.ppm"));
  // There is no medium one: asked for, that is an error, else the best at hand will do.
  const ProgramResult medium = Run({"decode", "out.gdw", "m.ppm", "--synthesis", "medium"});
  EXPECT_EQ(medium.exit, 7);
  ExpectOneLine(medium.err, "godwit decode: out.gdw: medium synthesis for stream model ",
                TestModelId());
  EXPECT_FALSE(Exists("m.ppm"));
  const ProgramResult best = Decode("out.gdw", "best.ppm", {"--json"});
  EXPECT_NE(best.err.find("no medium synthesis at hand; used small"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(best.out)["synthesis"], "small");
  EXPECT_TRUE(SameFiles("best.ppm", "small.ppm"));
}

TEST_F(DecodeCommandTest, JsonHasTheDocumentedKeys) {
  SavePicture("in.png", MakePicture(20, 30, 4));
  Encode("in.png", "out.gdw", {"-q", "100"});
  const nlohmann::json json =
      nlohmann::json::parse(Decode("out.gdw", "out.png", {"--json", "--synthesis", "none"}).out);
  EXPECT_EQ(json["width"], 30);
  EXPECT_EQ(json["height"], 20);
  EXPECT_EQ(json["channels"], 4);
  EXPECT_EQ(json["layers"], 8);
  EXPECT_EQ(json["truncated"], false);
  EXPECT_EQ(json["model"], TestModelId());
  EXPECT_EQ(json["synthesis"], "none");
  EXPECT_GT(json["seconds"].get<double>(), 0);
}

TEST_F(DecodeCommandTest, TruncatedFilesDecodeOnlyWhenAsked) {
  SavePicture("in.png", MakePicture(100, 100, 3));
  Encode("in.png", "whole.gdw", {"-q", "90"});
  const Bytes file = LoadBytes(File("whole.gdw"));
  SaveBytes(File("cut.gdw"), std::span(file).first(file.size() - 9));
  const ProgramResult refused = Run({"decode", "cut.gdw", "out.png"});
  EXPECT_EQ(refused.exit, 5);
  EXPECT_FALSE(Exists("out.png"));
  const ProgramResult result = Decode("cut.gdw", "out.png", {"--allow-truncated", "--json"});
  EXPECT_NE(result.err.find("cut.gdw: ends early; decoded "), std::string::npos) << result.err;
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["truncated"], true);
  Decode("whole.gdw", "same.png", {"--layers", std::to_string(json["layers"].get<int>())});
  EXPECT_TRUE(SameSamples(LoadPicture("out.png"), LoadPicture("same.png")));
}

TEST_F(DecodeCommandTest, WhatATruncatedFileLacksIsSaid) {
  SavePicture("in.png", MakePicture(100, 100, 4));
  Encode("in.png", "whole.gdw", {"-q", "90"});
  const Bytes file = LoadBytes(File("whole.gdw"));
  ContainerReader reader = Must(ContainerReader::Open(file));
  size_t alpha = 0;  // where its section starts
  for (auto next = Must(reader.Next()); next; next = Must(reader.Next())) {
    if (next->type == static_cast<uint8_t>(SectionType::kAlpha)) alpha = next->offset;
  }
  ASSERT_GT(alpha, 0u);
  SaveBytes(File("cut.gdw"), std::span(file).first(alpha));
  const ProgramResult cut =
      Decode("cut.gdw", "out.png", {"--allow-truncated", "--synthesis", "none"});
  EXPECT_NE(cut.err.find(" whole layers; its alpha is missing\n"), std::string::npos) << cut.err;
  const ProgramResult one =
      Decode("cut.gdw", "one.png", {"--allow-truncated", "--synthesis", "none", "--layers", "1"});
  EXPECT_NE(one.err.find("decoded 1 whole layer;"), std::string::npos) << one.err;
}

TEST_F(DecodeCommandTest, WritesJpegAndRefusesAlphaThere) {
  SavePicture("rgb.png", MakePicture(40, 40, 3));
  SavePicture("rgba.png", MakePicture(40, 40, 4));
  Encode("rgb.png", "rgb.gdw", {"-q", "95"});
  Encode("rgba.png", "rgba.gdw");
  Decode("rgb.gdw", "out.jpg", {"--jpeg-quality", "98"});
  EXPECT_GT(Psnr(LoadPicture("rgb.png"), LoadPicture("out.jpg")), 32);
  const ProgramResult alpha = Run({"decode", "rgba.gdw", "alpha.jpg"});
  EXPECT_EQ(alpha.exit, 4) << alpha.err;
  EXPECT_FALSE(Exists("alpha.jpg"));
}

TEST_F(DecodeCommandTest, ThreadsAndSimdDoNotChangeTheSamples) {
  SavePicture("in.png", MakePicture(150, 200, 3));
  Encode("in.png", "out.gdw", {"--tile", "64"});
  Decode("out.gdw", "a.ppm", {"-j", "1"});
  Decode("out.gdw", "b.ppm", {"-j", "3"});
  EXPECT_EQ(Run({"decode", "out.gdw", "c.ppm"}, "", "scalar").exit, 0);
  EXPECT_TRUE(SameFiles("a.ppm", "b.ppm"));
  EXPECT_TRUE(SameFiles("a.ppm", "c.ppm"));
}

}  // namespace
}  // namespace godwit
