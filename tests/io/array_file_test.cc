#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <string>

#include "io/nifti_file.h"
#include "io/npy_file.h"
#include "tests/io/image_samples.h"

namespace godwit {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

// A file as NumPy would write it, but for the padding.
Bytes Npy(const std::string& dictionary, std::span<const std::byte> samples, int major = 1) {
  ByteWriter w;
  w.Append(ToBytes(kMagic));
  w.U8(static_cast<uint8_t>(major));
  w.U8(0);
  if (major == 1) {
    w.U16(static_cast<uint16_t>(dictionary.size()));
  } else {
    w.U32(static_cast<uint32_t>(dictionary.size()));
  }
  w.Append(ToBytes(dictionary));
  w.Append(samples);
  return w.Release();
}

std::string Dictionary(const std::string& type, const std::string& shape,
                       const std::string& fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

Bytes Count(size_t n) {
  Bytes bytes(n);
  for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}

StatusCode CodeOf(const Bytes& file, const DecodeLimits& limits = {}) {
  return ReadNpy(file, limits).status().code();
}

TEST(NpyTest, EveryTypeAndRankComesBackAsWritten) {
  for (int t = 0; t < kSampleTypes; ++t) {
    const auto type = static_cast<SampleType>(t);
    for (int rank = 1; rank <= 4; ++rank) {
      Shape shape;
      shape.rank = rank;
      for (int i = 0; i < rank; ++i) shape.dims[static_cast<size_t>(i)] = i + 2;
      const Bytes samples = Count(static_cast<size_t>(shape.count()) * SampleBytes(type));
      Bytes file = NpyHeader(type, shape);
      EXPECT_EQ(file.size() % 64, 0u);
      file.insert(file.end(), samples.begin(), samples.end());
      const auto array = ReadNpy(file);
      ASSERT_TRUE(array.ok()) << array.status().message();
      EXPECT_EQ(array->type, type);
      EXPECT_EQ(array->shape, shape);
      EXPECT_EQ(array->data, samples);
    }
  }
}

TEST(NpyTest, FortranOrderAndBigEndianAreTurned) {
  const auto array = ReadNpy(Npy(Dictionary(">u2", "(2, 3)", "True"), Count(12)));
  ASSERT_TRUE(array.ok()) << array.status().message();
  // In the file column by column: 0x0001 0x0203 | 0x0405 0x0607 | ...
  const uint16_t want[] = {0x0001, 0x0405, 0x0809, 0x0203, 0x0607, 0x0a0b};
  EXPECT_EQ(std::memcmp(array->data.data(), want, sizeof(want)), 0);
}

TEST(NpyTest, OtherSpellingsOfTheHeaderAreRead) {
  for (const std::string text :
       {"{\"shape\":(3,),\"descr\":\"|u1\",\"fortran_order\":False}",
        "  { 'fortran_order' : False , 'shape' : ( 3 , ) , 'descr' : '|u1' } \n",
        "{'descr': '|b1', 'fortran_order': True, 'shape': (3), }"}) {
    for (const int major : {1, 2, 3}) {
      const auto array = ReadNpy(Npy(text, Count(3), major));
      ASSERT_TRUE(array.ok()) << text << array.status().message();
      EXPECT_EQ(array->shape.dims[0], 3);
    }
  }
}

TEST(NpyTest, EveryPrefixIsReportedAsTruncated) {
  const Bytes whole = Npy(Dictionary("<i2", "(2, 2)"), Count(8));
  for (size_t n = kMagic.size(); n < whole.size(); ++n) {
    EXPECT_EQ(CodeOf(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n))),
              StatusCode::kTruncated)
        << n;
  }
}

TEST(NpyTest, WhatIsWrongIsNamed) {
  using enum StatusCode;
  const Bytes none;
  EXPECT_EQ(CodeOf(Npy(Dictionary("<i2", "(2, 2)"), Count(9))), kUnreadable);
  EXPECT_EQ(CodeOf(Npy(Dictionary("<c8", "(2,)"), none)), kUnsupported);
  EXPECT_EQ(CodeOf(Npy(Dictionary("|O", "(2,)"), none)), kUnsupported);
  EXPECT_EQ(CodeOf(Npy(Dictionary("<f4", "()"), Count(4))), kUnsupported);
  EXPECT_EQ(CodeOf(Npy(Dictionary("<f4", "(1,1,1,1,1)"), Count(4))), kUnsupported);
  EXPECT_EQ(CodeOf(Npy(Dictionary("<f4", "(1,1", "False"), none)), kUnreadable);
  EXPECT_EQ(CodeOf(Npy(Dictionary("<f4", "(-1,)"), none)), kUnreadable);
  EXPECT_EQ(CodeOf(Npy(Dictionary("<f4", "(2,)", "Maybe"), Count(8))), kUnreadable);
  EXPECT_EQ(CodeOf(Npy("{'descr': '<f4', 'shape': (2,)}", Count(8))), kUnreadable);
  EXPECT_EQ(CodeOf(Npy("{'descr': '<f4", Count(8))), kUnreadable);
  EXPECT_EQ(CodeOf(Npy("", none)), kUnreadable);
  EXPECT_EQ(CodeOf(Npy(Dictionary("<f4", "(2,)"), Count(8), 4)), kUnsupported);
  EXPECT_EQ(CodeOf(ToBytes("PK\x03\x04....")), kUnreadable);
}

TEST(NpyTest, HostileSidesAreRefusedBeforeAnythingIsAllocated) {
  using enum StatusCode;
  EXPECT_EQ(CodeOf(Npy(Dictionary("<f4", "(1099511627776,)"), {})), kOverLimit);
  EXPECT_EQ(CodeOf(Npy(Dictionary("<f4", "(4294967296, 4294967296, 4)"), {})), kOverLimit);
  EXPECT_EQ(CodeOf(Npy(Dictionary("|u1", "(99999999999999999999999999,)"), {})), kOverLimit);
  EXPECT_EQ(CodeOf(Npy(Dictionary("<f8", "(1000,)"), Count(8000)), {.max_memory_bytes = 7999}),
            kOverLimit);
  EXPECT_EQ(CodeOf(Npy(Dictionary("|u1", "(250000000,)"), {})), kTruncated);
  const auto empty = ReadNpy(Npy(Dictionary("<f4", "(1099511627776, 0)"), {}));
  ASSERT_TRUE(empty.ok()) << empty.status().message();
  EXPECT_TRUE(empty->data.empty());
}

// A NIfTI-1 file with i16 samples 0, 1, 2, ...; big-endian where `swapped`.
Bytes Nifti(std::vector<int> sides, bool swapped, int type = 4) {
  Bytes file(352);
  const auto put = [&](size_t at, uint32_t v, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      file[at + (swapped ? size - 1 - i : i)] = static_cast<std::byte>(v >> (8 * i));
    }
  };
  put(0, 348, 4);
  put(40, static_cast<uint32_t>(sides.size()), 2);
  for (size_t i = 0; i < sides.size(); ++i) put(42 + 2 * i, static_cast<uint32_t>(sides[i]), 2);
  put(70, static_cast<uint32_t>(type), 2);
  put(108, std::bit_cast<uint32_t>(352.0f), 4);
  std::memcpy(file.data() + 344, "n+1", 4);
  const int count = std::accumulate(sides.begin(), sides.end(), 1, std::multiplies<>());
  for (int i = 0; i < count; ++i) {
    file.resize(file.size() + 2);
    put(file.size() - 2, static_cast<uint32_t>(i), 2);
  }
  return file;
}

TEST(NiftiTest, BothByteOrdersAreReadWithTheAxesTurned) {
  for (const bool swapped : {false, true}) {
    const Bytes file = Nifti({4, 3, 2, 1}, swapped);
    ASSERT_TRUE(IsNifti(file));
    const auto array = ReadNifti(file);
    ASSERT_TRUE(array.ok()) << array.status().message();
    EXPECT_EQ(array->type, SampleType::kI16);
    EXPECT_EQ(array->shape, Shape::Of(2, 3, 4));
    for (int i = 0; i < 24; ++i) EXPECT_EQ(array->As<int16_t>()[i], i);
  }
}

TEST(NiftiTest, WhatIsWrongIsNamed) {
  using enum StatusCode;
  const auto code = [](const Bytes& file, const DecodeLimits& limits = {}) {
    return ReadNifti(file, limits).status().code();
  };
  const Bytes whole = Nifti({4, 3}, false);
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(code(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n))), kTruncated);
  }
  EXPECT_EQ(code(Nifti({4, 3}, false, 128)), kUnsupported);
  EXPECT_EQ(code(Nifti({2, 1, 1, 1, 2}, false)), kUnsupported);
  EXPECT_EQ(code(Nifti({4, -3}, false)), kUnreadable);
  EXPECT_EQ(code(whole, {.max_pixels = 11}), kOverLimit);
  Bytes pair = whole;
  std::memcpy(pair.data() + 344, "ni1", 4);
  EXPECT_EQ(code(pair), kUnsupported);
  Bytes inside = whole;
  inside[111] = std::byte{0};
  EXPECT_EQ(code(inside), kUnreadable);
  EXPECT_EQ(code(ToBytes("\x1f\x8b")), kTruncated);
  EXPECT_EQ(code(ToBytes("\x1f\x8b\xff\xff\xff\xff\xff\xff\xff\xff\xff")), kUnreadable);
}

}  // namespace
}  // namespace godwit
