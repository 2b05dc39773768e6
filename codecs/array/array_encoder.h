// codecs/array/array_encoder.h: arrays to .gdw streams.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/status.h"
#include "codecs/array/array_model.h"
#include "tensor/nd_array.h"

namespace godwit {

struct ArrayEncodeOptions {
  // Every sample comes back within this distance; 0: exactly, whatever the type. NaN and infinity
  // come back as they are in any case.
  double max_error = 0;
  // Above 0, and instead of max_error: every sample comes back within this part of itself, zeros
  // exactly. Not of f64.
  double relative_error = 0;
  // Bit i: axis i holds channels. Where absent, GuessChannelAxes().
  std::optional<uint8_t> channel_axes = {};
  // Above 0: at a low rate by wavelets, quantised in steps of this many units of the samples, and
  // no error is promised.
  double wavelet_step = 0;
  // Of wavelets: what tiles start with; one of the live method makes it that.
  const ArrayModel* model = nullptr;
  int64_t tile_samples = int64_t{1} << 22;  // about; all channels of a place count
  int threads = 0;                          // 0: all cores; changes no byte
};

// Short axes beside a much longer one, as (time, channel) has; and one of four axes in any case.
uint8_t GuessChannelAxes(const Shape& shape);

// kUnsupported: a relative error of f64, more than three transformed axes, and a shape that is not
// for the model; kInvalidArgument: an
// error that is negative or no number, channel axes that are not there.
Result<Bytes> EncodeArray(const NdArray& array, const ArrayEncodeOptions& options = {});

}  // namespace godwit
