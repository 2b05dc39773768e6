#include "codecs/image/image_repack.h"
#include "tests/apps/program.h"

namespace godwit {
namespace {

using RepackCommandTest = ProgramTest;

TEST_F(RepackCommandTest, ThereAndBackIsTheSameFile) {
  SavePicture("in.png", MakePicture(70, 90, 4));
  Encode("in.png", "lite.gdw", {"-q", "60"});
  EXPECT_EQ(Run({"repack", "lite.gdw", "full.gdw"}).exit, 0);
  EXPECT_FALSE(SameFiles("lite.gdw", "full.gdw"));
  EXPECT_EQ(Run({"repack", "full.gdw", "back.gdw", "--entropy", "lite"}).exit, 0);
  EXPECT_TRUE(SameFiles("lite.gdw", "back.gdw"));
  Encode("in.png", "encoded.gdw", {"-q", "60", "--entropy", "full"});
  EXPECT_TRUE(SameFiles("full.gdw", "encoded.gdw"));
  Decode("lite.gdw", "a.pam");
  Decode("full.gdw", "b.pam");
  EXPECT_TRUE(SameFiles("a.pam", "b.pam"));
  EXPECT_EQ(Run({"verify", "full.gdw"}).exit, 0);
}

TEST_F(RepackCommandTest, EveryEntropyCodingComesFromEveryOther) {
  SavePicture("in.png", MakePicture(70, 90, 4));
  const std::vector<std::string> names = {"lite", "mid", "full"};
  for (const std::string& name : names)
    Encode("in.png", name + ".gdw", {"-q", "60", "--entropy", name});
  Decode("lite.gdw", "want.pam");
  for (const std::string& from : names) {
    const nlohmann::json info = nlohmann::json::parse(Run({"info", from + ".gdw", "--json"}).out);
    EXPECT_EQ(info["entropy"], from);
    EXPECT_EQ(Run({"verify", from + ".gdw"}).exit, 0) << from;
    Decode(from + ".gdw", from + ".pam");
    EXPECT_TRUE(SameFiles("want.pam", from + ".pam")) << from;
    for (const std::string& to : names) {
      EXPECT_FALSE(from != to && SameFiles(from + ".gdw", to + ".gdw")) << from << " is " << to;
      EXPECT_EQ(Run({"repack", from + ".gdw", "out.gdw", "-f", "--entropy", to}).exit, 0);
      EXPECT_TRUE(SameFiles("out.gdw", to + ".gdw")) << from << " to " << to;
    }
  }
}

TEST_F(RepackCommandTest, AnEntropyModelThatIsNotAtHandIsUnknown) {
  SavePicture("in.png", MakePicture(40, 40, 3));
  Encode("in.png", "full.gdw", {"--entropy", "full"});
  std::filesystem::remove(File("models/full.safetensors"));
  std::filesystem::create_directory(File("more"));
  for (int i = 0; i < 40; ++i) {  // folders are read while the stream's model is at hand already
    SaveBytes(File("more/" + std::to_string(i) + ".safetensors"), TestStreamModelFile(2 + i));
  }
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, {"--model-dir", "models", "--model-dir", "more"}}) {
    std::vector<std::string> args = {"info", "full.gdw", "--json"};
    args.insert(args.end(), more.begin(), more.end());
    const ProgramResult result = Run(args);
    ASSERT_EQ(result.exit, 0) << result.err;
    const nlohmann::json info = nlohmann::json::parse(result.out);
    EXPECT_EQ(info["entropy"], "unknown");
    EXPECT_EQ(info["model_name"], "test");
  }
  EXPECT_EQ(Run({"decode", "full.gdw", "out.png"}).exit, 7);
  EXPECT_EQ(Run({"repack", "full.gdw", "out.gdw", "--entropy", "mid"}).exit, 7);
  SaveBytes(File("models/full.safetensors"),
            TestEntropyFile(TestImageModel().id(), 1, "\x1b[2J"));  // says what it likes
  Encode("in.png", "lite.gdw");
  EXPECT_EQ(Run({"repack", "lite.gdw", "odd.gdw"}).exit, 7);  // no model of size full
}

TEST_F(RepackCommandTest, ItSaysWhatItDid) {
  SavePicture("in.png", MakePicture(40, 40, 3));
  Encode("in.png", "lite.gdw");
  const ProgramResult result = Run({"repack", "lite.gdw", "full.gdw", "--json"});
  EXPECT_EQ(result.exit, 0) << result.err;
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["from"], "lite");
  EXPECT_EQ(json["entropy"], "full");
  EXPECT_EQ(json["width"], 40);
  for (const auto& [file, entropy] :
       {std::pair{"lite.gdw", "lite"}, std::pair{"full.gdw", "full"}}) {
    const nlohmann::json info = nlohmann::json::parse(Run({"info", file, "--json"}).out);
    EXPECT_EQ(info["entropy"], entropy);
    EXPECT_EQ(json[std::string(entropy) == "lite" ? "bytes_in" : "bytes"], info["bytes"]);
    EXPECT_NE(Run({"info", file}).out.find(std::string(entropy) + " entropy coding"),
              std::string::npos);
  }
}

TEST_F(RepackCommandTest, RatesAreThoseOfTheWholeFile) {
  SavePicture("in.png", MakePicture(90, 90, 3));
  Encode("in.png", "full.gdw", {"--size", "2000", "--entropy", "full"});
  EXPECT_LE(Text(File("full.gdw")).size(), 2000u);
  EXPECT_GT(Text(File("full.gdw")).size(), 1700u);
}

TEST_F(RepackCommandTest, WhatCannotBeRepackedIsRefused) {
  SavePicture("in.png", MakePicture(40, 40, 3));
  Encode("in.png", "lite.gdw");
  EXPECT_EQ(Run({"repack", "in.png", "out.gdw"}).exit, 3);
  EXPECT_EQ(Run({"repack", "no.gdw", "out.gdw"}).exit, 3);
  EXPECT_EQ(Run({"repack", "lite.gdw", "lite.gdw"}).exit, 8);
  EXPECT_EQ(Run({"repack", "lite.gdw", "out.gdw", "--entropy", "none"}).exit, 2);
  EXPECT_EQ(Run({"repack", "lite.gdw", "out.gdw", "--max-pixels", "100"}).exit, 6);
  SaveBytes(File("cut.gdw"), ToBytes(Text(File("lite.gdw")).substr(0, 40)));
  EXPECT_EQ(Run({"repack", "cut.gdw", "out.gdw"}).exit, 5);
  std::string npy = "{'descr': '|u1', 'fortran_order': False, 'shape': (8,)}";
  npy.resize(117, ' ');
  npy = std::string("\x93NUMPY\x01\0\x76\0", 10) + npy + "\n12345678";
  SaveBytes(File("array.npy"), ToBytes(npy));
  ASSERT_EQ(Run({"encode", "array.npy", "array.gdw"}).exit, 0);
  const ProgramResult array = Run({"repack", "array.gdw", "out.gdw"});
  EXPECT_EQ(array.exit, 4);
  ExpectOneLine(array.err, "godwit repack: array.gdw: ", "array");
  EXPECT_FALSE(Exists("out.gdw"));
}

}  // namespace
}  // namespace godwit
