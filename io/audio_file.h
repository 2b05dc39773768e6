// io/audio_file.h: sound from WAV, FLAC, Ogg, MP3, AIFF and raw PCM, a few frames at a time; and to
// WAV, FLAC and raw PCM.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "tensor/nd_array.h"

namespace godwit {

struct AudioInfo {
  uint32_t rate_hz = 0, channels = 0;
  uint64_t frames = 0;  // one sample of each channel; 0 for raw PCM, which tells its end only
  // Of samples: kI16 up to 16 bits, kI32 up to 32 (in the low bits), kF32 for floating and lossy
  // files, which is +-1 at full scale.
  SampleType type = SampleType::kI16;
  int bits = 16;
  std::string format;  // wav, flac, ogg, mp3, aiff or raw
  // "title", "artist", ... as libsndfile names them.
  std::vector<std::pair<std::string, std::string>> tags;
};

// Reads front to back. One per thread. Messages name the file.
class AudioReader {
 public:
  virtual ~AudioReader() = default;
  virtual const AudioInfo& info() const = 0;
  // The next frames, interleaved, as many as fit or are left; returns how many. Integers have
  // info().bits; asked for the other kind than info().type, +-1 of floats is full scale.
  // kTruncated: fewer frames than the file promised; raw PCM that ends inside a frame.
  virtual Result<size_t> Read(std::span<int32_t> frames) = 0;
  virtual Result<size_t> Read(std::span<float> frames) = 0;
};

// By content. Files are held in memory; standard input ("-") too. kUnreadable, kUnsupported,
// kOverLimit beyond limits.max_memory_bytes of file or of samples.
Result<std::unique_ptr<AudioReader>> OpenAudio(const std::string& path,
                                               const DecodeLimits& limits = {});
// Borrows `bytes` until the reader is gone.
Result<std::unique_ptr<AudioReader>> OpenAudioBytes(std::span<const std::byte> bytes,
                                                    const DecodeLimits& limits = {});
// Little-endian samples without a header: rate_hz, channels, type and bits as given. Streams.
Result<std::unique_ptr<AudioReader>> OpenRawAudio(const std::string& path, const AudioInfo& info);

// True if these first bytes (12 at least) are of WAV, FLAC, Ogg or AIFF. MP3 has no sure sign.
bool IsAudio(std::span<const std::byte> prefix);

// All of it: (frame, channel) of info().type.
Result<NdArray> ReadAudioArray(AudioReader& reader, const DecodeLimits& limits = {});

// A whole file of (frame, channel) samples of info.type. format: wav, flac (at most 24 bits and
// 8 channels) or raw; tags go where the format has room for them. kUnsupported, kInvalidArgument.
Result<Bytes> WriteAudio(const AudioInfo& info, const NdArray& samples);

}  // namespace godwit
