// Packets and damaged pictures, through the program.
#include <algorithm>

#include "io/container.h"
#include "io/transport.h"
#include "tests/apps/program.h"

namespace godwit {
namespace {

class ConcealTest : public ProgramTest {
 protected:
  ConcealTest() {
    SavePicture("in.png", MakePicture(150, 200, 3));
    Encode("in.png", "whole.gdw", {"--order", "rows", "--tile", "256x32", "-q", "75"});
  }
  // The packets of whole.gdw but for those of a row from an offset on.
  void LosePackets(const std::string& to, uint64_t row, uint64_t offset) const {
    Bytes kept;
    const Bytes all = LoadBytes(File("whole.gdp"));
    TransportReader reader(all);
    while (const auto p = reader.Next()) {
      if (p->row == row && p->offset >= offset) continue;
      ASSERT_TRUE(AppendPacket(*p, &kept).ok());
    }
    SaveBytes(File(to), kept);
  }
};

TEST_F(ConcealTest, PacketsAreReadLikeTheFileTheyHold) {
  ASSERT_EQ(Run({"repack", "whole.gdw", "whole.gdp", "--packets", "100", "--picture", "8"}).exit,
            0);
  EXPECT_EQ(Run({"repack", "whole.gdp", "again.gdw", "--entropy", "lite"}).exit, 0);
  EXPECT_TRUE(SameFiles("whole.gdw", "again.gdw"));
  EXPECT_EQ(Run({"verify", "whole.gdp"}).exit, 0);
  EXPECT_EQ(Run({"info", "whole.gdp"}).exit, 0);
  Decode("whole.gdw", "a.ppm");
  Decode("whole.gdp", "b.ppm");
  Decode("whole.gdp", "c.ppm", {"--picture", "8", "--conceal"});
  EXPECT_TRUE(SameFiles("a.ppm", "b.ppm"));
  EXPECT_TRUE(SameFiles("a.ppm", "c.ppm"));
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"decode", "whole.gdp", "d.ppm", "--picture", "7"},
        {"decode", "whole.gdw", "d.ppm", "--picture", "8"},
        {"repack", "whole.gdw", "d.gdp", "--picture", "8"},
        {"repack", "whole.gdw", "d.gdp", "--packets", "63"},
        {"repack", "whole.gdw", "d.gdp", "--packets", "64", "--entropy", "lite"}}) {
    EXPECT_EQ(Run(args).exit, 2) << args[0] << " " << args[3];
  }
  Encode("in.png", "layers.gdw");
  const ProgramResult layers = Run({"repack", "layers.gdw", "d.gdp", "--packets", "64"});
  EXPECT_EQ(layers.exit, 4);
  ExpectOneLine(layers.err, "godwit repack: layers.gdw: ", "order of rows");
  EXPECT_FALSE(Exists("d.ppm") || Exists("d.gdp"));
}

TEST_F(ConcealTest, WhatIsNoPictureIsSaidBeforeThatItIsNoPackets) {
  SaveBytes(File("empty.gdw"), {});
  SaveBytes(File("text.gdw"), Bytes(100, std::byte{'a'}));
  for (const std::string file : {"empty.gdw", "text.gdw"}) {
    const int exit = Run({"decode", file, "d.ppm"}).exit;
    EXPECT_TRUE(exit == 3 || exit == 5) << file;
    EXPECT_EQ(Run({"decode", file, "d.ppm", "--picture", "3"}).exit, exit) << file;
  }
}

TEST_F(ConcealTest, OfTwoPicturesInAStreamDecodeIsNamedToTakeOne) {
  Bytes both;
  for (const std::string number : {"8", "9"}) {
    ASSERT_EQ(
        Run({"repack", "whole.gdw", "p.gdp", "-f", "--packets", "100", "--picture", number}).exit,
        0);
    const Bytes one = LoadBytes(File("p.gdp"));
    both.insert(both.end(), one.begin(), one.end());
  }
  SaveBytes(File("both.gdp"), both);
  for (const std::string command : {"info", "verify"}) {
    const ProgramResult result = Run({command, "both.gdp"});
    EXPECT_EQ(result.exit, 2);
    ExpectOneLine(result.err, "godwit " + command + ": both.gdp: ",
                  "packets of pictures 8, 9; decode --picture takes one");
  }
  Decode("both.gdp", "a.ppm", {"--picture", "9"});
}

TEST_F(ConcealTest, LossesAreAnErrorOrAreNamed) {
  ASSERT_EQ(Run({"repack", "whole.gdw", "whole.gdp", "--packets", "100"}).exit, 0);
  LosePackets("lost.gdp", 2, 0);
  LosePackets("short.gdp", 4, 150);
  const ProgramResult lost = Run({"decode", "lost.gdp", "lost.png"});
  EXPECT_EQ(lost.exit, 5);
  ExpectOneLine(lost.err, "godwit decode: lost.gdp: picture 0: ",
                "row of tiles 2 (lines 64 to 95) lacks all of its bytes");
  EXPECT_EQ(Run({"verify", "lost.gdp"}).exit, 5);
  EXPECT_FALSE(Exists("lost.png"));
  const ProgramResult concealed =
      Decode("lost.gdp", "lost.png", {"--conceal", "--json", "--synthesis", "none"});
  EXPECT_NE(concealed.err.find("row of tiles 2 (lines 64 to 95) is lost and made up\n"),
            std::string::npos);
  const nlohmann::json json = nlohmann::json::parse(concealed.out);
  EXPECT_EQ(json["lost_rows"], nlohmann::json({2}));
  EXPECT_TRUE(json["short_rows"].empty());
  EXPECT_GT(json["missing_packets"].get<int>(), 0);
  Decode("whole.gdw", "whole.png", {"--synthesis", "none"});
  const Tensor<uint8_t> got = LoadPicture("lost.png"), want = LoadPicture("whole.png");
  EXPECT_TRUE(SameSamples(Crop(got, {0, 0, 200, 64}), Crop(want, {0, 0, 200, 64})));
  EXPECT_TRUE(SameSamples(Crop(got, {0, 96, 200, 54}), Crop(want, {0, 96, 200, 54})));

  const ProgramResult shorter = Decode("short.gdp", "short.png", {"--conceal", "--json"});
  EXPECT_NE(shorter.err.find("row of tiles 4 (lines 128 to 149) has "), std::string::npos);
  const nlohmann::json said = nlohmann::json::parse(shorter.out);
  EXPECT_EQ(said["short_rows"], nlohmann::json({4}));
  EXPECT_TRUE(said["lost_rows"].empty());
}

TEST_F(ConcealTest, WhatIsDamagedBesideTheLayersIsSaidAsItIs) {
  Bytes file = LoadBytes(File("whole.gdw"));
  AppendSection(SectionType::kXmp, Bytes(30), &file);
  file[file.size() - 9] ^= std::byte{8};
  SaveBytes(File("xmp.gdw"), file);
  const ProgramResult xmp = Decode("xmp.gdw", "xmp.png", {"--conceal", "--json"});
  EXPECT_NE(xmp.err.find(" are damaged\n"), std::string::npos) << xmp.err;
  EXPECT_EQ(xmp.err.find("ends early"), std::string::npos) << xmp.err;
  nlohmann::json json = nlohmann::json::parse(xmp.out);
  EXPECT_FALSE(json["truncated"].get<bool>());
  EXPECT_EQ(json["damage"].size(), 1u);
  EXPECT_TRUE(json["lost_rows"].empty());

  SavePicture("alpha.png", MakePicture(40, 40, 4));
  Encode("alpha.png", "alpha.gdw");
  file = LoadBytes(File("alpha.gdw"));
  const ImageStream stream = Must(ParseImageStream(file));
  const auto section = std::ranges::find(stream.sections, "alpha", &ImageSectionInfo::name);
  ASSERT_NE(section, stream.sections.end());
  file[section->offset + section->bytes - 5] ^= std::byte{8};
  SaveBytes(File("alpha.gdw"), file);
  const ProgramResult alpha = Decode("alpha.gdw", "no_alpha.png", {"--conceal", "--json"});
  EXPECT_EQ(alpha.err.find("ends early"), std::string::npos) << alpha.err;
  EXPECT_NE(alpha.err.find("; its alpha is missing\n"), std::string::npos) << alpha.err;
  EXPECT_LT(alpha.err.find(" are damaged\n"), alpha.err.find("alpha is missing"));
  EXPECT_TRUE(nlohmann::json::parse(alpha.out)["truncated"].get<bool>());
}

TEST_F(ConcealTest, ManyLossesTakeFewLines) {
  SavePicture("tall.png", MakePicture(700, 33, 3));
  Encode("tall.png", "tall.gdw", {"--order", "rows", "--tile", "64x32", "-q", "50"});
  Bytes kept;
  ASSERT_EQ(Run({"repack", "tall.gdw", "tall.gdp", "--packets", "65535"}).exit, 0);
  const Bytes all = LoadBytes(File("tall.gdp"));
  TransportReader reader(all);
  while (const auto p = reader.Next()) {
    if (p->row % 2 == 0) {
      ASSERT_TRUE(AppendPacket(*p, &kept).ok());
    }
  }
  SaveBytes(File("tall.gdp"), kept);
  const ProgramResult result = Decode("tall.gdp", "tall2.png", {"--conceal", "--json"});
  EXPECT_NE(result.err.find("and 3 more rows are lost and made up\n"), std::string::npos)
      << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["lost_rows"].size(), 11u);
}

TEST_F(ConcealTest, DamagedFilesAreAnErrorOrTheirRowsAreNamed) {
  Bytes file = LoadBytes(File("whole.gdw"));
  file[file.size() / 2] ^= std::byte{8};
  SaveBytes(File("bad.gdw"), file);
  EXPECT_EQ(Run({"decode", "bad.gdw", "bad.png"}).exit, 5);
  EXPECT_FALSE(Exists("bad.png"));
  const ProgramResult result = Decode("bad.gdw", "bad.png", {"--conceal", "--json"});
  EXPECT_NE(result.err.find(" are damaged\n"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find(" is lost and made up\n"), std::string::npos) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["lost_rows"].size(), 1u);
  EXPECT_EQ(nlohmann::json::parse(result.out)["damage"].size(), 1u);
  // Not what a user may miss.
  const ProgramResult quiet = Decode("bad.gdw", "bad2.png", {"--conceal", "--quiet"});
  EXPECT_NE(result.err.find(quiet.err), std::string::npos) << quiet.err;
  EXPECT_NE(quiet.err.find(" is lost and made up\n"), std::string::npos) << quiet.err;
  file.resize(20);
  SaveBytes(File("bad.gdw"), file);
  EXPECT_EQ(Run({"decode", "bad.gdw", "no.png", "--conceal"}).exit, 5);
}

}  // namespace
}  // namespace godwit
