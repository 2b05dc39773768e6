#include "apps/sound_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "io/byte_source.h"
#include "io/input_file.h"

namespace godwit {
namespace {

constexpr int32_t kFullScale = 1 << 23;

int32_t ToSample(float v) {
  if (std::isnan(v)) return 0;
  return static_cast<int32_t>(
      std::lrint(std::clamp(double{v} * kFullScale, -double{kFullScale}, double{kFullScale - 1})));
}

int16_t To16(int32_t v) { return static_cast<int16_t>(std::min((v + 128) >> 8, 32767)); }

bool EndsIn(const std::string& path, const std::string& suffix) {
  return path.size() >= suffix.size() &&
         std::equal(suffix.rbegin(), suffix.rend(), path.rbegin(),
                    [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
}

}  // namespace

bool BeginsLikeSound(const std::string& path) {
  if (path == "-") return false;
  if (EndsIn(path, ".mp3")) return true;
  Result<ByteSource> source = ByteSource::Open(path);
  return source.ok() && IsAudio(source->Peek(12));
}

std::optional<AudioInfo> ParseRawFormat(const std::string& text) {
  // No sign and no space, which sscanf would take.
  if (text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz,") != text.npos) {
    return std::nullopt;
  }
  AudioInfo info;
  info.format = "raw";
  char type[4] = "s16";
  int used = 0;
  unsigned rate = 0, channels = 0;
  const int fields =
      std::sscanf(text.c_str(), "%7u,%2u%n,%3s%n", &rate, &channels, &used, type, &used);
  if (fields < 2 || static_cast<size_t>(used) != text.size() || rate == 0 || channels == 0) {
    return std::nullopt;
  }
  info.rate_hz = rate;
  info.channels = channels;
  const std::string name = type;
  if (name == "s32") {
    info.type = SampleType::kI32;
    info.bits = 32;
  } else if (name == "f32") {
    info.type = SampleType::kF32;
    info.bits = 32;
  } else if (name != "s16") {
    return std::nullopt;
  }
  return info;
}

Result<SoundSource> SoundSource::Open(const std::string& path, const std::optional<AudioInfo>& raw,
                                      const DecodeLimits& limits) {
  SoundSource source;
  GODWIT_ASSIGN_OR_RETURN(source.reader_, raw ? OpenRawAudio(path, *raw) : OpenAudio(path, limits));
  source.rate_hz_ = source.info().rate_hz;
  return source;
}

Status SoundSource::SetRate(uint32_t rate_hz) {
  if (rate_hz == rate_hz_) return {};
  GODWIT_ASSIGN_OR_RETURN(Resampler resampler,
                          Resampler::Create(info().rate_hz, rate_hz, info().channels));
  resampler_.emplace(std::move(resampler));
  rate_hz_ = rate_hz;
  return {};
}

AudioSamples SoundSource::kind() const {
  if (info().type == SampleType::kI16) return AudioSamples::kI16;
  if (info().type == SampleType::kI32) return AudioSamples::kI24;
  // Decoders of lossy files make floats of sound that had 16 bits, as a rule.
  return info().format == "ogg" || info().format == "mp3" ? AudioSamples::kI16 : AudioSamples::kF32;
}

Result<std::vector<int32_t>> SoundSource::Read(size_t frames) {
  const size_t channels = info().channels;
  std::vector<int32_t> out;
  if (!resampler_ && info().type != SampleType::kF32) {
    out.resize(frames * channels);
    GODWIT_ASSIGN_OR_RETURN(const size_t got, reader_->Read(std::span<int32_t>(out)));
    out.resize(got * channels);
    const int bits = info().bits;
    for (int32_t& v : out) v = bits <= 24 ? v * (1 << (24 - bits)) : v >> (bits - 24);
    return out;
  }
  std::vector<float> floats(frames * channels), resampled;
  while (out.empty() && !ended_) {
    GODWIT_ASSIGN_OR_RETURN(const size_t got, reader_->Read(std::span<float>(floats)));
    floats.resize(got * channels);
    if (got == 0) ended_ = true;
    for (float& v : floats) v = std::isnan(v) ? 0 : std::clamp(v, -8.0f, 8.0f);
    if (resampler_) {
      resampled.clear();
      GODWIT_RETURN_IF_ERROR(got == 0 ? resampler_->Finish(resampled)
                                      : resampler_->Push(floats, resampled));
    }
    for (const float v : resampler_ ? resampled : floats) out.push_back(ToSample(v));
    floats.resize(frames * channels);
  }
  return out;
}

Result<Bytes> SoundFile(const AudioHeader& header, const AudioTags& tags,
                        const std::vector<int32_t>& samples, const std::string& format) {
  if (format == "raw") {
    Bytes out;
    AppendRaw(header.samples, samples, &out);
    return out;
  }
  AudioInfo info;
  info.rate_hz = header.rate_hz;
  info.channels = header.channels;
  info.format = format;
  info.tags = tags;
  NdArray array;
  AudioSamples kind = header.samples;
  if (kind == AudioSamples::kF32 && format == "flac") kind = AudioSamples::kI24;
  info.type = kind == AudioSamples::kI16   ? SampleType::kI16
              : kind == AudioSamples::kI24 ? SampleType::kI32
                                           : SampleType::kF32;
  info.bits = kind == AudioSamples::kI16 ? 16 : kind == AudioSamples::kI24 ? 24 : 32;
  array.type = info.type;
  array.shape.rank = 2;
  array.shape.dims[0] = static_cast<int64_t>(samples.size() / header.channels);
  array.shape.dims[1] = header.channels;
  const auto fill = [&](auto convert) {
    array.data.resize(samples.size() * sizeof(convert(0)));
    for (size_t i = 0; i < samples.size(); ++i) {
      const auto v = convert(samples[i]);
      std::memcpy(array.data.data() + i * sizeof(v), &v, sizeof(v));
    }
  };
  if (kind == AudioSamples::kI16) fill(To16);
  if (kind == AudioSamples::kI24) fill([](int32_t v) { return v; });
  if (kind == AudioSamples::kF32) {
    fill([](int32_t v) { return static_cast<float>(v) / kFullScale; });
  }
  return WriteAudio(info, array);
}

void AppendRaw(AudioSamples kind, const std::vector<int32_t>& samples, Bytes* out) {
  const auto append = [&](uint32_t bits, int bytes) {
    for (int i = 0; i < bytes; ++i) out->push_back(static_cast<std::byte>(bits >> (8 * i)));
  };
  for (const int32_t v : samples) {
    if (kind == AudioSamples::kI16) {
      append(static_cast<uint16_t>(To16(v)), 2);
    } else if (kind == AudioSamples::kI24) {
      append(static_cast<uint32_t>(v) << 8, 4);
    } else {
      const float f = static_cast<float>(v) / kFullScale;
      uint32_t bits;
      std::memcpy(&bits, &f, 4);
      append(bits, 4);
    }
  }
}

}  // namespace godwit
