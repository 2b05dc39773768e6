// codecs/audio/frame_decoder.h: packets of one or two channels to their samples.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "codecs/audio/audio_model.h"
#include "codecs/audio/lapped_transform.h"
#include "codecs/audio/packet_coder.h"
#include "codecs/audio/sound_unit.h"

namespace godwit::audio {

struct FrameDecoderChoices {
  int shape = 0, noise = 0, grain = 0;  // as in AudioHeader
};

class FrameDecoder {
 public:
  FrameDecoder(uint32_t hop, int channels, const FrameDecoderChoices& choices,
               const AudioModel& model, SimdLevel level);
  // Reads a frame's symbols, then makes its samples. Any bytes decode to something.
  void Decode(BitReader& coder, int step, bool key);
  // Makes up a frame in the place of one that is lost; the next to be decoded must be a key frame.
  void Conceal();
  // Two hops: the frame before and the frame itself. Samples up to half a hop before its end are
  // final (all, after the last frame).
  const int32_t* time(int channel) const { return time_[static_cast<size_t>(channel)].data(); }

 private:
  void Dequantise(size_t channel, size_t band);
  void AddNoise(size_t channel, size_t band, uint64_t have, uint32_t zeros);
  void Synthesise();

  UnitRules rules_;
  uint32_t noise_, grain_;
  AudioModel model_;
  SimdLevel level_;
  LappedTransform transform_;
  std::unique_ptr<UnitMemory> memory_;
  UnitFrame frame_;
  std::array<std::vector<int32_t>, 2> time_, spectrum_;
  int last_split_ = 0;
  bool first_ = true;
  uint32_t random_ = 1;
};

}  // namespace godwit::audio
