// Each kind of bad input has its exit code and one line that names the file and the place; no
// output appears.
#include "io/container.h"
#include "tests/apps/program.h"

namespace godwit {
namespace {

class BadInputTest : public ProgramTest {
 protected:
  BadInputTest() {
    SavePicture("in.png", MakePicture(60, 80, 3));
    Encode("in.png", "in.gdw");
    stream_ = LoadBytes(File("in.gdw"));
  }

  void ExpectRefused(const std::vector<std::string>& args, int exit, const std::string& words) {
    const size_t files = Names().size();
    const ProgramResult result = Run(args);
    EXPECT_EQ(result.exit, exit) << result.err;
    ExpectOneLine(result.err, "godwit " + args[0] + ": ", words);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(Names().size(), files) << "left a file behind";
  }
  // `bytes` as bad.gdw: to decode, verify and info alike.
  void ExpectStreamRefused(const Bytes& bytes, int exit, const std::string& words) {
    SaveBytes(File("bad.gdw"), bytes);
    ExpectRefused({"decode", "bad.gdw", "bad.png"}, exit, "bad.gdw: ");
    ExpectRefused({"decode", "bad.gdw", "bad.png"}, exit, words);
    ExpectRefused({"verify", "bad.gdw"}, exit, words);
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(File(""))) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  Bytes stream_;
};

TEST_F(BadInputTest, MissingInput) {
  ExpectRefused({"encode", "no.png", "out.gdw"}, 3, "no.png: ");
  ExpectRefused({"decode", "no.gdw", "out.png"}, 3, "no.gdw: ");
  ExpectRefused({"info", "no.gdw"}, 3, "no.gdw: ");
  ExpectRefused({"verify", "no.gdw"}, 3, "no.gdw: ");
  ExpectRefused({"compare", "no.png", "in.png"}, 3, "no.png: ");
  ExpectRefused({"models", "--model-dir", "no"}, 3, "no: ");
}

TEST_F(BadInputTest, FolderAsInput) {
  ExpectRefused({"encode", "models", "out.gdw"}, 3, "models: is a directory");
  ExpectRefused({"decode", "models", "out.png"}, 3, "models: is a directory");
}

TEST_F(BadInputTest, EmptyFiles) {
  SaveBytes(File("empty"), {});
  ExpectRefused({"encode", "empty", "out.gdw"}, 5, "empty: ");
  ExpectStreamRefused({}, 5, "byte 0");
}

TEST_F(BadInputTest, NotAPicture) {
  SaveBytes(File("text.png"), ToBytes("This is no picture."));
  ExpectRefused({"encode", "text.png", "out.gdw"}, 3, "text.png: ");
}

TEST_F(BadInputTest, TruncatedPictures) {
  const Bytes png = LoadBytes(File("in.png"));
  SaveBytes(File("cut.png"), std::span(png).first(png.size() / 2));
  ExpectRefused({"encode", "cut.png", "out.gdw"}, 5, "cut.png: row ");
  ExpectRefused({"encode", "cut.png", "out.gdw", "--size", "2000"}, 5, "cut.png: row ");
}

TEST_F(BadInputTest, TruncatedStreams) {
  for (const size_t size : {size_t{1}, size_t{5}, size_t{12}, stream_.size() - 1}) {
    ExpectStreamRefused(Bytes(stream_.begin(), stream_.begin() + static_cast<ptrdiff_t>(size)), 5,
                        "byte ");
  }
}

TEST_F(BadInputTest, WrongMagic) {
  stream_[0] ^= std::byte{0x20};
  ExpectStreamRefused(stream_, 3, "magic");
  ExpectRefused({"info", "in.png"}, 3, "in.png: not a .gdw file");
}

TEST_F(BadInputTest, LaterVersion) {
  stream_[3] = std::byte{9};
  ExpectStreamRefused(stream_, 4, "version 9");
}

TEST_F(BadInputTest, FlippedBytes) {
  for (size_t at = 4; at < stream_.size(); at += stream_.size() / 5) {
    Bytes bad = stream_;
    bad[at] ^= std::byte{0x10};
    SaveBytes(File("bad.gdw"), bad);
    const ProgramResult result = Run({"decode", "bad.gdw", "bad.png"});
    EXPECT_TRUE(result.exit == 5 || (result.exit == 4 && at == 4)) << at << ": " << result.err;
    ExpectOneLine(result.err, "godwit decode: bad.gdw: ", "byte ");
    EXPECT_FALSE(Exists("bad.png"));
  }
}

TEST_F(BadInputTest, UnknownModel) {
  // The head of the picture section: flags, width, height, each of one byte here, model id.
  ContainerReader reader = Must(ContainerReader::Open(stream_));
  ContainerWriter writer;
  for (auto next = Must(reader.Next()); next; next = Must(reader.Next())) {
    Bytes body(next->body.begin(), next->body.end());
    if (next->type == static_cast<uint8_t>(SectionType::kPicture)) body[3] ^= std::byte{1};
    writer.Add(next->type, body);
  }
  std::string id = ModelIdHex(TestImageModel().id() ^ 1);
  ExpectStreamRefused(writer.Release(), 7, "stream model " + id + " is not in the program");
  ExpectRefused({"encode", "in.png", "out.gdw", "--model", id}, 7, id);
}

TEST_F(BadInputTest, HostileSize) {
  ByteWriter body;
  body.U8(1);  // colour
  body.Varint(uint64_t{1} << 31);
  body.Varint(uint64_t{1} << 31);
  body.U64(TestImageModel().id());
  body.U16(7 << 12 | 100);
  body.Append(Bytes(30));
  ContainerWriter writer;
  writer.Add(SectionType::kPicture, body.bytes());
  const Bytes file = writer.Release();
  EXPECT_LT(file.size(), 64u);
  ExpectStreamRefused(file, 6, "2147483648x2147483648");
}

TEST_F(BadInputTest, LimitsAreTheUsers) {
  ExpectRefused({"decode", "in.gdw", "out.png", "--max-pixels", "4799"}, 6, "in.gdw: ");
  ExpectRefused({"encode", "in.png", "out.gdw", "--max-pixels", "4799"}, 6, "in.png: ");
  ExpectRefused({"decode", "in.gdw", "out.png", "--max-memory", "5000"}, 6, "in.gdw: ");
  Decode("in.gdw", "out.png", {"--max-pixels", "4800"});
}

TEST_F(BadInputTest, DamagedModels) {
  SaveBytes(File("bad.safetensors"), Bytes(40, std::byte{0x7f}));
  ExpectRefused({"encode", "in.png", "out.gdw", "--model", "bad.safetensors"}, 7,
                "bad.safetensors: ");
  ExpectRefused({"encode", "in.png", "out.gdw", "--model", "models/small.safetensors"}, 7,
                "small.safetensors: ");
  ExpectRefused({"decode", "in.gdw", "out.png", "--synthesis", "./bad.safetensors"}, 7,
                "bad.safetensors: ");
  SaveBytes(File("other.safetensors"), TestSynthesisFile(OtherImageModel().id()));
  ExpectRefused({"decode", "in.gdw", "out.png", "--synthesis", "other.safetensors"}, 7,
                "serves stream model ");
}

TEST_F(BadInputTest, MissingModels) {
  for (const char* const model : {"no.safetensors", "vast", "models"}) {
    const std::string words = std::string(model) + ": ";
    ExpectRefused({"encode", "in.png", "out.gdw", "--model", model}, 7, "in.png: " + words);
    ExpectRefused({"decode", "in.gdw", "out.png", "--synthesis", model}, 7, "in.gdw: " + words);
  }
}

TEST_F(BadInputTest, ExistingOutputsAreKept) {
  SaveBytes(File("old"), ToBytes("old"));
  ExpectRefused({"encode", "in.png", "old", "--model", TestModelId()}, 8, "old: ");
  ExpectRefused({"decode", "in.gdw", "old", "--format", "png"}, 8, "old: ");
  EXPECT_EQ(Text(File("old")), "old");
  // Not even -f puts a failure in their place.
  ExpectRefused({"encode", "models/stream.safetensors", "old", "-f"}, 3, "stream.safetensors: ");
  EXPECT_EQ(Text(File("old")), "old");
  Encode("in.png", "old", {"-f"});
  EXPECT_EQ(LoadBytes(File("old")), stream_);
}

TEST_F(BadInputTest, UnwritableOutputs) {
  ExpectRefused({"encode", "in.png", "no/out.gdw", "--model", TestModelId()}, 8, "no/out.gdw: ");
  ExpectRefused({"decode", "in.gdw", "in.png/out.png"}, 8, "in.png/out.png: ");
  ExpectRefused({"decode", "in.gdw", "out.xyz"}, 4, "out.xyz: ");
}

TEST_F(BadInputTest, OneBadFileDoesNotHideTheOthers) {
  const ProgramResult result = Run({"verify", "no.gdw", "in.gdw"});
  EXPECT_EQ(result.exit, 3);
  EXPECT_EQ(result.out, "in.gdw: ok\n");
  const ProgramResult json = Run({"verify", "--json", "no.gdw"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["ok"], false);
  EXPECT_EQ(nlohmann::json::parse(json.out)["exit_code"], 3);
}

TEST_F(BadInputTest, Misuse) {
  const std::vector<std::vector<std::string>> misuses = {
      {"encode"},
      {"encode", "in.png"},
      {"encode", "in.png", "out.gdw", "more"},
      {"encode", "in.png", "out.gdw", "--no-such-option"},
      {"encode", "in.png", "out.gdw", "-q", "101"},
      {"encode", "in.png", "out.gdw", "-q", "nan"},
      {"encode", "in.png", "out.gdw", "-q", "50", "--size", "500"},
      {"encode", "in.png", "out.gdw", "--size", "0"},
      {"encode", "in.png", "out.gdw", "--size", "5 k"},
      {"encode", "in.png", "out.gdw", "--codec", "jpeg"},
      {"encode", "in.png", "out.gdw", "--layers", "9"},
      {"encode", "no.png", "out.gdw", "--tile", "100"},
      {"decode", "in.gdw", "out.png", "--region", "0,0,0,5"},
      {"decode", "in.gdw", "out.png", "--region", "0,0,5"},
      {"decode", "in.gdw", "out.png", "--region", "0,0,5,5,"},
      {"decode", "in.gdw", "-"},
      {"info"},
      {"compare", "in.png"},
      {"compare", "in.png", "in.png", "in.png"},
      {"models", "more"}};
  for (const std::vector<std::string>& args : misuses) ExpectRefused(args, 2, "");
  EXPECT_EQ(Run({}).exit, 2);
  EXPECT_EQ(Run({"no-such-command"}).exit, 2);
  ExpectRefused({"encode", "in.png", "out.gdw", "--tile", "100"}, 2, "--tile 100: ");
  // Sides go up to 2^31, and so do regions; this picture's do not.
  ExpectRefused({"decode", "in.gdw", "out.png", "--region", "0,0,2147483648,2147483648"}, 2,
                "in.gdw: ");
  ExpectRefused({"decode", "in.gdw", "out.png", "--region", "2147483648,0,2147483648,1"}, 2,
                "in.gdw: ");
  ExpectRefused({"decode", "in.gdw", "out.png", "--region", "0,0,2147483649,1"}, 2, "--region ");
  ExpectRefused({"decode", "in.gdw", "out.png", "--region", "0,0,18446744073709551617,1"}, 2,
                "--region ");
  EXPECT_FALSE(Exists("out.gdw"));
}

}  // namespace
}  // namespace godwit
