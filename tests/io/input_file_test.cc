#include "io/input_file.h"

#include <gtest/gtest.h>

#include "io/byte_source.h"
#include "tests/io/image_samples.h"

namespace godwit {
namespace {

TEST(InputFileTest, ReadsAllBytesUpToTheLimit) {
  const TempFolder folder;
  const std::string path = folder.File("file");
  for (const size_t size : {0, 1, 65535, 65536, 65537, 200000}) {
    SaveBytes(path, Bytes(size, std::byte{7}));
    const Result<Bytes> exact = ReadFile(path, size);
    ASSERT_TRUE(exact.ok()) << exact.status().message();
    EXPECT_EQ(*exact, Bytes(size, std::byte{7}));
    if (size == 0) continue;
    EXPECT_EQ(ReadFile(path, size - 1).status().code(), StatusCode::kOverLimit);
  }
}

TEST(InputFileTest, MissingFilesAndFoldersAreUnreadableAndNamed) {
  const TempFolder folder;
  for (const std::string& path : {folder.File("missing"), folder.File("."), std::string()}) {
    const Result<Bytes> bytes = ReadFile(path, 100);
    ASSERT_FALSE(bytes.ok());
    EXPECT_EQ(bytes.status().code(), StatusCode::kUnreadable);
    EXPECT_EQ(bytes.status().message().find(path + ": "), 0u) << bytes.status().message();
  }
}

TEST(ByteSourceTest, FilesAndMemoryGiveTheSameBytesInEveryWay) {
  Bytes bytes(150000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  const TempFolder folder;
  SaveBytes(folder.File("file"), bytes);
  for (const bool file : {false, true}) {
    Result<ByteSource> opened =
        file ? ByteSource::Open(folder.File("file")) : ByteSource::Over(bytes);
    ASSERT_TRUE(opened.ok());
    ByteSource source = *std::move(opened);
    Bytes got;
    // Peeks over the buffer's end at 64 KiB too.
    for (size_t round = 0; got.size() < 100000; ++round) {
      const size_t peeked = round * 37 % ByteSource::kMaxPeek;
      const auto ahead = source.Peek(peeked);
      ASSERT_EQ(ahead.size(), peeked);
      EXPECT_TRUE(std::equal(ahead.begin(), ahead.end(), bytes.begin() + got.size()));
      Bytes part(round * 101 % 5000);
      ASSERT_EQ(source.Read(part), part.size());
      got.insert(got.end(), part.begin(), part.end());
      got.push_back(static_cast<std::byte>(source.Get()));
      EXPECT_EQ(source.offset(), got.size());
    }
    for (auto block = source.TakeBlock(); !block.empty(); block = source.TakeBlock()) {
      got.insert(got.end(), block.begin(), block.end());
    }
    EXPECT_EQ(got, bytes);
    EXPECT_EQ(source.Get(), -1);
    EXPECT_TRUE(source.status().ok());
    Bytes searched(100);
    EXPECT_TRUE(source.ReadAt(1000, searched));
    EXPECT_TRUE(std::equal(searched.begin(), searched.end(), bytes.begin() + 1000));
    EXPECT_FALSE(source.ReadAt(bytes.size() - 99, searched));
    EXPECT_FALSE(source.ReadAt(bytes.size() + 1, std::span(searched).first(1)));
  }
}

}  // namespace
}  // namespace godwit
