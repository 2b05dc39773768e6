// codecs/array/array_decoder.h: arrays from .gdw streams; docs/format/array.md is the contract.
#pragma once

#include "base/limits.h"
#include "base/status.h"
#include "codecs/array/array_header.h"
#include "codecs/array/array_model.h"
#include "codecs/array/array_synthesis.h"
#include "tensor/nd_array.h"

namespace godwit {

struct ArrayDecodeOptions {
  DecodeLimits limits = {};
  int threads = 0;  // 0: all cores
  // Where the header names a model: that one, for as long as the call takes.
  const ArrayModel* model = nullptr;
  // Mends what the wavelet method decodes, for as long as the call takes; null, or another method:
  // nothing does.
  const ArraySynthesis* synthesis = nullptr;
  // The part wanted, all where a size is 0; only the tiles that it meets are decoded.
  array::Box part{{0, 0, 0, 0}, {0, 0, 0, 0}};
};

// `stream` borrows from the file, which must be there. kCorrupt and kTruncated name the tile;
// kOverLimit beyond options.limits; kModelMissing without the model that it names; kInvalidArgument
// for a part outside the array.
Result<NdArray> DecodeArray(const ArrayStream& stream, const ArrayDecodeOptions& options = {});

}  // namespace godwit
