// codecs/audio/audio_header.h: what a sound file says before its samples; docs/format/audio.md
// sections 1 and 2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

namespace godwit {

enum class AudioKind : uint8_t { kMusic, kVoice };
// What a decoder writes unless told otherwise; inside, samples have 24 bits.
enum class AudioSamples : uint8_t { kI16, kI24, kF32 };

inline constexpr uint32_t kMaxAudioChannels = 64, kMaxAudioRate = 768'000;

struct AudioHeader {
  AudioKind kind = AudioKind::kMusic;
  AudioSamples samples = AudioSamples::kI16;
  uint32_t rate_hz = 0, channels = 0;
  uint32_t hop = 0;                // samples of a channel in a frame
  uint8_t shape = 0;               // 0 to 16: how far steps follow levels
  uint8_t noise = 0;               // 0 to 16: how much of what was not coded is made up
  uint8_t grain = 0;               // 0 to 32: at most so much among symbols, in 1/32 of a step
  uint64_t model_id = 0;           // how contexts start; 0: untrained
  std::optional<uint64_t> length;  // samples of a channel; absent: the last part tells

  uint64_t frames() const { return (*length + hop - 1) / hop; }
};

// The frames between two section borders.
struct AudioPart {
  bool key = false, last = false;
  int step = 0;
  uint32_t frames = 0;
  uint32_t dropped = 0;                // of the last part: samples at the end that are not there
  std::span<const std::byte> packets;  // borrowed
};

Bytes WriteAudioHeader(const AudioHeader& header);
// Of whole sections, so that what is missing is kCorrupt; or kUnsupported; kOverLimit where the
// decoder's memory or the length is beyond `limits` (max_pixels: samples of all channels).
Result<AudioHeader> ParseAudioHeader(std::span<const std::byte> body,
                                     const DecodeLimits& limits = {});

Bytes WriteAudioPart(const AudioPart& part);
Result<AudioPart> ParseAudioPart(std::span<const std::byte> body, const AudioHeader& header);

using AudioTags = std::vector<std::pair<std::string, std::string>>;
Bytes WriteAudioTags(const AudioTags& tags);
Result<AudioTags> ParseAudioTags(std::span<const std::byte> body);

// Of the kind's: the longest hop whose frames, two of them, last at most 100 ms (music) or 40 ms
// (voice), the shape and the noise that did best; docs/format/audio.md section 9. kUnsupported.
Result<AudioHeader> MakeAudioHeader(AudioKind kind, uint32_t rate_hz, uint32_t channels);

// Multiply-adds of the encoder for a sample: transform, turning of pairs, levels, steps. Entropy
// coding is not in it.
double AudioEncoderMacs(const AudioHeader& header);

// Bytes of a decoder's or an encoder's state.
uint64_t AudioStateBytes(const AudioHeader& header);

}  // namespace godwit
