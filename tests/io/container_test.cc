#include "io/container.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "tests/io/document_example.h"

namespace godwit {
namespace {

Bytes MakeBytes(const std::vector<int>& values) {
  Bytes bytes;
  for (const int v : values) bytes.push_back(static_cast<std::byte>(v));
  return bytes;
}

// The file of docs/format/container.md: a picture, an unknown optional section, XMP, layers.
Bytes Example() {
  ContainerWriter writer;
  writer.Add(SectionType::kPicture, MakeBytes({0x01, 0x02, 0x03}));
  writer.Add(0x7f, MakeBytes({0xaa}));
  writer.Add(SectionType::kXmp, MakeBytes({'x', 'm', 'p'}));
  writer.Add(SectionType::kLayers, {});
  return writer.Release();
}

// A section as the format says, for types that the writer would not write there.
void AppendSection(Bytes& file, uint8_t type, const Bytes& body) {
  ByteWriter w;
  w.U8(type);
  w.Varint(body.size());
  w.Append(body);
  w.U32(Crc32c(w.bytes()));
  file.insert(file.end(), w.bytes().begin(), w.bytes().end());
}

// Reads all sections; the first error or ok.
Status ReadAll(std::span<const std::byte> file, std::vector<Section>* sections = nullptr) {
  GODWIT_ASSIGN_OR_RETURN(ContainerReader reader, ContainerReader::Open(file));
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> section, reader.Next());
    if (!section) return {};
    if (sections) sections->push_back(*section);
  }
}

TEST(ContainerTest, SectionsComeBackAndUnknownOptionalOnesDoNot) {
  const Bytes file = Example();
  std::vector<Section> sections;
  ASSERT_TRUE(ReadAll(file, &sections).ok());
  ASSERT_EQ(sections.size(), 3u);
  EXPECT_EQ(sections[0].type, static_cast<uint8_t>(SectionType::kPicture));
  EXPECT_EQ(sections[0].offset, kFileHeaderSize);
  EXPECT_EQ(ToHex(sections[0].body), "01 02 03");
  EXPECT_EQ(sections[1].type, static_cast<uint8_t>(SectionType::kXmp));
  EXPECT_EQ(sections[1].offset, kFileHeaderSize + SectionSize(3) + SectionSize(1));
  EXPECT_EQ(ToHex(sections[1].body), "78 6d 70");
  EXPECT_EQ(sections[2].type, static_cast<uint8_t>(SectionType::kLayers));
  EXPECT_TRUE(sections[2].body.empty());
}

TEST(ContainerTest, TheDocumentShowsTheExample) {
  EXPECT_EQ(ToHex(BytesInDocument(GODWIT_SOURCE_DIR "/docs/format/container.md")),
            ToHex(Example()));
}

TEST(ContainerTest, AFileEndsAtASectionBoundaryOrIsTruncated) {
  const Bytes file = Example();
  const std::vector<size_t> boundaries = {13, 20, 29, 35};
  ASSERT_EQ(file.size(), boundaries.back());
  for (size_t size = 0; size <= file.size(); ++size) {
    const Status status = ReadAll(std::span(file).first(size));
    if (std::find(boundaries.begin(), boundaries.end(), size) != boundaries.end()) {
      EXPECT_TRUE(status.ok()) << size << ": " << status.message();
    } else {
      EXPECT_EQ(status.code(), StatusCode::kTruncated) << size << ": " << status.message();
    }
  }
}

TEST(ContainerTest, EveryBitFlipIsDetected) {
  Bytes file = Example();
  for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
    const auto flip = static_cast<std::byte>(1 << (bit % 8));
    file[bit / 8] ^= flip;
    const Status status = ReadAll(file);
    EXPECT_FALSE(status.ok()) << "bit " << bit;
    if (bit / 8 >= kFileHeaderSize && status.code() == StatusCode::kCorrupt) {
      EXPECT_NE(status.message().find("at byte"), std::string::npos) << status.message();
    }
    file[bit / 8] ^= flip;
  }
}

TEST(ContainerTest, OtherFilesAndVersionsAreToldApart) {
  EXPECT_EQ(ReadAll({}).code(), StatusCode::kTruncated);
  const Bytes png = MakeBytes({0x89, 'P', 'N', 'G', 13, 10});
  EXPECT_EQ(ReadAll(png).code(), StatusCode::kUnreadable);
  EXPECT_EQ(ReadAll(png).message().rfind("not a .gdw file: ", 0), 0u);
  EXPECT_EQ(ReadAll(std::span(png).first(1)).code(), StatusCode::kUnreadable);
  EXPECT_EQ(PeekFirstBody(png).status().code(), StatusCode::kUnreadable);
  Bytes file = Example();
  for (int version = 0; version < 256; ++version) {
    file[3] = static_cast<std::byte>(version);
    EXPECT_EQ(ReadAll(file).code(), version == 1 ? StatusCode::kOk : StatusCode::kUnsupported);
  }
}

TEST(ContainerTest, EveryUnknownTypeIsSkippedOrRefusedByItsCriticalBit) {
  for (int type = 0; type < 256; ++type) {
    Bytes file = Example();
    const size_t offset = file.size();
    AppendSection(file, static_cast<uint8_t>(type), MakeBytes({1, 2}));
    std::vector<Section> sections;
    const Status status = ReadAll(file, &sections);
    const bool optional_known = type == 0x10 || type == 0x11 || type == 0x12 || type == 0x13;
    const bool critical_known = type == 0x82 || type == 0x83 || type == 0x85 || type == 0x87;
    if (type == 0x81 || type == 0x84 || type == 0x86) {
      EXPECT_EQ(status.code(), StatusCode::kCorrupt);
    } else if (type >= 0x80 && !critical_known) {
      EXPECT_EQ(status.code(), StatusCode::kUnsupported);
      EXPECT_NE(status.message().find("at byte " + std::to_string(offset)), std::string::npos);
      EXPECT_NE(status.message().find("0x" + ToHex(MakeBytes({type}))), std::string::npos);
    } else {
      EXPECT_TRUE(status.ok()) << type;
      EXPECT_EQ(sections.size(), 3u + (optional_known || critical_known));
    }
    file.back() ^= std::byte{1};  // even what is skipped has its CRC checked
    EXPECT_EQ(ReadAll(file).code(), StatusCode::kCorrupt) << type;
  }
}

TEST(ContainerTest, TheFirstSectionIsAPicture) {
  for (const auto& [type, code] : {std::pair{0x10, StatusCode::kCorrupt},
                                   {0x7f, StatusCode::kCorrupt},
                                   {0x82, StatusCode::kCorrupt},
                                   {0xff, StatusCode::kUnsupported}}) {
    Bytes file = ContainerWriter().Release();
    AppendSection(file, static_cast<uint8_t>(type), {});
    for (size_t size = kFileHeaderSize + 1; size <= file.size(); ++size) {  // even cut short
      const auto part = std::span(file).first(size);
      EXPECT_EQ(ReadAll(part).code(), code) << type << ", " << size;
      EXPECT_EQ(PeekFirstBody(part).status().code(), code) << type << ", " << size;
    }
  }
}

TEST(ContainerTest, TheMediumIsTheFirstSectionsType) {
  for (const SectionType medium : {SectionType::kPicture, SectionType::kArray}) {
    ContainerWriter writer;
    writer.Add(medium, MakeBytes({1}));
    const Bytes file = writer.Release();
    const auto found = PeekMedium(std::span(file).first(kFileHeaderSize + 1));
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, medium);
    EXPECT_EQ(PeekMedium(std::span(file).first(kFileHeaderSize)).status().code(),
              StatusCode::kTruncated);
  }
}

TEST(ContainerTest, HostileLengthsAreErrorsAndNotReads) {
  for (const uint64_t length :
       {uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 9, uint64_t{1} << 32, uint64_t{5}}) {
    ByteWriter w;
    w.Append(ContainerWriter().Release());
    w.U8(0x81);
    w.Varint(length);
    w.U32(0);
    EXPECT_EQ(ReadAll(w.bytes()).code(), StatusCode::kTruncated) << length;
    const Result<std::span<const std::byte>> body = PeekFirstBody(w.bytes());
    ASSERT_TRUE(body.ok());
    EXPECT_EQ(body->size(), 4u);
  }
  Bytes padded = ContainerWriter().Release();
  for (const int b : {0x81, 0x80, 0x00}) padded.push_back(static_cast<std::byte>(b));
  EXPECT_EQ(ReadAll(padded).code(), StatusCode::kCorrupt);
  EXPECT_EQ(PeekFirstBody(padded).status().code(), StatusCode::kCorrupt);
}

TEST(ContainerTest, PeekReturnsWhatIsThereOfThePicture) {
  const Bytes file = Example();
  for (size_t size = 0; size <= file.size(); ++size) {
    bool complete = false;
    const auto body = PeekFirstBody(std::span(file).first(size), &complete);
    if (size < 6) {
      EXPECT_EQ(body.status().code(), StatusCode::kTruncated) << size;
    } else {
      ASSERT_TRUE(body.ok()) << size;
      EXPECT_EQ(body->size(), std::min<size_t>(size - 6, 3));
      EXPECT_EQ(body->data(), file.data() + 6);
      EXPECT_EQ(complete, size >= 9) << size;
    }
  }
}

TEST(ContainerTest, AFailureSaysWhereItsSectionStarts) {
  const Bytes file = Example();
  for (const auto& [size, offset] : {std::pair{12, 4}, {14, 13}, {28, 20}, {34, 29}}) {
    ContainerReader reader =
        *ContainerReader::Open(std::span(file).first(static_cast<size_t>(size)));
    Result<std::optional<Section>> next = reader.Next();
    while (next.ok() && next->has_value()) next = reader.Next();
    EXPECT_EQ(next.status().code(), StatusCode::kTruncated) << size;
    EXPECT_EQ(reader.failed_offset(), static_cast<uint64_t>(offset)) << size;
  }
}

TEST(ContainerTest, LongBodiesTakeLongerLengths) {
  for (const size_t size : {0u, 1u, 127u, 128u, 16383u, 16384u, 100000u}) {
    const Bytes body(size, std::byte{0x5a});
    ContainerWriter writer;
    writer.Add(SectionType::kPicture, body);
    const Bytes file = writer.Release();
    EXPECT_EQ(file.size(), kFileHeaderSize + SectionSize(size));
    std::vector<Section> sections;
    ASSERT_TRUE(ReadAll(file, &sections).ok());
    ASSERT_EQ(sections.size(), 1u);
    EXPECT_TRUE(
        std::equal(body.begin(), body.end(), sections[0].body.begin(), sections[0].body.end()));
  }
}

TEST(SectionFeedTest, FindsInPiecesWhatTheReaderFindsInTheWhole) {
  ContainerWriter writer;
  writer.Add(SectionType::kSound, Bytes(3, std::byte{7}));
  writer.Add(uint8_t{0x7f}, Bytes(5));  // unknown and optional
  writer.Add(SectionType::kSoundPart, Bytes(300, std::byte{1}));
  writer.Add(SectionType::kSoundPart, Bytes());
  const Bytes file = writer.Release();
  for (const size_t piece : {1u, 2u, 5u, 100u, 1000u}) {
    auto reader = ContainerReader::Open(file);
    ASSERT_TRUE(reader.ok());
    SectionFeed feed;
    int sections = 0;
    for (size_t at = 0; at < file.size(); at += piece) {
      feed.Push(std::span(file).subspan(at, std::min(piece, file.size() - at)));
      while (true) {
        const auto found = feed.Next();
        ASSERT_TRUE(found.ok()) << found.status().message();
        if (!*found) break;
        const auto wanted = reader->Next();
        ASSERT_TRUE(wanted.ok() && *wanted);
        EXPECT_EQ((*found)->type, (*wanted)->type);
        EXPECT_EQ((*found)->offset, (*wanted)->offset);
        EXPECT_TRUE(std::ranges::equal((*found)->body, (*wanted)->body));
        ++sections;
      }
    }
    EXPECT_EQ(sections, 3);
    EXPECT_TRUE(feed.Finish().ok());
  }
}

TEST(SectionFeedTest, SaysWhatIsWrongAndWhere) {
  ContainerWriter writer;
  writer.Add(SectionType::kSound, Bytes(3));
  writer.Add(SectionType::kSoundPart, Bytes(9));
  Bytes file = writer.Release();
  SectionFeed cut;
  cut.Push(std::span(file).first(file.size() - 1));
  EXPECT_TRUE(cut.Next().ok());
  EXPECT_EQ(cut.Finish().code(), StatusCode::kTruncated);
  file.back() ^= std::byte{1};
  SectionFeed flipped;
  flipped.Push(file);
  EXPECT_TRUE(flipped.Next().ok());
  EXPECT_EQ(flipped.Next().status().code(), StatusCode::kCorrupt);
  EXPECT_TRUE(flipped.Finish().ok());  // it goes on behind the bad section
  SectionFeed other;
  other.Push(AsBytes(std::span<const uint8_t>(reinterpret_cast<const uint8_t*>("RIFFxxxx"), 8)));
  EXPECT_EQ(other.Next().status().code(), StatusCode::kUnreadable);
}

}  // namespace
}  // namespace godwit
