// Tiny pictures of any pixels: the encoder's file does not depend on SIMD level, threads or chunks,
// at any kind of effort,
// parses, and decodes to the same alpha and to colours within what the step allows.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "codecs/image/image_decoder.h"
#include "codecs/image/image_encoder.h"
#include "codecs/image/image_repack.h"
#include "tests/codecs/test_model.h"

namespace {

using namespace godwit;

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) std::abort();
  return *std::move(result);
}

// By Parseval the squared error of the whole cells is that of their coefficients: at most a step
// each with the test model's rounding point of 7/16 (nine sixteenths of a step), and the 16-bit
// arithmetic adds a little. The visible pixels have at most all of it. Higher efforts leave out
// what costs too many bits: symbols of 40 bits on average would make it two steps.
void CheckError(const Tensor<uint8_t>& a, const Tensor<uint8_t>& b, int colours,
                const ImageEncodeOptions& options) {
  const double step = std::exp2(options.step_index / 32.0) / 2;
  const double most = (options.effort > 1 ? 2 : 0.5625) * step + 0.6;
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    if (i % a.channels() >= colours) continue;
    const double d = static_cast<double>(a.data()[i]) - b.data()[i];
    sum += d * d;
  }
  const int64_t samples = (a.height() + 31) / 32 * ((a.width() + 31) / 32) * 1024 * 3;
  if (sum > most * most * static_cast<double>(samples)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 5) return 0;
  const uint8_t kind = data[0];
  ImageEncodeOptions options{.step_index = data[1] + (kind & 0x80 ? 96 : 0),
                             .layers = data[2] % 8 + 1,
                             .tile = kind & 4 ? 32u : 64u,
                             .tile_height = kind & 8 ? 32u : 0u,
                             .order = kind & 16 ? ImageOrder::kRows : ImageOrder::kLayers,
                             .threads = 1,
                             .effort = (kind & 0x20) == 0 ? 1
                                       : kind & 0x40      ? 5
                                                          : 3,
                             .synthesis = &TestImageSynthesis(),
                             .entropy = data[2] & 0x80 ? ImageEntropy::kFull : ImageEntropy::kLite,
                             .simd = SimdLevel::kScalar};
  Tensor<uint8_t> picture(data[3] % 70 + 1, data[4] % 40 + 1, kind % 4 + 1);
  const size_t given = size - 5;
  for (int64_t i = 0; i < picture.size() && given > 0; ++i) {
    // What is missing repeats, turned over each time.
    const auto at = static_cast<size_t>(i);
    picture.data()[i] = static_cast<uint8_t>(data[5 + at % given] ^ (at / given % 2 ? 0xff : 0));
  }
  const ImageModel& model = data[4] / 40 % 2 != 0 ? TestMidModel() : TestImageModel();
  ImageEncoder encoder = Must(ImageEncoder::Create(model, options));
  const Bytes file = Must(encoder.Encode(picture.view()));

  options.simd = BestSimdLevel();
  ImageEncoder other = Must(ImageEncoder::Create(model, options));
  const int channels = static_cast<int>(picture.channels());
  const int64_t first = data[2] / 8 % picture.height();
  if (!other
           .Start({static_cast<uint32_t>(picture.width()), static_cast<uint32_t>(picture.height()),
                   channels, false})
           .ok() ||
      !other.AddRows(picture.view().Window(0, 0, first, picture.width())).ok() ||
      !other.AddRows(picture.view().Window(first, 0, picture.height() - first, picture.width()))
           .ok() ||
      Must(other.Finish()) != file) {
    std::abort();
  }

  const ImageStream stream = Must(ParseImageStream(file));
  const Bytes full = Must(RepackImage(stream, model, {.threads = 1, .limits = {}}));
  ImageRepackOptions back{.entropy = ImageEntropy::kLite, .threads = 1, .limits = {}};
  back.simd = SimdLevel::kScalar;
  if (Must(RepackImage(Must(ParseImageStream(full)), model, back)) != file) std::abort();
  if (stream.header.step_index != options.step_index) std::abort();
  const Tensor<uint8_t> decoded = Must(DecodeImage(stream, model, nullptr));
  if (decoded.size() != picture.size()) std::abort();
  const int colours = channels >= 3 ? 3 : 1;
  for (int64_t i = colours; i < picture.size() && colours < channels; i += channels) {
    if (decoded.data()[i] != picture.data()[i]) std::abort();
  }
  if (options.layers == 8) CheckError(picture, decoded, colours, options);
  const Tensor<uint8_t> net = Must(DecodeImage(stream, model, &TestImageSynthesis(),
                                               {.layers = data[2] / 8 % 8 + 1, .threads = 1}));
  if (net.size() != picture.size()) std::abort();
  return 0;
}
