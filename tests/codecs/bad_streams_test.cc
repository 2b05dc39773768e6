// Each testdata/bad/CODE-WHAT.gdw fails with CODE (StatusCodeName() with hyphens) on the way from
// bytes to samples. They belong to the test model, so no training changes them; make_goldens
// writes them, and fixed crashes join them by hand.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

namespace godwit {
namespace {

// What a program does with a file.
Status DecodeFile(const Bytes& file) {
  GODWIT_ASSIGN_OR_RETURN(const ImageHeader header, PeekImageHeader(file));
  (void)header;
  GODWIT_ASSIGN_OR_RETURN(const ImageStream stream, ParseImageStream(file));
  if (stream.header.model_id != TestImageModel().id())
    return Status(StatusCode::kModelMissing, "no such model");
  return DecodeImage(stream, TestImageModel(), &TestImageSynthesis()).status();
}

std::string Hyphened(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, ' ', '-');
  return out;
}

TEST(BadStreamsTest, EachFailsWithTheCodeInItsName) {
  const std::filesystem::path folder = GODWIT_SOURCE_DIR "/testdata/bad";
  if (!std::filesystem::exists(folder)) FAIL() << "no testdata/bad: run make_goldens";
  std::set<StatusCode> seen;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".gdw") continue;
    const std::string name = entry.path().filename().string();
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto bytes = std::as_bytes(std::span(text));
    const Status status = DecodeFile(Bytes(bytes.begin(), bytes.end()));
    EXPECT_FALSE(status.ok()) << name;
    const std::string code = Hyphened(StatusCodeName(status.code()));
    EXPECT_TRUE(name.starts_with(code + "-")) << name << ": " << code << ", " << status.message();
    EXPECT_FALSE(status.message().empty() || status.message().find('\n') != std::string::npos)
        << name;
    seen.insert(status.code());
  }
  EXPECT_GE(seen.size(), 5u);
}

}  // namespace
}  // namespace godwit
