#include <limits>

#include "tests/apps/program.h"

namespace godwit {
namespace {

using EncodeCommandTest = ProgramTest;

TEST_F(EncodeCommandTest, JsonHasTheDocumentedKeys) {
  SavePicture("in.png", MakePicture(40, 60, 3));
  const ProgramResult result = Encode("in.png", "out.gdw", {"-q", "60", "--json", "--report-psnr"});
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["bytes"], LoadBytes(File("out.gdw")).size());
  EXPECT_EQ(json["width"], 60);
  EXPECT_EQ(json["height"], 40);
  EXPECT_EQ(json["channels"], 3);
  EXPECT_EQ(json["step_index"], StepIndexFromQuality(60));
  EXPECT_NEAR(json["quality"].get<double>(), 60, 0.2);
  EXPECT_EQ(json["layers"], 8);
  EXPECT_EQ(json["codec"], "swift");
  EXPECT_EQ(json["model"], TestModelId());
  EXPECT_EQ(json["synthesis"], "small");
  EXPECT_GT(json["seconds"].get<double>(), 0);
  EXPECT_DOUBLE_EQ(json["bpp"].get<double>(), json["bytes"].get<double>() * 8 / (40 * 60));
  EXPECT_EQ(result.err, "");
  Decode("out.gdw", "out.png", {"--synthesis", "small"});
  EXPECT_NEAR(json["psnr_db"].get<double>(), Psnr(LoadPicture("in.png"), LoadPicture("out.png")),
              1e-9);
}

TEST_F(EncodeCommandTest, EffortMakesSmallerFilesOfTheSameQuality) {
  SavePicture("in.png", MakePicture(120, 160, 3));
  const auto json_at = [&](const std::vector<std::string>& more) {
    std::vector<std::string> args = {"-f", "-q", "35", "--json", "--report-psnr"};
    args.insert(args.end(), more.begin(), more.end());
    return nlohmann::json::parse(Encode("in.png", "out.gdw", args).out);
  };
  const nlohmann::json first = json_at({}), third = json_at({"--effort", "3"});
  EXPECT_EQ(first["effort"], 1);
  EXPECT_EQ(third["effort"], 3);
  EXPECT_NEAR(third["quality"].get<double>(), 35, 0.25);
  EXPECT_LT(third["bytes"], first["bytes"]);
  EXPECT_EQ(json_at({"--effort", "4"})["synthesis"], "small");
  EXPECT_EQ(json_at({"--effort", "4", "--synthesis", "none"})["synthesis"], "none");
}

TEST_F(EncodeCommandTest, EffortAndSynthesisAreChecked) {
  SavePicture("in.png", MakePicture(16, 16, 3));
  for (const char* const effort : {"0", "10", "x"})
    EXPECT_EQ(Run({"encode", "in.png", "out.gdw", "--effort", effort}).exit, 2);
  EXPECT_EQ(
      Run({"encode", "in.png", "out.gdw", "--model", TestModelId(), "--synthesis", "large"}).exit,
      7);
}

TEST_F(EncodeCommandTest, TargetsHoldAtHigherEfforts) {
  SavePicture("in.png", MakePicture(120, 160, 3));
  Encode("in.png", "out.gdw", {"--size", "2500", "--effort", "4"});
  const size_t size = LoadBytes(File("out.gdw")).size();
  EXPECT_LE(size, 2500u);
  EXPECT_GE(size, 2250u);
  const nlohmann::json json = nlohmann::json::parse(
      Encode("in.png", "out.gdw", {"-f", "--psnr", "33", "--effort", "3", "--json"}).out);
  EXPECT_NEAR(json["psnr_db"].get<double>(), 33.05, 0.15);
}

TEST_F(EncodeCommandTest, SaysWhatItDidUnlessQuiet) {
  SavePicture("in.png", MakePicture(8, 8, 3));
  EXPECT_EQ(Encode("in.png", "a.gdw").out, "");
  EXPECT_NE(Encode("in.png", "b.gdw").err.find("b.gdw: 8x8, "), std::string::npos);
  EXPECT_EQ(Encode("in.png", "c.gdw", {"--quiet"}).err, "");
}

TEST_F(EncodeCommandTest, QualityRises) {
  SavePicture("in.png", MakePicture(100, 100, 3));
  size_t last = 0;
  for (const char* const q : {"0", "25", "50", "75", "100"}) {
    Encode("in.png", "out.gdw", {"-f", "-q", q});
    const size_t size = LoadBytes(File("out.gdw")).size();
    EXPECT_GT(size, last) << q;
    last = size;
  }
}

TEST_F(EncodeCommandTest, SizeIsNeverExceededAndNearlyUsed) {
  SavePicture("in.png", MakePicture(120, 160, 3));
  for (const size_t size : {400u, 1000u, 2500u, 7777u, 20000u}) {
    Encode("in.png", "out.gdw", {"-f", "--size", std::to_string(size)});
    const size_t got = LoadBytes(File("out.gdw")).size();
    EXPECT_LE(got, size);
    EXPECT_GE(got, size * 9 / 10);
  }
  Encode("in.png", "out.gdw", {"-f", "--size", "3k"});
  EXPECT_LE(LoadBytes(File("out.gdw")).size(), 3000u);
}

TEST_F(EncodeCommandTest, AnImpossibleSizeNamesTheSmallest) {
  SavePicture("in.png", MakePicture(64, 64, 3));
  const ProgramResult result =
      Run({"encode", "in.png", "out.gdw", "--model", TestModelId(), "--size", "5"});
  EXPECT_EQ(result.exit, 6);
  ExpectOneLine(result.err, "godwit encode: in.png: ", "the smallest file possible has ");
  EXPECT_FALSE(Exists("out.gdw"));
  const std::string smallest = result.err.substr(result.err.find(" has ") + 5);
  Encode("in.png", "out.gdw", {"--size", std::to_string(std::stoul(smallest))});
}

TEST_F(EncodeCommandTest, BitsPerPixelAreNeverExceeded) {
  SavePicture("in.png", MakePicture(120, 160, 3));
  for (const double bpp : {0.3, 1.0, 3.0}) {
    const ProgramResult result =
        Encode("in.png", "out.gdw", {"-f", "--json", "--bpp", std::to_string(bpp)});
    const double got = nlohmann::json::parse(result.out)["bpp"];
    EXPECT_LE(got, bpp);
    EXPECT_GE(got, bpp * 0.85);
  }
}

TEST_F(EncodeCommandTest, PsnrIsReachedByTheCoarsestStep) {
  SavePicture("in.png", MakePicture(64, 96, 3));
  for (const double psnr_db : {30.0, 36.0}) {
    const ProgramResult result =
        Encode("in.png", "out.gdw", {"-f", "--json", "--psnr", std::to_string(psnr_db)});
    const nlohmann::json json = nlohmann::json::parse(result.out);
    EXPECT_GE(json["psnr_db"].get<double>(), psnr_db);
    EXPECT_LE(json["psnr_db"].get<double>(), psnr_db + 1);
    Decode("out.gdw", "out.png", {"-f"});
    EXPECT_NEAR(Psnr(LoadPicture("in.png"), LoadPicture("out.png")), json["psnr_db"].get<double>(),
                1e-9);
  }
}

TEST_F(EncodeCommandTest, APsnrOutOfReachGivesTheBestAndSaysSo) {
  SavePicture("in.png", MakePicture(32, 32, 3));
  const ProgramResult result = Encode("in.png", "out.gdw", {"--psnr", "99", "--json"});
  EXPECT_NE(result.err.find("99.00 dB is out of reach; the best is "), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(result.out)["step_index"], 0);
}

TEST_F(EncodeCommandTest, StandardStreamsGiveTheSameBytes) {
  SavePicture("in.png", MakePicture(50, 30, 4));
  const std::string png = Text(File("in.png"));
  using Options = std::vector<std::string>;
  for (const Options& target : {Options{"-q", "40"}, {"--size", "2000"}, {"--psnr", "30"}}) {
    Encode("in.png", "out.gdw", {"-f", target[0], target[1]});
    const ProgramResult piped =
        Run({"encode", "-", "-", "--model", TestModelId(), target[0], target[1]}, png);
    EXPECT_EQ(piped.exit, 0) << piped.err;
    EXPECT_TRUE(piped.out == Text(File("out.gdw"))) << target[0];
  }
  Decode("out.gdw", "out.pam");
  const ProgramResult decoded = Run({"decode", "-", "-", "--format", "pam"}, Text(File("out.gdw")));
  EXPECT_EQ(decoded.exit, 0) << decoded.err;
  EXPECT_TRUE(decoded.out == Text(File("out.pam")));
  EXPECT_EQ(Run({"encode", "-", "-", "--json"}, png).exit, 2);  // two things on one stream
}

TEST_F(EncodeCommandTest, SixteenBitsAreCarriedAtEightWithANote) {
  std::string pgm = "P5\n20 10\n65535\n";
  for (int i = 0; i < 200; ++i) pgm += {static_cast<char>(i), static_cast<char>(i * 7)};
  SaveBytes(File("in.pgm"), ToBytes(pgm));
  const ProgramResult result = Encode("in.pgm", "out.gdw");
  EXPECT_NE(result.err.find("in.pgm: 16-bit samples are carried at 8 bits\n"), std::string::npos);
  const ProgramResult info = Run({"info", "--json", "out.gdw"});
  EXPECT_EQ(nlohmann::json::parse(info.out)["from_16_bit"], true);
}

TEST_F(EncodeCommandTest, ExifOrientationIsHonouredAndReset) {
  const Tensor<uint8_t> picture = MakePicture(24, 40, 3);
  ImageInfo info;
  info.exif = ExifBlob(6, false);
  info.icc = Bytes(150, std::byte{7});
  info.xmp = ToBytes("<x/>");
  SavePicture("in.png", picture, info);
  Encode("in.png", "out.gdw", {"-q", "100"});
  Decode("out.gdw", "out.png");
  const Tensor<uint8_t> upright = LoadPicture("in.png"), got = LoadPicture("out.png");
  EXPECT_EQ(got.width(), 24);
  EXPECT_EQ(got.height(), 40);
  EXPECT_GT(Psnr(upright, got), 40);
  EXPECT_EQ(LoadInfo("out.png").exif, ExifBlob(1, false));
  EXPECT_EQ(LoadInfo("out.png").icc, info.icc);
  EXPECT_EQ(LoadInfo("out.png").xmp, info.xmp);
  Encode("in.png", "bare.gdw", {"--strip"});
  Decode("bare.gdw", "bare.png");
  EXPECT_TRUE(LoadInfo("bare.png").exif.empty());
  EXPECT_TRUE(LoadInfo("bare.png").icc.empty());
}

TEST_F(EncodeCommandTest, AModelFileMayBeNamed) {
  SavePicture("in.png", MakePicture(16, 16, 3));
  Encode("in.png", "by_id.gdw");
  const ProgramResult result =
      Run({"encode", "in.png", "by_file.gdw", "--model", "models/stream.safetensors"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_TRUE(SameFiles("by_file.gdw", "by_id.gdw"));
}

TEST_F(EncodeCommandTest, ThreadsAndSimdDoNotChangeTheFile) {
  SavePicture("in.png", MakePicture(150, 200, 4));
  Encode("in.png", "a.gdw", {"--tile", "64", "-j", "1"});
  Encode("in.png", "b.gdw", {"--tile", "64", "-j", "3"});
  EXPECT_TRUE(SameFiles("a.gdw", "b.gdw"));
  const ProgramResult scalar =
      Run({"encode", "in.png", "c.gdw", "--tile", "64", "--model", TestModelId()}, "", "scalar");
  EXPECT_EQ(scalar.exit, 0) << scalar.err;
  EXPECT_TRUE(SameFiles("a.gdw", "c.gdw"));
}

}  // namespace
}  // namespace godwit
