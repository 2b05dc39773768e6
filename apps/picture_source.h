// apps/picture_source.h: a picture to encode, read once or as often as a search for a target asks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "io/image_file.h"
#include "tensor/tensor.h"

namespace godwit {

// Rows that a strip has, so that it takes about a megabyte.
int64_t StripRows(uint32_t width, int channels, uint32_t height);

class PictureSource {
 public:
  // Pictures up to this size are held when they are to be read again; larger ones are re-read.
  static constexpr uint64_t kMaxHeldPixels = 64'000'000;

  // "-" is standard input, which is held as it came, if it is to be read again.
  static Result<PictureSource> Open(const std::string& path, const DecodeLimits& limits,
                                    bool again);
  // What the file says; metadata are complete after the first pass.
  const ImageInfo& info() const { return info_; }
  uint64_t pixels() const { return uint64_t{info_.width} * info_.height; }

  // One pass, top to bottom. `use` gets each strip once, and its error ends the pass.
  Status ForEachStrip(const std::function<Status(TensorView<const uint8_t>)>& use);

 private:
  PictureSource() = default;
  Result<std::unique_ptr<ImageReader>> Reopen() const;
  Status Pass(ImageReader& reader, const std::function<Status(TensorView<uint8_t>)>& use);

  std::string path_;
  DecodeLimits limits_;
  bool again_ = false;
  std::unique_ptr<Bytes> bytes_;         // of standard input or a pipe; the reader borrows them
  std::unique_ptr<ImageReader> reader_;  // opened and not yet read
  ImageInfo info_;
  Tensor<uint8_t> held_;
};

}  // namespace godwit
