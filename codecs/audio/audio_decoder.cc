#include "codecs/audio/audio_decoder.h"

#include <algorithm>
#include <string>

#include "codecs/audio/audio_layout.h"
#include "codecs/audio/frame_decoder.h"
#include "io/container.h"
#include "models/registry.h"

namespace godwit {

using audio::FrameDecoder;

struct AudioDecoder::State {
  AudioHeader header;
  AudioDecodeOptions options;
  std::vector<FrameDecoder> units;
  uint64_t frames = 0, length = 0, concealed = 0;
  bool lost = true;  // nothing to build on: only a key frame will do
  bool done = false;

  Status CheckRoom(uint64_t more) const;
  void Emit(size_t from, size_t to, std::vector<int32_t>* out);
  void EmitFrame(std::vector<int32_t>* out);
};

Result<AudioDecoder> AudioDecoder::Create(const AudioHeader& header,
                                          const AudioDecodeOptions& options) {
  GODWIT_RETURN_IF_ERROR(ParseAudioHeader(WriteAudioHeader(header), options.limits).status());
  if (header.model_id != options.model.id()) {
    return Status(StatusCode::kModelMissing, "sound of model " + ModelIdHex(header.model_id) +
                                                 ", not of " + ModelIdHex(options.model.id()));
  }
  auto state = std::make_unique<State>();
  state->header = header;
  state->options = options;
  const audio::FrameDecoderChoices choices{header.shape, header.noise, header.grain};
  for (uint32_t c = 0; c < header.channels; c += 2) {
    const int channels = c + 1 < header.channels ? 2 : 1;
    state->units.emplace_back(header.hop, channels, choices, options.model, options.level);
  }
  return AudioDecoder(std::move(state));
}

AudioDecoder::AudioDecoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
AudioDecoder::AudioDecoder(AudioDecoder&&) noexcept = default;
AudioDecoder::~AudioDecoder() = default;

Status AudioDecoder::State::CheckRoom(uint64_t more) const {
  const uint64_t most = options.limits.max_pixels / header.channels / header.hop;
  if (frames + more > most) {
    return Status(StatusCode::kOverLimit, "sound of more than " +
                                              std::to_string(options.limits.max_pixels) +
                                              " samples, which is the limit");
  }
  if (header.length && frames + more > header.frames()) {
    return Status(StatusCode::kCorrupt, "sound part: more frames than the header has");
  }
  return {};
}

// Samples [from, to) of the two hops that the units hold.
void AudioDecoder::State::Emit(size_t from, size_t to, std::vector<int32_t>* out) {
  constexpr int32_t kMost = (1 << (audio::kSampleBits - 1)) - 1;
  const size_t channels = header.channels, start = out->size();
  out->resize(start + (to - from) * channels);
  for (size_t c = 0; c < channels; ++c) {
    const int32_t* const time = units[c / 2].time(static_cast<int>(c % 2));
    int32_t* to_sample = out->data() + start + c;
    for (size_t i = from; i < to; ++i, to_sample += channels) {
      *to_sample = std::clamp(time[i], -kMost - 1, kMost);
    }
  }
  length += to - from;
}

void AudioDecoder::State::EmitFrame(std::vector<int32_t>* out) {
  const size_t hop = header.hop;
  Emit(frames == 0 ? hop : hop / 2, hop + hop / 2, out);
  ++frames;
}

Status AudioDecoder::Decode(std::span<const std::byte> body, std::vector<int32_t>* out) {
  State& s = *state_;
  if (s.done) return Status(StatusCode::kCorrupt, "sound part: one after the last");
  GODWIT_ASSIGN_OR_RETURN(AudioPart part, ParseAudioPart(body, s.header));
  GODWIT_RETURN_IF_ERROR(s.CheckRoom(part.frames));
  if (s.lost && !part.key) {
    if (s.frames == 0 && s.concealed == 0) {
      return Status(StatusCode::kCorrupt, "sound part: the first is no key");
    }
    GODWIT_RETURN_IF_ERROR(Conceal(part.frames, out));
    part.frames = 0;
    part.packets = {};
  }
  for (uint32_t f = 0; f < part.frames; ++f) {
    BitReader reader(part.packets);
    for (FrameDecoder& unit : s.units) unit.Decode(reader, part.step, part.key && f == 0);
    s.lost = true;  // unless the packet ends well
    const Result<size_t> used = reader.FinishOpen();
    if (!used.ok()) {
      // The section is whole, so that nothing is truncated.
      return Status(StatusCode::kCorrupt,
                    "sound frame " + std::to_string(s.frames) + ": " + used.status().message());
    }
    s.lost = false;
    part.packets = part.packets.subspan(*used);
    s.EmitFrame(out);
  }
  if (!part.packets.empty()) {
    return Status(StatusCode::kCorrupt, "sound part: bytes left after the last frame");
  }
  if (!part.last) return {};
  s.done = true;
  const size_t hop = s.header.hop;
  if (s.frames > 0) {
    // What is left of the last frame, less what it was filled up with.
    s.Emit(hop + hop / 2, 2 * hop, out);
    out->resize(out->size() -
                std::min<size_t>(out->size(), size_t{part.dropped} * s.header.channels));
    s.length -= part.dropped;
  }
  if (s.header.length && *s.header.length != s.length) {
    return Status(StatusCode::kCorrupt, "sound of " + std::to_string(s.length) +
                                            " samples, the header has " +
                                            std::to_string(*s.header.length));
  }
  return {};
}

Status AudioDecoder::Conceal(uint32_t frames, std::vector<int32_t>* out) {
  State& s = *state_;
  GODWIT_RETURN_IF_ERROR(s.CheckRoom(frames));
  s.lost = true;
  for (uint32_t f = 0; f < frames; ++f) {
    for (FrameDecoder& unit : s.units) unit.Conceal();
    s.EmitFrame(out);
    ++s.concealed;
  }
  return {};
}

Status AudioDecoder::Finish() const {
  if (state_->done) return {};
  return Status(StatusCode::kTruncated, "sound ends after " + std::to_string(state_->frames) +
                                            " frames, without its last part");
}
uint64_t AudioDecoder::concealed() const { return state_->concealed; }
uint64_t AudioDecoder::length() const { return state_->length; }

Result<DecodedAudio> DecodeAudio(std::span<const std::byte> file,
                                 const AudioDecodeOptions& options) {
  GODWIT_ASSIGN_OR_RETURN(ContainerReader reader, ContainerReader::Open(file));
  GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> head, reader.Next());
  if (!head || head->type != static_cast<uint8_t>(SectionType::kSound)) {
    return Status(StatusCode::kUnreadable, "not a sound");
  }
  DecodedAudio sound;
  GODWIT_ASSIGN_OR_RETURN(sound.header, ParseAudioHeader(head->body, options.limits));
  GODWIT_ASSIGN_OR_RETURN(AudioDecoder decoder, AudioDecoder::Create(sound.header, options));
  for (;;) {
    GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> section, reader.Next());
    if (!section) break;
    if (section->type == static_cast<uint8_t>(SectionType::kTags)) {
      GODWIT_ASSIGN_OR_RETURN(sound.tags, ParseAudioTags(section->body));
    } else if (section->type == static_cast<uint8_t>(SectionType::kSoundPart)) {
      GODWIT_RETURN_IF_ERROR(decoder.Decode(section->body, &sound.samples));
    } else if ((section->type & kCriticalBit) != 0) {
      return Status(StatusCode::kCorrupt, "a section that is not of sound");
    }
  }
  GODWIT_RETURN_IF_ERROR(decoder.Finish());
  sound.header.length = decoder.length();
  return sound;
}

}  // namespace godwit
