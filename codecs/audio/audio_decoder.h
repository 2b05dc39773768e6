// codecs/audio/audio_decoder.h: sound from .gdw streams; docs/format/audio.md is the contract.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/audio/audio_header.h"
#include "codecs/audio/audio_model.h"

namespace godwit {

struct AudioDecodeOptions {
  DecodeLimits limits = {};           // max_pixels: samples of all channels
  AudioModel model = {};              // of the header's id
  SimdLevel level = BestSimdLevel();  // changes no sample
};

// Part after part. One per sound; one thread at a time. After an error, only Conceal().
class AudioDecoder {
 public:
  // kModelMissing where the options have another model than the header names.
  static Result<AudioDecoder> Create(const AudioHeader& header,
                                     const AudioDecodeOptions& options = {});
  AudioDecoder(AudioDecoder&&) noexcept;
  ~AudioDecoder();
  // The body of a part. Appends the samples that are final now, interleaved, of 24 bits: all but
  // half a hop of what has come. Parts that build on a lost one are concealed too.
  Status Decode(std::span<const std::byte> body, std::vector<int32_t>* out);
  // In the place of frames that are lost: the sound before, dying away.
  Status Conceal(uint32_t frames, std::vector<int32_t>* out);
  // The last part was decoded: all samples are out. Before: kTruncated.
  Status Finish() const;
  // Frames that were made up.
  uint64_t concealed() const;
  // Samples of a channel so far.
  uint64_t length() const;

 private:
  struct State;
  explicit AudioDecoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A whole file in memory.
struct DecodedAudio {
  AudioHeader header;  // length is set
  AudioTags tags;
  std::vector<int32_t> samples;
};
Result<DecodedAudio> DecodeAudio(std::span<const std::byte> file,
                                 const AudioDecodeOptions& options = {});

}  // namespace godwit
