// tests/codecs/golden_set.h: the pictures of testdata/v1, for the tool that writes them and the
// test that reads them.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "codecs/image/image_repack.h"
#include "models/registry.h"
#include "tests/codecs/test_pictures.h"

namespace godwit {

struct GoldenPicture {
  std::string name;  // of the file, less .gdw
  int64_t width, height, channels;
  ImageEncodeOptions options;
  std::string entropy = "lite";  // another one is repacked to
};

inline std::vector<GoldenPicture> GoldenPictures() {
  return {
      {"rgb_97x61", 97, 61, 3, {.step_index = 144}},
      {"rgb_97x61_fine", 97, 61, 3, {.step_index = 40}},
      {"rgb_97x61_coarse", 97, 61, 3, {.step_index = 288}},
      {"grey_64x40", 64, 40, 1, {.step_index = 120}},
      {"grey_alpha_33x31", 33, 31, 2, {.step_index = 160}},
      {"rgba_50x70_tiles_32", 50, 70, 4, {.step_index = 130, .tile = 32}},
      {"rgb_200x130_tiles_64", 200, 130, 3, {.step_index = 150, .tile = 64}},
      {"rgb_97x61_layers_3", 97, 61, 3, {.step_index = 100, .layers = 3}},
      {"rgb_1x1", 1, 1, 3, {.step_index = 100}},
      {"grey_1x77", 1, 77, 1, {.step_index = 100, .tile = 32}},
      {"rgb_200x130_tiles_128x64",
       200,
       130,
       3,
       {.step_index = 150, .tile = 128, .tile_height = 64}},
      {"rgb_97x161_rows", 97, 161, 3, {.step_index = 200, .order = ImageOrder::kRows}},
      {"grey_200x70_rows_64x32",
       200,
       70,
       1,
       {.step_index = 140, .tile = 64, .tile_height = 32, .order = ImageOrder::kRows}},
      {"full_rgb_97x61", 97, 61, 3, {.step_index = 144}, "full"},
      {"full_rgb_97x61_fine", 97, 61, 3, {.step_index = 40}, "full"},
      {"full_rgb_97x61_coarse", 97, 61, 3, {.step_index = 288}, "full"},
      {"full_grey_64x40", 64, 40, 1, {.step_index = 120}, "full"},
      {"full_rgba_50x70_tiles_32", 50, 70, 4, {.step_index = 130, .tile = 32}, "full"},
      {"full_rgb_200x130_tiles_64", 200, 130, 3, {.step_index = 150, .tile = 64}, "full"},
      {"full_rgb_97x61_layers_3", 97, 61, 3, {.step_index = 100, .layers = 3}, "full"},
      {"full_rgb_1x1", 1, 1, 3, {.step_index = 100}, "full"},
      {"full_rgb_97x161_rows", 97, 161, 3, {.step_index = 200, .order = ImageOrder::kRows}, "full"},
      {"mid_rgb_97x61", 97, 61, 3, {.step_index = 144}, "mid"},
      {"mid_rgb_97x61_coarse", 97, 61, 3, {.step_index = 288}, "mid"},
      {"mid_grey_64x40", 64, 40, 1, {.step_index = 120}, "mid"},
      {"mid_rgb_200x130_tiles_64", 200, 130, 3, {.step_index = 150, .tile = 64}, "mid"},
  };
}

inline Tensor<uint8_t> PixelsOf(const GoldenPicture& g) {
  return MakePicture(g.height, g.width, g.channels, /*seed=*/5);
}

// `model` has the entropy model of the picture, if that has one.
inline Bytes EncodeGolden(const ImageModel& model, const GoldenPicture& g,
                          const ImageEncodeOptions& options) {
  Bytes file = EncodePicture(model, PixelsOf(g), options);
  if (g.entropy == "lite") return file;
  const ImageRepackOptions repack{.limits = {}, .simd = options.simd};
  return Must(RepackImage(Must(ParseImageStream(file)), model, repack));
}

// The newest entropy model of that size; "lite" needs none.
inline void SetEntropy(ModelRegistry& registry, ImageModel& model, const std::string& size) {
  if (size == "lite") return;
  const SafeTensors file = Must(registry.FindEntropy(model.id(), size));
  const Status status = model.SetEntropy(file, ModelIdOf(file.file()));
  EXPECT_TRUE(status.ok()) << status.message();
}

// The decoders whose samples are recorded; "none" is the plain inverse transform. `huge` takes long
// without vectors, so it decodes the smaller pictures alone.
inline std::vector<std::string> GoldenSynthesesOf(const GoldenPicture& g) {
  std::vector<std::string> sizes = {"none", "small", "medium", "large"};
  if (g.width * g.height <= 3600) sizes.push_back("huge");
  return sizes;
}

// XXH64 with seed 0, as 16 hex digits.
inline std::string DigestOf(std::span<const std::byte> bytes) {
  char hex[17];
  std::snprintf(hex, sizeof(hex), "%016llx",
                static_cast<unsigned long long>(XXH64(bytes.data(), bytes.size(), 0)));
  return hex;
}

inline std::string DigestOf(const Tensor<uint8_t>& picture) {
  return DigestOf(AsBytes({picture.data(), static_cast<size_t>(picture.size())}));
}

}  // namespace godwit
