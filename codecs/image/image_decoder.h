// codecs/image/image_decoder.h: .gdw pictures to pixels; docs/format/image.md is the contract.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/cpu.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/image/image_header.h"
#include "codecs/image/image_model.h"
#include "tensor/tensor.h"

namespace godwit {

struct ImageRegion {
  uint32_t x = 0, y = 0, width = 0, height = 0;  // pixels; width 0: the whole picture
};

struct ImageDecodeOptions {
  int layers = 8;  // decode at most this many, 1..8
  ImageRegion region{};
  DecodeLimits limits{};
  int threads = 0;  // 0: as OpenMP says
  SimdLevel simd = BestSimdLevel();
  uint32_t window = 0;  // pixels a side of a piece of synthesis, multiple of 32; 0: default. No
                        // effect on samples.
};

// Decodes one parsed file, top to bottom. Memory is some strips of latents, and a row of tiles of
// alpha, whatever the height. A tile is known to be good only at its end, so rows may come out
// before an error in their tile does; it comes with the region's last row at the latest. Use it
// from one thread; it uses `threads` of its own.
class ImageDecoder {
 public:
  // `stream` and what it borrows, `model` and `synthesis` must outlive the decoder. kModelRefused
  // if they do not belong together, kOverLimit before anything is allocated, kInvalidArgument for a
  // region outside the picture. Without `synthesis` (null) the plain inverse transform is used:
  // fast, and the linear part of the truth.
  static Result<ImageDecoder> Create(const ImageStream& stream, const ImageModel& model,
                                     const ImageSynthesis* synthesis,
                                     const ImageDecodeOptions& options = {});
  ImageDecoder(ImageDecoder&&) noexcept;
  ImageDecoder& operator=(ImageDecoder&&) noexcept;
  ~ImageDecoder();

  uint32_t width() const;  // of the region
  uint32_t height() const;
  int channels() const;  // planes, and one more with alpha

  // The next rows.height rows of the region: interleaved samples, width() x channels(). kCorrupt
  // or kTruncated for streams that no encoder writes. After an error, call no more. Allocates
  // nothing, but for a few rows of scratch where there is alpha.
  Status ReadRows(TensorView<uint8_t> rows);

 private:
  struct State;
  explicit ImageDecoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// One call for whole pictures. `model` must be the stream's.
Result<Tensor<uint8_t>> DecodeImage(const ImageStream& stream, const ImageModel& model,
                                    const ImageSynthesis* synthesis,
                                    const ImageDecodeOptions& options = {});

}  // namespace godwit
