#include <gtest/gtest.h>
#include <webp/encode.h>

#include <cstdlib>

#include "tests/io/image_samples.h"

namespace godwit {
namespace {

Bytes MakeWebp(const Picture& p, bool lossless) {
  uint8_t* data = nullptr;
  const int w = static_cast<int>(p.width), h = static_cast<int>(p.height);
  const uint8_t* const in = p.samples.data();
  const int stride = w * static_cast<int>(p.channels);
  size_t size = 0;
  if (p.channels == 3) {
    size = lossless ? WebPEncodeLosslessRGB(in, w, h, stride, &data)
                    : WebPEncodeRGB(in, w, h, stride, 90, &data);
  } else {
    size = lossless ? WebPEncodeLosslessRGBA(in, w, h, stride, &data)
                    : WebPEncodeRGBA(in, w, h, stride, 90, &data);
  }
  const auto bytes = std::as_bytes(std::span(data, size));
  Bytes file(bytes.begin(), bytes.end());
  WebPFree(data);
  return file;
}

void AppendChunk(const std::string& name, const Bytes& data, ByteWriter* out) {
  out->Append(ToBytes(name));
  out->U32(static_cast<uint32_t>(data.size()));
  out->Append(data);
  if (data.size() % 2 == 1) out->U8(0);
}

// Wraps a simple file (one VP8 or VP8L chunk) as an extended one.
Bytes Extended(const Bytes& simple, uint32_t w, uint32_t h, int flags, const Bytes& icc,
               const Bytes& exif, const Bytes& xmp) {
  ByteWriter head, body;
  head.U32(static_cast<uint32_t>(flags));
  for (const uint32_t v : {w - 1, h - 1}) {
    head.U16(static_cast<uint16_t>(v));
    head.U8(static_cast<uint8_t>(v >> 16));
  }
  body.Append(ToBytes("WEBP"));
  AppendChunk("VP8X", head.bytes(), &body);
  if (!icc.empty()) AppendChunk("ICCP", icc, &body);
  body.Append(std::span(simple).subspan(12));
  if (!exif.empty()) AppendChunk("EXIF", exif, &body);
  if (!xmp.empty()) AppendChunk("XMP ", xmp, &body);
  ByteWriter file;
  AppendChunk("RIFF", body.bytes(), &file);
  return file.Release();
}
constexpr int kAnimation = 2, kXmp = 4, kExif = 8, kIcc = 32;

Picture Opaque(Picture p) {
  // libwebp clears the colour of transparent pixels.
  for (size_t i = 3; p.channels == 4 && i < p.samples.size(); i += 4) p.samples[i] |= 1;
  return p;
}

TEST(WebpReaderTest, LosslessFilesAreExact) {
  for (const uint32_t channels : {3u, 4u}) {
    for (const auto& [w, h] : {std::pair{1u, 1u}, {7u, 3u}, {33u, 18u}}) {
      const Picture p = Opaque(NoisePicture(w, h, channels, w));
      const ReadResult got = ReadBytes(MakeWebp(p, true));
      ASSERT_TRUE(got.status.ok()) << got.status.message();
      EXPECT_EQ(got.picture, p);
      EXPECT_EQ(got.info.format, "webp");
    }
  }
}

TEST(WebpReaderTest, LossyFilesComeClose) {
  Picture p{32, 24, 3, {}};
  for (uint32_t i = 0; i < 32 * 24; ++i) {
    const uint8_t grey = static_cast<uint8_t>(50 + i % 32 * 3 + i / 32 * 3);
    p.samples.insert(p.samples.end(), 3, grey);
  }
  const ReadResult got = ReadBytes(MakeWebp(p, false));
  ASSERT_TRUE(got.status.ok()) << got.status.message();
  ASSERT_EQ(got.picture.samples.size(), p.samples.size());
  for (size_t i = 0; i < p.samples.size(); ++i) {
    ASSERT_NEAR(got.picture.samples[i], p.samples[i], 12) << i;
  }
}

TEST(WebpReaderTest, EveryPrefixIsReportedAsTruncated) {
  const Picture p = Opaque(NoisePicture(9, 7, 4, 1));
  ExpectPrefixesTruncated(MakeWebp(p, true));
  ExpectPrefixesTruncated(MakeWebp(p, false));
}

TEST(WebpReaderTest, MissingPixelsAreAnErrorThoughTheSizesAgree) {
  const Picture p = NoisePicture(40, 40, 3, 1);
  for (const bool lossless : {false, true}) {
    const Bytes whole = MakeWebp(p, lossless);
    ByteReader reader{std::span(whole).subspan(16)};
    const uint32_t kept = *reader.U32() / 2;
    const Bytes payload(whole.begin() + 20, whole.begin() + 20 + kept);
    ByteWriter body, file;
    body.Append(ToBytes("WEBP"));
    AppendChunk(lossless ? "VP8L" : "VP8 ", payload, &body);
    AppendChunk("RIFF", body.bytes(), &file);
    EXPECT_FALSE(ReadBytes(file.bytes()).status.ok()) << lossless;
  }
}

TEST(WebpReaderTest, MetadataIsCarriedAndOrientationApplied) {
  const Picture p = NoisePicture(9, 20, 3, 4);
  const Bytes simple = MakeWebp(p, true);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool prefixed : {false, true}) {
      Bytes exif = ExifBlob(orientation, true);
      const Bytes prefix = ToBytes(std::string_view("Exif\0\0", 6));
      if (prefixed) exif.insert(exif.begin(), prefix.begin(), prefix.end());
      const ReadResult got = ReadBytes(
          Extended(simple, 9, 20, kXmp | kExif | kIcc, ToBytes("icc"), exif, ToBytes("<xmp/>")));
      ASSERT_TRUE(got.status.ok()) << got.status.message();
      EXPECT_EQ(got.picture, Upright(p, orientation));
      EXPECT_EQ(got.info.icc, ToBytes("icc"));
      EXPECT_EQ(got.info.xmp, ToBytes("<xmp/>"));
      EXPECT_EQ(got.info.exif, ExifBlob(1, true));
    }
  }
}

TEST(WebpReaderTest, AnimationIsUnsupported) {
  const Bytes simple = MakeWebp(NoisePicture(9, 9, 3, 4), true);
  const Status status = ReadBytes(Extended(simple, 9, 9, kAnimation, {}, {}, {})).status;
  EXPECT_EQ(status.code(), StatusCode::kUnsupported) << status.message();
}

TEST(WebpReaderTest, LimitsHold) {
  const Bytes file = MakeWebp(NoisePicture(50, 50, 3, 4), true);
  EXPECT_EQ(ReadBytes(file, {.max_pixels = 2499}).status.code(), StatusCode::kOverLimit);
  EXPECT_EQ(ReadBytes(file, {.max_memory_bytes = 20000}).status.code(), StatusCode::kOverLimit);
  const Bytes claim = ToBytes("RIFF\xF0\xFF\xFF\xFFWEBPVP8 ");  // 4 GiB that are not there
  EXPECT_EQ(ReadBytes(claim, {.max_memory_bytes = 1 << 20}).status.code(), StatusCode::kOverLimit);
}

}  // namespace
}  // namespace godwit
