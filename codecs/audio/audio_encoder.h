// codecs/audio/audio_encoder.h: sound to the sections of a .gdw stream, a few samples at a time.
#pragma once

#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/status.h"
#include "codecs/audio/audio_header.h"
#include "codecs/audio/audio_model.h"

namespace godwit {

struct AudioEncodeOptions {
  int step = 1030;  // 0, finest, to kCoarsestAudioStep
  // Above 0: the step follows this rate from part to part, from `step` on.
  double bits_per_second = 0;
  int part_frames = 0;                // frames of a section; 0: about a second
  int key_parts = 4;                  // parts from a key frame to the next
  bool splits = true;                 // frames of music may be split, for attacks
  int lambda = 6000;                  // what a bit is worth, in 2^-16 of a squared step; 0: nothing
  AudioModel model = {};              // its id goes into the header
  SimdLevel level = BestSimdLevel();  // changes no byte
};

inline constexpr int kCoarsestAudioStep = 1792;
inline constexpr double kDefaultAudioQuality = 50;
// Of a quality from 0 to 100.
int AudioStepFromQuality(double quality);
// Where music has about this rate: where to begin.
int AudioStepForRate(const AudioHeader& header, double bits_per_second);

// One per sound; one thread at a time.
class AudioEncoder {
 public:
  // `header` as MakeAudioHeader() or ParseAudioHeader() gave it.
  static Result<AudioEncoder> Create(const AudioHeader& header, const AudioEncodeOptions& options);
  AudioEncoder(AudioEncoder&&) noexcept;
  ~AudioEncoder();
  // Interleaved samples of 24 bits, limited to them; whole frames of channels. Appends the file's
  // beginning at the first call and sections as parts fill. A sample is in a packet when two hops
  // have come after the first of its frame.
  Status Push(std::span<const int32_t> samples, Bytes* out);
  // Tags after the header: call before the first Push(), if at all.
  void SetTags(AudioTags tags);
  // The end: appends the rest. kInvalidArgument where header.length promised another length.
  Status Finish(Bytes* out);

 private:
  struct State;
  explicit AudioEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// All of it at one step.
Result<Bytes> EncodeAudio(std::span<const int32_t> samples, const AudioHeader& header,
                          const AudioEncodeOptions& options = {}, const AudioTags& tags = {});
// The best step whose file has at most `max_bytes`; kOverLimit if none has.
Result<Bytes> EncodeAudioToSize(std::span<const int32_t> samples, const AudioHeader& header,
                                uint64_t max_bytes, AudioEncodeOptions options = {},
                                const AudioTags& tags = {});

}  // namespace godwit
