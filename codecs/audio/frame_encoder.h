// codecs/audio/frame_encoder.h: samples of one or two channels to what is coded of their frames.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "codecs/audio/audio_model.h"
#include "codecs/audio/lapped_transform.h"
#include "codecs/audio/packet_list.h"
#include "codecs/audio/sound_unit.h"

namespace godwit::audio {

struct FrameEncoderChoices {
  int shape = 0;
  int lambda = 0;      // what a bit is worth, in 2^-16 of a squared step
  bool splits = true;  // for attacks
  uint32_t sparse_from =
      ~0u;  // coefficients from here on are symbols in bands with large ones only
};

// Sees one frame ahead. Float serves its choices; it uses only + - * /, so that the same samples
// give the same bytes on every machine.
class FrameEncoder {
 public:
  FrameEncoder(uint32_t hop, int channels, const FrameEncoderChoices& choices,
               const AudioModel& model, SimdLevel level);
  // The next hop of 24-bit samples of each channel, as a frame to come.
  void Push(const std::array<const int32_t*, 2>& samples);
  // Codes the frame pushed last but one or, with `last`, the last of all. `key`: as the first.
  void Encode(PacketWriter& writer, int step, bool key, bool last);

 private:
  int ChooseSplit(const std::array<const int32_t*, 2>& samples);
  void Transform();
  void ChooseAngle(size_t band);
  void Quantise();
  void Analyse();
  // Compiled per level, with what they call.
  static void ChooseSplitOf(FrameEncoder& encoder, const std::array<const int32_t*, 2>& samples,
                            int& split);
  static void AnalyseOf(FrameEncoder& encoder);

  UnitRules rules_;
  FrameEncoderChoices choices_;
  AudioModel model_;
  SimdLevel level_;
  LappedTransform transform_;
  std::unique_ptr<UnitMemory> memory_;
  UnitFrame frame_;
  std::array<std::vector<int32_t>, 2> time_, spectrum_;  // time: this frame and the next
  std::vector<int32_t> blocks_;
  int split_ = 0, next_split_ = 0;
  std::array<int32_t, 2> last_sample_ = {};
};

}  // namespace godwit::audio
