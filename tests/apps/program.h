// tests/apps/program.h: runs the built program, with the models of tests/codecs/test_model.h.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/registry.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"
#include "tests/io/image_samples.h"

namespace godwit {

struct ProgramResult {
  int exit = -1;  // 128 + signal if it was killed
  std::string out, err;
};

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    std::filesystem::create_directory(File("models"));
    SaveBytes(File("models/stream.safetensors"), TestStreamModelFile());
    SaveBytes(File("models/small.safetensors"), TestSynthesisFile(TestImageModel().id()));
    SaveBytes(File("models/full.safetensors"), TestEntropyFile(TestImageModel().id()));
    SaveBytes(File("models/mid.safetensors"), TestEntropyFile(TestImageModel().id(), 7, "mid"));
  }

  std::string File(const std::string& name) const { return folder_.File(name); }
  bool SameFiles(const std::string& a, const std::string& b) const {
    return LoadBytes(File(a)) == LoadBytes(File(b));
  }
  bool Exists(const std::string& name) const { return std::filesystem::exists(File(name)); }

  // The program, in the test's folder.
  ProgramResult Run(const std::vector<std::string>& args, const std::string& input = "",
                    const std::string& cpu = "") const {
    const std::string in = File(".in"), out = File(".out"), err = File(".err");
    SaveBytes(in, ToBytes(input));
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int flags = O_WRONLY | O_CREAT | O_TRUNC;
      if (::dup2(::open(in.c_str(), O_RDONLY), 0) < 0) ::_exit(126);
      if (::dup2(::open(out.c_str(), flags, 0600), 1) < 0) ::_exit(126);
      if (::dup2(::open(err.c_str(), flags, 0600), 2) < 0) ::_exit(126);
      if (::chdir(File("").c_str()) != 0) ::_exit(126);
      ::setenv("GODWIT_MODELS", "models", 1);
      if (cpu.empty()) {
        ::unsetenv("GODWIT_CPU");
      } else {
        ::setenv("GODWIT_CPU", cpu.c_str(), 1);
      }
      std::vector<char*> argv = {const_cast<char*>("godwit")};
      for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
      argv.push_back(nullptr);
      ::execv(GODWIT_PROGRAM, argv.data());
      ::_exit(127);
    }
    int status = 0;
    if (pid < 0 || ::waitpid(pid, &status, 0) != pid) {
      ADD_FAILURE() << "cannot run " << GODWIT_PROGRAM;
      return {};
    }
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), Text(out), Text(err)};
  }

  static std::string Text(const std::string& path) {
    const Bytes bytes = LoadBytes(path);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  // Encodes with the test model, whatever is built in; must succeed.
  ProgramResult Encode(const std::string& in, const std::string& out,
                       std::vector<std::string> more = {}) const {
    std::vector<std::string> args = {"encode", in, out, "--model", TestModelId()};
    args.insert(args.end(), more.begin(), more.end());
    const ProgramResult result = Run(args);
    EXPECT_EQ(result.exit, 0) << result.err;
    return result;
  }
  ProgramResult Decode(const std::string& in, const std::string& out,
                       std::vector<std::string> more = {}) const {
    std::vector<std::string> args = {"decode", in, out};
    args.insert(args.end(), more.begin(), more.end());
    const ProgramResult result = Run(args);
    EXPECT_EQ(result.exit, 0) << result.err;
    return result;
  }

  static std::string TestModelId() { return ModelIdHex(TestImageModel().id()); }

  void SavePicture(const std::string& name, const Tensor<uint8_t>& picture,
                   ImageInfo info = {}) const {
    info.width = static_cast<uint32_t>(picture.width());
    info.height = static_cast<uint32_t>(picture.height());
    info.channels = static_cast<uint8_t>(picture.channels());
    auto writer = Must(CreateImage(File(name), info, {.overwrite = true}));
    const Status written = writer->WriteRows(picture.view());
    const Status finished = writer->Finish();
    ASSERT_TRUE(written.ok() && finished.ok()) << written.message() << finished.message();
  }
  Tensor<uint8_t> LoadPicture(const std::string& name) const {
    auto reader = Must(OpenImage(File(name)));
    const ImageInfo& info = reader->info();
    Tensor<uint8_t> picture(info.height, info.width, info.channels);
    const Status read = reader->ReadRows(picture.view());
    EXPECT_TRUE(read.ok()) << read.message();
    return picture;
  }
  ImageInfo LoadInfo(const std::string& name) const {
    auto reader = Must(OpenImage(File(name)));
    Tensor<uint8_t> picture(reader->info().height, reader->info().width, reader->info().channels);
    EXPECT_TRUE(reader->ReadRows(picture.view()).ok());
    return reader->info();
  }

 private:
  const TempFolder folder_;
};

// One line that starts so and holds the words.
inline void ExpectOneLine(const std::string& text, const std::string& start,
                          const std::string& words) {
  EXPECT_EQ(text.rfind(start, 0), 0u) << text;
  EXPECT_NE(text.find(words), std::string::npos) << text << "lacks: " << words;
  EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
}

}  // namespace godwit
