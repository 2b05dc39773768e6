// codecs/image/image_repack.h: the same picture with another entropy coding: the same symbols in
// fewer bytes, or in bytes that are sooner read. What a sensor sends with `lite` a host keeps as
// `mid` or `full`, and gets back, byte for byte.
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/image/image_header.h"
#include "codecs/image/image_model.h"

namespace godwit {

struct ImageRepackOptions {
  ImageEntropy entropy = ImageEntropy::kFull;
  int threads = 0;  // 0: as OpenMP says
  DecodeLimits limits;
  SimdLevel simd = BestSimdLevel();
};

// A whole file. Alpha, profile and tags are copied; tiles, layers and their order stay. Holds one
// tile a thread beside the substreams. A file of this library's encoder becomes the bytes that the
// encoder would have written with that entropy coding. Errors as of a decoder; kModelMissing if
// `model` has not the entropy model that a side needs: from one entropy model to another go by way
// of kLite.
Result<Bytes> RepackImage(const ImageStream& stream, const ImageModel& model,
                          const ImageRepackOptions& options = {});

}  // namespace godwit
