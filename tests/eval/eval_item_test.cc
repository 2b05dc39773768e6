#include "eval/eval_item.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "eval/eval_picture.h"
#include "io/audio_file.h"
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

TEST(EvalItemTest, SoundsAreReadAsFullScaleOfOne) {
  const TempFolder folder;
  AudioInfo info;
  info.rate_hz = 8000;
  info.channels = 2;
  info.format = "wav";
  NdArray samples;
  samples.type = SampleType::kI16;
  samples.shape.rank = 2;
  samples.shape.dims = {3, 2, 1, 1};
  samples.data.resize(12);
  const int16_t values[] = {0, 32767, -32768, 16384, 1, -1};
  std::memcpy(samples.data.data(), values, sizeof(values));
  SaveBytes(folder.File("a.wav"), *WriteAudio(info, samples));
  const auto read = ReadEvalItem(Medium::kSound, folder.File("a.wav"));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->record.name, "a.wav");
  EXPECT_EQ(read->record.frames, 3u);
  EXPECT_EQ(read->record.rate_hz, 8000u);
  EXPECT_EQ(read->record.channels, 2u);
  const Sound& sound = std::get<Sound>(read->item);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(sound.samples[i], static_cast<float>(values[i]) / 32768) << i;
  }
  EXPECT_EQ(ReadEvalItem(Medium::kSound, folder.File("none.wav")).status().code(),
            StatusCode::kUnreadable);
}

TEST(FindItemsTest, ListsFilesOfOneMediumByName) {
  const TempFolder folder;
  for (const char* const name : {"b.png", "a.JPG", "c.txt", "d.webp"}) {
    SaveBytes(folder.File(name), ToBytes("x"));
  }
  std::filesystem::create_directory(folder.File("e.png"));
  const auto found = FindItems({folder.File("")}, std::nullopt);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->medium, Medium::kPicture);
  ASSERT_EQ(found->paths.size(), 3u);
  EXPECT_TRUE(found->paths[0].ends_with("a.JPG"));
  EXPECT_EQ(FindItems({folder.File("b.png")}, std::nullopt)->paths.size(), 1u);
  EXPECT_EQ(FindItems({folder.File("c.txt")}, std::nullopt)->medium, Medium::kPicture);
}

TEST(FindItemsTest, TheMediumIsWhatIsThereOrWhatIsSaid) {
  const TempFolder folder;
  for (const char* const name : {"b.wav", "a.flac"}) SaveBytes(folder.File(name), ToBytes("x"));
  EXPECT_EQ(FindItems({folder.File("")}, std::nullopt)->medium, Medium::kSound);
  SaveBytes(folder.File("c.nii.gz"), ToBytes("x"));
  EXPECT_EQ(FindItems({folder.File("c.nii.gz")}, std::nullopt)->medium, Medium::kArray);
  const Status mixed = FindItems({folder.File("")}, std::nullopt).status();
  EXPECT_EQ(mixed.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(mixed.message().find("--media"), std::string::npos) << mixed.message();
  EXPECT_EQ(FindItems({folder.File("")}, Medium::kSound)->paths.size(), 2u);
  EXPECT_EQ(FindItems({folder.File("")}, Medium::kArray)->paths.size(), 3u);  // sound may be one
  EXPECT_EQ(FindItems({folder.File("")}, Medium::kPicture).status().code(),
            StatusCode::kUnreadable);
  EXPECT_EQ(FindItems({folder.File("b.wav")}, Medium::kPicture).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(FindItemsTest, NoFolderAndNoFilesAreErrors) {
  const TempFolder folder;
  EXPECT_EQ(FindItems({folder.File("none")}, std::nullopt).status().code(),
            StatusCode::kUnreadable);
  EXPECT_EQ(FindItems({folder.File("")}, std::nullopt).status().code(), StatusCode::kUnreadable);
}

}  // namespace
}  // namespace godwit
