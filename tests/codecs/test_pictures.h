// tests/codecs/test_pictures.h: pictures made of integers, the same on every machine, and what
// tests do with them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "codecs/image/image_decoder.h"
#include "codecs/image/image_encoder.h"
#include "tensor/tensor.h"

namespace godwit {

inline uint32_t HashOf(uint32_t x, uint32_t y, uint32_t seed) {
  uint32_t h = x * 0x9e3779b1u ^ y * 0x85ebca77u ^ seed * 0xc2b2ae3du;
  h = (h ^ (h >> 15)) * 0x2c1b3c6du;
  return h ^ (h >> 13);
}

// 0..range, up and down with this period.
inline int TriangleWave(int64_t t, int64_t period, int range) {
  const int64_t phase = t % period;
  return static_cast<int>(std::min(phase, period - phase) * 2 * range / period);
}

// Slopes, a texture, hard edges and a little noise. Channels 2 and 4 have alpha: clear on the left,
// solid on the right, soft between.
inline Tensor<uint8_t> MakePicture(int64_t h, int64_t w, int64_t channels, uint32_t seed = 1) {
  Tensor<uint8_t> picture(h, w, channels);
  const int64_t colours = channels >= 3 ? 3 : 1;
  for (int64_t y = 0; y < h; ++y) {
    for (int64_t x = 0; x < w; ++x) {
      uint8_t* const pixel = picture.view().At(y, x);
      const uint32_t hash = HashOf(static_cast<uint32_t>(x), static_cast<uint32_t>(y), seed);
      const bool inside = (x / 23 + y / 17) % 3 == 0;
      for (int64_t c = 0; c < colours; ++c) {
        int v = TriangleWave(3 * x + 2 * y + 40 * c + seed, 190 + 30 * c, 180);
        v += TriangleWave((x + y) * (c + 2), 16, 40);
        v += inside ? 50 - 20 * static_cast<int>(c) : 0;
        v += static_cast<int>(hash >> (8 * c) & 7);
        pixel[c] = static_cast<uint8_t>(std::clamp(v, 0, 255));
      }
      if (colours < channels) {
        const int64_t a =
            (x * 3 - w) * 255 / std::max<int64_t>(w, 1) + static_cast<int>(hash >> 30);
        pixel[colours] = static_cast<uint8_t>(std::clamp<int64_t>(a, 0, 255));
      }
    }
  }
  return picture;
}

// The value, or the reason why there is none and the end of the program: nothing after it makes
// sense.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << StatusCodeName(result.status().code()) << ": " << result.status().message();
    std::abort();
  }
  return *std::move(result);
}

inline Bytes EncodePicture(const ImageModel& model, const Tensor<uint8_t>& picture,
                           const ImageEncodeOptions& options = {}) {
  ImageEncoder encoder = Must(ImageEncoder::Create(model, options));
  return Must(encoder.Encode(picture.view()));
}

inline Tensor<uint8_t> DecodePicture(const Bytes& file, const ImageModel& model,
                                     const ImageSynthesis* synthesis,
                                     const ImageDecodeOptions& options = {}) {
  return Must(DecodeImage(Must(ParseImageStream(file)), model, synthesis, options));
}

inline bool SameSamples(const Tensor<uint8_t>& a, const Tensor<uint8_t>& b) {
  return a.height() == b.height() && a.width() == b.width() && a.channels() == b.channels() &&
         std::equal(a.data(), a.data() + a.size(), b.data());
}

inline Tensor<uint8_t> Crop(const Tensor<uint8_t>& picture, const ImageRegion& r) {
  Tensor<uint8_t> out(r.height, r.width, picture.channels());
  const auto window = picture.view().Window(r.y, r.x, r.height, r.width);
  for (int64_t y = 0; y < window.height; ++y)
    std::copy_n(window.At(y, 0), window.width * window.channels, out.view().At(y, 0));
  return out;
}

// Sum of squared errors of the colour channels.
inline double SquaredError(const Tensor<uint8_t>& a, const Tensor<uint8_t>& b) {
  const int64_t channels = a.channels(), colours = channels >= 3 ? 3 : 1;
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    if (i % channels >= colours) continue;
    const double d = double{static_cast<double>(a.data()[i])} - b.data()[i];
    sum += d * d;
  }
  return sum;
}

// Of the colour channels, in dB; 99 for equal pictures.
inline double Psnr(const Tensor<uint8_t>& a, const Tensor<uint8_t>& b) {
  const int64_t colours = a.channels() >= 3 ? 3 : 1;
  const double mse = SquaredError(a, b) / static_cast<double>(a.height() * a.width() * colours);
  return mse == 0 ? 99 : 10 * std::log10(255 * 255 / mse);
}

inline bool SameAlpha(const Tensor<uint8_t>& a, const Tensor<uint8_t>& b) {
  const int64_t channels = a.channels();
  if (a.size() != b.size() || b.channels() != channels) return false;
  for (int64_t i = channels - 1; i < a.size(); i += channels) {
    if (a.data()[i] != b.data()[i]) return false;
  }
  return true;
}

}  // namespace godwit
