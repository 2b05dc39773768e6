// Bytes as samples of any type and shape: what comes back is within the error, or exact.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "codecs/array/array_decoder.h"
#include "codecs/array/array_encoder.h"

namespace {

using godwit::NdArray;
using godwit::SampleType;

double At(const NdArray& a, size_t i) {
  if (a.type == SampleType::kF32) return a.As<float>()[i];
  if (a.type == SampleType::kF64) return a.As<double>()[i];
  int64_t v = 0;
  const size_t size = godwit::SampleBytes(a.type);
  std::memcpy(&v, a.data.data() + i * size, size);
  const bool has_sign =
      a.type == SampleType::kI8 || a.type == SampleType::kI16 || a.type == SampleType::kI32;
  const int shift = 64 - 8 * static_cast<int>(size);
  return has_sign ? static_cast<double>(v << shift >> shift) : static_cast<double>(v);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  constexpr size_t kHead = 5;
  if (size < kHead) return 0;
  NdArray array;
  array.type = static_cast<SampleType>(data[0] % 8);
  const size_t bytes = SampleBytes(array.type);
  const auto count = static_cast<int64_t>(std::min<size_t>(size - kHead, 4096) / bytes);
  array.shape = Shape::Of(1 + data[1] % 8, 1 + data[2] % 8, 0);
  array.shape.dims[2] = count / (array.shape.dims[0] * array.shape.dims[1]);
  array.data.resize(static_cast<size_t>(array.shape.count()) * bytes);
  if (!array.data.empty()) std::memcpy(array.data.data(), data + kHead, array.data.size());
  ArrayEncodeOptions options;
  options.threads = 1;
  options.channel_axes = data[3] % 8;
  options.tile_samples = 64 + 8 * data[3];
  // The odd ones of the larger numbers are steps of wavelets, which promise only that there is
  // something of this type and shape, and what is not finite.
  options.max_error = data[4] == 0 ? 0 : std::exp2((data[4] - 128) / 8.0);
  const bool is_wavelet = data[4] > 100 && data[4] % 2 == 1;
  if (is_wavelet) std::swap(options.wavelet_step, options.max_error);
  // Of the others every third is a part of each sample.
  const bool is_relative = !is_wavelet && data[4] % 3 == 2 && array.type != SampleType::kF64;
  if (is_relative) std::swap(options.relative_error, options.max_error);
  const auto file = EncodeArray(array, options);
  if (!file.ok()) std::abort();
  const auto stream = ParseArrayStream(*file);
  if (!stream.ok()) std::abort();
  const auto back = DecodeArray(*stream, {.threads = 1});
  if (!back.ok() || back->shape != array.shape) std::abort();
  if (is_wavelet) {
    for (size_t i = 0; i < array.data.size() / bytes; ++i) {
      const bool same = std::memcmp(&array.data[i * bytes], &back->data[i * bytes], bytes) == 0;
      if (!std::isfinite(At(array, i)) ? !same : !std::isfinite(At(*back, i))) std::abort();
    }
    return 0;
  }
  if (options.max_error + options.relative_error == 0 && back->data != array.data) std::abort();
  for (size_t i = 0; i < array.data.size() / bytes; ++i) {
    const double v = At(array, i), w = At(*back, i);
    const bool same = std::memcmp(&array.data[i * bytes], &back->data[i * bytes], bytes) == 0;
    const double most = is_relative ? options.relative_error * std::abs(v) : options.max_error;
    if (!same && !(std::abs(v - w) <= most)) std::abort();
  }
  return 0;
}
