// codecs/image/image_model.h: the two kinds of model files that pictures use.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "models/network.h"
#include "models/safetensors.h"

namespace godwit {

// kFull: by the entropy model that was set, `mid` or `full`.
enum class ImageEntropy : uint8_t { kLite, kFull };

namespace swift {
struct FullModel;
struct SwiftModel;
struct SynthesisTables;
}  // namespace swift

// What streams are tied to: transform and entropy model. Read-only; share it between threads.
class ImageModel {
 public:
  // `file` is not kept; `id` is the first 8 bytes, little-endian, of the SHA-256 of its bytes.
  static Result<ImageModel> Load(const SafeTensors& file, uint64_t id);
  ImageModel(ImageModel&&) noexcept;
  ImageModel& operator=(ImageModel&&) noexcept;
  ~ImageModel();
  uint64_t id() const;
  double encoder_macs_per_pixel() const;  // transforms of an RGB picture
  const swift::SwiftModel& swift() const { return *swift_; }

  // The weights of `mid` or `full` entropy coding, which streams with it need too. kModelRefused if
  // `file` is none, or is for another stream model. `id` as in Load(); streams carry its low half.
  Status SetEntropy(const SafeTensors& file, uint64_t id);
  uint64_t entropy_model_id() const;                            // 0: none was set
  const swift::FullModel* full() const { return full_.get(); }  // null: none was set

 private:
  explicit ImageModel(std::unique_ptr<swift::SwiftModel> swift);
  std::unique_ptr<swift::SwiftModel> swift_;
  std::unique_ptr<swift::FullModel> full_;
};

// Whether ImageModel::SetEntropy() would take the file for its stream model.
Status CheckEntropyModel(const SafeTensors& file);

// A synthesis network for the streams of one ImageModel. Any of its sizes decodes any of its
// streams.
class ImageSynthesis {
 public:
  static Result<ImageSynthesis> Load(const SafeTensors& file);
  ImageSynthesis(ImageSynthesis&&) noexcept;
  ImageSynthesis& operator=(ImageSynthesis&&) noexcept;
  ~ImageSynthesis();
  const std::string& size() const;  // one of kSynthesisSizes
  uint64_t stream_model_id() const;
  double macs_per_pixel() const;
  const Network& network() const { return network_; }
  const swift::SynthesisTables& tables() const { return *tables_; }

 private:
  ImageSynthesis(Network network, std::unique_ptr<swift::SynthesisTables> tables, std::string size,
                 uint64_t model_id);
  Network network_;
  std::unique_ptr<swift::SynthesisTables> tables_;
  std::string size_;
  uint64_t stream_model_id_;
};

}  // namespace godwit
