// codecs/image/image_header.h: what a picture stream says about itself; docs/format/image.md
// section 1.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

namespace godwit {

// How substreams follow each other in the file.
enum class ImageOrder : uint8_t {
  kLayers,  // layer after layer: any prefix is a whole picture, of lower quality
  kRows,    // row of tiles after row of tiles: what a sensor can send with little memory
};

struct ImageHeader {
  uint32_t width = 0, height = 0;  // pixels
  uint8_t planes = 0;              // 1 = grey, 3 = RGB; alpha is apart
  bool has_alpha = false;          // an alpha section belongs to the file
  bool from_16_bit = false;        // the source had more than 8 bits; the stream has 8
  // Pixels, powers of two: 32 to 524288 across, 32 to 4096 down.
  uint32_t tile_width = 1024, tile_height = 1024;
  ImageOrder order = ImageOrder::kLayers;
  uint16_t step_index = 0;  // 0 finest .. 351 coarsest, 32 an octave
  uint64_t model_id = 0;    // of the stream model; first 8 bytes of its file's SHA-256
  bool full = false;        // by an entropy model (`mid`, `full`), else `lite`
  uint32_t entropy_id = 0;  // of its model; first 4 bytes of its file's SHA-256
};

// Colour profile and tags, carried as they are.
struct ImageMetadata {
  Bytes icc, exif, xmp;
};

// A section of the file, for `info`.
struct ImageSectionInfo {
  std::string name;
  uint64_t offset = 0, bytes = 0;   // of the whole section
  int first_layer = 0, layers = 0;  // of picture and layer sections
  int64_t tile_row = -1;            // of layer sections of files in the order of rows
};

// A row of tiles that did not arrive whole.
struct ImageLoss {
  uint64_t tile_row = 0;
  int layers = 0;  // that are there, from the coarsest on; 0: the row is lost, and made up
  int of = 0;      // that it had; 0: unknown, as in files, where damage follows the row
};

// A whole file, checked: every CRC, every length. Spans borrow from the file.
struct ImageStream {
  ImageHeader header;
  // layers[l][t]: the substream of layer l and tile t, raster order. As many layers as the file
  // has; in the order of rows as many as it may have, and tiles at the end may be missing.
  std::vector<std::vector<std::span<const std::byte>>> layers;
  std::vector<std::span<const std::byte>> alpha;  // per tile; empty: no alpha
  std::span<const std::byte> icc, exif, xmp;
  std::vector<ImageSectionInfo> sections;
  bool truncated =
      false;  // only with allow_truncated: something after the last whole layer was dropped
  uint64_t tile_rows = 0;  // from the top, of which the file has something
  // Only of ParseDamagedImage(): what is missing in the order of rows, by row, and for people what
  // else was passed over, by byte: up to eight places, then how many more.
  std::vector<ImageLoss> losses;
  std::vector<std::string> damage;
};

// Reads the header only, from the first bytes of a file; 64 always suffice. kTruncated asks for
// more; every other error is final.
Result<ImageHeader> PeekImageHeader(std::span<const std::byte> prefix,
                                    const DecodeLimits& limits = {});

// Reads and checks a whole file. With `allow_truncated`, a file that ends early gives what came
// before the end: its whole layers, unchecked if their section's CRC is missing. Rows of tiles that
// a file in the order of rows then lacks decode as grey.
Result<ImageStream> ParseImageStream(std::span<const std::byte> file,
                                     const DecodeLimits& limits = {}, bool allow_truncated = false);

// Reads what is whole in a file that is damaged or cut short, section by section: rows of tiles
// that are missing, which decoders make up (image.md section 7), or the layers before the first one
// that is missing. Errors as above for the picture section, and where nothing of the picture is
// left.
Result<ImageStream> ParseDamagedImage(std::span<const std::byte> file,
                                      const DecodeLimits& limits = {});

}  // namespace godwit
