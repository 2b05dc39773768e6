#include <gtest/gtest.h>
#include <zlib.h>

#include <array>

#include "tests/io/image_samples.h"

namespace godwit {
namespace {

using namespace std::string_literals;

// PNG files made here, chunk by chunk, so that each can be legal or wrong at will.
std::string Number(uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}
std::string Chunk(const std::string& name, const std::string& data) {
  const std::string body = name + data;
  const uLong crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), uInt(body.size()));
  return Number(static_cast<uint32_t>(data.size())) + body + Number(static_cast<uint32_t>(crc));
}
std::string Packed(const std::string& data) {
  uLongf size = compressBound(data.size());
  std::string out(size, 0);
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data.data()),
           data.size());
  return out.substr(0, size);
}
std::string Text(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const std::string kSignature = "\x89PNG\r\n\x1a\n";

enum Colour { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };
uint32_t SamplesPerPixel(int colour) {
  return std::array<uint32_t, 7>{1, 0, 3, 1, 2, 0, 4}[static_cast<size_t>(colour)];
}

struct Spec {
  uint32_t width, height;
  int colour = kGrey, depth = 8;
  bool interlaced = false;
  std::string before{}, after{};   // chunks around the pixels
  std::vector<uint32_t> values{};  // of `depth` bits
};

// The values at rows y0, y0 + dy..., columns x0, x0 + dx..., unfiltered.
void AppendRows(const Spec& s, uint32_t x0, uint32_t y0, uint32_t dx, uint32_t dy,
                std::string* out) {
  const uint32_t n = SamplesPerPixel(s.colour);
  if (x0 >= s.width) return;
  for (uint32_t y = y0; y < s.height; y += dy) {
    *out += '\0';  // filter none
    uint32_t bits = 0, filled = 0;
    for (uint32_t x = x0; x < s.width; x += dx) {
      for (uint32_t c = 0; c < n; ++c) {
        bits = bits << s.depth | s.values[(size_t{y} * s.width + x) * n + c];
        for (filled += s.depth; filled >= 8; filled -= 8) {
          *out += static_cast<char>(bits >> (filled - 8));
        }
      }
    }
    if (filled > 0) *out += static_cast<char>(bits << (8 - filled));
  }
}

std::string Header(const Spec& s) {
  return kSignature +
         Chunk("IHDR", Number(s.width) + Number(s.height) + std::string{char(s.depth)} +
                           std::string{char(s.colour), 0, 0, char(s.interlaced)});
}

Bytes MakePng(const Spec& s) {
  std::string rows;
  if (s.interlaced) {
    static constexpr uint32_t kAdam7[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8},
                                              {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2},
                                              {0, 1, 1, 2}};
    for (const auto& pass : kAdam7) AppendRows(s, pass[0], pass[1], pass[2], pass[3], &rows);
  } else {
    AppendRows(s, 0, 0, 1, 1, &rows);
  }
  return ToBytes(Header(s) + s.before + Chunk("IDAT", Packed(rows)) + s.after + Chunk("IEND", ""));
}

std::vector<uint32_t> NoiseValues(const Spec& s, uint32_t seed) {
  const uint32_t count = s.width * s.height * SamplesPerPixel(s.colour);
  const Picture noise = NoisePicture(count, 2, 1, seed);
  std::vector<uint32_t> values(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t v = noise.samples[i] * 256u + noise.samples[count + i];
    values[i] = v >> (16 - s.depth);
  }
  return values;
}

uint8_t ToByte(uint32_t v, int depth) {
  const uint32_t max = (1u << depth) - 1;
  return static_cast<uint8_t>((v * 255 + max / 2) / max);
}

Spec SmallSpec() {
  Spec s{3, 2, kRgb};
  s.values = NoiseValues(s, 1);
  return s;
}
Picture PictureOf(const Spec& s) {
  Picture p{s.width, s.height, SamplesPerPixel(s.colour), {}};
  for (const uint32_t v : s.values) p.samples.push_back(ToByte(v, s.depth));
  return p;
}

TEST(PngReaderTest, EveryColourTypeDepthAndSizeGivesItsSamples) {
  for (const auto& [colour, depth] : {std::pair{kGrey, 1},
                                      {kGrey, 2},
                                      {kGrey, 4},
                                      {kGrey, 8},
                                      {kGrey, 16},
                                      {kRgb, 8},
                                      {kRgb, 16},
                                      {kGreyAlpha, 8},
                                      {kGreyAlpha, 16},
                                      {kRgba, 8},
                                      {kRgba, 16}}) {
    for (const auto& [w, h] : {std::pair{1u, 1u}, {1u, 9u}, {7u, 3u}, {8u, 8u}, {17u, 11u}}) {
      for (const bool interlaced : {false, true}) {
        Spec s{w, h, colour, depth, interlaced};
        s.values = NoiseValues(s, w * 100 + h);
        const ReadResult got = ReadBytes(MakePng(s));
        ASSERT_TRUE(got.status.ok()) << got.status.message();
        EXPECT_EQ(got.picture, PictureOf(s))
            << "colour " << colour << " depth " << depth << " " << w << "x" << h;
        EXPECT_EQ(got.info.bit_depth, depth);
        EXPECT_EQ(got.info.format, "png");
      }
    }
  }
}

TEST(PngReaderTest, SixteenBitSamplesAreRoundedToNearest) {
  Spec s{256, 256, kGrey, 16};
  for (uint32_t v = 0; v < 65536; ++v) s.values.push_back(v);
  const ReadResult got = ReadBytes(MakePng(s));
  ASSERT_TRUE(got.status.ok()) << got.status.message();
  for (uint32_t v = 0; v < 65536; ++v) {
    ASSERT_EQ(got.picture.samples[v], (v * 255 + 32767) / 65535) << v;
  }
}

TEST(PngReaderTest, PalettesBecomeRgbAndTheirAlphaIsKept) {
  const std::string colours = "abcdefghijkl";  // four
  for (const int depth : {1, 2, 4, 8}) {
    for (const bool alpha : {false, true}) {
      Spec s{9, 5, kPalette, depth};
      s.values = NoiseValues(s, 5);
      for (uint32_t& v : s.values) v %= 4;
      s.before = Chunk("PLTE", colours.substr(0, depth == 1 ? 6 : 12));
      if (alpha) s.before += Chunk("tRNS", "\x10\x80");
      const ReadResult got = ReadBytes(MakePng(s));
      ASSERT_TRUE(got.status.ok()) << got.status.message();
      Picture want{s.width, s.height, alpha ? 4u : 3u, {}};
      for (const uint32_t v : s.values) {
        for (uint32_t c = 0; c < 3; ++c) want.samples.push_back(uint8_t(colours[v * 3 + c]));
        if (alpha) want.samples.push_back(v == 0 ? 0x10 : v == 1 ? 0x80 : 0xFF);
      }
      EXPECT_EQ(got.picture, want) << depth;
      EXPECT_EQ(got.info.bit_depth, 8);
    }
  }
}

TEST(PngReaderTest, TransparentColourBecomesAlpha) {
  Spec s{3, 1, kGrey, 4};
  s.values = {3, 9, 15};
  s.before = Chunk("tRNS", "\0\x09"s);
  const ReadResult got = ReadBytes(MakePng(s));
  ASSERT_TRUE(got.status.ok()) << got.status.message();
  EXPECT_EQ(got.picture, (Picture{3, 1, 2, {51, 255, 153, 0, 255, 255}}));
}

TEST(PngReaderTest, MetadataIsCarriedFromBeforeAndBehindThePixels) {
  const std::string icc = "a profile that no validator would like", xmp = "<x:xmpmeta/>";
  const Bytes exif = ExifBlob(1, true);
  const std::string icc_chunk = Chunk("iCCP", "name\0\0"s + Packed(icc));
  const std::string exif_chunk = Chunk("eXIf", Text(exif));
  const std::string other = Chunk("iTXt", "Title\0\0\0\0\0x"s);
  for (const std::string& xmp_chunk :
       {Chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0"s + xmp),
        Chunk("iTXt", "XML:com.adobe.xmp\0\1\0en\0XMP\0"s + Packed(xmp))}) {
    for (const bool late : {false, true}) {
      Spec s = SmallSpec();
      s.before = icc_chunk;
      (late ? s.after : s.before) += other + exif_chunk + xmp_chunk;
      const Bytes file = MakePng(s);
      auto reader = OpenImageBytes(file);
      ASSERT_TRUE(reader.ok()) << reader.status().message();
      EXPECT_EQ((*reader)->info().icc, ToBytes(icc));
      EXPECT_EQ((*reader)->info().exif, exif);
      EXPECT_EQ((*reader)->info().xmp, ToBytes(xmp));
      ExpectPrefixesTruncated(file);
    }
  }
}

TEST(PngReaderTest, OrientationIsAppliedAndResetWhereverItStands) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool late : {false, true}) {
      for (const bool interlaced : {false, true}) {
        Spec s{5, 37, kRgb, 8, interlaced};  // more rows than a strip
        s.values = NoiseValues(s, 3);
        (late ? s.after : s.before) = Chunk("eXIf", Text(ExifBlob(orientation, late)));
        const ReadResult got = ReadBytes(MakePng(s));
        ASSERT_TRUE(got.status.ok()) << got.status.message();
        EXPECT_EQ(got.picture, Upright(PictureOf(s), orientation)) << orientation;
        EXPECT_EQ(got.info.exif, ExifBlob(1, late));
      }
    }
  }
}

TEST(PngReaderTest, LateOrientationInAPipeIsRefusedAndLateTextIsThereAtTheEnd) {
  for (const int orientation : {1, 6}) {
    Spec s = SmallSpec();
    s.after = Chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0xmp"s) +
              Chunk("eXIf", Text(ExifBlob(orientation, false)));
    const Bytes file = MakePng(s);
    const TempFolder folder;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], file.data(), file.size()), static_cast<ssize_t>(file.size()));
    ::close(ends[1]);
    auto reader = OpenImage("/dev/fd/" + std::to_string(ends[0]));
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    Picture got;
    const Status status = ReadPicture(**reader, &got);
    ::close(ends[0]);
    if (orientation == 1) {
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(got, PictureOf(s));
      EXPECT_EQ((*reader)->info().xmp, ToBytes("xmp"));
      EXPECT_EQ((*reader)->info().exif, ExifBlob(1, false));
    } else {
      EXPECT_EQ(status.code(), StatusCode::kUnsupported);
    }
  }
}

TEST(PngReaderTest, EveryPrefixIsReportedAsTruncated) {
  for (const bool interlaced : {false, true}) {
    Spec s = SmallSpec();
    s.interlaced = interlaced;
    ExpectPrefixesTruncated(MakePng(s));
  }
}

TEST(PngReaderTest, EveryAlteredByteIsAnError) {
  Spec s = SmallSpec();
  s.before = Chunk("iCCP", "name\0\0"s + Packed("icc")) + Chunk("eXIf", Text(ExifBlob(1, false)));
  s.after = Chunk("tEXt", "Title\0skipped"s);
  const Bytes file = MakePng(s);
  for (size_t i = 0; i < file.size(); ++i) {
    for (const int flip : {0x01, 0x20, 0x80}) {
      Bytes altered = file;
      altered[i] ^= static_cast<std::byte>(flip);
      EXPECT_FALSE(ReadBytes(altered).status.ok()) << "byte " << i << " flip " << flip;
    }
  }
}

TEST(PngReaderTest, MissingPixelsAreAnErrorThoughEveryChunkIsWhole) {
  const Spec s = SmallSpec();
  std::string rows;
  AppendRows(s, 0, 0, 1, 1, &rows);
  const std::string half = Packed(rows.substr(0, rows.size() - 1));
  const Status status =
      ReadBytes(ToBytes(Header(s) + Chunk("IDAT", half) + Chunk("IEND", ""))).status;
  EXPECT_EQ(status.code(), StatusCode::kUnreadable);
  EXPECT_EQ(status.message().find("row 1: PNG: "), 0u) << status.message();
}

TEST(PngReaderTest, AnimationAndUnknownCriticalChunksAreUnsupported) {
  Spec s = SmallSpec();
  s.before = Chunk("acTL", Number(2) + Number(0));
  EXPECT_EQ(ReadBytes(MakePng(s)).status.code(), StatusCode::kUnsupported);
  s.before = Chunk("ABCD", "x");
  EXPECT_EQ(ReadBytes(MakePng(s)).status.code(), StatusCode::kUnsupported);
  s.before = Chunk("abCd", "x");  // ancillary
  EXPECT_TRUE(ReadBytes(MakePng(s)).status.ok());
}

TEST(PngReaderTest, LimitsHoldForSizesAndForPackedMetadata) {
  const Spec huge{2000000000, 2000000000, kRgba, 16};
  const Bytes head = ToBytes(Header(huge) + Chunk("IDAT", "") + Chunk("IEND", ""));
  EXPECT_EQ(ReadBytes(head).status.code(), StatusCode::kOverLimit);
  const DecodeLimits wide_limits{.max_pixels = UINT64_MAX, .max_memory_bytes = 1 << 20};
  EXPECT_EQ(ReadBytes(head, wide_limits).status.code(), StatusCode::kOverLimit);

  Spec s{300, 300, kGrey};
  s.values = NoiseValues(s, 1);
  EXPECT_TRUE(ReadBytes(MakePng(s), {.max_pixels = 90000, .max_memory_bytes = 20000}).status.ok());
  EXPECT_EQ(ReadBytes(MakePng(s), {.max_pixels = 89999}).status.code(), StatusCode::kOverLimit);
  s.interlaced = true;  // has to be held whole
  EXPECT_EQ(ReadBytes(MakePng(s), {.max_memory_bytes = 20000}).status.code(),
            StatusCode::kOverLimit);
  s.interlaced = false;
  s.before = Chunk("eXIf", Text(ExifBlob(6, false)));  // so has this
  EXPECT_EQ(ReadBytes(MakePng(s), {.max_memory_bytes = 20000}).status.code(),
            StatusCode::kOverLimit);
  s.before = Chunk("iCCP", "name\0\0"s + Packed(std::string(100000, 'x')));
  EXPECT_EQ(ReadBytes(MakePng(s), {.max_memory_bytes = 20000}).status.code(),
            StatusCode::kOverLimit);
}

}  // namespace
}  // namespace godwit
