// apps/sound_file.h: sound files as the sound codecs want them: 24-bit samples of a rate.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "codecs/audio/audio_header.h"
#include "io/audio_file.h"
#include "io/resample.h"

namespace godwit {

// By its first bytes or, of MP3, which has no sure sign, by its suffix. Never "-".
bool BeginsLikeSound(const std::string& path);

// "RATE,CHANNELS" or "RATE,CHANNELS,TYPE" with a TYPE of s16, s32 or f32.
std::optional<AudioInfo> ParseRawFormat(const std::string& text);

// Reads front to back, at another rate if one is asked for. NaN is silence, and what is beyond full
// scale is limited.
class SoundSource {
 public:
  // `raw`: samples without a header.
  static Result<SoundSource> Open(const std::string& path, const std::optional<AudioInfo>& raw,
                                  const DecodeLimits& limits);
  // From now on at this rate; before the first Read().
  Status SetRate(uint32_t rate_hz);
  const AudioInfo& info() const { return reader_->info(); }
  uint32_t rate_hz() const { return rate_hz_; }
  // What a decoder should write to give back such a file.
  AudioSamples kind() const;
  // The next samples, interleaved; empty at the end.
  Result<std::vector<int32_t>> Read(size_t frames);

 private:
  std::unique_ptr<AudioReader> reader_;
  std::optional<Resampler> resampler_;
  uint32_t rate_hz_ = 0;
  bool ended_ = false;
};

// 24-bit samples as a file: format wav, flac or raw.
Result<Bytes> SoundFile(const AudioHeader& header, const AudioTags& tags,
                        const std::vector<int32_t>& samples, const std::string& format);
// The same without a header, appended: s16, s32 (of 24 bits too) or f32, little endian.
void AppendRaw(AudioSamples kind, const std::vector<int32_t>& samples, Bytes* out);

}  // namespace godwit
