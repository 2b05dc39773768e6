// Files cut, flipped, hostile and put together by hand; metadata; and how little a header takes.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "tests/codecs/stream_bytes.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

namespace godwit {
namespace {

constexpr uint8_t kSecondLayer = 0x01;  // a layers section's first byte: layer 1, one of it

uint8_t Type(SectionType type) { return static_cast<uint8_t>(type); }

StatusCode CodeOf(const Bytes& file, const DecodeLimits& limits = {}) {
  return ParseImageStream(file, limits).status().code();
}

// Several sections of layers, and nothing else.
Bytes ManyLayers() {
  return EncodePicture(TestImageModel(), MakePicture(64, 80, 3), {.step_index = 40, .tile = 64});
}

// All kinds of sections.
Bytes ManySections() {
  ImageEncoder encoder =
      Must(ImageEncoder::Create(TestImageModel(), {.step_index = 60, .tile = 64}));
  const ImageMetadata metadata{Bytes(40, std::byte{1}), Bytes(30, std::byte{2}),
                               Bytes(20, std::byte{3})};
  return Must(encoder.Encode(MakePicture(50, 70, 4).view(), metadata));
}

std::vector<uint64_t> Boundaries(const Bytes& file) {
  std::vector<uint64_t> ends;
  const ImageStream stream = Must(ParseImageStream(file));
  for (const ImageSectionInfo& s : stream.sections) ends.push_back(s.offset + s.bytes);
  return ends;
}

TEST(ImageHeaderTest, SectionsTileTheFile) {
  for (const Bytes& file : {ManyLayers(), ManySections()}) {
    const ImageStream stream = Must(ParseImageStream(file));
    uint64_t at = kFileHeaderSize;
    int layers = 0;
    for (const ImageSectionInfo& s : stream.sections) {
      EXPECT_EQ(s.offset, at);
      EXPECT_FALSE(s.name.empty());
      if (s.layers > 0) {
        EXPECT_EQ(s.first_layer, layers);
      }
      layers += s.layers;
      at += s.bytes;
    }
    EXPECT_EQ(at, file.size());
    EXPECT_EQ(static_cast<size_t>(layers), stream.layers.size());
    EXPECT_EQ(layers, 8);
  }
  EXPECT_GE(Must(ParseImageStream(ManyLayers())).sections.size(), 4u);
  EXPECT_GE(Must(ParseImageStream(ManySections())).sections.size(), 6u);
}

TEST(ImageHeaderTest, APeekNeeds64BytesAtMost) {
  for (const Bytes& file : {ManyLayers(), ManySections()}) {
    const ImageHeader want = Must(ParseImageStream(file)).header;
    for (size_t n = 0; n <= 64; ++n) {
      const Result<ImageHeader> header = PeekImageHeader({file.data(), n});
      if (!header.ok()) {
        EXPECT_EQ(header.status().code(), StatusCode::kTruncated) << n;
        EXPECT_LT(n, 32u);
        continue;
      }
      EXPECT_EQ(header->width, want.width);
      EXPECT_EQ(header->height, want.height);
      EXPECT_EQ(header->planes, 3);
      EXPECT_EQ(header->tile_width, 64u);
      EXPECT_EQ(header->tile_height, 64u);
      EXPECT_EQ(header->step_index, want.step_index);
      EXPECT_EQ(header->model_id, TestImageModel().id());
    }
  }
}

TEST(ImageHeaderTest, EveryPrefixIsTruncatedExceptAtSectionBoundaries) {
  for (const Bytes& file : {ManyLayers(), ManySections()}) {
    const std::vector<uint64_t> ends = Boundaries(file);
    uint64_t alpha_end = 0;  // a file that speaks of alpha is cut short before that
    for (const ImageSectionInfo& section : Must(ParseImageStream(file)).sections) {
      if (section.name == "alpha") alpha_end = section.offset + section.bytes;
    }
    for (size_t n = 0; n <= file.size(); ++n) {
      const Bytes prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(n));
      const bool boundary = n >= alpha_end && std::ranges::find(ends, n) != ends.end();
      ASSERT_EQ(CodeOf(prefix), boundary ? StatusCode::kOk : StatusCode::kTruncated) << n;
    }
  }
}

TEST(ImageHeaderTest, FilesCutBetweenSectionsDecodeAsFewerLayers) {
  const Bytes file = ManyLayers();
  const ImageStream whole = Must(ParseImageStream(file));
  for (const uint64_t end : Boundaries(file)) {
    const Bytes prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(end));
    const ImageStream stream = Must(ParseImageStream(prefix));
    EXPECT_FALSE(stream.truncated);
    EXPECT_TRUE(SameSamples(Must(DecodeImage(stream, TestImageModel(), &TestImageSynthesis())),
                            Must(DecodeImage(whole, TestImageModel(), &TestImageSynthesis(),
                                             {.layers = static_cast<int>(stream.layers.size())}))));
  }
}

TEST(ImageHeaderTest, AllowTruncatedGivesTheWholeLayersOfAnyPrefix) {
  const Bytes file = ManyLayers();
  const ImageStream whole = Must(ParseImageStream(file));
  const std::vector<uint64_t> ends = Boundaries(file);
  size_t layers = 0;
  for (size_t n = 0; n <= file.size(); ++n) {
    const Bytes prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(n));
    const Result<ImageStream> stream = ParseImageStream(prefix, {}, /*allow_truncated=*/true);
    if (!stream.ok()) {
      ASSERT_EQ(stream.status().code(), StatusCode::kTruncated) << n;
      ASSERT_EQ(layers, 0u) << n;
      continue;
    }
    EXPECT_EQ(stream->truncated, std::ranges::find(ends, n) == ends.end()) << n;
    ASSERT_GE(stream->layers.size(), layers) << n;
    if (stream->layers.size() == layers) continue;
    layers = stream->layers.size();
    EXPECT_TRUE(SameSamples(
        Must(DecodeImage(*stream, TestImageModel(), nullptr)),
        Must(DecodeImage(whole, TestImageModel(), nullptr, {.layers = static_cast<int>(layers)}))))
        << n;
  }
  EXPECT_EQ(layers, 8u);
}

TEST(ImageHeaderTest, EveryFlippedBitIsAnError) {
  const Bytes file =
      EncodePicture(TestImageModel(), MakePicture(34, 40, 4), {.step_index = 170, .tile = 32});
  ASSERT_LT(file.size(), 2000u);
  Bytes flipped = file;
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    const StatusCode code = CodeOf(flipped);
    if (bit < 3 * 8) {  // the magic: any other file
      EXPECT_EQ(code, StatusCode::kUnreadable) << "bit " << bit;
    } else {
      EXPECT_TRUE(code == StatusCode::kCorrupt || code == StatusCode::kTruncated ||
                  code == StatusCode::kUnsupported)
          << "bit " << bit << ": " << StatusCodeName(code);
    }
    // With leave to take part of a file, a flip may pass; it must not do harm.
    const Result<ImageStream> stream = ParseImageStream(flipped, {}, /*allow_truncated=*/true);
    if (stream.ok()) {
      EXPECT_TRUE(stream->truncated) << bit;
      (void)DecodeImage(*stream, TestImageModel(), nullptr);
    }
    flipped[bit / 8] = file[bit / 8];
  }
}

// 768x512 at about 0.01 bit a pixel: at most 32 bytes beside the payloads.
TEST(ImageHeaderTest, AHeaderCannotBeSeenAtAHundredthOfABitAPixel) {
  Tensor<uint8_t> picture(512, 768, 3);  // slow waves and a few edges
  for (int64_t i = 0; i < picture.size(); ++i) {
    const int64_t c = i % 3, x = i / 3 % 768, y = i / 3 / 768;
    const bool inside = (x - 300) * (x - 300) + (y - 250) * (y - 250) < 150 * 150;
    picture.data()[i] = static_cast<uint8_t>(TriangleWave(x + y / 2 + 90 * c, 900, 120) +
                                             TriangleWave(y, 300, 60) + (inside ? 70 : 0));
  }
  ImageEncoder encoder = Must(ImageEncoder::Create(TestImageModel()));
  size_t closest = 0;
  constexpr double kPixels = 768 * 512;
  for (int step = 351; step >= 200; step -= 3) {
    ASSERT_TRUE(encoder.SetStepIndex(step).ok());
    const Bytes file = Must(encoder.Encode(picture.view()));
    const ImageStream stream = Must(ParseImageStream(file));
    size_t payload = 0;
    for (const auto& layer : stream.layers) {
      for (const auto& substream : layer) payload += substream.size();
    }
    const double bits = static_cast<double>(file.size()) * 8 / kPixels;
    if (bits > 0.012) break;
    closest = file.size();
    EXPECT_LE(file.size() - payload, 32u) << file.size() << " bytes in all, step " << step;
  }
  std::cout << closest << " bytes\n";
  EXPECT_GT(closest, 0.008 * kPixels / 8);  // the claim was put to the test
}

TEST(ImageHeaderTest, MetadataComesBackByteForByte) {
  ImageMetadata metadata;
  for (int i = 0; i < 3000; ++i) metadata.icc.push_back(static_cast<std::byte>(i * 7));
  for (int i = 0; i < 200; ++i) metadata.exif.push_back(static_cast<std::byte>(i));
  metadata.xmp = {std::byte{0}};
  ImageEncoder encoder = Must(ImageEncoder::Create(TestImageModel()));
  const Bytes file = Must(encoder.Encode(MakePicture(9, 9, 3).view(), metadata, true));
  const ImageStream stream = Must(ParseImageStream(file));
  EXPECT_TRUE(std::ranges::equal(stream.icc, metadata.icc));
  EXPECT_TRUE(std::ranges::equal(stream.exif, metadata.exif));
  EXPECT_TRUE(std::ranges::equal(stream.xmp, metadata.xmp));
  EXPECT_TRUE(stream.header.from_16_bit);
  const Bytes bare = Must(encoder.Encode(MakePicture(9, 9, 3).view()));
  const ImageStream none = Must(ParseImageStream(bare));
  EXPECT_TRUE(none.icc.empty() && none.exif.empty() && none.xmp.empty());
  EXPECT_FALSE(none.header.from_16_bit);
  EXPECT_EQ(none.sections.size(), 1u);
}

TEST(ImageHeaderTest, AHandMadePictureIsValid) {  // so that what fails below fails for one reason
  const HandMadePicture picture{.width = 40, .height = 30, .model_id = TestImageModel().id()};
  const Bytes file = HandMadeFile(picture);
  const Tensor<uint8_t> decoded = DecodePicture(file, TestImageModel(), nullptr);
  EXPECT_EQ(decoded.width(), 40);
  EXPECT_EQ(decoded.channels(), 1);
  HandMadePicture with_alpha = picture;
  with_alpha.flags = 8;
  const HandMadeSection alpha{Type(SectionType::kAlpha), {0}};
  EXPECT_EQ(
      CodeOf(HandMadeFile(
          with_alpha, {{Type(SectionType::kLayers), {kSecondLayer, 0}}, alpha, {0x7f, {1, 2, 3}}})),
      StatusCode::kOk);
  EXPECT_EQ(CodeOf(HandMadeFile(with_alpha)), StatusCode::kTruncated);
  EXPECT_EQ(CodeOf(HandMadeFile(picture, {alpha})), StatusCode::kCorrupt);  // not announced
}

TEST(ImageHeaderTest, AHugePictureInAFewBytesIsOverTheLimit) {
  const HandMadePicture picture{.width = uint64_t{1} << 31, .height = uint64_t{1} << 31};
  const Bytes file = HandMadeFile(picture);
  ASSERT_LE(file.size(), 60u);
  EXPECT_EQ(CodeOf(file), StatusCode::kOverLimit);
  EXPECT_EQ(PeekImageHeader(file).status().code(), StatusCode::kOverLimit);
  EXPECT_EQ(ParseImageStream(file, {}, true).status().code(), StatusCode::kOverLimit);
  // Cut short, it is still that; without a limit, its substreams cannot be there.
  EXPECT_EQ(CodeOf(Bytes(file.begin(), file.end() - 1)), StatusCode::kOverLimit);
  EXPECT_EQ(CodeOf(file, {.max_pixels = ~uint64_t{0}}), StatusCode::kCorrupt);
}

TEST(ImageHeaderTest, FieldsOutOfRangeAreRefused) {
  const auto code = [](const HandMadePicture& p) { return CodeOf(HandMadeFile(p)); };
  const uint64_t side = uint64_t{1} << 31;
  EXPECT_EQ(code({.width = 0}), StatusCode::kCorrupt);
  EXPECT_EQ(code({.height = 0}), StatusCode::kCorrupt);
  EXPECT_EQ(code({.width = side + 1}), StatusCode::kCorrupt);
  EXPECT_EQ(code({.height = ~uint64_t{0}}), StatusCode::kCorrupt);
  EXPECT_EQ(code({.width = side, .height = 1}), StatusCode::kOverLimit);
  EXPECT_EQ(code({.flags = 16}), StatusCode::kCorrupt);  // no id of an entropy model
  EXPECT_EQ(code({.flags = 16, .rest = {1, 2, 3, 4, 0}}), StatusCode::kOk);
  for (const int bit : {6, 7})
    EXPECT_EQ(code({.flags = static_cast<uint8_t>(1 << bit)}), StatusCode::kUnsupported) << bit;
  for (const int log2 : {0, 4, 13, 31, 32, 63, 64, 255}) {
    EXPECT_EQ(code({.flags = 4, .rest = {static_cast<uint8_t>(log2), 0}}), StatusCode::kCorrupt);
  }
  EXPECT_EQ(code({.flags = 4, .rest = {5, 0}}), StatusCode::kOk);
  EXPECT_EQ(code({.flags = 4, .rest = {12, 0}}), StatusCode::kOk);
  EXPECT_EQ(code({.rate = 351}), StatusCode::kOk);
  EXPECT_EQ(code({.rate = 352}), StatusCode::kCorrupt);
  for (int bit = 9; bit < 12; ++bit)
    EXPECT_EQ(code({.rate = static_cast<uint16_t>(1 << bit)}), StatusCode::kCorrupt) << bit;
  EXPECT_EQ(code({.rate = 7 << 12, .rest = std::vector<uint8_t>(8)}), StatusCode::kOk);
  EXPECT_EQ(code({.rate = 8 << 12, .rest = std::vector<uint8_t>(9)}), StatusCode::kCorrupt);
}

TEST(ImageHeaderTest, SubstreamsThatDoNotFillTheirSectionAreCorrupt) {
  const auto code = [](std::vector<uint8_t> rest) {
    return CodeOf(HandMadeFile({.rest = std::move(rest)}));
  };
  EXPECT_EQ(code({}), StatusCode::kCorrupt);            // no length
  EXPECT_EQ(code({1}), StatusCode::kCorrupt);           // no substream
  EXPECT_EQ(code({0, 9}), StatusCode::kCorrupt);        // a byte left over
  EXPECT_EQ(code({0x80, 0x00}), StatusCode::kCorrupt);  // not the shortest form of 0
  EXPECT_EQ(code({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}), StatusCode::kCorrupt);
}

TEST(ImageHeaderTest, SectionsOutOfOrderOrTwiceAreCorrupt) {
  const auto code = [](const std::vector<HandMadeSection>& sections) {
    return CodeOf(HandMadeFile({}, sections));
  };
  const uint8_t layers = Type(SectionType::kLayers);
  EXPECT_EQ(code({{layers, {0x02, 0}}}), StatusCode::kCorrupt);  // a layer is left out
  EXPECT_EQ(code({{layers, {0x00, 0}}}), StatusCode::kCorrupt);  // twice
  EXPECT_EQ(code({{layers, {kSecondLayer, 0}}, {layers, {kSecondLayer, 0}}}), StatusCode::kCorrupt);
  EXPECT_EQ(code({{layers, {0x71, 0, 0, 0, 0, 0, 0, 0, 0}}}), StatusCode::kCorrupt);  // nine
  EXPECT_EQ(code({{layers, {0x61, 0, 0, 0, 0, 0, 0, 0}}}), StatusCode::kOk);          // eight
  EXPECT_EQ(code({{layers, {}}}), StatusCode::kCorrupt);
  EXPECT_EQ(code({{Type(SectionType::kPicture), {0}}}), StatusCode::kCorrupt);
  EXPECT_EQ(code({{0x8f, {0}}}), StatusCode::kUnsupported);
  EXPECT_EQ(code({{Type(SectionType::kArray), {0}}}), StatusCode::kCorrupt);
  EXPECT_EQ(code({{Type(SectionType::kArrayTile), {0}}}), StatusCode::kCorrupt);
  for (const SectionType type :
       {SectionType::kAlpha, SectionType::kIcc, SectionType::kExif, SectionType::kXmp}) {
    const HandMadePicture picture{.flags =
                                      static_cast<uint8_t>(type == SectionType::kAlpha ? 8 : 0)};
    const HandMadeSection one{Type(type), {0}};
    EXPECT_EQ(CodeOf(HandMadeFile(picture, {one})), StatusCode::kOk) << int{Type(type)};
    EXPECT_EQ(CodeOf(HandMadeFile(picture, {one, one})), StatusCode::kCorrupt) << int{Type(type)};
  }
}

}  // namespace
}  // namespace godwit
