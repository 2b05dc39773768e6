#include "io/image_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/io/image_samples.h"

namespace godwit {
namespace {

TEST(ImageWriterTest, LosslessFormatsGiveBackEverySample) {
  struct Case {
    const char* format;
    std::vector<uint32_t> channels;
  };
  const Case cases[] = {
      {"png", {1, 2, 3, 4}}, {"pam", {1, 2, 3, 4}}, {"ppm", {3}}, {"pgm", {1}}, {"pnm", {1, 3}}};
  for (const Case& c : cases) {
    for (const uint32_t channels : c.channels) {
      for (const auto& [w, h] : {std::pair{1u, 1u}, {1u, 9u}, {7u, 1u}, {33u, 21u}}) {
        const Picture p = NoisePicture(w, h, channels, w + channels);
        const ReadResult got = ReadBytes(WrittenFile(p, c.format, InfoFor(p)));
        ASSERT_TRUE(got.status.ok()) << c.format << ": " << got.status.message();
        EXPECT_EQ(got.picture, p) << c.format;
        EXPECT_EQ(got.info.bit_depth, 8);
      }
    }
  }
}

TEST(ImageWriterTest, JpegComesCloseAndQualityCounts) {
  for (const uint32_t channels : {1u, 3u}) {
    const Picture p = SmoothPicture(45, 31, channels);
    size_t larger = SIZE_MAX;
    for (const int quality : {100, 95, 80, 40, 5}) {
      const Bytes file = WrittenFile(p, "jpg", InfoFor(p), {.jpeg_quality = quality});
      const ReadResult got = ReadBytes(file);
      ASSERT_TRUE(got.status.ok()) << got.status.message();
      EXPECT_LT(file.size(), larger) << quality;
      larger = file.size();
      if (quality < 95) continue;
      for (size_t i = 0; i < p.samples.size(); ++i) {
        ASSERT_NEAR(got.picture.samples[i], p.samples[i], quality == 100 ? 3 : 16) << i;
      }
    }
  }
}

TEST(ImageWriterTest, PngAndJpegCarryMetadata) {
  const Picture p = SmoothPicture(9, 5, 1);
  ImageInfo info = InfoFor(p);
  for (const size_t icc_size : {size_t{1}, size_t{70000}, size_t{200000}}) {
    const Picture noise = NoisePicture(static_cast<uint32_t>(icc_size), 1, 1, 3);
    info.icc = Bytes(AsBytes(noise.samples).begin(), AsBytes(noise.samples).end());
    info.exif = ExifBlob(1, true);
    info.xmp = ToBytes("<x:xmpmeta/>");
    for (const char* format : {"png", "jpeg"}) {
      const ReadResult got = ReadBytes(WrittenFile(p, format, info));
      ASSERT_TRUE(got.status.ok()) << got.status.message();
      EXPECT_EQ(got.info.icc, info.icc) << format;
      EXPECT_EQ(got.info.exif, info.exif) << format;
      EXPECT_EQ(got.info.xmp, info.xmp) << format;
    }
  }
}

TEST(ImageWriterTest, ChannelsThatAFormatLacksAreRefusedWithAdvice) {
  const TempFolder folder;
  struct Case {
    const char* suffix;
    uint8_t channels;
    const char* advice;
  };
  for (const Case& c : {Case{"jpg", 4, "drop the alpha"},
                        {"jpeg", 2, "drop the alpha"},
                        {"ppm", 4, "write .pam"},
                        {"pgm", 2, "write .pam"},
                        {"pnm", 4, "write .pam"},
                        {"pgm", 3, "write .ppm"},
                        {"ppm", 1, "write .pgm"},
                        {"gif", 3, "use png"},
                        {"", 3, "use png"}}) {
    const std::string path = folder.File("picture.") + c.suffix;
    ImageInfo info;
    info.width = info.height = 2;
    info.channels = c.channels;
    const auto writer = CreateImage(path, info);
    ASSERT_FALSE(writer.ok()) << path;
    EXPECT_EQ(writer.status().code(), StatusCode::kUnsupported);
    EXPECT_EQ(writer.status().message().find(path + ": "), 0u) << writer.status().message();
    EXPECT_NE(writer.status().message().find(c.advice), std::string::npos)
        << writer.status().message();
  }
  EXPECT_TRUE(folder.Names().empty());
}

TEST(ImageWriterTest, ArgumentsWithoutMeaningAreRefused) {
  const TempFolder folder;
  const Picture p = SmoothPicture(4, 4, 3);
  EXPECT_EQ(CreateImage("-", InfoFor(p)).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(CreateImage(folder.File("x.png"), ImageInfo()).status().code(),
            StatusCode::kInvalidArgument);
  for (const int quality : {0, 101}) {
    EXPECT_EQ(
        CreateImage(folder.File("x.jpg"), InfoFor(p), {.jpeg_quality = quality}).status().code(),
        StatusCode::kInvalidArgument);
  }
  ImageInfo wide = InfoFor(p);
  wide.width = 70000;
  EXPECT_EQ(CreateImage(folder.File("x.jpg"), wide).status().code(), StatusCode::kUnsupported);
  ImageInfo heavy = InfoFor(p);
  heavy.exif.resize(66000);
  EXPECT_EQ(CreateImage(folder.File("x.jpg"), heavy).status().code(), StatusCode::kUnsupported);
  EXPECT_TRUE(folder.Names().empty());
}

TEST(ImageWriterTest, FileAppearsWholeOrNotAtAll) {
  const TempFolder folder;
  const Picture p = NoisePicture(50, 40, 3, 1);
  for (const char* name : {"x.png", "x.jpg", "x.ppm", "x.PAM"}) {
    const std::string path = folder.File(name);
    {
      auto writer = CreateImage(path, InfoFor(p));
      ASSERT_TRUE(writer.ok()) << writer.status().message();
      ASSERT_TRUE((*writer)->WriteRows(p.view().Window(0, 0, 39, 50)).ok());
      EXPECT_EQ((*writer)->Finish().code(), StatusCode::kInvalidArgument);  // a row is missing
      EXPECT_EQ((*writer)->WriteRows(p.view()).code(), StatusCode::kInvalidArgument);
      EXPECT_FALSE(std::filesystem::exists(path));
    }
    EXPECT_TRUE(folder.Names().empty());
    auto writer = CreateImage(path, InfoFor(p));
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->WriteRows(p.view().Window(0, 0, 1, 50)).ok());
    ASSERT_TRUE((*writer)->WriteRows(p.view().Window(1, 0, 39, 50)).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
    EXPECT_EQ(folder.Names().size(), 1u);
    EXPECT_EQ(CreateImage(path, InfoFor(p)).status().code(), StatusCode::kNotWritable);
    EXPECT_TRUE(CreateImage(path, InfoFor(p), {.overwrite = true}).ok());
    std::filesystem::remove(path);
  }
}

TEST(ImageWriterTest, StridesOfTheViewAreFollowed) {
  const Picture wide = NoisePicture(10, 6, 4, 9);
  // Every second pixel of every second row, three channels of four.
  const TensorView<const uint8_t> view{wide.samples.data(), 3, 5, 3, 80, 8};
  Picture want{5, 3, 3, {}};
  for (uint32_t y = 0; y < 3; ++y) {
    for (uint32_t x = 0; x < 5; ++x) {
      want.samples.insert(want.samples.end(), wide.At(2 * y, 2 * x), wide.At(2 * y, 2 * x) + 3);
    }
  }
  const TempFolder folder;
  auto writer = CreateImage(folder.File("x.png"), InfoFor(want));
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->WriteRows(view).ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ(ReadBytes(LoadBytes(folder.File("x.png"))).picture, want);
}

TEST(ImageWriterTest, StandardOutputTakesTheFormatGiven) {
  const TempFolder folder;
  const Picture p = NoisePicture(20, 10, 3, 1);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const int out = ::open(folder.File("out").c_str(), O_WRONLY | O_CREAT, 0600);
    if (out < 0 || ::dup2(out, STDOUT_FILENO) < 0) ::_exit(2);
    auto writer = CreateImage("-", InfoFor(p), {.format = "png"});
    const bool ok = writer.ok() && (*writer)->WriteRows(p.view()).ok() && (*writer)->Finish().ok();
    ::_exit(ok ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(ReadBytes(LoadBytes(folder.File("out"))).picture, p);
}

TEST(ImageWriterTest, FullDeviceIsReported) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP();
  const Picture p = NoisePicture(400, 300, 3, 1);
  for (const char* format : {"png", "jpg", "ppm"}) {
    auto writer = CreateImage("/dev/full", InfoFor(p), {.format = format});
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    Status status = (*writer)->WriteRows(p.view());
    if (status.ok()) status = (*writer)->Finish();
    EXPECT_EQ(status.code(), StatusCode::kNotWritable) << format;
    EXPECT_EQ(status.message(), "/dev/full: No space left on device");
  }
}

}  // namespace
}  // namespace godwit
