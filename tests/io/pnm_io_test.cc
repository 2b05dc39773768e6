#include <gtest/gtest.h>

#include "tests/io/image_samples.h"

namespace godwit {
namespace {

using namespace std::string_literals;

ReadResult ReadText(const std::string& text) { return ReadBytes(ToBytes(text)); }

TEST(PnmReaderTest, EveryKindGivesItsSamples) {
  struct Case {
    std::string file;
    std::string format;
    uint32_t width, height, channels, bit_depth;
    std::vector<uint8_t> samples;
  };
  const Case cases[] = {
      {"P1\n3 2\n1 0 1\n010", "pbm", 3, 2, 1, 1, {0, 255, 0, 255, 0, 255}},
      {"P2 # grey\n2 2 15\n0 15\n 1\t7 \n", "pgm", 2, 2, 1, 4, {0, 255, 17, 119}},
      {"P3\n1 1\n# colour\n255\n10 20 30", "ppm", 1, 1, 3, 8, {10, 20, 30}},
      {"P4\n10 1\n\xA5\x40"s, "pbm", 10, 1, 1, 1, {0, 255, 0, 255, 255, 0, 255, 0, 255, 0}},
      {"P5\n3 1\n255\nabc", "pgm", 3, 1, 1, 8, {'a', 'b', 'c'}},
      {"P5 1 2 65535\n\xFF\xFF\x01\x00"s, "pgm", 1, 2, 1, 16, {255, 1}},
      {"P5 2 1 1\n\x00\x01"s, "pgm", 2, 1, 1, 1, {0, 255}},
      {"P6\n1 2\n255\nabcdef", "ppm", 1, 2, 3, 8, {'a', 'b', 'c', 'd', 'e', 'f'}},
      {"P6 1 1 1023\n\x03\xFF\x02\x00\x00\x00"s, "ppm", 1, 1, 3, 10, {255, 128, 0}},
      {"P7\nWIDTH 1\n# c\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\nabcd",
       "pam",
       1,
       1,
       4,
       8,
       {'a', 'b', 'c', 'd'}},
      {"P7\nHEIGHT 1\nWIDTH 2\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\nabcd",
       "pam",
       2,
       1,
       2,
       8,
       {'a', 'b', 'c', 'd'}},
      {"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n\x00\x01"s,
       "pam",
       2,
       1,
       1,
       1,
       {0, 255}},
      {"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nENDHDR\nabc",
       "pam",
       1,
       1,
       3,
       8,
       {'a', 'b', 'c'}},
  };
  for (const Case& c : cases) {
    const ReadResult got = ReadText(c.file);
    ASSERT_TRUE(got.status.ok()) << c.file << ": " << got.status.message();
    EXPECT_EQ(got.info.format, c.format) << c.file;
    EXPECT_EQ(got.info.bit_depth, c.bit_depth) << c.file;
    EXPECT_EQ(got.picture, (Picture{c.width, c.height, c.channels, c.samples})) << c.file;
  }
}

TEST(PnmReaderTest, SixteenBitSamplesAreRoundedToNearest) {
  std::string file = "P5 256 256 65535\n";
  for (int v = 0; v < 65536; ++v) {
    file += static_cast<char>(v >> 8);
    file += static_cast<char>(v);
  }
  const ReadResult got = ReadText(file);
  ASSERT_TRUE(got.status.ok()) << got.status.message();
  for (uint32_t v = 0; v < 65536; ++v) {
    ASSERT_EQ(got.picture.samples[v], (v * 255 + 32767) / 65535) << v;
  }
}

TEST(PnmReaderTest, EveryPrefixIsReportedAsTruncated) {
  for (const std::string& file : {
           "P6 # x\n3 2\n255\nabcdefghijklmnopqr"s,
           "P5 2 2 65535\nabcdefgh"s,
           "P4\n9 2\nabcd"s,
           "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\nabcdefgh"s,
           "P1 3 2 101010"s,
           "P3 1 2 9 1 2 3 4 5 6"s,
       }) {
    ASSERT_TRUE(ReadText(file).status.ok()) << file;
    ExpectPrefixesTruncated(ToBytes(file));
  }
}

TEST(PnmReaderTest, GarbledFilesAreRefusedWithAPlace) {
  for (const std::string& file : {
           "P5 2 1 255\nabc"s,          // too many bytes
           "P2 1 1 9 5 6"s,             // too many numbers
           "P5 2 1 97\nab"s,            // above the largest sample
           "P2 1 1 9 10"s,              // the same in text
           "P5 2 1 0\nab"s,             // no largest sample
           "P5 2 1 65536\nabcd"s,       // too large a one
           "P5 0 1 255\n"s,             // no pixels
           "P5 x 1 255\na"s,            // no number
           "P5 99999999999 1 255\na"s,  // huge number
           "P5 1 1 255a"s,              // no white space
           "P55 1 255\na"s,             // none after the magic
           "P1 1 1 2"s,                 // no bit
           "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL x\nENDHDR\na"s,
           "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nCOLOUR 1\nENDHDR\na"s,
           "P7 332\n"s,
       }) {
    const ReadResult got = ReadText(file);
    EXPECT_EQ(got.status.code(), StatusCode::kUnreadable) << file << ": " << got.status.message();
  }
  const ReadResult row = ReadText("P5 1 3 97\naaz");
  EXPECT_EQ(row.status.message(), "row 2: PNM: sample 122 above 97 before at byte 13");
  const ReadResult type =
      ReadText("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\nabcd");
  EXPECT_EQ(type.status.code(), StatusCode::kUnsupported);
}

TEST(PnmReaderTest, LimitsAreCheckedFromTheHeader) {
  const Bytes huge = ToBytes("P6 4000000000 4000000000 255\n");
  EXPECT_EQ(ReadBytes(huge).status.code(), StatusCode::kOverLimit);
  const Bytes wide = ToBytes("P6 100000000 1 255\n");
  EXPECT_EQ(ReadBytes(wide, {.max_memory_bytes = 1 << 20}).status.code(), StatusCode::kOverLimit);
  const Bytes four = ToBytes("P5 2 2 255\nabcd");
  EXPECT_TRUE(ReadBytes(four, {.max_pixels = 4}).status.ok());
  EXPECT_EQ(ReadBytes(four, {.max_pixels = 3}).status.code(), StatusCode::kOverLimit);
}

TEST(ImageReaderTest, WrongShapesAreRefusedAndRowsPastTheLast) {
  const Bytes file = ToBytes("P6 2 2 255\nabcdefghijkl");
  auto reader = OpenImageBytes(file);
  ASSERT_TRUE(reader.ok());
  Tensor<uint8_t> wide(1, 3, 3), grey(1, 2, 1), three(3, 2, 3), two(2, 2, 3), one(1, 2, 3);
  for (const Tensor<uint8_t>* wrong : {&wide, &grey, &three}) {
    auto view = const_cast<Tensor<uint8_t>*>(wrong)->view();
    EXPECT_EQ((*reader)->ReadRows(view).code(), StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE((*reader)->ReadRows(two.view()).ok());  // not spoilt by the refusals
  EXPECT_EQ((*reader)->ReadRows(one.view()).code(), StatusCode::kInvalidArgument);
}

TEST(ImageReaderTest, StridesOfTheViewAreKept) {
  const Bytes file = ToBytes("P6 2 2 255\nabcdefghijkl");
  auto reader = OpenImageBytes(file);
  ASSERT_TRUE(reader.ok());
  std::vector<uint8_t> wide(40, '.');
  ASSERT_TRUE((*reader)->ReadRows({wide.data(), 2, 2, 3, 20, 5}).ok());
  EXPECT_EQ(std::string(wide.begin(), wide.end()), "abc..def............ghi..jkl............");
}

TEST(ImageReaderTest, ErrorsStay) {
  const Bytes file = ToBytes("P5 1 3 255\nab");
  auto reader = OpenImageBytes(file);
  ASSERT_TRUE(reader.ok());
  Tensor<uint8_t> all(3, 1, 1), one(1, 1, 1);
  const Status failed = (*reader)->ReadRows(all.view());
  EXPECT_EQ(failed.message(), "row 2: PNM ends early at byte 13");
  EXPECT_EQ((*reader)->ReadRows(one.view()).message(), failed.message());
}

TEST(ImageReaderTest, MessagesNameTheFile) {
  const TempFolder folder;
  EXPECT_EQ(OpenImage(folder.File("none")).status().message(),
            folder.File("none") + ": No such file or directory");
  SaveBytes(folder.File("x.png"), ToBytes("GIF89a"));
  EXPECT_EQ(OpenImage(folder.File("x.png")).status().message(),
            folder.File("x.png") +
                ": starts with 47 49 46 38, which is none of PNG, JPEG, WebP, PNM and PAM");
  SaveBytes(folder.File("x.png"), ToBytes("P5 1 1 255\n"));
  auto reader = OpenImage(folder.File("x.png"));  // by content, not by suffix
  ASSERT_TRUE(reader.ok());
  Tensor<uint8_t> one(1, 1, 1);
  EXPECT_EQ((*reader)->ReadRows(one.view()).message(),
            folder.File("x.png") + ": row 0: PNM ends early at byte 11");
}

}  // namespace
}  // namespace godwit
