// tests/io/image_samples.h: small pictures, files and folders for the tests of io/.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/image_file.h"
#include "io/image_writer.h"
#include "io/input_file.h"
#include "tensor/tensor.h"

namespace godwit {

// A folder of this test's own, gone with it.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "godwit_io_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

 private:
  std::string path_;
};

inline Bytes ToBytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return Bytes(bytes.begin(), bytes.end());
}

inline void SaveBytes(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

inline Bytes LoadBytes(const std::string& path) {
  Result<Bytes> bytes = ReadFile(path, 1 << 24);
  if (!bytes.ok()) ADD_FAILURE() << bytes.status().message();
  return bytes.ok() ? *bytes : Bytes();
}

// Interleaved samples with their shape; the tests' only kind of picture.
struct Picture {
  uint32_t width = 0, height = 0, channels = 0;
  std::vector<uint8_t> samples;
  const uint8_t* At(uint32_t y, uint32_t x) const {
    return &samples[(size_t{y} * width + x) * channels];
  }
  TensorView<const uint8_t> view() const {
    return {samples.data(), height, width, channels, int64_t{width} * channels, channels};
  }
  friend bool operator==(const Picture&, const Picture&) = default;
};

// Noise: every sample may take every value. xorshift32.
inline Picture NoisePicture(uint32_t width, uint32_t height, uint32_t channels, uint32_t seed) {
  Picture p{width, height, channels, std::vector<uint8_t>(size_t{width} * height * channels)};
  uint32_t state = seed * 2654435761u + 1;
  for (uint8_t& v : p.samples) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    v = static_cast<uint8_t>(state >> 11);
  }
  return p;
}

// Slopes that differ by channel: what JPEG keeps to within a few steps.
inline Picture SmoothPicture(uint32_t width, uint32_t height, uint32_t channels) {
  Picture p{width, height, channels, {}};
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      for (uint32_t c = 0; c < channels; ++c) {
        p.samples.push_back(static_cast<uint8_t>(40 + (3 * x + 2 * y + 30 * c) % 160));
      }
    }
  }
  return p;
}

// Reads every row, `step` at a time.
inline Status ReadPicture(ImageReader& reader, Picture* p, uint32_t step = 3) {
  const ImageInfo& info = reader.info();
  *p = {info.width, info.height, info.channels, {}};
  p->samples.resize(size_t{info.width} * info.height * info.channels);
  const int64_t row = int64_t{info.width} * info.channels;
  for (uint32_t y = 0; y < info.height; y += step) {
    const int64_t n = std::min(step, info.height - y);
    GODWIT_RETURN_IF_ERROR(
        reader.ReadRows({&p->samples[y * row], n, info.width, info.channels, row, info.channels}));
  }
  return {};
}

struct ReadResult {
  Status status;
  ImageInfo info;
  Picture picture;
};
inline ReadResult ReadBytes(std::span<const std::byte> bytes, const DecodeLimits& limits = {}) {
  ReadResult result;
  auto reader = OpenImageBytes(bytes, limits);
  result.status = reader.ok() ? ReadPicture(**reader, &result.picture) : reader.status();
  if (reader.ok()) result.info = (*reader)->info();
  return result;
}

inline ImageInfo InfoFor(const Picture& p) {
  ImageInfo info;
  info.width = p.width;
  info.height = p.height;
  info.channels = static_cast<uint8_t>(p.channels);
  return info;
}

// The file that CreateImage() writes.
inline Bytes WrittenFile(const Picture& p, const std::string& format, ImageInfo info,
                         ImageWriteOptions options = {}) {
  const TempFolder folder;
  const std::string path = folder.File("picture");
  options.format = format;
  auto writer = CreateImage(path, info, options);
  if (!writer.ok()) {
    ADD_FAILURE() << writer.status().message();
    return {};
  }
  const Status written = (*writer)->WriteRows(p.view());
  const Status finished = (*writer)->Finish();
  EXPECT_TRUE(written.ok()) << written.message();
  EXPECT_TRUE(finished.ok()) << finished.message();
  return LoadBytes(path);
}

// Every proper prefix must fail, and fail as truncated.
inline void ExpectPrefixesTruncated(const Bytes& file) {
  for (size_t n = 0; n < file.size(); ++n) {
    const ReadResult result = ReadBytes(std::span(file).first(n));
    ASSERT_FALSE(result.status.ok()) << n << " of " << file.size() << " bytes";
    ASSERT_EQ(result.status.code(), StatusCode::kTruncated)
        << n << " of " << file.size() << " bytes: " << result.status.message();
  }
}

// A TIFF blob with the tags ImageWidth and Orientation.
inline Bytes ExifBlob(int orientation, bool big_endian) {
  Bytes blob;
  const auto put = [&](uint32_t v, int size) {
    for (int i = 0; i < size; ++i) {
      blob.push_back(static_cast<std::byte>(v >> (8 * (big_endian ? size - 1 - i : i))));
    }
  };
  const auto short_entry = [&](uint32_t tag, uint32_t value) {
    put(tag, 2);
    put(3, 2);
    put(1, 4);
    put(value, 2);
    put(0, 2);
  };
  put(big_endian ? 0x4D4D : 0x4949, 2);
  put(42, 2);
  put(8, 4);
  put(2, 2);
  short_entry(0x0100, 77);
  short_entry(0x0112, static_cast<uint32_t>(orientation));
  put(0, 4);
  return blob;
}

// The upright picture, one pixel after the other, by EXIF 2.3's words for each orientation.
inline Picture Upright(const Picture& p, int orientation) {
  const uint32_t w = p.width, h = p.height;
  Picture out{orientation >= 5 ? h : w, orientation >= 5 ? w : h, p.channels, {}};
  for (uint32_t y = 0; y < out.height; ++y) {
    for (uint32_t x = 0; x < out.width; ++x) {
      uint32_t from_y = y, from_x = x;
      switch (orientation) {
        case 2:  // mirrored
          from_x = w - 1 - x;
          break;
        case 3:  // upside down
          from_y = h - 1 - y, from_x = w - 1 - x;
          break;
        case 4:  // upside down and mirrored
          from_y = h - 1 - y;
          break;
        case 5:  // columns are rows
          from_y = x, from_x = y;
          break;
        case 6:  // to be turned a quarter clockwise: the stored left column is the top row
          from_y = h - 1 - x, from_x = y;
          break;
        case 7:  // columns are rows, upside down
          from_y = h - 1 - x, from_x = w - 1 - y;
          break;
        case 8:  // to be turned a quarter anticlockwise: the stored right column is the top row
          from_y = x, from_x = w - 1 - y;
          break;
      }
      const uint8_t* const pixel = p.At(from_y, from_x);
      out.samples.insert(out.samples.end(), pixel, pixel + p.channels);
    }
  }
  return out;
}

}  // namespace godwit
