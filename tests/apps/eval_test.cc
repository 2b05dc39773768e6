// eval: measuring, going on, merging, comparing, and what it says of bad input.
#include <csignal>

#include "tests/apps/program.h"

namespace godwit {
namespace {

class EvalTest : public ProgramTest {
 protected:
  EvalTest() {
    std::filesystem::create_directory(File("in"));
    SavePicture("in/a.png", MakePicture(24, 40, 3));
    SavePicture("in/b.png", MakePicture(33, 17, 1));
  }
  // Small and quick; more options may follow.
  ProgramResult Eval(std::vector<std::string> more, const std::string& path = "in") const {
    std::vector<std::string> args = {"eval", path, "--metrics", "psnr", "--points", "4"};
    args.insert(args.end(), more.begin(), more.end());
    return Run(args);
  }
  nlohmann::json Results(const std::string& folder) const {
    return nlohmann::json::parse(Text(File(folder + "/results.json")));
  }
};

TEST_F(EvalTest, MeasuresOursBesideARival) {
  const ProgramResult result =
      Eval({"--codecs", "swift:none:model=" + TestModelId() + ",jpeg", "--out", "out"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_NE(result.out.find("BD-rate against jpeg"), std::string::npos) << result.out;
  const nlohmann::json results = Results("out");
  EXPECT_EQ(results["schema"], "godwit-eval-2");
  EXPECT_EQ(results["measurements"].size(), 2u * 2 * 4);
  EXPECT_NE(results["codecs"][0]["version"].get<std::string>().find(TestModelId()),
            std::string::npos);
  EXPECT_EQ(results["measurements"][0]["encode_s"].size(), 3u);
  for (const char* const name :
       {"out/measurements.csv", "out/curves.csv", "out/summary.md", "out/compressai/jpeg.json"}) {
    EXPECT_TRUE(Exists(name)) << name;
  }
  EXPECT_FALSE(Exists("out/journal.jsonl"));
}

TEST_F(EvalTest, ResultsThatAreThereAreKept) {
  const std::vector<std::string> options = {"--codecs", "jpeg", "--repeats", "0", "--out", "out"};
  ASSERT_EQ(Eval(options).exit, 0);
  const nlohmann::json first = Results("out");
  const ProgramResult again = Eval(options);
  EXPECT_EQ(again.exit, 8);
  ExpectOneLine(again.err, "godwit eval: out/results.json: there are results; ", "");
  std::vector<std::string> more = options;
  more.push_back("--resume");
  EXPECT_EQ(Eval(more).exit, 0);
  EXPECT_EQ(Results("out"), first);  // the command line included
  more.back() = "--force";
  EXPECT_EQ(Eval(more).exit, 0);
  EXPECT_EQ(Results("out"), first);
}

TEST_F(EvalTest, RunsAreMergedAndCompared) {
  ASSERT_EQ(Eval({"--codecs", "jpeg", "--out", "one"}).exit, 0);
  ASSERT_EQ(Eval({"--codecs", "webp", "--out", "two"}).exit, 0);
  const ProgramResult merged = Run({"eval", "--merge", "one", "two", "--out", "both", "--json"});
  EXPECT_EQ(merged.exit, 0) << merged.err;
  EXPECT_EQ(nlohmann::json::parse(merged.out)["codecs"], (nlohmann::json{"jpeg", "webp"}));
  EXPECT_TRUE(Exists("both/report_pictures/a.png.webp.0.3.webp"));
  EXPECT_EQ(Run({"eval", "--compare", "one", "both"}).out, "nothing moved\n");
  const ProgramResult nothing = Run({"eval", "--compare", "one", "two"});
  EXPECT_EQ(nothing.exit, 2);
  ExpectOneLine(nothing.err, "godwit eval: the two have no codec", "");
}

TEST_F(EvalTest, PublishedCurvesAreImported) {
  SaveBytes(File("vtm.json"),
            ToBytes(R"({"name":"VTM","description":"d","results":{"psnr-rgb":[20,30,40,50],)"
                    R"("bpp":[0.1,1,3,9]}})"));
  const ProgramResult result = Eval({"--codecs", "jpeg", "--repeats", "0", "--out", "out",
                                     "--import", "vtm.json", "--anchor", "VTM"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_NE(result.out.find("BD-rate against VTM"), std::string::npos) << result.out;
  EXPECT_EQ(Results("out")["imported"][0]["columns"]["psnr"].size(), 4u);
  SaveBytes(File("bad.json"), ToBytes("{}"));
  const ProgramResult bad = Run({"eval", "--report", "out", "--import", "bad.json"});
  EXPECT_EQ(bad.exit, 5);
  ExpectOneLine(bad.err, "godwit eval: bad.json: results: no object", "");
}

TEST_F(EvalTest, BadPicturesAreSkippedAndSaid) {
  SaveBytes(File("in/broken.png"), ToBytes("no picture"));
  const ProgramResult result = Eval({"--codecs", "jpeg", "--repeats", "0", "--out", "out"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_NE(result.err.find("skipped: in/broken.png: "), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("finished, but 1 picture was skipped"), std::string::npos);
  EXPECT_EQ(Results("out")["measurements"].size(), 8u);
}

TEST_F(EvalTest, MistakesAreRefusedBeforeAnythingIsMeasured) {
  const struct {
    std::vector<std::string> args;
    int exit;
    const char* message;
  } cases[] = {
      {{"--codecs", "jpg"}, 2, "no codec jpg"},
      {{"--codecs", "avif:11"}, 2, "avif: no option 11"},
      {{"--metrics", "psrn"}, 2, "no metric psrn"},
      {{"--report-bpp", "much"}, 2, "--report-bpp much: no rates"},
      {{"--codecs", "music"}, 2, "music is for sounds, not for pictures"},
      {{"--kbps", "24"}, 2, "--kbps is for sounds"},
      {{"--media", "audio"}, 3, "no sounds here"},
      {{"--media", "smell"}, 2, "--media smell: there are picture, audio and array"},
      {{"--codecs", ","}, 2, "no codec is left to evaluate"},
      {{"--codecs", "swift:model=0123456789abcdef"}, 7, "stream model 0123456789abcdef"},
  };
  for (const auto& c : cases) {
    std::vector<std::string> args = {"eval", "in", "--out", "out"};
    args.insert(args.end(), c.args.begin(), c.args.end());
    const ProgramResult result = Run(args);
    if (c.args[1] == "avif:11" && result.err.find("built without") != std::string::npos) continue;
    EXPECT_EQ(result.exit, c.exit) << result.err;
    EXPECT_NE(result.err.find(c.message), std::string::npos) << result.err;
    EXPECT_FALSE(Exists("out"));
  }
  std::filesystem::create_directory(File("empty"));
  const ProgramResult empty = Eval({"--codecs", "jpeg"}, "empty");
  EXPECT_EQ(empty.exit, 3);
  ExpectOneLine(empty.err, "godwit eval: empty: no pictures, sounds or arrays here", "");
}

TEST_F(EvalTest, SoundsAreMeasuredAtEqualRates) {
  std::filesystem::create_directory(File("sounds"));
  std::string raw;
  uint32_t noise = 1;
  for (int i = 0; i < 16000; ++i) {
    noise = noise * 1664525 + 1013904223;
    const auto v = static_cast<int16_t>(std::abs(i % 160 - 80) * 100 - 4000 +
                                        static_cast<int16_t>(noise >> 16) / 16);
    raw += static_cast<char>(v & 0xff);
    raw += static_cast<char>(v >> 8);
  }
  SaveBytes(File("a.raw"), ToBytes(raw));
  ASSERT_EQ(Run({"encode", "a.raw", "a.gdw", "--raw", "16000,1", "--quality", "90"}).exit, 0);
  ASSERT_EQ(Run({"decode", "a.gdw", "sounds/a.wav"}).exit, 0);
  const ProgramResult result = Run({"eval", "sounds", "--codecs", "sound,voice:model=none",
                                    "--kbps", "24,32", "--repeats", "1", "--out", "out"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_NE(result.out.find("at kb/s  codec"), std::string::npos) << result.out;
  const nlohmann::json results = Results("out");
  EXPECT_EQ(results["medium"], "audio");
  EXPECT_EQ(results["items"][0]["frames"], 16000);
  ASSERT_EQ(results["measurements"].size(), 4u);
  for (const nlohmann::json& m : results["measurements"]) {
    EXPECT_NEAR(m["rate"].get<double>() / m["setting"].get<double>(), 1, 0.03) << m;
    EXPECT_GT(m["metrics"]["si-sdr"].get<double>(), 5) << m;
    EXPECT_GT(m["metrics"]["stoi"].get<double>(), 0.5) << m;
    EXPECT_NEAR(m["delay_s"].get<double>(), 0.05, 1e-9);
    EXPECT_EQ(m["encode_s"].size(), 1u);
    EXPECT_EQ(m["encode_s"].size(), 1u);
  }
  EXPECT_EQ(Run({"eval", "sounds", "--codecs", "sound", "--kbps", "0", "--out", "x"}).exit, 2);
  EXPECT_EQ(Run({"eval", "sounds", "--kbps", "8", "--points", "3", "--out", "x"}).exit, 2);
}

TEST_F(EvalTest, ArraysAreMeasuredWithinBounds) {
  std::filesystem::create_directory(File("arrays"));
  std::string raw;
  for (int i = 0; i < 4000; ++i) {
    const int v = std::abs(i % 200 - 100) * 5 + i * i % 7;
    raw += static_cast<char>(v & 0xff);
    raw += static_cast<char>(v >> 8);
  }
  std::string header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2000, 2), }";
  header.resize(117, ' ');
  SaveBytes(File("arrays/a.npy"),
            ToBytes(std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + raw));
  const ProgramResult result = Run({"eval", "arrays", "--codecs", "packet,zstd", "--range-error",
                                    "0,0.01", "--repeats", "0", "--out", "out"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_NE(result.out.find("a.npy"), std::string::npos) << result.out;
  const nlohmann::json results = Results("out");
  EXPECT_EQ(results["medium"], "array");
  EXPECT_EQ(results["items"][0]["shape"], (nlohmann::json{2000, 2}));
  EXPECT_EQ(results["items"][0]["type"], "i16");
  ASSERT_GE(results["measurements"].size(), 2u);
  const nlohmann::json &bounded = results["measurements"][0], &whole = results["measurements"][1];
  EXPECT_EQ(bounded["setting"], 0.01);
  EXPECT_EQ(whole["setting"], 0);
  EXPECT_EQ(whole["metrics"]["max-error"], 0);
  EXPECT_GT(bounded["metrics"]["max-error"], 0);
  EXPECT_LE(bounded["metrics"]["max-error"], 0.0101);
  EXPECT_LT(bounded["bytes"], whole["bytes"]);
  EXPECT_EQ(Run({"eval", "arrays", "--range-error", "2", "--out", "x"}).exit, 2);
  EXPECT_EQ(Run({"eval", "in", "--range-error", "0", "--out", "x"}).exit, 2);
}

TEST_F(EvalTest, PeakMemoryIsMeasuredInAProcessOfItsOwn) {
  const ProgramResult result =
      Eval({"--codecs", "jpeg", "--repeats", "0", "--memory", "--out", "out"}, "in/a.png");
  EXPECT_EQ(result.exit, 0) << result.err;
  const nlohmann::json results = Results("out");
  ASSERT_FALSE(results["measurements"].empty());
  for (const nlohmann::json& m : results["measurements"]) {
    EXPECT_TRUE(m["encode_peak_bytes"].is_number_unsigned()) << m;
    EXPECT_TRUE(m["decode_peak_bytes"].is_number_unsigned()) << m;
  }
}

TEST_F(EvalTest, TheReadmeTakesTheSummary) {
  SaveBytes(File("README.md"),
            ToBytes("x\n<!-- godwit eval: begin -->\n<!-- godwit eval: end -->\ny\n"));
  ASSERT_EQ(
      Eval({"--codecs", "jpeg,webp", "--repeats", "0", "--out", "out", "--readme", "README.md"})
          .exit,
      0);
  const std::string text = Text(File("README.md"));
  EXPECT_NE(text.find("| `webp` |"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("<!-- godwit eval: end -->\ny\n"));
}

}  // namespace
}  // namespace godwit
