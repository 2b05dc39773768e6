// Any bytes as a sound model: loaded or refused. And any tensors of the right shapes: what is coded
// with them comes back, all SIMD levels the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "codecs/audio/audio_decoder.h"
#include "codecs/audio/audio_encoder.h"
#include "tests/codecs/test_audio_model.h"
#include "tests/codecs/test_sounds.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  const auto bytes = AsBytes({data, size});
  (void)LoadAudioModel(Bytes(bytes.begin(), bytes.end()));
  if (size < 2) return 0;
  const uint32_t channels = data[0] % 3 + 1;
  AudioEncodeOptions options;
  options.step = data[1] * 7;
  options.part_frames = 2;
  options.key_parts = 2;
  const auto model = LoadAudioModel(AudioModelTensors({data + 2, size - 2}).File());
  if (!model.ok()) std::abort();  // its ranges are those of the file
  options.model = *model;
  const auto header = MakeAudioHeader(AudioKind::kVoice, 6400, channels);
  const auto samples = TestSound(700, channels, data[0]);
  const auto file = EncodeAudio(samples, *header, options);
  if (!file.ok()) std::abort();
  AudioDecodeOptions decode;
  decode.model = *model;
  const auto sound = DecodeAudio(*file, decode);
  if (!sound.ok() || sound->samples.size() != samples.size()) std::abort();
  decode.level = SimdLevel::kScalar;
  if (DecodeAudio(*file, decode)->samples != sound->samples) std::abort();
  return 0;
}
