// apps/sound_commands.h: what encode, decode, info, verify and compare do with sound.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/console.h"
#include "apps/model_choice.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "io/byte_source.h"

namespace godwit {

struct SoundEncodeArguments {
  std::string in, out;
  std::string codec;  // music, voice, or empty: voice if mono of at most 16 kHz, else music
  std::string model;  // as ModelChoice::ForEncodingSound() takes it
  std::vector<std::string> model_folders;
  std::string raw;  // RATE,CHANNELS[,TYPE] of samples without a header; empty: a sound file
  std::optional<double> quality, kbps;  // at most one of these three
  std::optional<uint64_t> size_bytes;
  int rate_hz = 0;    // 0: the file's own
  bool live = false;  // a section for each frame
  bool strip = false, overwrite = false;
  DecodeLimits limits;
};
Status EncodeSoundFile(const SoundEncodeArguments& a, const Console& console);

struct SoundDecodeArguments {
  std::string in, out, format;  // wav, flac or raw; empty: by the suffix of `out`
  std::vector<std::string> model_folders;
  bool overwrite = false, strip = false, conceal = false;
  DecodeLimits limits;
};
// Part by part, where the format is raw; what it reads is a sound.
Status DecodeSoundFile(const SoundDecodeArguments& a, ByteSource& source, const Console& console);

bool HoldsSound(std::span<const std::byte> prefix);
Status PrintSoundInfo(const std::string& path, const Bytes& file, const DecodeLimits& limits,
                      ModelChoice& models, const Console& console);
Status VerifySound(const Bytes& file, const DecodeLimits& limits, ModelChoice& models);
// Two sound files of one rate and shape: SI-SDR, SNR and the largest error, of full scale 1.
Status CompareSounds(const std::string& path_a, const std::string& path_b,
                     const DecodeLimits& limits, const Console& console);

}  // namespace godwit
