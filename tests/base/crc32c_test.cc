#include "base/crc32c.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

uint32_t Crc(const std::vector<uint8_t>& v) { return Crc32c(std::as_bytes(std::span(v))); }

std::vector<uint8_t> Ascending(size_t size) {
  std::vector<uint8_t> v(size);
  std::iota(v.begin(), v.end(), uint8_t{0});
  return v;
}

TEST(Crc32cTest, MatchesRfc3720) {  // appendix B.4
  EXPECT_EQ(Crc(std::vector<uint8_t>(32, 0x00)), 0x8A9136AAu);
  EXPECT_EQ(Crc(std::vector<uint8_t>(32, 0xFF)), 0x62A8AB43u);
  EXPECT_EQ(Crc(Ascending(32)), 0x46DD794Eu);
  std::vector<uint8_t> descending = Ascending(32);
  std::reverse(descending.begin(), descending.end());
  EXPECT_EQ(Crc(descending), 0x113FDB5Cu);
}

TEST(Crc32cTest, MatchesTheCatalogueCheckValue) {
  constexpr std::string_view kDigits = "123456789";
  EXPECT_EQ(Crc32c(std::as_bytes(std::span(kDigits))), 0xE3069283u);
}

TEST(Crc32cTest, NothingIsZero) { EXPECT_EQ(Crc32c({}), 0u); }

TEST(Crc32cTest, EqualsTheBitwiseDefinitionAtEverySizeAndOffset) {
  const std::vector<uint8_t> data = Ascending(80);
  for (size_t begin = 0; begin < 8; ++begin) {
    for (size_t size = 0; begin + size <= data.size(); ++size) {
      uint32_t want = ~0u;
      for (size_t i = begin; i < begin + size; ++i) {
        want ^= data[i];
        for (int bit = 0; bit < 8; ++bit) want = (want >> 1) ^ ((want & 1) ? 0x82F63B78u : 0u);
      }
      const auto part = std::as_bytes(std::span(data).subspan(begin, size));
      EXPECT_EQ(Crc32c(part), ~want) << "begin=" << begin << " size=" << size;
    }
  }
}

TEST(Crc32cTest, ContinuesAcrossAnySplit) {
  const std::vector<uint8_t> data = Ascending(67);
  const auto bytes = std::as_bytes(std::span(data));
  for (size_t split = 0; split <= data.size(); ++split) {
    EXPECT_EQ(Crc32c(bytes.subspan(split), Crc32c(bytes.first(split))), Crc(data)) << split;
  }
}

TEST(Crc32cTest, EverySingleBitFlipShows) {
  std::vector<uint8_t> data = Ascending(64);
  const uint32_t whole = Crc(data);
  for (size_t bit = 0; bit < data.size() * 8; ++bit) {
    data[bit / 8] = static_cast<uint8_t>(data[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(Crc(data), whole) << "bit " << bit;
    data[bit / 8] = static_cast<uint8_t>(data[bit / 8] ^ (1 << (bit % 8)));
  }
}

}  // namespace
}  // namespace godwit
