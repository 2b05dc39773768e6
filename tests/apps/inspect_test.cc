// info, verify, models, compare, help and version.
#include "tests/apps/program.h"

namespace godwit {
namespace {

using InspectTest = ProgramTest;

TEST_F(InspectTest, InfoDescribesWithoutDecoding) {
  ImageInfo tags;
  tags.icc = Bytes(100, std::byte{1});
  SavePicture("in.png", MakePicture(60, 80, 4), tags);
  Encode("in.png", "out.gdw", {"--tile", "32", "-q", "100"});
  const size_t size = LoadBytes(File("out.gdw")).size();
  const ProgramResult text = Run({"info", "out.gdw"});
  EXPECT_EQ(text.exit, 0) << text.err;
  EXPECT_EQ(
      text.out.rfind("out.gdw: 80x60, RGB and alpha, " + std::to_string(size) + " bytes, ", 0), 0u)
      << text.out;
  EXPECT_NE(text.out.find("model " + TestModelId() + " (test)"), std::string::npos) << text.out;

  const nlohmann::json json = nlohmann::json::parse(Run({"info", "--json", "out.gdw"}).out);
  EXPECT_EQ(json["width"], 80);
  EXPECT_EQ(json["height"], 60);
  EXPECT_EQ(json["planes"], 3);
  EXPECT_EQ(json["alpha"], true);
  EXPECT_EQ(json["bytes"], size);
  EXPECT_EQ(json["layers"], 8);
  EXPECT_EQ(json["tile"], 32);
  EXPECT_EQ(json["step_index"], 0);
  EXPECT_EQ(json["quality"], 100.0);
  EXPECT_EQ(json["model"], TestModelId());
  EXPECT_EQ(json["model_name"], "test");
  uint64_t end = 4;  // sections follow each other to the end
  bool icc = false;
  for (const nlohmann::json& section : json["sections"]) {
    EXPECT_EQ(section["offset"], end);
    end += section["bytes"].get<uint64_t>();
    icc = icc || section["name"] == "icc";
  }
  EXPECT_EQ(end, size);
  EXPECT_TRUE(icc);
}

TEST_F(InspectTest, InfoNeedsNoModel) {
  SavePicture("in.png", MakePicture(8, 8, 1));
  Encode("in.png", "out.gdw");
  std::filesystem::remove_all(File("models"));
  const ProgramResult info = Run({"info", "--json", "out.gdw"});
  EXPECT_EQ(info.exit, 0) << info.err;
  EXPECT_TRUE(nlohmann::json::parse(info.out)["model_name"].is_null());
  EXPECT_EQ(Run({"decode", "out.gdw", "out.png"}).exit, 7);
  EXPECT_EQ(Run({"verify", "out.gdw"}).exit, 7);
}

TEST_F(InspectTest, VerifySaysOk) {
  SavePicture("in.png", MakePicture(30, 30, 2));
  Encode("in.png", "out.gdw");
  EXPECT_EQ(Run({"verify", "out.gdw", "out.gdw"}).out, "out.gdw: ok\nout.gdw: ok\n");
  EXPECT_EQ(Run({"verify", "--quiet", "out.gdw"}).out, "");
  EXPECT_EQ(nlohmann::json::parse(Run({"verify", "--json", "out.gdw"}).out)["ok"], true);
}

TEST_F(InspectTest, ModelsListsWhatThereIs) {
  std::filesystem::create_directory(File("more"));
  SaveBytes(File("more/damaged.safetensors"), Bytes(9));
  SaveBytes(File("more/card.md"), ToBytes("no model"));
  const ProgramResult result = Run({"models", "--json", "--model-dir", "more"});
  EXPECT_EQ(result.exit, 0) << result.err;
  ExpectOneLine(result.err, "godwit models: warning: more/damaged.safetensors: ", "");
  bool stream = false, small = false, mid = false, full = false, damaged = false;
  const nlohmann::json json = nlohmann::json::parse(result.out);
  for (const nlohmann::json& model : json["models"]) {
    if (model["path"] == "models/stream.safetensors") {
      stream = true;
      EXPECT_EQ(model["id"], TestModelId());
      EXPECT_EQ(model["kind"], "stream");
      EXPECT_EQ(model["bytes"], TestStreamModelFile().size());
      EXPECT_GT(model["macs_per_pixel"].get<double>(), 10);
    } else if (model["path"] == "models/small.safetensors") {
      small = true;
      EXPECT_EQ(model["kind"], "synthesis");
      EXPECT_EQ(model["size"], "small");
      EXPECT_EQ(model["stream"], TestModelId());
    } else if (model["path"] == "models/full.safetensors" ||
               model["path"] == "models/mid.safetensors") {
      const bool is_mid = model["path"] == "models/mid.safetensors";
      (is_mid ? mid : full) = true;
      EXPECT_EQ(model["kind"], "entropy");
      EXPECT_EQ(model["size"], is_mid ? "mid" : "full");
      EXPECT_EQ(model["stream"], TestModelId());
    } else if (model["file"] == "damaged.safetensors") {
      damaged = model.contains("error");
    }
    EXPECT_NE(model["file"], "card.md");
  }
  EXPECT_TRUE(stream && small && mid && full && damaged) << result.out;
  EXPECT_NE(Run({"models"}).out.find(TestModelId()), std::string::npos);
}

TEST_F(InspectTest, CompareMeasuresColoursAndAlphaApart) {
  Tensor<uint8_t> picture(2, 4, 4);
  SavePicture("a.png", picture);
  picture.view().At(1, 2)[0] = 12;
  picture.view().At(0, 0)[3] = 7;
  SavePicture("b.png", picture);
  const ProgramResult result = Run({"compare", "a.png", "b.png", "--json"});
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_DOUBLE_EQ(json["mse"].get<double>(), 144.0 / 24);
  EXPECT_NEAR(json["psnr_db"].get<double>(), 10 * std::log10(255.0 * 255 / 6), 1e-9);
  EXPECT_EQ(json["max_error"], 12);
  EXPECT_EQ(json["max_alpha_error"], 7);
  EXPECT_EQ(Run({"compare", "a.png", "a.png"}).out, "equal\n");
  EXPECT_TRUE(
      nlohmann::json::parse(Run({"compare", "a.png", "a.png", "--json"}).out)["psnr_db"].is_null());
  picture.view().At(1, 2)[0] = 0;
  SavePicture("alpha.png", picture);
  EXPECT_EQ(Run({"compare", "a.png", "alpha.png"}).out, "colours equal, largest alpha error 7\n");
  SavePicture("c.png", MakePicture(2, 4, 3));
  EXPECT_EQ(Run({"compare", "a.png", "c.png"}).exit, 2);
}

TEST_F(InspectTest, VersionNamesTheSimdLevel) {
  const ProgramResult result = Run({"--version"}, "", "scalar");
  EXPECT_EQ(result.exit, 0);
  EXPECT_EQ(result.out.rfind("godwit ", 0), 0u);
  EXPECT_NE(result.out.find("(scalar, "), std::string::npos) << result.out;
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(nlohmann::json::parse(Run({"version", "--json"}, "", "scalar").out)["simd"], "scalar");
}

TEST_F(InspectTest, AnUnknownSimdLevelIsSaid) {
  const ProgramResult result = Run({"version"}, "", "sse9");
  EXPECT_EQ(result.exit, 0);
  ExpectOneLine(result.err, "godwit: GODWIT_CPU=sse9 ", "scalar, avx2 and avx512");
}

// tests/apps/help.txt is what users see; a change of it is a change of the program's contract.
TEST_F(InspectTest, HelpIsAsRecorded) {
  std::string help;
  for (const char* const command :
       {"", "encode", "decode", "repack", "info", "verify", "models", "compare", "eval"}) {
    std::vector<std::string> args = {"help"};
    if (*command != '\0') args.push_back(command);
    const ProgramResult result = Run(args);
    EXPECT_EQ(result.exit, 0) << command;
    EXPECT_EQ(result.err, "");
    if (*command != '\0') {
      EXPECT_EQ(Run({command, "--help"}).out, result.out);
    }
    help += "$ godwit help" + std::string(*command == '\0' ? "" : " ") + command + "\n" +
            result.out + "\n";
  }
  if (std::getenv("GODWIT_RECORD") != nullptr) SaveBytes(GODWIT_HELP_FILE, ToBytes(help));
  EXPECT_EQ(help, Text(GODWIT_HELP_FILE)) << "GODWIT_RECORD=1 records it anew";
}

// Every long option that the help names, and no other, is completed and in the manual.
TEST_F(InspectTest, CompletionAndManualKnowEveryOption) {
  const std::string completion = Text(GODWIT_SOURCE_DIR "/apps/completions/godwit.bash");
  for (const char* const command : {"encode", "decode"}) {
    const std::string help = Run({"help", command}).out;
    const std::string manual =
        Text(std::string(GODWIT_SOURCE_DIR "/docs/man/godwit-") + command + ".1.scd");
    for (size_t at = help.find("--"); at != help.npos; at = help.find("--", at + 2)) {
      const size_t end = help.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
      const std::string option = help.substr(at, end - at);
      if (option.size() < 4) continue;
      EXPECT_NE(completion.find(option), std::string::npos) << option;
      EXPECT_NE(manual.find(option), std::string::npos) << command << " " << option;
    }
  }
}

TEST_F(InspectTest, TheShippedPictureGoesRoundWithTheBuiltInModels) {
  std::filesystem::remove_all(File("models"));
  const nlohmann::json models = nlohmann::json::parse(Run({"models", "--json"}).out)["models"];
  if (models.empty()) FAIL() << "no built-in models";
  const std::string demo = GODWIT_SOURCE_DIR "/testdata/demo.png";
  const ProgramResult encoded = Run({"encode", demo, "demo.gdw", "--json", "--report-psnr"});
  ASSERT_EQ(encoded.exit, 0) << encoded.err;
  const ProgramResult decoded = Run({"decode", "demo.gdw", "demo.png"});
  ASSERT_EQ(decoded.exit, 0) << decoded.err;
  const ProgramResult compared = Run({"compare", demo, "demo.png", "--json"});
  EXPECT_DOUBLE_EQ(nlohmann::json::parse(compared.out)["psnr_db"].get<double>(),
                   nlohmann::json::parse(encoded.out)["psnr_db"].get<double>());
  EXPECT_GT(nlohmann::json::parse(compared.out)["psnr_db"].get<double>(), 30);
}

}  // namespace
}  // namespace godwit
