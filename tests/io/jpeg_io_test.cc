// jpeglib.h needs FILE and size_t before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/io/image_samples.h"

namespace godwit {
namespace {

struct Spec {
  bool progressive = false, separate_scans = false;
  int restart_rows = 0;
  int quality = 100;
  J_COLOR_SPACE stored = JCS_UNKNOWN;  // unknown: libjpeg's choice
};

// A JPEG by libjpeg itself, in the ways that CreateImage() does not write.
Bytes MakeJpeg(const Picture& p, const Spec& spec) {
  jpeg_compress_struct jpeg = {};
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* data = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type
  jpeg_mem_dest(&jpeg, &data, &size);
  jpeg.image_width = p.width;
  jpeg.image_height = p.height;
  jpeg.input_components = static_cast<int>(p.channels);
  jpeg.in_color_space = p.channels == 1 ? JCS_GRAYSCALE : p.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  if (spec.stored != JCS_UNKNOWN) jpeg_set_colorspace(&jpeg, spec.stored);
  jpeg_set_quality(&jpeg, spec.quality, TRUE);
  for (int i = 0; i < jpeg.num_components; ++i) {
    jpeg.comp_info[i].h_samp_factor = jpeg.comp_info[i].v_samp_factor = 1;
  }
  jpeg.restart_in_rows = spec.restart_rows;
  if (spec.progressive) jpeg_simple_progression(&jpeg);
  jpeg_scan_info scans[3] = {};
  if (spec.separate_scans) {
    for (int i = 0; i < 3; ++i) scans[i] = {1, {i, 0, 0, 0}, 0, 63, 0, 0};
    jpeg.scan_info = scans;
    jpeg.num_scans = 3;
  }
  jpeg_start_compress(&jpeg, TRUE);
  for (uint32_t y = 0; y < p.height; ++y) {
    JSAMPROW row = const_cast<JSAMPROW>(p.At(y, 0));
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  const auto bytes = std::as_bytes(std::span(data, size));
  Bytes file(bytes.begin(), bytes.end());
  std::free(data);
  return file;
}

int LargestError(const Picture& a, const Picture& b) {
  if (a.samples.size() != b.samples.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < a.samples.size(); ++i) {
    largest = std::max(largest, std::abs(a.samples[i] - b.samples[i]));
  }
  return largest;
}

Bytes WithSegment(const Bytes& jpeg, int marker, const std::string& data) {
  Bytes out(jpeg.begin(), jpeg.begin() + 2);
  const size_t size = data.size() + 2;
  for (const size_t v : {size_t{0xFF}, static_cast<size_t>(marker), size >> 8, size & 255}) {
    out.push_back(static_cast<std::byte>(v));
  }
  const Bytes bytes = ToBytes(data);
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
  return out;
}
Bytes WithExif(const Bytes& jpeg, const Bytes& exif) {
  return WithSegment(jpeg, 0xE1,
                     std::string("Exif\0\0", 6) +
                         std::string(reinterpret_cast<const char*>(exif.data()), exif.size()));
}

TEST(JpegReaderTest, EveryKindOfScanComesCloseToThePicture) {
  for (const uint32_t channels : {1u, 3u}) {
    for (const auto& [w, h] : {std::pair{1u, 1u}, {1u, 17u}, {9u, 7u}, {40u, 33u}}) {
      const Picture p = SmoothPicture(w, h, channels);
      const Picture plain = ReadBytes(MakeJpeg(p, {})).picture;
      EXPECT_LE(LargestError(plain, p), 3) << w << "x" << h << "x" << channels;
      for (const Spec& spec : {Spec{.progressive = true}, Spec{.restart_rows = 1},
                               Spec{.separate_scans = channels == 3}}) {
        const ReadResult got = ReadBytes(MakeJpeg(p, spec));
        ASSERT_TRUE(got.status.ok()) << got.status.message();
        EXPECT_EQ(got.picture, plain);  // the same coefficients
        EXPECT_EQ(got.info.format, "jpeg");
        EXPECT_EQ(got.info.channels, channels);
      }
      if (channels == 3) {
        const ReadResult rgb = ReadBytes(MakeJpeg(p, {.stored = JCS_RGB}));
        ASSERT_TRUE(rgb.status.ok()) << rgb.status.message();
        EXPECT_LE(LargestError(rgb.picture, p), 2);
      }
    }
  }
}

TEST(JpegReaderTest, CmykIsUnsupported) {
  const Picture p = SmoothPicture(8, 8, 4);
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK}) {
    const Status status = ReadBytes(MakeJpeg(p, {.stored = stored})).status;
    EXPECT_EQ(status.code(), StatusCode::kUnsupported) << status.message();
  }
}

TEST(JpegReaderTest, EveryPrefixIsReportedAsTruncated) {
  const Picture p = NoisePicture(20, 18, 3, 1);
  for (const Spec& spec : {Spec{.quality = 50}, Spec{.progressive = true, .quality = 50},
                           Spec{.restart_rows = 1, .quality = 50}}) {
    ExpectPrefixesTruncated(MakeJpeg(p, spec));
  }
}

TEST(JpegReaderTest, MissingScanDataIsAnErrorThoughTheEndMarkerIsThere) {
  for (const Spec& spec : {Spec{}, Spec{.progressive = true}, Spec{.restart_rows = 1}}) {
    Bytes file = MakeJpeg(NoisePicture(64, 64, 3, 2), spec);
    file.erase(file.end() - 500, file.end() - 2);  // keeps FF D9
    if (file[file.size() - 3] == std::byte{0xFF}) file.erase(file.end() - 3);
    EXPECT_FALSE(ReadBytes(file).status.ok());
  }
}

TEST(JpegReaderTest, LostRestartMarkerIsAnError) {
  Bytes file = MakeJpeg(NoisePicture(16, 64, 1, 2), {.restart_rows = 1});
  for (size_t i = 2; i + 1 < file.size(); ++i) {
    if (file[i] == std::byte{0xFF} && file[i + 1] == std::byte{0xD3}) {
      file[i + 1] = std::byte{0xD6};
      break;
    }
  }
  EXPECT_EQ(ReadBytes(file).status.code(), StatusCode::kUnreadable);
}

TEST(JpegReaderTest, DataBehindTheEndIsNotLookedAt) {
  Bytes file = MakeJpeg(SmoothPicture(9, 9, 3), {});
  const Picture want = ReadBytes(file).picture;
  file.insert(file.end(), 1000, std::byte{0x55});
  const ReadResult got = ReadBytes(file);
  ASSERT_TRUE(got.status.ok()) << got.status.message();
  EXPECT_EQ(got.picture, want);
}

TEST(JpegReaderTest, OrientationIsAppliedAndReset) {
  const Bytes stored = MakeJpeg(SmoothPicture(23, 37, 3), {});
  const Picture p = ReadBytes(stored).picture;
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const ReadResult got = ReadBytes(WithExif(stored, ExifBlob(orientation, true)));
    ASSERT_TRUE(got.status.ok()) << got.status.message();
    EXPECT_EQ(got.picture, Upright(p, orientation)) << orientation;
    EXPECT_EQ(got.info.exif, ExifBlob(1, true));
  }
}

TEST(JpegReaderTest, MetadataComesFromItsMarkers) {
  const Bytes plain = MakeJpeg(SmoothPicture(8, 8, 3), {});
  const Bytes icc2 = WithSegment(plain, 0xE2, std::string("ICC_PROFILE\0\x02\x02second", 20));
  Bytes file = WithSegment(icc2, 0xE2,
                           std::string("ICC_PROFILE\0\x01\x02"
                                       "first-",
                                       20));
  file = WithSegment(file, 0xE1, std::string("http://ns.adobe.com/xap/1.0/\0<xmp/>", 35));
  file = WithExif(file, ExifBlob(1, false));
  const ReadResult got = ReadBytes(file);
  ASSERT_TRUE(got.status.ok()) << got.status.message();
  EXPECT_EQ(got.info.icc, ToBytes("first-second"));
  EXPECT_EQ(got.info.xmp, ToBytes("<xmp/>"));
  EXPECT_EQ(got.info.exif, ExifBlob(1, false));
  // Half a profile is no profile.
  EXPECT_EQ(ReadBytes(icc2).status.code(), StatusCode::kUnreadable);
}

TEST(JpegReaderTest, LimitsHold) {
  const Picture p = SmoothPicture(200, 200, 3);
  const Bytes plain = MakeJpeg(p, {}), progressive = MakeJpeg(p, {.progressive = true});
  EXPECT_EQ(ReadBytes(plain, {.max_pixels = 39999}).status.code(), StatusCode::kOverLimit);
  const DecodeLimits tight{.max_memory_bytes = 400000};
  EXPECT_TRUE(ReadBytes(plain, tight).status.ok());
  EXPECT_EQ(ReadBytes(progressive, {.max_memory_bytes = 250000}).status.code(),
            StatusCode::kOverLimit);
  const Bytes turned = WithExif(plain, ExifBlob(6, false));
  EXPECT_EQ(ReadBytes(turned, {.max_memory_bytes = 200000}).status.code(), StatusCode::kOverLimit);
  // Markers without end, ahead of any picture.
  Bytes header(plain.begin(), plain.begin() + 2);
  while (header.size() < 500000) {
    header = WithSegment(header, 0xE1, std::string(60000, 'x'));
  }
  EXPECT_EQ(ReadBytes(header, tight).status.code(), StatusCode::kOverLimit);
}

TEST(JpegReaderTest, ScansAreCounted) {
  const Bytes file = MakeJpeg(SmoothPicture(8, 8, 3), {.separate_scans = true});
  const auto next_scan = [&](size_t from) {
    const std::byte marker[] = {std::byte{0xFF}, std::byte{0xDA}};
    return std::search(file.begin() + static_cast<std::ptrdiff_t>(from), file.end(), marker,
                       marker + 2);
  };
  const auto first = next_scan(0);
  const auto second = next_scan(static_cast<size_t>(first - file.begin()) + 2);
  for (const int times : {1, 490, 600}) {
    Bytes many(file.begin(), first);
    for (int i = 0; i < times; ++i) many.insert(many.end(), first, second);
    many.insert(many.end(), second, file.end());
    const Status status = ReadBytes(many).status;
    EXPECT_EQ(status.code(), times < 500 ? StatusCode::kOk : StatusCode::kOverLimit)
        << times << ": " << status.message();
  }
}

}  // namespace
}  // namespace godwit
