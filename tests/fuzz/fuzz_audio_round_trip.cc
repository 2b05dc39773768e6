// Any samples, channels, frames and step: the decoder gets back as many, all SIMD levels the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "codecs/audio/audio_decoder.h"
#include "codecs/audio/audio_encoder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  if (size < 4) return 0;
  AudioHeader header = *MakeAudioHeader(data[0] % 2 == 0 ? AudioKind::kMusic : AudioKind::kVoice,
                                        data[0] % 4 < 2 ? 8000 : 6400, data[1] % 5 + 1);
  header.shape = data[2] % 17;
  header.grain = data[1] % 33;
  AudioEncodeOptions options;
  options.step = data[3] * 7;
  options.part_frames = data[2] % 3 + 1;
  const size_t samples = std::min<size_t>((size - 4) / 2 / header.channels, 3000);
  std::vector<int32_t> x(samples * header.channels);
  for (size_t i = 0; i < x.size(); ++i) {
    int16_t v;
    std::memcpy(&v, data + 4 + 2 * i, 2);
    x[i] = v * 256;
  }
  const auto file = EncodeAudio(x, header, options);
  if (!file.ok()) std::abort();
  AudioDecodeOptions decode;
  const auto sound = DecodeAudio(*file, decode);
  if (!sound.ok() || sound->samples.size() != x.size()) std::abort();
  decode.level = SimdLevel::kScalar;
  if (DecodeAudio(*file, decode)->samples != sound->samples) std::abort();
  return 0;
}
