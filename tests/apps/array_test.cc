// encode, decode, info and verify with arrays.
#include <cmath>
#include <cstring>
#include <filesystem>

#include "codecs/array/wavelet_context.h"
#include "io/audio_file.h"
#include "io/npy_file.h"
#include "models/registry.h"
#include "models/safetensors_writer.h"
#include "tests/apps/program.h"
#include "tests/base/sanitized.h"
#include "tests/codecs/test_array_synthesis.h"
#include "tests/codecs/test_live_model.h"

namespace godwit {
namespace {

class ArrayTest : public ProgramTest {
 protected:
  // Sums of two waves and a drift: (time, channel) of f32.
  NdArray Waves() const {
    NdArray array{SampleType::kF32, Shape::Of(3000, 4), {}};
    array.data.resize(12000 * sizeof(float));
    for (size_t i = 0; i < 12000; ++i) {
      const double t = static_cast<double>(i / 4);
      array.As<float>()[i] =
          static_cast<float>(std::sin(t / 17 + static_cast<double>(i % 4)) + 1e-4 * t);
    }
    return array;
  }
  void Save(const std::string& name, const NdArray& array) const {
    Bytes file = NpyHeader(array.type, array.shape);
    file.insert(file.end(), array.data.begin(), array.data.end());
    SaveBytes(File(name), file);
  }
  NdArray Load(const std::string& name) const { return Must(ReadNpy(LoadBytes(File(name)))); }
  ProgramResult Good(const std::vector<std::string>& args, const std::string& input = "") const {
    const ProgramResult result = Run(args, input);
    EXPECT_EQ(result.exit, 0) << result.err;
    return result;
  }
};

TEST_F(ArrayTest, GoesThereAndBackWithoutLoss) {
  Save("a.npy", Waves());
  Good({"encode", "a.npy", "a.gdw"});
  Good({"decode", "a.gdw", "b.npy"});
  EXPECT_TRUE(SameFiles("a.npy", "b.npy"));
  EXPECT_EQ(Good({"verify", "a.gdw"}).out, "a.gdw: ok\n");
  const std::string info = Good({"info", "a.gdw"}).out;
  EXPECT_NE(info.find("3000x4 f32"), std::string::npos) << info;
  EXPECT_NE(info.find("lossless, channel axes 1"), std::string::npos) << info;
}

TEST_F(ArrayTest, KeepsWhatItPromises) {
  Save("a.npy", Waves());
  const NdArray a = Waves();
  const auto worst = [&](const std::string& option, const std::string& value) {
    Good({"encode", "-f", "a.npy", "a.gdw", option, value});
    Good({"decode", "-f", "a.gdw", "b.npy"});
    const NdArray b = Load("b.npy");
    double error = 0;
    for (size_t i = 0; i < 12000; ++i) {
      error = std::max(error, std::abs(double{a.As<float>()[i]} - b.As<float>()[i]));
    }
    return error;
  };
  EXPECT_LE(worst("--max-error", "0.01"), 0.01);
  EXPECT_LE(worst("--range-error", "0.001"), 0.001 * 2.4);
  worst("--relative-error", "0.01");
  const NdArray b = Load("b.npy");
  for (size_t i = 0; i < 12000; ++i) {
    const float v = a.As<float>()[i];
    ASSERT_LE(std::abs(double{v} - b.As<float>()[i]), 0.01 * std::abs(v)) << i;
  }
  const auto bytes = [&](const std::string& option, const std::string& value) {
    const ProgramResult r = Good({"encode", "-f", "a.npy", "a.gdw", option, value, "--json"});
    return nlohmann::json::parse(r.out);
  };
  EXPECT_LE(bytes("--size", "2000").at("bytes"), 2000);
  EXPECT_LE(bytes("--bps", "1.5").at("bits_per_sample"), 1.5);
  EXPECT_GE(bytes("--psnr", "50").at("psnr_db"), 50);
  EXPECT_LE(bytes("--bpp", "0.3").at("bits_per_sample"), 0.3);
  EXPECT_EQ(bytes("-q", "50").at("method"), "wavelet");
  EXPECT_EQ(bytes("--relative-error", "0.01").at("relative_error"), 0.01);
  EXPECT_EQ(bytes("--axes", "none").at("channel_axes"), "none");
}

TEST_F(ArrayTest, TheLiveMethodWorksWithAModel) {
  Save("a.npy", Waves());
  const LiveTestModel made{
      .channels = 1, .levels = 3, .has_analysis = false, .has_synthesis = false};
  std::filesystem::create_directory(File("mine"));
  const Bytes model = made.File();
  SaveBytes(File("mine/live.safetensors"), model);
  const std::string id = ModelIdHex(ModelIdOf(model));
  const auto encoded = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"encode", "-f", "a.npy", "a.gdw", "--json", "--report-psnr"});
    const auto json = nlohmann::json::parse(Good(args).out);
    EXPECT_EQ(json.at("method"), "live");
    EXPECT_EQ(json.at("model"), id);
    return json;
  };
  const std::string file = "mine/live.safetensors";
  EXPECT_GE(encoded({"--psnr", "45", "--method", "live", "--model", file}).at("psnr_db"), 45);
  EXPECT_LE(encoded({"--size", "2500", "--model", file}).at("bytes"), 2500);
  EXPECT_GT(encoded({"-q", "70", "--model", id, "--model-dir", "mine"}).at("psnr_db"),
            encoded({"--method", "live", "--model", file}).at("psnr_db"));
  EXPECT_NE(Good({"info", "a.gdw"}).out.find("live, no promise, model " + id), std::string::npos);
  EXPECT_NE(Good({"models", "--model-dir", "mine"}).out.find(id), std::string::npos);
  Good({"verify", "a.gdw", "--model-dir", "mine"});
  Good({"decode", "a.gdw", "b.npy", "--model-dir", "mine"});
  Good({"decode", "a.gdw", "c.npy", "--model-dir", "mine", "--slice", "3:50,1"});
  const auto fails = [&](const std::vector<std::string>& args, int exit, const char* why) {
    const ProgramResult outcome = Run(args);
    EXPECT_EQ(outcome.exit, exit) << outcome.err;
    EXPECT_NE(outcome.err.find(why), std::string::npos) << outcome.err;
  };
  fails({"decode", "a.gdw", "d.npy"}, 7, id.c_str());
  fails({"verify", "a.gdw"}, 7, id.c_str());
  fails({"encode", "a.npy", "x.gdw", "--method", "wavelet", "--model", file}, 7, "live");
  fails({"encode", "a.npy", "x.gdw", "--method", "live", "--model", "none"}, 7, "live");
  fails({"encode", "a.npy", "x.gdw", "--method", "live", "--lossless"}, 2, "promises");
  fails({"encode", "a.npy", "x.gdw", "--method", "live", "--max-error", "1"}, 2, "promises");
  fails({"encode", "a.npy", "x.gdw", "--method", "live", "--axes", "none", "--model", file}, 4,
        "--axes");
}

TEST_F(ArrayTest, MethodsMeetWhatIsAskedFor) {
  Save("a.npy", Waves());
  const auto encoded = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"encode", "-f", "a.npy", "a.gdw", "--json", "--report-psnr"});
    const auto json = nlohmann::json::parse(Good(args).out);
    Good({"verify", "a.gdw"});
    return json;
  };
  for (const char* method : {"auto", "wavelet", "predict"}) {
    if (kSanitized && std::string(method) != "auto") continue;  // tries both others
    const auto sized = encoded({"--size", "1500", "--method", method});
    EXPECT_LE(sized.at("bytes"), 1500) << method;
    EXPECT_GE(sized.at("bytes"), 1300) << method;
    const auto good = encoded({"--psnr", "45", "--method", method});
    EXPECT_GE(good.at("psnr_db"), 45) << method;
    EXPECT_LE(good.at("psnr_db"), 46.5) << method;
    EXPECT_EQ(good.at("method"), std::string(method) == "predict" ? "predict" : "wavelet");
    EXPECT_GT(encoded({"-q", "70", "--method", method}).at("psnr_db"),
              encoded({"-q", "40", "--method", method}).at("psnr_db"));
  }
  // The best file that fits may be the one that loses nothing.
  EXPECT_TRUE(encoded({"--size", "1M"}).at("lossless"));
  EXPECT_NE(Good({"info", "a.gdw"}).out.find("lossless"), std::string::npos);
}

TEST_F(ArrayTest, AModelOfArraysIsNamedAndNeeded) {
  Save("a.npy", Waves());
  array::WaveletModel start;
  int64_t bits = 0;
  start.ForEachBit([&](CountedBit&) { ++bits; });
  const auto sets = static_cast<int64_t>(start.weights.size());
  SafeTensorsWriter writer;
  writer.SetMetadata("godwit.codec", "packet");
  writer.SetMetadata("godwit.kind", "stream");
  writer.Add<uint16_t>("start.p1", {bits}, std::vector<uint16_t>(static_cast<size_t>(bits), 9999));
  writer.Add<uint8_t>("start.count", {bits}, std::vector<uint8_t>(static_cast<size_t>(bits), 3));
  writer.Add<int32_t>("start.weight", {sets, 7},
                      std::vector<int32_t>(static_cast<size_t>(sets) * 7, 11000));
  writer.Add<int32_t>("start.sign_weight", {3}, std::vector<int32_t>(3, 27000));
  const Bytes file = writer.Finish();
  std::filesystem::create_directory(File("arrays"));
  SaveBytes(File("arrays/m.safetensors"), file);
  const std::string id = ModelIdHex(ModelIdOf(file));
  const std::string models = Good({"models", "--model-dir", "arrays"}).out;
  EXPECT_NE(models.find(id), std::string::npos) << models;
  Good({"encode", "a.npy", "a.gdw", "-q", "50", "--model", "arrays/m.safetensors"});
  Good({"encode", "a.npy", "b.gdw", "-q", "50", "--model", "none"});
  const std::string info = Good({"info", "a.gdw"}).out;
  EXPECT_NE(info.find("model " + id), std::string::npos) << info;
  EXPECT_EQ(Run({"decode", "a.gdw", "x.npy"}).exit, 7);
  EXPECT_EQ(Run({"verify", "a.gdw"}).exit, 7);
  Good({"decode", "a.gdw", "x.npy", "--model-dir", "arrays"});
  Good({"verify", "a.gdw", "--model-dir", "arrays"});
}

TEST_F(ArrayTest, ComparedArraysSayTheirLargestError) {
  NdArray a = Waves();
  Save("a.npy", a);
  EXPECT_EQ(Good({"compare", "a.npy", "a.npy"}).out, "equal\n");
  a.As<float>()[5] += 0.25f;
  Save("b.npy", a);
  const auto json = nlohmann::json::parse(Good({"compare", "a.npy", "b.npy", "--json"}).out);
  EXPECT_NEAR(json.at("max_error"), 0.25, 1e-6);
  EXPECT_EQ(json.at("equal"), false);
  a.As<float>()[5] = std::nanf("");
  Save("b.npy", a);
  EXPECT_NE(Good({"compare", "a.npy", "b.npy"}).out.find("error inf"), std::string::npos);
  a.shape = Shape::Of(4, 3000);
  Save("b.npy", a);
  EXPECT_EQ(Run({"compare", "a.npy", "b.npy"}).exit, 2);
}

TEST_F(ArrayTest, ASliceIsAPartOfTheWhole) {
  Save("a.npy", Waves());
  Good({"encode", "a.npy", "a.gdw"});
  Good({"decode", "a.gdw", "s.npy", "--slice", "10:20,2"});
  const NdArray a = Waves(), s = Load("s.npy");
  ASSERT_EQ(s.shape, Shape::Of(10, 1));
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(s.As<float>()[i], a.As<float>()[(10 + i) * 4 + 2]);
  for (const char* slice : {"3001", "5:5", "1,2,3", "a", "1:2:3", "-1", ""}) {
    const ProgramResult r = Run({"decode", "-f", "a.gdw", "s.npy", "--slice", slice});
    EXPECT_EQ(r.exit, 2) << slice << r.err;
  }
}

TEST_F(ArrayTest, MistakesAreOneLineWithTheirExitCode) {
  Save("a.npy", Waves());
  SavePicture("p.png", Tensor<uint8_t>(8, 8, 3));
  Good({"encode", "a.npy", "a.gdw"});
  const auto fails = [&](const std::vector<std::string>& args, int exit, const std::string& words) {
    const ProgramResult r = Run(args);
    EXPECT_EQ(r.exit, exit) << r.err;
    ExpectOneLine(r.err, "godwit " + args[0], words);
  };
  fails({"encode", "a.npy", "x.gdw", "--max-error", "1", "--method", "wavelet"}, 2, "promises");
  fails({"encode", "a.npy", "x.gdw", "-q", "5", "--model", "no.safetensors"}, 7, "no.safetensors");
  fails({"encode", "p.png", "x.gdw", "--max-error", "1"}, 2, "holds none");
  fails({"encode", "a.npy", "x.gdw", "--axes", "7"}, 2, "--axes 7");
  fails({"encode", "a.npy", "x.gdw", "--axes", "3"}, 2, "not there");
  fails({"encode", "a.npy", "x.gdw", "--size", "10"}, 6, "smallest");
  fails({"encode", "a.npy", "a.gdw"}, 8, "a.gdw");
  fails({"decode", "a.gdw", "x.npy", "--region", "0,0,1,1"}, 2, "--slice");
  fails({"decode", "a.gdw", "x.npy", "--conceal"}, 2, "--conceal is not for arrays");
  fails({"decode", "a.gdw", "x.npy", "--picture", "0"}, 2, "--picture is not for arrays");
  fails({"decode", "a.gdw", "x.npy", "--layers", "2"}, 2, "--layers is not for arrays");
  fails({"decode", "a.gdw", "x.npy", "--allow-truncated"}, 2, "--allow-truncated is not");
  fails({"decode", "a.gdw", "x.npy", "--jpeg-quality", "9"}, 2, "--jpeg-quality is not");
  fails({"decode", "a.gdw", "x.npy", "--max-pixels", "100"}, 6, "limit");
  Bytes file = LoadBytes(File("a.gdw"));
  file.resize(file.size() - 1);
  SaveBytes(File("cut.gdw"), file);
  fails({"verify", "cut.gdw"}, 5, "cut.gdw: ");
  fails({"decode", "cut.gdw", "x.npy"}, 5, "cut.gdw: ");
  NdArray wide = Waves();
  wide.type = SampleType::kF64;
  wide.shape.dims[1] = 2;
  Save("wide.npy", wide);
  fails({"encode", "wide.npy", "x.gdw", "--relative-error", "0.1"}, 4, "f64");
  EXPECT_FALSE(Exists("x.gdw") || Exists("x.npy"));
}

TEST_F(ArrayTest, ASynthesisIsTheReadersChoice) {
  NdArray volume{SampleType::kU8, Shape::Of(5, 30, 41), {}};
  volume.data.resize(5 * 30 * 41);
  for (size_t i = 0; i < volume.data.size(); ++i) {
    volume.data[i] = static_cast<std::byte>(
        std::lround(120 + 60 * std::sin(static_cast<double>(i) / 9)) + static_cast<long>(i % 7));
  }
  Save("a.npy", volume);
  SafeTensorsWriter network = PatchNetworkFile(PatchNetwork(1));
  network.SetMetadata("godwit.synthesis.size", "large");  // of which none is built in
  std::filesystem::create_directory(File("arrays"));
  SaveBytes(File("arrays/net.safetensors"), network.Finish());
  Good({"encode", "a.npy", "a.gdw", "-q", "20", "--axes", "none"});
  const Bytes stream = LoadBytes(File("a.gdw"));
  Good({"decode", "a.gdw", "plain.npy"});
  Good({"decode", "a.gdw", "none.npy", "--synthesis", "none"});
  EXPECT_TRUE(SameFiles("plain.npy", "none.npy"));
  const ProgramResult named =
      Good({"decode", "a.gdw", "file.npy", "--synthesis", "arrays/net.safetensors", "--json"});
  EXPECT_EQ(nlohmann::json::parse(named.out).at("synthesis"), "large");
  EXPECT_FALSE(SameFiles("plain.npy", "file.npy"));
  Good({"decode", "a.gdw", "found.npy", "--synthesis", "large", "--model-dir", "arrays"});
  EXPECT_TRUE(SameFiles("file.npy", "found.npy"));
  Good({"decode", "a.gdw", "part.npy", "--synthesis", "large", "--model-dir", "arrays", "--slice",
        "1:3,4:20,:"});
  EXPECT_EQ(LoadBytes(File("a.gdw")), stream);
  const std::string models = Good({"models", "--model-dir", "arrays"}).out;
  EXPECT_NE(models.find("large of arrays"), std::string::npos) << models;

  const auto fails = [&](const std::string& synthesis, int exit, const std::string& words) {
    const ProgramResult r = Run({"decode", "a.gdw", "x.npy", "--synthesis", synthesis});
    EXPECT_EQ(r.exit, exit) << r.err;
    ExpectOneLine(r.err, "godwit decode", words);
  };
  fails("large", 7, "large synthesis of arrays is not in");
  fails("no.safetensors", 7, "no.safetensors");
  fails("models/small.safetensors", 7, "not a synthesis of arrays");
  EXPECT_FALSE(Exists("x.npy"));
  // One of arrays is none of pictures.
  SavePicture("p.png", Tensor<uint8_t>(8, 8, 3));
  Good({"encode", "p.png", "p.gdw"});
  EXPECT_EQ(Run({"decode", "p.gdw", "p2.png", "--synthesis", "arrays/net.safetensors"}).exit, 7);
  // What prediction has decoded is not touched.
  Good({"encode", "-f", "a.npy", "a.gdw"});
  const ProgramResult exact =
      Good({"decode", "-f", "a.gdw", "b.npy", "--synthesis", "arrays/net.safetensors", "--json"});
  EXPECT_EQ(nlohmann::json::parse(exact.out).at("synthesis"), "none");
  EXPECT_TRUE(SameFiles("a.npy", "b.npy"));
}

TEST_F(ArrayTest, SoundIsAnArrayWhereOneIsAskedFor) {
  NdArray waves = Waves();
  waves.type = SampleType::kI16;
  waves.shape = Shape::Of(6000, 4);
  AudioInfo info;
  info.rate_hz = 48000;
  info.channels = 4;
  info.format = "wav";
  SaveBytes(File("a.wav"), Must(WriteAudio(info, waves)));
  Good({"encode", "a.wav", "a.gdw", "--lossless"});
  Good({"decode", "a.gdw", "b.npy"});
  const NdArray back = Load("b.npy");
  EXPECT_EQ(back.shape, waves.shape);
  EXPECT_EQ(back.data, waves.data);
}

TEST_F(ArrayTest, StandardInputIsAnArrayWhereOneIsAskedFor) {
  Save("a.npy", Waves());
  Good({"encode", "-", "a.gdw", "--lossless"}, Text(File("a.npy")));
  const ProgramResult decoded = Good({"decode", "-", "-"}, Text(File("a.gdw")));
  EXPECT_EQ(ToBytes(decoded.out), LoadBytes(File("a.npy")));
}

}  // namespace
}  // namespace godwit
