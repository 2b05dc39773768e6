#include "codecs/audio/audio_encoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "codecs/audio/audio_layout.h"
#include "codecs/audio/frame_encoder.h"
#include "io/container.h"

namespace godwit {

using audio::FrameEncoder;

constexpr double kStepsPerHalf = 68;  // that halve the bits

static_assert(kCoarsestAudioStep == audio::kMaxStep);

int AudioStepFromQuality(double quality) {
  // Music of 44.1 kHz stereo takes some 7 kb/s at 0, 67 at 50 and 325 at 100.
  return static_cast<int>(std::lround(1280 - 5 * std::clamp(quality, 0.0, 100.0)));
}

int AudioStepForRate(const AudioHeader& header, double bits_per_second) {
  // 0.35 bits a sample at 1105, and twice as many 68 steps below: the mean of five pieces.
  const double bits = bits_per_second / header.rate_hz / header.channels;
  const double step = 1105 - kStepsPerHalf * std::log2(std::max(bits, 1e-4) / 0.35);
  return static_cast<int>(std::lround(std::clamp(step, 0.0, double{kCoarsestAudioStep})));
}

struct AudioEncoder::State {
  AudioHeader header;
  AudioEncodeOptions options;
  AudioTags tags;
  std::vector<FrameEncoder> units;
  std::vector<std::vector<int32_t>> frame;  // of each channel, filled up to `filled`
  size_t filled = 0;
  uint64_t length = 0, pushed = 0, coded = 0, parts = 0;  // samples; frames; frames; sections
  bool started = false;
  int step = 0;
  std::unique_ptr<audio::PacketDecision[]> decisions;  // room for those of a unit
  Bytes packets, packet;                               // of this part; the one that is coded
  uint32_t part_frames = 0;
  double bits_due = 0;  // coded beyond the target rate, so far

  void Start(Bytes* out);
  void PushFrame();
  void Reserve(size_t decisions, RangeEncoder& encoder);
  Status CodeFrame(bool last);
  void EndPart(bool last, Bytes* out);
  void FollowRate(size_t bytes);
};

Result<AudioEncoder> AudioEncoder::Create(const AudioHeader& header,
                                          const AudioEncodeOptions& options) {
  const DecodeLimits none{.max_pixels = UINT64_MAX, .max_memory_bytes = UINT64_MAX};  // a reader's
  GODWIT_RETURN_IF_ERROR(ParseAudioHeader(WriteAudioHeader(header), none).status());
  if (options.step < 0 || options.step > kCoarsestAudioStep || options.part_frames < 0 ||
      options.part_frames > 1 << 16 || options.key_parts < 1 || options.lambda < 0 ||
      options.lambda > 1 << 16 || !(options.bits_per_second >= 0)) {
    return Status(StatusCode::kInvalidArgument, "sound encoder: an option is out of range");
  }
  auto state = std::make_unique<State>();
  state->header = header;
  state->header.model_id = options.model.id();
  state->options = options;
  state->step = options.step;
  if (options.part_frames == 0) {
    state->options.part_frames =
        std::max<int>(1, static_cast<int>((header.rate_hz + header.hop / 2) / header.hop));
  }
  audio::FrameEncoderChoices choices;
  choices.shape = header.shape;
  choices.lambda = options.lambda;
  choices.splits = options.splits;
  if (header.kind == AudioKind::kVoice) {
    // Its frames are short enough: splits cost 1.8 dB and 0.015 of STOI at 6 kb/s. What is
    // understood lies below 4.25 kHz: fewer symbols above give 0.004 of STOI for 0.5 dB.
    choices.splits = false;
    // Small symbols carry the envelopes that make speech understood: a sixth of the price gives
    // 0.008 of STOI at 6 kb/s and costs 0.4 dB of SI-SDR, nothing at 24.
    choices.lambda = options.lambda / 6;
    choices.sparse_from = 2 * 4250 * header.hop / header.rate_hz;
  }
  for (uint32_t c = 0; c < header.channels; c += 2) {
    const int channels = c + 1 < header.channels ? 2 : 1;
    state->units.emplace_back(header.hop, channels, choices, options.model, options.level);
  }
  state->decisions =
      std::make_unique_for_overwrite<audio::PacketDecision[]>(2 * audio::MostDecisions(header.hop));
  // Enough for most frames; those that need more get it.
  state->packet.resize(header.channels * (size_t{header.hop} * 8 + 1024) + 64);
  state->frame.assign(header.channels, std::vector<int32_t>(header.hop));
  return AudioEncoder(std::move(state));
}

AudioEncoder::AudioEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
AudioEncoder::AudioEncoder(AudioEncoder&&) noexcept = default;
AudioEncoder::~AudioEncoder() = default;

void AudioEncoder::SetTags(AudioTags tags) { state_->tags = std::move(tags); }

void AudioEncoder::State::Start(Bytes* out) {
  if (started) return;
  started = true;
  ContainerWriter writer;
  writer.Add(SectionType::kSound, WriteAudioHeader(header));
  if (!tags.empty()) writer.Add(SectionType::kTags, WriteAudioTags(tags));
  const Bytes bytes = writer.Release();
  out->insert(out->end(), bytes.begin(), bytes.end());
}

void AudioEncoder::State::PushFrame() {
  for (size_t u = 0; u < units.size(); ++u) {
    const size_t c = 2 * u;
    units[u].Push({frame[c].data(), c + 1 < frame.size() ? frame[c + 1].data() : nullptr});
  }
  ++pushed;
  filled = 0;
}

void AudioEncoder::State::Reserve(size_t count, RangeEncoder& encoder) {
  const size_t needed = encoder.written() + 2 * count + 8;
  if (needed <= packet.size()) return;
  const size_t done = encoder.stored();
  packet.resize(needed + needed / 2);
  encoder.ContinueIn(packet, done);
}

Status AudioEncoder::State::CodeFrame(bool last) {
  const bool key = part_frames == 0 && parts % static_cast<uint64_t>(options.key_parts) == 0;
  RangeEncoder encoder(packet);
  for (FrameEncoder& unit : units) {
    audio::PacketWriter writer(decisions.get());
    unit.Encode(writer, step, key, last);
    const std::span<const audio::PacketDecision> list(decisions.get(), writer.at());
    Reserve(list.size(), encoder);
    audio::EncodePacketList(options.level, list, encoder);
  }
  Reserve(0, encoder);
  GODWIT_ASSIGN_OR_RETURN(const size_t size, encoder.FinishOpen());
  packets.insert(packets.end(), packet.begin(), packet.begin() + static_cast<ptrdiff_t>(size));
  ++part_frames;
  ++coded;
  return {};
}

void AudioEncoder::State::EndPart(bool last, Bytes* out) {
  AudioPart part;
  part.key = parts % static_cast<uint64_t>(options.key_parts) == 0;
  part.last = last;
  part.step = step;
  part.frames = part_frames;
  if (last) part.dropped = static_cast<uint32_t>(coded * header.hop - length);
  part.packets = packets;
  const size_t before = out->size();
  AppendSection(SectionType::kSoundPart, WriteAudioPart(part), out);
  FollowRate(out->size() - before);
  packets.clear();
  part_frames = 0;
  ++parts;
}

// What is owed is to be paid within four seconds.
void AudioEncoder::State::FollowRate(size_t bytes) {
  if (options.bits_per_second <= 0) return;
  const double seconds = double(part_frames) * header.hop / header.rate_hz;
  const double bits = 8.0 * static_cast<double>(bytes);
  bits_due += bits - options.bits_per_second * seconds;
  const double wanted =
      std::max(options.bits_per_second * seconds - bits_due * std::min(1.0, seconds / 4), bits / 8);
  const double change = kStepsPerHalf * std::log2(std::max(bits, 1.0) / std::max(wanted, 1.0));
  const double moved = step + 0.6 * std::clamp(change, -160.0, 160.0);
  step = static_cast<int>(std::clamp(std::lround(moved), 0L, long{kCoarsestAudioStep}));
}

Status AudioEncoder::Push(std::span<const int32_t> samples, Bytes* out) {
  State& s = *state_;
  const size_t channels = s.header.channels;
  if (samples.size() % channels != 0) {
    return Status(StatusCode::kInvalidArgument, "sound encoder: samples of some channels only");
  }
  s.Start(out);
  while (!samples.empty()) {
    const size_t count = std::min(s.header.hop - s.filled, samples.size() / channels);
    const auto limited = [](int32_t v) { return std::clamp(v, -(1 << 23), (1 << 23) - 1); };
    const int32_t* const from = samples.data();
    if (channels == 2) {  // both at once, as vectors
      int32_t* __restrict const left = s.frame[0].data() + s.filled;
      int32_t* __restrict const right = s.frame[1].data() + s.filled;
      for (size_t i = 0; i < count; ++i) {
        left[i] = limited(from[2 * i]);
        right[i] = limited(from[2 * i + 1]);
      }
    } else {
      for (size_t c = 0; c < channels; ++c) {
        int32_t* const to = s.frame[c].data() + s.filled;
        for (size_t i = 0; i < count; ++i) to[i] = limited(from[i * channels + c]);
      }
    }
    samples = samples.subspan(count * channels);
    s.length += count;
    s.filled += count;
    if (s.filled < s.header.hop) break;
    s.PushFrame();
    if (s.pushed < 2) continue;
    GODWIT_RETURN_IF_ERROR(s.CodeFrame(/*last=*/false));
    if (s.part_frames == static_cast<uint32_t>(s.options.part_frames)) s.EndPart(false, out);
  }
  return {};
}

Status AudioEncoder::Finish(Bytes* out) {
  State& s = *state_;
  if (s.header.length && *s.header.length != s.length) {
    return Status(StatusCode::kInvalidArgument,
                  "sound of " + std::to_string(s.length) + " samples, not " +
                      std::to_string(*s.header.length) + " as promised");
  }
  s.Start(out);
  if (s.filled > 0) {
    for (auto& channel : s.frame)
      std::fill(channel.begin() + static_cast<ptrdiff_t>(s.filled), channel.end(), 0);
    s.PushFrame();
    if (s.pushed >= 2) GODWIT_RETURN_IF_ERROR(s.CodeFrame(/*last=*/false));
  }
  if (s.pushed > 0) {
    // The part may be full already: the last frame then opens one more.
    if (s.part_frames == static_cast<uint32_t>(s.options.part_frames)) s.EndPart(false, out);
    s.PushFrame();  // any: it is not looked at
    GODWIT_RETURN_IF_ERROR(s.CodeFrame(/*last=*/true));
  }
  s.EndPart(/*last=*/true, out);
  return {};
}

Result<Bytes> EncodeAudio(std::span<const int32_t> samples, const AudioHeader& header,
                          const AudioEncodeOptions& options, const AudioTags& tags) {
  GODWIT_ASSIGN_OR_RETURN(AudioEncoder encoder, AudioEncoder::Create(header, options));
  encoder.SetTags(tags);
  Bytes out;
  GODWIT_RETURN_IF_ERROR(encoder.Push(samples, &out));
  GODWIT_RETURN_IF_ERROR(encoder.Finish(&out));
  return out;
}

Result<Bytes> EncodeAudioToSize(std::span<const int32_t> samples, const AudioHeader& header,
                                uint64_t max_bytes, AudioEncodeOptions options,
                                const AudioTags& tags) {
  options.step = kCoarsestAudioStep;
  GODWIT_ASSIGN_OR_RETURN(Bytes best, EncodeAudio(samples, header, options, tags));
  if (best.size() > max_bytes) {
    return Status(StatusCode::kOverLimit, "does not fit " + std::to_string(max_bytes) +
                                              " bytes: the smallest file possible has " +
                                              std::to_string(best.size()));
  }
  // `best` is that of step `fits`; steps below `low` are not asked any more.
  for (int low = 0, fits = kCoarsestAudioStep; low < fits;) {
    options.step = (low + fits) / 2;
    GODWIT_ASSIGN_OR_RETURN(Bytes now, EncodeAudio(samples, header, options, tags));
    if (now.size() <= max_bytes) {
      fits = options.step;
      best = std::move(now);
    } else {
      low = options.step + 1;
    }
  }
  return best;
}

}  // namespace godwit
