// codecs/image/image_encoder.h: pixels to .gdw pictures; docs/format/image.md is the contract.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/status.h"
#include "codecs/image/image_header.h"
#include "codecs/image/image_model.h"
#include "tensor/tensor.h"

namespace godwit {

inline constexpr int kCoarsestStepIndex = 351;  // 0 is the finest

// What the encoder looks for: the least squared error or the best MS-SSIM of luma, which wants more
// bits where things are smooth and for what is coarse, fewer for noise, fine detail and colour.
enum class ImageTune : uint8_t { kPsnr, kMsssim };

// Quality 0..100 to the step index and back: 340 - 2.5 q up to quality 90, from there linear to 0
// at 100. Fractions count. On photographs 50 is about half a bit a pixel, 75 about two. A quality
// is about as good at every effort, by what it is tuned for: the higher ones get there in fewer
// bits, at a finer step.
int StepIndexFromQuality(double quality, int effort = 1, ImageTune tune = ImageTune::kPsnr);
double QualityFromStepIndex(int step_index, int effort = 1, ImageTune tune = ImageTune::kPsnr);

inline constexpr int kMaxImageEffort = 9, kFirstNetworkImageEffort = 4;

struct ImageEncodeOptions {
  int step_index = 215;      // see StepIndexFromQuality(); the default is quality 50
  int layers = 8;            // 1..8: leave out the finest layers
  uint32_t tile = 0;         // width, pixels, a power of two 32..524288; 0 chooses by width
  uint32_t tile_height = 0;  // a power of two 32..4096; 0: as high as wide, or as `tile` of 0 says
  // kRows: one row of tiles after the other, each a tile as wide as the picture and 64 high if
  // `tile` is 0, as sensors write them.
  ImageOrder order = ImageOrder::kLayers;
  int threads = 0;  // 0: as OpenMP says
  // 1..9: what is spent on finding symbols that cost less for what they give. 1 rounds and is the
  // sensor's path; docs/guide-effort.md has what the others do and gain. The same bytes for the
  // same options, whatever the threads and the SIMD level.
  int effort = 1;
  // What efforts from 4 on expect to decode the picture; every other synthesis still can. Null:
  // they do as 3. Must be of the same stream model, and outlive the encoder.
  const ImageSynthesis* synthesis = nullptr;
  ImageTune tune = ImageTune::kPsnr;
  // What efforts from 2 on count bits for. The stream is coded as `lite` either way: RepackImage()
  // makes another of it. kFull wants an entropy model set in the model.
  ImageEntropy entropy = ImageEntropy::kLite;
  // Of the workspace; kOverLimit beyond, unless fewer threads do. What is coded so far comes on
  // top.
  uint64_t max_memory_bytes = uint64_t{4} << 30;
  SimdLevel simd = BestSimdLevel();
};

// What the pixels are. channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; alpha is kept
// without loss.
struct ImageSource {
  uint32_t width = 0, height = 0;
  int channels = 3;
  bool from_16_bit = false;
};

// Owns its workspace; encodes picture after picture. One per thread; it uses `threads` of its own.
class ImageEncoder {
 public:
  // `model` must outlive the encoder.
  static Result<ImageEncoder> Create(const ImageModel& model,
                                     const ImageEncodeOptions& options = {});
  ImageEncoder(ImageEncoder&&) noexcept;
  ImageEncoder& operator=(ImageEncoder&&) noexcept;
  ~ImageEncoder();

  // Whole pictures: interleaved samples to a file in memory.
  Result<Bytes> Encode(TensorView<const uint8_t> pixels, const ImageMetadata& metadata = {},
                       bool from_16_bit = false);

  // Row by row, with memory for one row of tiles and for what is coded so far: Start(), AddRows()
  // until all rows are in, Finish().
  Status Start(const ImageSource& source);
  Status AddRows(TensorView<const uint8_t> rows);
  Result<Bytes> Finish(const ImageMetadata& metadata = {});

  // For the next picture. kInvalidArgument outside 0..351.
  Status SetStepIndex(int step_index);

 private:
  struct State;
  explicit ImageEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace godwit
