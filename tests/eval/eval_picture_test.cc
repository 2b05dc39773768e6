#include "eval/eval_picture.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/io/image_samples.h"

namespace godwit {
namespace {

std::string Write(const TempFolder& folder, const std::string& name, const Picture& picture) {
  ImageInfo info;
  info.width = picture.width;
  info.height = picture.height;
  info.channels = static_cast<uint8_t>(picture.channels);
  const std::string path = folder.File(name);
  auto writer = CreateImage(path, info);
  EXPECT_TRUE(writer.ok() && (*writer)->WriteRows(picture.view()).ok() && (*writer)->Finish().ok());
  return path;
}

TEST(EvalPictureTest, GreyBecomesRgb) {
  const TempFolder folder;
  const Picture grey = NoisePicture(5, 3, 1, 1);
  const auto read = ReadEvalPicture(Write(folder, "grey.png", grey));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->rgb.channels(), 3);
  for (int64_t i = 0; i < 15; ++i) {
    for (int c = 0; c < 3; ++c) EXPECT_EQ(read->rgb.data()[3 * i + c], grey.samples[i]);
  }
  EXPECT_EQ(read->digest.size(), 64u);
}

TEST(EvalPictureTest, OnlyOpaqueAlphaIsDropped) {
  const TempFolder folder;
  Picture picture = NoisePicture(5, 3, 4, 1);
  for (size_t i = 3; i < picture.samples.size(); i += 4) picture.samples[i] = 255;
  EXPECT_TRUE(ReadEvalPicture(Write(folder, "opaque.png", picture)).ok());
  picture.samples[7] = 254;
  const std::string path = Write(folder, "clear.png", picture);
  EXPECT_EQ(ReadEvalPicture(path).status().message(),
            path + ": has transparent pixels, which the metrics do not see");
}

TEST(EvalPictureTest, TheDigestIsOfTheSamples) {
  const TempFolder folder;
  const Picture picture = NoisePicture(9, 4, 3, 1);
  const auto png = ReadEvalPicture(Write(folder, "a.png", picture)),
             ppm = ReadEvalPicture(Write(folder, "a.ppm", picture)),
             other = ReadEvalPicture(Write(folder, "b.png", NoisePicture(9, 4, 3, 2)));
  ASSERT_TRUE(png.ok() && ppm.ok() && other.ok());
  EXPECT_EQ(png->digest, ppm->digest);
  EXPECT_NE(png->digest, other->digest);
}

TEST(EvalPictureTest, WritesWhatItReads) {
  const TempFolder folder;
  const Picture picture = NoisePicture(9, 4, 3, 1);
  for (const char* const name : {"x.png", "x.ppm", "x.png"}) {
    ASSERT_TRUE(WriteEvalPicture(folder.File(name), picture.view()).ok());
    const auto read = ReadEvalPicture(folder.File(name));
    ASSERT_TRUE(read.ok());
    EXPECT_TRUE(std::equal(picture.samples.begin(), picture.samples.end(), read->rgb.data()));
  }
}

TEST(FindPicturesTest, ListsPicturesByName) {
  const TempFolder folder;
  for (const char* const name : {"b.png", "a.JPG", "c.txt", "d.webp"}) {
    SaveBytes(folder.File(name), ToBytes("x"));
  }
  std::filesystem::create_directory(folder.File("e.png"));
  const auto found = FindPictures(folder.File(""));
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 3u);
  EXPECT_TRUE((*found)[0].ends_with("a.JPG"));
  EXPECT_EQ(FindPictures(folder.File("b.png"))->size(), 1u);
}

TEST(FindPicturesTest, NoFolderAndNoPicturesAreErrors) {
  const TempFolder folder;
  EXPECT_EQ(FindPictures(folder.File("none")).status().code(), StatusCode::kUnreadable);
  EXPECT_EQ(FindPictures(folder.File("")).status().code(), StatusCode::kUnreadable);
}

}  // namespace
}  // namespace godwit
