// Our own codecs of sound: music and voice.
#include <algorithm>
#include <cmath>

#include "codecs/audio/audio_decoder.h"
#include "codecs/audio/audio_encoder.h"
#include "eval/codec_table.h"
#include "eval/resampled.h"
#include "models/registry.h"

namespace godwit {
namespace {

constexpr uint32_t kVoiceRate = 16'000;
constexpr double kFullScale = 1 << 23;

enum class Kind : uint8_t { kMusic, kVoice, kBySound };

struct SoundModels {
  AudioModel music, voice;  // untrained where the kind is another
};

class OurSoundCodec final : public Codec {
 public:
  OurSoundCodec(Kind kind, SoundModels models) : kind_(kind), models_(std::move(models)) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const Sound& sound = SoundOf(item);
    GODWIT_ASSIGN_OR_RETURN(AudioHeader header, HeaderFor(sound));
    GODWIT_ASSIGN_OR_RETURN(const Sound slow, Resampled(sound, header.rate_hz));
    header.length = slow.frames();
    header.samples = sound.bits <= 16   ? AudioSamples::kI16
                     : sound.bits <= 24 ? AudioSamples::kI24
                                        : AudioSamples::kF32;
    std::vector<int32_t> samples;
    samples.reserve(slow.samples.size());
    for (const float v : slow.samples) {
      samples.push_back(static_cast<int32_t>(
          std::lrint(std::clamp(double{v} * kFullScale, -kFullScale, kFullScale - 1))));
    }
    AudioEncodeOptions options;
    options.step = AudioStepFromQuality(setting);
    options.model = IsVoice(sound) ? models_.voice : models_.music;
    GODWIT_ASSIGN_OR_RETURN(stream_, EncodeAudio(samples, header, options));
    return std::span<const std::byte>(stream_);
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    Sound& sound = SoundOf(item);
    AudioDecodeOptions options;
    options.model = IsVoice(sound) ? models_.voice : models_.music;
    GODWIT_ASSIGN_OR_RETURN(const DecodedAudio decoded, DecodeAudio(stream, options));
    GODWIT_ASSIGN_OR_RETURN(const AudioHeader want, HeaderFor(sound));
    const auto length = static_cast<uint64_t>(
        std::llround(static_cast<double>(sound.frames()) * want.rate_hz / sound.rate_hz));
    if (decoded.header.rate_hz != want.rate_hz || decoded.header.channels != sound.channels ||
        decoded.samples.size() != length * sound.channels) {
      return Status(StatusCode::kInvalidArgument, "godwit: a stream of another size");
    }
    Sound slow{want.rate_hz, sound.channels, sound.bits, {}};
    slow.samples.reserve(decoded.samples.size());
    for (const int32_t v : decoded.samples) {
      // As `godwit decode` would write it.
      const int32_t kept = sound.bits <= 16 ? std::min((v + 128) >> 8, 32767) * 256 : v;
      slow.samples.push_back(static_cast<float>(kept / kFullScale));
    }
    return FillResampled(slow, &sound);
  }

  Result<double> DelaySeconds(const ItemView& item, double) override {
    GODWIT_ASSIGN_OR_RETURN(const AudioHeader header, HeaderFor(SoundOf(item)));
    // Two hops until the packet is there, and the decoder keeps half of one.
    return 2.5 * header.hop / header.rate_hz;
  }

 private:
  bool IsVoice(const Sound& sound) const {
    const bool is_small = sound.channels == 1 && sound.rate_hz <= kVoiceRate;
    return kind_ == Kind::kVoice || (kind_ == Kind::kBySound && is_small);
  }
  Result<AudioHeader> HeaderFor(const Sound& sound) const {
    const bool voice = IsVoice(sound);
    return MakeAudioHeader(voice ? AudioKind::kVoice : AudioKind::kMusic,
                           voice ? std::min(sound.rate_hz, kVoiceRate) : sound.rate_hz,
                           sound.channels);
  }

  Kind kind_;
  SoundModels models_;
  Bytes stream_;
};

Result<CodecEntry> Make(Kind kind, std::string_view name, std::span<const std::string> options,
                        const CodecContext& context) {
  std::string model;
  for (const std::string& option : options) {
    if (!option.starts_with("model=") || kind == Kind::kBySound) return NoCodecOption(name, option);
    model = option.substr(6);
  }
  SoundModels models;
  CodecEntry entry;
  entry.version = "godwit " + context.version;
  if (kind != Kind::kVoice) {
    GODWIT_ASSIGN_OR_RETURN(models.music, context.load_sound(model, "music"));
    entry.version += ", music model " + ModelIdHex(models.music.id());
  }
  if (kind != Kind::kMusic) {
    GODWIT_ASSIGN_OR_RETURN(models.voice, context.load_sound(model, "voice"));
    entry.version += ", voice model " + ModelIdHex(models.voice.id());
  }
  entry.setting_name = "quality";
  entry.ladder = {0, 10, 20, 30, 40, 50, 60, 70, 80, 90};
  entry.settings_per_one = 20;  // finer than steps are
  entry.create = [kind, models](int) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<OurSoundCodec>(kind, models));
  };
  return entry;
}

}  // namespace

Result<CodecEntry> MakeMusicCodec(std::span<const std::string> options, const CodecContext& c) {
  return Make(Kind::kMusic, "music", options, c);
}
Result<CodecEntry> MakeVoiceCodec(std::span<const std::string> options, const CodecContext& c) {
  return Make(Kind::kVoice, "voice", options, c);
}
Result<CodecEntry> MakeSoundCodec(std::span<const std::string> options, const CodecContext& c) {
  return Make(Kind::kBySound, "sound", options, c);
}

}  // namespace godwit
