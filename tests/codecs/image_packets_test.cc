// Pictures in packets: lost, doubled, disordered, damaged and hostile ones, and what is made up in
// the place of what is missing.
#include "codecs/image/image_packets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "codecs/image/image_conceal.h"
#include "codecs/image/image_repack.h"
#include "io/container.h"
#include "io/transport.h"
#include "tests/codecs/stream_bytes.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"
#include "tests/io/document_example.h"

namespace godwit {
namespace {

constexpr uint32_t kHeight = 150, kWidth = 200;

Bytes RowsFile(int64_t channels = 3, uint32_t tile = 0, int step_index = 150) {
  return EncodePicture(
      TestImageModel(), MakePicture(kHeight, kWidth, channels),
      {.step_index = step_index, .tile = tile, .tile_height = 32, .order = ImageOrder::kRows});
}

std::vector<Bytes> Split(const Bytes& stream) {
  std::vector<Bytes> packets;
  TransportReader reader(stream);
  while (const auto p = reader.Next()) {
    Bytes packet;
    EXPECT_TRUE(AppendPacket(*p, &packet).ok());
    packets.push_back(std::move(packet));
  }
  return packets;
}
Bytes Join(const std::vector<Bytes>& packets) {
  Bytes stream;
  for (const Bytes& p : packets) stream.insert(stream.end(), p.begin(), p.end());
  return stream;
}
TransportPacket Read(const Bytes& packet) { return *TransportReader(packet).Next(); }

// As the program does with --conceal.
Result<Tensor<uint8_t>> Conceal(const GatheredImage& image,
                                const ImageDecodeOptions& options = {.threads = 1},
                                const ImageSynthesis* synthesis = nullptr) {
  GODWIT_ASSIGN_OR_RETURN(ImageStream stream, ParseDamagedImage(image.file));
  stream.losses = image.losses;
  return DecodeImage(stream, TestImageModel(), synthesis, options);
}

TEST(ImagePacketsTest, WholePicturesComeBackByteForByte) {
  std::mt19937 random(1);
  for (const int64_t channels : {1, 3}) {
    for (const uint32_t tile : {0u, 64u}) {
      const Bytes file = RowsFile(channels, tile);
      for (uint32_t size = 64; size < 65536; size = size < 300 ? size + 7 : size * 3 / 2) {
        const Bytes stream = Must(WriteImagePackets(file, {.packet_bytes = size, .picture = 9}));
        std::vector<Bytes> packets = Split(stream);
        for (const Bytes& p : packets) EXPECT_LE(p.size(), size);
        GatheredImage image = Must(GatherImagePackets(stream));
        EXPECT_TRUE(image.file == file) << size;
        EXPECT_TRUE(image.losses.empty() && image.first_loss.empty());
        EXPECT_EQ(image.picture, 9);
        EXPECT_EQ(image.packets, packets.size());
        EXPECT_EQ(image.missing + image.duplicates + image.passed_over, 0u);
        // In any order, some of them twice, with garbage before them.
        for (size_t i = 0; i < 3; ++i) packets.push_back(Bytes(packets[i]));
        std::ranges::shuffle(packets, random);
        packets.insert(packets.begin(), Bytes(11, std::byte{'G'}));
        image = Must(GatherImagePackets(Join(packets), 9));
        EXPECT_TRUE(image.file == file) << size;
        EXPECT_TRUE(image.losses.empty());
        EXPECT_EQ(image.duplicates, 3u);
        EXPECT_EQ(image.passed_over, 11u);
      }
    }
  }
}

// The rows that a packet belongs to are the only ones that its loss changes; without a network, not
// a sample elsewhere does.
TEST(ImagePacketsTest, ALostPacketCostsItsRowAndIsNamed) {
  const Bytes file = RowsFile();
  const Tensor<uint8_t> picture = MakePicture(kHeight, kWidth, 3);
  const Tensor<uint8_t> whole = DecodePicture(file, TestImageModel(), nullptr);
  const std::vector<Bytes> packets = Split(Must(WriteImagePackets(file, {.packet_bytes = 200})));
  ASSERT_GT(packets.size(), 20u);
  int lost = 0, shortened = 0;
  for (size_t i = 0; i < packets.size(); ++i) {
    std::vector<Bytes> rest = packets;
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(i));
    const GatheredImage image = Must(GatherImagePackets(Join(rest)));
    const uint64_t row = Read(packets[i]).row;
    ASSERT_EQ(image.losses.size(), 1u);
    EXPECT_EQ(image.losses[0].tile_row, row);
    EXPECT_EQ(image.missing, i + 1 < packets.size() ? 1u : 0u);
    EXPECT_NE(image.first_loss.find("row of tiles " + std::to_string(row) + " (lines "),
              std::string::npos);
    const Tensor<uint8_t> got = Must(Conceal(image));
    const auto y = static_cast<uint32_t>(32 * row), end = std::min<uint32_t>(kHeight, y + 32);
    const ImageRegion above{0, 0, kWidth, y}, below{0, end, kWidth, kHeight - end},
        here{0, y, kWidth, end - y};
    if (y > 0) {
      EXPECT_TRUE(SameSamples(Crop(got, above), Crop(whole, above))) << i;
    }
    if (end < kHeight) {
      EXPECT_TRUE(SameSamples(Crop(got, below), Crop(whole, below))) << i;
    }
    EXPECT_FALSE(SameSamples(Crop(got, here), Crop(whole, here))) << i;
    if (image.losses[0].layers == 0) {
      ++lost;
    } else {
      ++shortened;
      EXPECT_EQ(image.losses[0].of, 8);
      // What it has are the layers of the whole picture.
      if (image.losses[0].layers > 1) {
        const Tensor<uint8_t> coarse = DecodePicture(
            file, TestImageModel(), nullptr, {.layers = image.losses[0].layers, .threads = 1});
        EXPECT_TRUE(SameSamples(Crop(got, here), Crop(coarse, here))) << i;
      }
    }
    // Better than a row of one colour.
    Tensor<uint8_t> grey = Crop(picture, here);
    std::fill_n(grey.data(), grey.size(), uint8_t{128});
    EXPECT_GT(Psnr(Crop(got, here), Crop(picture, here)), Psnr(grey, Crop(picture, here)));
  }
  EXPECT_GE(lost, 5);
  EXPECT_GE(shortened, 5);
}

TEST(ImagePacketsTest, WhatIsMadeUpIsTheSameEverywhere) {
  const Bytes lite = RowsFile(3, 64);
  for (const bool full : {false, true}) {
    const Bytes file =
        full ? Must(RepackImage(Must(ParseImageStream(lite)), TestImageModel())) : lite;
    std::vector<Bytes> packets = Split(Must(WriteImagePackets(file, {.packet_bytes = 300})));
    // Rows 0 and 1 are lost, so is the last; of row 3 a piece is missing.
    std::erase_if(packets, [](const Bytes& packet) {
      const TransportPacket p = Read(packet);
      return p.row < 2 || p.row == 4 || (p.row == 3 && p.offset > 600);
    });
    // The head went with those rows but for the one in row 2.
    const GatheredImage image = Must(GatherImagePackets(Join(packets)));
    ASSERT_EQ(image.losses.size(), 4u);
    EXPECT_GT(image.losses[2].layers, 0);
    for (const ImageSynthesis* const synthesis :
         {&TestImageSynthesis(), static_cast<const ImageSynthesis*>(nullptr)}) {
      const Tensor<uint8_t> want =
          Must(Conceal(image, {.threads = 1, .simd = SimdLevel::kScalar}, synthesis));
      for (const SimdLevel level : SupportedSimdLevels()) {
        for (const uint32_t window : {0u, 32u, 96u}) {
          EXPECT_TRUE(SameSamples(
              Must(Conceal(image, {.threads = 3, .simd = level, .window = window}, synthesis)),
              want));
        }
      }
      for (const ImageRegion& r : {ImageRegion{70, 5, 90, 130}, {0, 40, 200, 20}, {150, 140, 3, 3}})
        EXPECT_TRUE(SameSamples(Must(Conceal(image, {.region = r}, synthesis)), Crop(want, r)));
    }
  }
}

TEST(ImagePacketsTest, TheLinesBetweenAreMeansThatWiden) {
  const std::vector<int16_t> above = {0, 80, 0, 0}, below = {-40, -40, 0, 41};
  std::vector<int16_t> out(8);
  FillBetween(above, below, out);
  // Rows 0 and 1 of 2: (2 * above + mean of three below) / 3, and so from below.
  EXPECT_EQ(out, (std::vector<int16_t>{-13, 44, 0, 7, -13, -18, 9, 27}));
  FillBetween(above, {}, out);
  EXPECT_EQ(out, (std::vector<int16_t>{0, 80, 0, 0, 40, 27, 27, 0}));
  FillBetween({}, below, out);
  EXPECT_EQ(out, (std::vector<int16_t>{-40, -27, 0, 21, -40, -40, 0, 41}));
}

TEST(ImagePacketsTest, FlatCellsBecomeSlopes) {
  std::vector<int16_t> dc(8 * 4);
  for (size_t i = 0; i < dc.size(); ++i) dc[i] = i % 8 < 4 ? 100 : -100;
  SmoothCells(8, dc);
  for (size_t y = 0; y < 4; ++y) {
    const std::vector<int16_t> row(dc.begin() + static_cast<ptrdiff_t>(8 * y),
                                   dc.begin() + static_cast<ptrdiff_t>(8 * y + 8));
    EXPECT_EQ(row, (std::vector<int16_t>{100, 100, 75, 25, -25, -75, -100, -100}));
  }
}

TEST(ImagePacketsTest, PicturesAreToldApartByTheirNumbers) {
  const Bytes one = RowsFile(3), two = RowsFile(1);
  Bytes stream = Must(WriteImagePackets(one, {.packet_bytes = 500, .picture = 65535}));
  const Bytes second = Must(WriteImagePackets(two, {.packet_bytes = 500, .picture = 0}));
  stream.insert(stream.end(), second.begin(), second.end());
  EXPECT_EQ(GatherImagePackets(stream).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(GatherImagePackets(stream, 7).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(Must(GatherImagePackets(stream, 65535)).file == one);
  EXPECT_TRUE(Must(GatherImagePackets(stream, 0)).file == two);
}

TEST(ImagePacketsTest, WhatContradictsItselfIsRefused) {
  const Bytes file = RowsFile();
  const std::vector<Bytes> packets = Split(Must(WriteImagePackets(file, {.packet_bytes = 200})));
  const auto with = [&](auto change) {
    std::vector<Bytes> more = packets;
    for (const Bytes& packet : packets) {
      TransportPacket p = Read(packet);
      Bytes piece(p.piece.begin(), p.piece.end()), head(p.head.begin(), p.head.end());
      if (!change(p, piece, head)) continue;
      p.piece = piece;
      p.head = head;
      Bytes changed;
      EXPECT_TRUE(AppendPacket(p, &changed).ok());
      more.push_back(changed);
      return GatherImagePackets(Join(more)).status().code();
    }
    ADD_FAILURE();
    return StatusCode::kOk;
  };
  using enum StatusCode;
  EXPECT_EQ(with([](auto&, auto&, auto&) { return true; }), kOk);  // once more
  EXPECT_EQ(with([](auto& p, auto& piece, auto&) { return piece[3] ^= std::byte{1}, p.row == 2; }),
            kCorrupt);
  EXPECT_EQ(with([](auto& p, auto&, auto&) { return p.last = true, p.offset == 0; }), kCorrupt);
  EXPECT_EQ(with([](auto& p, auto& piece, auto&) {
              return p.offset += piece.size(), p.last;  // past the end
            }),
            kCorrupt);
  EXPECT_EQ(with([](auto& p, auto&, auto&) { return p.row = 5, true; }), kCorrupt);
  EXPECT_EQ(with([](auto&, auto&, auto& head) {
              return !head.empty() && (head[1] ^= std::byte{1}, true);
            }),
            kCorrupt);
}

// Also where what is missing leaves it without use.
TEST(ImagePacketsTest, WhatContradictsItselfBehindAGapIsRefused) {
  std::vector<Bytes> packets = Split(Must(WriteImagePackets(RowsFile(), {.packet_bytes = 200})));
  std::erase_if(packets, [](const Bytes& packet) {
    const TransportPacket p = Read(packet);
    return p.row == 2 && p.offset == 0;
  });
  const auto behind =
      std::ranges::find_if(packets, [](const Bytes& p) { return Read(p).row == 2; });
  ASSERT_NE(behind, packets.end());
  TransportPacket p = Read(*behind);
  ASSERT_GT(p.piece.size(), 20u);
  Bytes piece(p.piece.begin(), p.piece.end());
  const auto with = [&](size_t from, const Bytes& bytes, bool last) {
    TransportPacket more = p;
    more.offset += from;
    more.piece = bytes;
    more.last = last;
    std::vector<Bytes> all = packets;
    EXPECT_TRUE(AppendPacket(more, &all.emplace_back()).ok());
    return GatherImagePackets(Join(all)).status().code();
  };
  const Bytes part(piece.begin() + 5, piece.begin() + 15);
  EXPECT_EQ(with(5, part, false), StatusCode::kOk);
  EXPECT_EQ(with(6, part, false), StatusCode::kCorrupt);
  EXPECT_EQ(with(5, part, true), StatusCode::kCorrupt);  // a second end
  p.offset = 0;
  EXPECT_EQ(with(0, {}, true), StatusCode::kCorrupt);  // and one before all
}

TEST(ImagePacketsTest, MessagesSayWhatIsSo) {
  const std::vector<Bytes> packets =
      Split(Must(WriteImagePackets(RowsFile(), {.packet_bytes = 200})));
  const auto without = [&](auto lost) {
    std::vector<Bytes> rest = packets;
    std::erase_if(rest, [&](const Bytes& packet) { return lost(Read(packet)); });
    return Must(GatherImagePackets(Join(rest))).first_loss;
  };
  EXPECT_EQ(without([](const TransportPacket& p) { return p.row == 2 && p.offset == 0; }),
            "row of tiles 2 (lines 64 to 95) lacks bytes from 0 on, or some of them; a packet is "
            "missing");
  const auto of_row =
      std::ranges::count_if(packets, [](const Bytes& p) { return Read(p).row == 2; });
  EXPECT_EQ(without([](const TransportPacket& p) { return p.row == 2; }),
            "row of tiles 2 (lines 64 to 95) lacks all of its bytes; " + std::to_string(of_row) +
                " packets are missing");
  // All of its bytes are there, and nothing says so.
  std::vector<Bytes> endless = packets;
  uint64_t end = 0;
  for (Bytes& packet : endless) {
    TransportPacket p = Read(packet);
    if (p.row != 2 || !p.last) continue;
    end = p.offset + p.piece.size();
    p.last = false;
    Bytes changed;
    EXPECT_TRUE(AppendPacket(p, &changed).ok());
    packet = std::move(changed);
  }
  EXPECT_EQ(
      Must(GatherImagePackets(Join(endless))).first_loss,
      "row of tiles 2 (lines 64 to 95) lacks its end, from byte " + std::to_string(end) + " on");
  std::vector<Bytes> far = packets;
  TransportPacket p = Read(far.back());
  p.row = UINT32_MAX;
  EXPECT_TRUE(AppendPacket(p, &far.emplace_back()).ok());
  EXPECT_EQ(GatherImagePackets(Join(far)).status().message(),
            "row of tiles 4294967295 is past the picture, which has 5");
  const Bytes alpha =
      EncodePicture(TestImageModel(), MakePicture(kHeight, kWidth, 4),
                    {.step_index = 150, .tile_height = 32, .order = ImageOrder::kRows});
  ContainerReader reader = Must(ContainerReader::Open(alpha));
  TransportPacket one = Read(packets[0]);
  one.head = Must(reader.Next())->body;
  Bytes stream;
  EXPECT_TRUE(AppendPacket(one, &stream).ok());
  EXPECT_EQ(GatherImagePackets(stream).status().message(),
            "packets of a picture with alpha, which packets do not carry");
}

TEST(ImagePacketsTest, WithoutAHeadOrARowThereIsNoPicture) {
  const std::vector<Bytes> packets =
      Split(Must(WriteImagePackets(RowsFile(), {.packet_bytes = 200})));
  std::vector<Bytes> headless = packets, rowless;
  std::erase_if(headless, [](const Bytes& p) { return !Read(p).head.empty(); });
  EXPECT_EQ(GatherImagePackets(Join(headless)).status().code(), StatusCode::kTruncated);
  rowless.push_back(packets.back());  // the end of the last row, without its head
  const Bytes with_head = *std::ranges::find_if(
      packets, [](const Bytes& p) { return Read(p).row == 4 && !Read(p).head.empty(); });
  TransportPacket p = Read(with_head);
  p.piece = {};
  Bytes head_alone;
  ASSERT_TRUE(AppendPacket(p, &head_alone).ok());
  rowless.push_back(head_alone);
  const GatheredImage image = Must(GatherImagePackets(Join(rowless)));
  EXPECT_EQ(image.losses.size(), 5u);
  EXPECT_EQ(ParseDamagedImage(image.file).status().code(), StatusCode::kTruncated);
  EXPECT_EQ(GatherImagePackets(Bytes(100)).status().code(), StatusCode::kUnreadable);
}

TEST(ImagePacketsTest, LimitsHold) {
  const Bytes stream = Must(WriteImagePackets(RowsFile(), {.packet_bytes = 64}));
  EXPECT_EQ(GatherImagePackets(stream, {}, {.max_pixels = 29999}).status().code(),
            StatusCode::kOverLimit);
  EXPECT_EQ(GatherImagePackets(stream, {}, {.max_memory_bytes = 1000}).status().code(),
            StatusCode::kOverLimit);
  // 400 megapixels in five rows of empty tiles: more than is read where nobody asks for more.
  const HandMadePicture large{.flags = 36, .width = 20000, .height = 20000, .rest = {0xbc}};
  std::vector<HandMadeSection> rows;
  for (uint8_t r = 0; r < 5; ++r) rows.push_back({0x82, {r, 0, 0}});
  const Bytes file = HandMadeFile(large, rows);
  EXPECT_EQ(WriteImagePackets(file).status().code(), StatusCode::kOverLimit);
  const Bytes packets = Must(WriteImagePackets(file, {}, {.max_pixels = 400'000'000}));
  EXPECT_TRUE(Must(GatherImagePackets(packets, {}, {.max_pixels = 400'000'000})).file == file);
}

TEST(ImagePacketsTest, OnlyWhatSensorsWriteIsCutIntoPackets) {
  using enum StatusCode;
  const auto code = [](const Bytes& file) { return WriteImagePackets(file).status().code(); };
  EXPECT_EQ(code(EncodePicture(TestImageModel(), MakePicture(40, 40, 3))), kUnsupported);
  EXPECT_EQ(code(RowsFile(4)), kUnsupported);  // alpha
  // Sections that no picture looks at would be lost: tags of a sound, an unknown optional one.
  for (const uint8_t type : {uint8_t{0x13}, uint8_t{0x20}}) {
    Bytes more = RowsFile();
    AppendSection(static_cast<SectionType>(type), Bytes(3), &more);
    ASSERT_TRUE(ParseImageStream(more).ok());
    EXPECT_EQ(code(more), kUnsupported);
    const HandMadePicture picture{.flags = 36, .width = 40, .height = 40, .rest = {0x25}};
    EXPECT_EQ(code(HandMadeFile(picture, {{type, {9}}, {0x82, {0, 0, 0}}, {0x82, {1, 0, 0}}})),
              kUnsupported);
  }
  Bytes cut = RowsFile();
  cut.pop_back();
  EXPECT_EQ(code(cut), kTruncated);
  for (const uint32_t size : {0u, 63u, 65536u}) {
    EXPECT_EQ(WriteImagePackets(RowsFile(), {.packet_bytes = size}).status().code(),
              kInvalidArgument);
  }
}

TEST(ImagePacketsTest, TheDocumentShowsTheExample) {
  const HandMadePicture picture{.flags = 36,
                                .width = 40,
                                .height = 40,
                                .model_id = 0x0123456789abcdef,
                                .rate = 200,
                                .rest = {0x25}};
  const Bytes file = HandMadeFile(picture, {{0x82, {0, 0, 2, 0xa1, 0xb2}}, {0x82, {1, 0, 0}}});
  const Bytes stream = Must(WriteImagePackets(file, {.packet_bytes = 64, .picture = 5}));
  EXPECT_EQ(ToHex(BytesInDocument(GODWIT_SOURCE_DIR "/docs/format/transport.md")), ToHex(stream));
}

// Damaged files, section by section.
TEST(DamagedImageTest, AFlippedByteCostsItsRow) {
  const Bytes file = RowsFile(3, 64);
  const ImageStream whole = Must(ParseImageStream(file));
  ASSERT_EQ(whole.sections.size(), 6u);
  EXPECT_TRUE(Must(ParseDamagedImage(file)).losses.empty());
  for (size_t at = 0; at < file.size(); ++at) {
    Bytes damaged = file;
    damaged[at] ^= std::byte{0x41};
    const Result<ImageStream> stream = ParseDamagedImage(damaged);
    if (at < whole.sections[1].offset) {
      EXPECT_FALSE(stream.ok()) << at;
      continue;
    }
    ASSERT_TRUE(stream.ok()) << at << stream.status().message();
    const auto section = std::ranges::find_if(
        whole.sections, [&](const ImageSectionInfo& s) { return at < s.offset + s.bytes; });
    ASSERT_EQ(stream->losses.size(), 1u) << at;
    EXPECT_EQ(static_cast<int64_t>(stream->losses[0].tile_row), section->tile_row);
    EXPECT_EQ(stream->losses[0].layers, 0);
    ASSERT_EQ(stream->damage.size(), 1u);
    EXPECT_EQ(stream->damage[0], "bytes " + std::to_string(section->offset) + " to " +
                                     std::to_string(section->offset + section->bytes - 1) +
                                     " are damaged");
  }
}

TEST(DamagedImageTest, AFileThatIsCutShortGivesItsRows) {
  const Bytes file = RowsFile();
  const ImageStream whole = Must(ParseImageStream(file));
  for (size_t n = 0; n < file.size(); ++n) {
    const Result<ImageStream> stream = ParseDamagedImage(std::span(file).first(n));
    size_t rows = 0;
    for (const ImageSectionInfo& s : whole.sections)
      rows += s.tile_row >= 0 && s.offset + s.bytes <= n ? 1 : 0;
    ASSERT_EQ(stream.ok(), rows > 0) << n;
    if (!stream.ok()) {
      EXPECT_EQ(stream.status().code(), StatusCode::kTruncated);
      continue;
    }
    EXPECT_EQ(stream->losses.size(), 5 - rows) << n;
  }
}

TEST(DamagedImageTest, InTheOrderOfLayersThoseBeforeTheDamageAreLeft) {
  const Bytes file = EncodePicture(TestImageModel(), MakePicture(100, 100, 3), {.step_index = 60});
  const ImageStream whole = Must(ParseImageStream(file));
  ASSERT_GT(whole.sections.size(), 3u);
  for (size_t i = 1; i < whole.sections.size(); ++i) {
    Bytes damaged = file;
    damaged[whole.sections[i].offset + 9] ^= std::byte{4};
    EXPECT_EQ(ParseImageStream(damaged).status().code(), StatusCode::kCorrupt);
    const ImageStream stream = Must(ParseDamagedImage(damaged));
    EXPECT_TRUE(stream.truncated);
    EXPECT_EQ(static_cast<int>(stream.layers.size()), whole.sections[i].first_layer);
    EXPECT_EQ(stream.damage.size(), whole.sections.size() - i);
    EXPECT_TRUE(SameSamples(Must(DecodeImage(stream, TestImageModel(), &TestImageSynthesis())),
                            DecodePicture(file, TestImageModel(), &TestImageSynthesis(),
                                          {.layers = whole.sections[i].first_layer})));
  }
}

TEST(DamagedImageTest, LayersOfARowThatBuildOnLostOnesAreLeftOut) {
  constexpr auto kLayersType = static_cast<uint8_t>(SectionType::kLayers);
  const HandMadePicture picture{
      .flags = 36, .width = 40, .height = 70, .rate = 2 << 12, .rest = {0x25}};
  const auto parse = [&](const std::vector<std::vector<uint8_t>>& bodies, size_t damaged) {
    std::vector<HandMadeSection> sections;
    for (const auto& body : bodies) sections.push_back({kLayersType, body});
    Bytes file = HandMadeFile(picture, sections);
    size_t at = HandMadeFile(picture).size();
    for (size_t i = 0; i < damaged; ++i) at += SectionSize(bodies[i].size());
    file[at + 3] ^= std::byte{0x80};
    return Must(ParseDamagedImage(file));
  };
  // The second of row 0's three sections.
  ImageStream s = parse({{0, 0, 0}, {0, 1, 0}, {0, 2, 0}, {1, 0, 0}, {2, 0, 0}}, 1);
  ASSERT_EQ(s.losses.size(), 1u);
  EXPECT_EQ(s.losses[0].tile_row, 0u);
  EXPECT_EQ(s.losses[0].layers, 1);
  EXPECT_TRUE(s.truncated);
  ASSERT_EQ(s.damage.size(), 2u);
  EXPECT_NE(s.damage[0].find(" are damaged"), std::string::npos);
  EXPECT_NE(s.damage[1].find("build on lost ones"), std::string::npos);
  // The first of row 1's two.
  s = parse({{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {2, 0, 0}}, 1);
  ASSERT_EQ(s.losses.size(), 1u);
  EXPECT_EQ(s.losses[0].tile_row, 1u);
  // The last layers of row 0, of row 2, and of a row that has as many as there can be.
  s = parse({{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {2, 0, 0}}, 1);
  ASSERT_EQ(s.losses.size(), 1u);
  EXPECT_EQ(s.losses[0].tile_row, 0u);
  EXPECT_EQ(s.losses[0].layers, 1);
  s = parse({{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {2, 1, 0}}, 3);
  ASSERT_EQ(s.losses.size(), 1u);
  EXPECT_EQ(s.losses[0].tile_row, 2u);
  s = parse({{0, 0, 0}, {1, 0x20, 0, 0, 0}, {1, 1, 0}, {2, 0, 0}}, 2);
  EXPECT_TRUE(s.losses.empty());
  EXPECT_EQ(s.damage.size(), 1u);
}

TEST(DamagedImageTest, AProfileBetweenTheLayersOfARowIsNoDamage) {
  const HandMadePicture picture{
      .flags = 36, .width = 40, .height = 40, .rate = 1 << 12, .rest = {0x25}};
  const Bytes file = HandMadeFile(
      picture, {{0x82, {0, 0, 0}}, {0x10, {1, 2}}, {0x82, {0, 1, 1, 7}}, {0x82, {1, 0, 0}}});
  ASSERT_TRUE(ParseImageStream(file).ok());
  const ImageStream s = Must(ParseDamagedImage(file));
  EXPECT_TRUE(s.damage.empty() && s.losses.empty());
  EXPECT_FALSE(s.truncated);
  EXPECT_EQ(s.layers[1][0].size(), 1u);
}

TEST(DamagedImageTest, MissingRowsAreHeldToTheLimitOnMemory) {
  // A million rows, of which only the last is there.
  const HandMadePicture picture{.flags = 36, .width = 1, .height = 1u << 25, .rest = {0x25}};
  const Bytes file = HandMadeFile(picture, {{0x82, {0xff, 0xff, 0x3f, 0, 0}}});
  EXPECT_EQ(Must(ParseDamagedImage(file)).losses.size(), (1u << 20) - 1);
  EXPECT_EQ(ParseDamagedImage(file, {.max_memory_bytes = 20'000'000}).status().code(),
            StatusCode::kOverLimit);
  const Bytes head = picture.Body();
  const std::vector<std::byte> piece(2);
  Bytes packet;
  ASSERT_TRUE(AppendPacket({.last = true, .head = head, .piece = piece}, &packet).ok());
  EXPECT_EQ(Must(GatherImagePackets(packet)).losses.size(), (1u << 20) - 1);
  EXPECT_EQ(GatherImagePackets(packet, {}, {.max_memory_bytes = 16'000'000}).status().code(),
            StatusCode::kOverLimit);
}

TEST(DamagedImageTest, NotesAreFew) {
  std::vector<HandMadeSection> sections = {{0x82, {0, 0, 0}}};
  for (int i = 0; i < 200; ++i) sections.push_back({0x13, {9, 9}});
  Bytes file = HandMadeFile({.flags = 36, .width = 40, .height = 20, .rest = {0x25}}, sections);
  const size_t first = Must(ParseImageStream(file)).sections[1].offset + 9;
  for (size_t at = first; at < file.size(); at += 16) file[at + 3] ^= std::byte{1};
  const ImageStream s = Must(ParseDamagedImage(file));
  ASSERT_EQ(s.damage.size(), 9u);
  EXPECT_EQ(s.damage[8], "and 92 more places are damaged");
}

// 32 rows of 40 to 50 thousand random bytes, in which much looks like a section.
TEST(DamagedImageTest, DamageInALargeFileCostsWhatItTouches) {
  std::mt19937 random(11);
  const HandMadePicture picture{.flags = 36, .width = 64, .height = 1024, .rest = {0x25}};
  std::vector<HandMadeSection> rows(32);
  std::vector<size_t> begins = {HandMadeFile(picture).size()};
  for (uint8_t r = 0; r < 32; ++r) {
    const uint64_t size = 40000 + random() % 10000;
    ByteWriter body;
    body.U8(r);
    body.U8(0);
    body.Varint(size);
    for (uint64_t i = 0; i < size; ++i) body.U8(static_cast<uint8_t>(random()));
    for (const std::byte b : body.bytes()) rows[r].body.push_back(std::to_integer<uint8_t>(b));
    rows[r].type = 0x82;
    begins.push_back(begins.back() + SectionSize(rows[r].body.size()));
  }
  const Bytes file = HandMadeFile(picture, rows);
  ASSERT_EQ(file.size(), begins.back());
  const auto lost = [](const Bytes& damaged) {
    std::vector<uint64_t> rows_lost;
    for (const ImageLoss& loss : Must(ParseDamagedImage(damaged)).losses)
      rows_lost.push_back(loss.tile_row);
    return rows_lost;
  };
  using Rows = std::vector<uint64_t>;
  // Bytes that are missing, so that the length leads nowhere.
  Bytes damaged = file;
  for (const size_t r : {30u, 17u, 3u})
    damaged.erase(damaged.begin() + static_cast<ptrdiff_t>(begins[r] + 20000));
  EXPECT_EQ(lost(damaged), (Rows{3, 17, 30}));
  // Flipped bytes in neighbours, whose lengths lead from one to the next.
  damaged = file;
  for (const size_t r : {5u, 6u, 7u, 8u, 30u, 31u}) damaged[begins[r] + 9] ^= std::byte{1};
  EXPECT_EQ(lost(damaged), (Rows{5, 6, 7, 8, 30, 31}));
  // Both, and the end is cut off: row 9 stands between two that are damaged.
  damaged.resize(begins[31] + 100);
  damaged.erase(damaged.begin() + static_cast<ptrdiff_t>(begins[20] + 20000));
  damaged[begins[10] + 9] ^= std::byte{1};
  EXPECT_EQ(lost(damaged), (Rows{5, 6, 7, 8, 10, 20, 30, 31}));
}

// Sections that would be whole but for their CRC, one in the other.
TEST(DamagedImageTest, AHostileFileCostsNoMoreThanItsLength) {
  Bytes file = RowsFile();
  const size_t begin = file.size();
  while (file.size() < (8u << 20)) {
    const size_t left = (8u << 20) - file.size();
    file.push_back(std::byte{0x82});
    ByteWriter size;
    size.Varint(left > 64 ? left - 16 : 1);
    file.insert(file.end(), size.bytes().begin(), size.bytes().end());
  }
  const ImageStream stream = Must(ParseDamagedImage(file));
  EXPECT_TRUE(stream.losses.empty());
  ASSERT_EQ(stream.damage.size(), 1u);
  EXPECT_NE(stream.damage[0].find("bytes " + std::to_string(begin)), std::string::npos);
}

}  // namespace
}  // namespace godwit
