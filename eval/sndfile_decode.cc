#include "eval/sndfile_decode.h"

#include <cmath>
#include <string>

#include "eval/resampled.h"
#include "io/audio_file.h"

namespace godwit {

Status DecodeBySndfile(std::span<const std::byte> stream, uint32_t rate_hz, const char* name,
                       Sound* sound) {
  const std::string prefix = std::string(name) + ": ";
  Result<std::unique_ptr<AudioReader>> reader = OpenAudioBytes(stream);
  if (!reader.ok()) return reader.status().WithPrefix(prefix);
  const AudioInfo& info = (*reader)->info();
  const auto want = static_cast<size_t>(
      std::llround(static_cast<double>(sound->frames()) * rate_hz / sound->rate_hz));
  if (info.rate_hz != rate_hz || info.channels != sound->channels || info.frames != want) {
    return Status(StatusCode::kInvalidArgument, prefix + "a stream of another size");
  }
  Sound slow{rate_hz, sound->channels, sound->bits, std::vector<float>(want * sound->channels)};
  size_t at = 0;
  while (at < want) {
    const Result<size_t> got =
        (*reader)->Read(std::span<float>(slow.samples).subspan(at * sound->channels));
    if (!got.ok()) return got.status().WithPrefix(prefix);
    if (*got == 0) return Status(StatusCode::kTruncated, prefix + "fewer samples than promised");
    at += *got;
  }
  GODWIT_ASSIGN_OR_RETURN(Sound back, Resampled(slow, sound->rate_hz));
  back.samples.resize(sound->samples.size());  // a frame more or less, of rounding
  sound->samples = std::move(back.samples);
  return {};
}

}  // namespace godwit
