// apps/picture_encoder.h: one picture to streams, at whatever steps a command asks for.
#pragma once

#include <memory>
#include <optional>

#include "apps/picture_source.h"
#include "apps/progress.h"
#include "apps/rate_target.h"
#include "base/limits.h"
#include "codecs/image/image_encoder.h"
#include "codecs/image/image_model.h"
#include "codecs/image/image_repack.h"

namespace godwit {

class PictureEncoder {
 public:
  // All must outlive the encoder; `model` has the weights that `entropy` needs.
  // `options.step_index` and `.layers` are given with each call.
  PictureEncoder(PictureSource& source, const ImageModel& model, const ImageEncodeOptions& options,
                 bool strip_metadata, ImageEntropy entropy, Progress& progress)
      : source_(source),
        model_(model),
        options_(options),
        strip_metadata_(strip_metadata),
        entropy_(entropy),
        progress_(progress) {}

  Result<EncodedPicture> Encode(int step_index, int layers);
  // Of the colours that `stream` decodes to, against the source's.
  Result<double> Psnr(const Bytes& stream, const std::optional<ImageSynthesis>& synthesis,
                      const DecodeLimits& limits);

 private:
  PictureSource& source_;
  const ImageModel& model_;
  ImageEncodeOptions options_;
  bool strip_metadata_;
  ImageEntropy entropy_;
  Progress& progress_;
  std::optional<ImageEncoder> encoder_;  // for options_.layers
};

}  // namespace godwit
