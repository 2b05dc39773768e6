#include "apps/sound_commands.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/sound_file.h"
#include "codecs/audio/audio_decoder.h"
#include "codecs/audio/audio_encoder.h"
#include "fmt/core.h"
#include "io/container.h"
#include "io/input_file.h"
#include "io/output_file.h"

namespace godwit {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr uint32_t kVoiceRate = 16'000;

std::string_view KindName(AudioKind kind) { return kind == AudioKind::kVoice ? "voice" : "music"; }

std::string OutputName(const std::string& path) { return path == "-" ? "standard output" : path; }

// Bits a second of so many bytes.
double Kbps(uint64_t bytes, uint64_t samples, uint32_t rate_hz) {
  return samples == 0 ? 0
                      : 8e-3 * static_cast<double>(bytes) * rate_hz / static_cast<double>(samples);
}

struct Encoded {
  AudioHeader header;
  uint64_t length = 0, bytes = 0;
};

AudioEncodeOptions OptionsOf(const SoundEncodeArguments& a) {
  AudioEncodeOptions options;
  options.step = AudioStepFromQuality(a.quality.value_or(kDefaultAudioQuality));
  if (a.live) {
    options.part_frames = 1;
    options.key_parts = 20;
  }
  return options;
}

// Standard input without a length: one pass, in which the step follows the rate.
Result<Encoded> EncodeStream(const SoundEncodeArguments& a, SoundSource& source,
                             const AudioHeader& header, AudioEncodeOptions options,
                             AtomicOutputFile& output) {
  if (a.kbps) {
    options.bits_per_second = *a.kbps * 1000;
    options.step = AudioStepForRate(header, options.bits_per_second);
  }
  GODWIT_ASSIGN_OR_RETURN(AudioEncoder encoder, AudioEncoder::Create(header, options));
  if (!a.strip) encoder.SetTags(source.info().tags);
  Encoded encoded{.header = header};
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const std::vector<int32_t> samples, source.Read(header.hop));
    Bytes out;
    GODWIT_RETURN_IF_ERROR(samples.empty() ? encoder.Finish(&out) : encoder.Push(samples, &out));
    encoded.length += samples.size() / header.channels;
    encoded.bytes += out.size();
    GODWIT_RETURN_IF_ERROR(output.Write(out));
    if (a.live) GODWIT_RETURN_IF_ERROR(output.Flush());
    if (samples.empty()) return encoded;
  }
}

Result<Encoded> EncodeWhole(const SoundEncodeArguments& a, SoundSource& source, AudioHeader header,
                            const AudioEncodeOptions& options, AtomicOutputFile& output) {
  std::vector<int32_t> samples;
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const std::vector<int32_t> more, source.Read(65536));
    if (more.empty()) break;
    if ((samples.size() + more.size()) * 4 > a.limits.max_memory_bytes) {
      return Status(StatusCode::kOverLimit, "more samples than the limit on memory allows");
    }
    samples.insert(samples.end(), more.begin(), more.end());
  }
  header.length = samples.size() / header.channels;
  const AudioTags tags = a.strip ? AudioTags{} : source.info().tags;
  std::optional<uint64_t> most = a.size_bytes;
  if (a.kbps) {
    most =
        static_cast<uint64_t>(*a.kbps * 125 * static_cast<double>(*header.length) / header.rate_hz);
  }
  GODWIT_ASSIGN_OR_RETURN(const Bytes file,
                          most ? EncodeAudioToSize(samples, header, *most, options, tags)
                               : EncodeAudio(samples, header, options, tags));
  GODWIT_RETURN_IF_ERROR(output.Write(file));
  return Encoded{header, *header.length, file.size()};
}

std::string FormatOf(const SoundDecodeArguments& a) {
  if (!a.format.empty()) return a.format;
  const size_t dot = a.out.rfind('.');
  const std::string suffix = dot == a.out.npos ? "" : a.out.substr(dot + 1);
  return suffix == "flac" || suffix == "raw" ? suffix : "wav";
}

// Decodes parts as they come.
class SoundReader {
 public:
  SoundReader(ByteSource& source, const SoundDecodeArguments& a, ModelChoice& models)
      : source_(source), a_(a), models_(models) {}
  // The header and what precedes the first part.
  Status Begin() {
    GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> head, Next());
    if (!head) return Status(StatusCode::kTruncated, "ends before its header");
    GODWIT_ASSIGN_OR_RETURN(header_, ParseAudioHeader(head->body, a_.limits));
    AudioDecodeOptions options;
    options.limits = a_.limits;
    GODWIT_ASSIGN_OR_RETURN(options.model, models_.ForSound(header_.model_id));
    GODWIT_ASSIGN_OR_RETURN(AudioDecoder decoder, AudioDecoder::Create(header_, options));
    decoder_.emplace(std::move(decoder));
    return {};
  }
  // Appends the samples of the next part; false at the end.
  Result<bool> Read(std::vector<int32_t>* samples) {
    while (true) {
      const uint64_t before = feed_.offset();
      const Result<std::optional<Section>> section = Next();
      if (!section.ok()) {
        // Where the length itself is damaged, nothing tells how to go on.
        if (!a_.conceal || section.status().code() != StatusCode::kCorrupt || part_frames_ == 0 ||
            feed_.offset() == before) {
          return section.status();
        }
        GODWIT_RETURN_IF_ERROR(decoder_->Conceal(part_frames_, samples));
        return true;
      }
      if (!*section) {
        GODWIT_RETURN_IF_ERROR(decoder_->Finish());
        return false;
      }
      if ((*section)->type == static_cast<uint8_t>(SectionType::kTags)) {
        GODWIT_ASSIGN_OR_RETURN(tags_, ParseAudioTags((*section)->body));
        continue;
      }
      if ((*section)->type != static_cast<uint8_t>(SectionType::kSoundPart)) {
        if (((*section)->type & kCriticalBit) == 0) continue;
        return Status(StatusCode::kCorrupt, "a section that is not of sound");
      }
      GODWIT_ASSIGN_OR_RETURN(const AudioPart part, ParseAudioPart((*section)->body, header_));
      part_frames_ = part.frames;
      GODWIT_RETURN_IF_ERROR(decoder_->Decode((*section)->body, samples));
      return true;
    }
  }
  const AudioHeader& header() const { return header_; }
  const AudioTags& tags() const { return tags_; }
  const AudioDecoder& decoder() const { return *decoder_; }

 private:
  Result<std::optional<Section>> Next() {
    while (true) {
      GODWIT_ASSIGN_OR_RETURN(std::optional<Section> section, feed_.Next());
      if (section) return section;
      const std::span<const std::byte> more = source_.TakeBlock();
      GODWIT_RETURN_IF_ERROR(source_.status());
      if (more.empty()) {
        GODWIT_RETURN_IF_ERROR(feed_.Finish());
        return section;
      }
      if (feed_.pending() + more.size() > a_.limits.max_memory_bytes) {
        return Status(StatusCode::kOverLimit, "a section longer than the limit on memory allows");
      }
      feed_.Push(more);
    }
  }

  ByteSource& source_;
  const SoundDecodeArguments& a_;
  ModelChoice& models_;
  SectionFeed feed_;
  AudioHeader header_;
  AudioTags tags_;
  std::optional<AudioDecoder> decoder_;
  uint32_t part_frames_ = 0;  // of the last part that was whole
};

Status Decode(const SoundDecodeArguments& a, SoundReader& reader, AtomicOutputFile& output) {
  GODWIT_RETURN_IF_ERROR(reader.Begin());
  const bool raw = FormatOf(a) == "raw";
  std::vector<int32_t> samples;
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const bool more, reader.Read(&samples));
    if (samples.size() * 8 > a.limits.max_memory_bytes) {
      return Status(StatusCode::kOverLimit, "more samples than the limit on memory allows");
    }
    if (raw) {
      Bytes out;
      AppendRaw(reader.header().samples, samples, &out);
      GODWIT_RETURN_IF_ERROR(output.Write(out));
      GODWIT_RETURN_IF_ERROR(output.Flush());
      samples.clear();
    }
    if (!more) break;
  }
  if (raw) return {};
  GODWIT_ASSIGN_OR_RETURN(
      const Bytes file,
      SoundFile(reader.header(), a.strip ? AudioTags{} : reader.tags(), samples, FormatOf(a)));
  return output.Write(file);
}

}  // namespace

Status EncodeSoundFile(const SoundEncodeArguments& a, const Console& console) {
  const auto start = Clock::now();
  std::optional<AudioInfo> raw;
  if (!a.raw.empty()) {
    raw = ParseRawFormat(a.raw);
    if (!raw) {
      return Status(StatusCode::kInvalidArgument,
                    "--raw " + a.raw + ": is no RATE,CHANNELS or RATE,CHANNELS,s16|s32|f32");
    }
  }
  const std::string place = InputName(a.in) + ": ";
  const auto at_place = [&](const Status& status) {
    return status.message().starts_with(place) ? status : status.WithPrefix(place);
  };
  Result<SoundSource> source = SoundSource::Open(a.in, raw, a.limits);
  if (!source.ok()) return at_place(source.status());
  const bool small = source->info().channels == 1 && source->info().rate_hz <= kVoiceRate;
  const bool voice = a.codec == "voice" || (a.codec.empty() && small);
  uint32_t rate_hz = static_cast<uint32_t>(a.rate_hz);
  if (rate_hz == 0) rate_hz = source->rate_hz();
  if (voice && a.rate_hz == 0) rate_hz = std::min(rate_hz, kVoiceRate);
  if (const Status status = source->SetRate(rate_hz); !status.ok()) return at_place(status);
  Result<AudioHeader> header = MakeAudioHeader(voice ? AudioKind::kVoice : AudioKind::kMusic,
                                               source->rate_hz(), source->info().channels);
  if (!header.ok()) return at_place(header.status());
  header->samples = source->kind();
  AudioEncodeOptions options = OptionsOf(a);
  GODWIT_ASSIGN_OR_RETURN(ModelChoice models, ModelChoice::Open(a.model_folders));
  GODWIT_ASSIGN_OR_RETURN(options.model,
                          models.ForEncodingSound(a.model, std::string(KindName(header->kind))));
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile output, AtomicOutputFile::Create(a.out, a.overwrite));
  const bool one_pass = (raw || a.live) && !a.size_bytes;
  const Result<Encoded> encoded = one_pass ? EncodeStream(a, *source, *header, options, output)
                                           : EncodeWhole(a, *source, *header, options, output);
  if (!encoded.ok()) return at_place(encoded.status());
  GODWIT_RETURN_IF_ERROR(output.Commit());
  const double kbps = Kbps(encoded->bytes, encoded->length, header->rate_hz);
  if (console.json) {
    console.PrintJson({{"input", a.in},
                       {"output", a.out},
                       {"codec", KindName(header->kind)},
                       {"model", ModelIdHex(options.model.id())},
                       {"bytes", encoded->bytes},
                       {"kbps", kbps},
                       {"rate_hz", header->rate_hz},
                       {"channels", header->channels},
                       {"samples", encoded->length},
                       {"seconds", Seconds(start)}});
    return {};
  }
  console.Note(fmt::format(
      "{}: {}, {} Hz, {} channel{}, {:.2f} s of sound, {} bytes, {:.4g} kb/s, {:.2f} s",
      OutputName(a.out), KindName(header->kind), header->rate_hz, header->channels,
      header->channels == 1 ? "" : "s", static_cast<double>(encoded->length) / header->rate_hz,
      encoded->bytes, kbps, Seconds(start)));
  return {};
}

bool HoldsSound(std::span<const std::byte> prefix) {
  const Result<SectionType> medium = PeekMedium(prefix);
  return medium.ok() && *medium == SectionType::kSound;
}

Status DecodeSoundFile(const SoundDecodeArguments& a, ByteSource& source, const Console& console) {
  const auto start = Clock::now();
  const std::string place = InputName(a.in) + ": ";
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile output, AtomicOutputFile::Create(a.out, a.overwrite));
  GODWIT_ASSIGN_OR_RETURN(ModelChoice models, ModelChoice::Open(a.model_folders));
  SoundReader reader(source, a, models);
  const Status status = CatchOutOfMemory([&] { return Decode(a, reader, output); });
  if (!status.ok()) {
    const bool writing = status.code() == StatusCode::kNotWritable;
    return writing ? status : status.WithPrefix(place);
  }
  GODWIT_RETURN_IF_ERROR(output.Commit());
  const AudioHeader& h = reader.header();
  const uint64_t length = reader.decoder().length(), concealed = reader.decoder().concealed();
  if (concealed > 0) {
    console.Warn(fmt::format("{}{} frames were lost and are made up", place, concealed));
  }
  if (console.json) {
    console.PrintJson({{"input", a.in},
                       {"output", a.out},
                       {"rate_hz", h.rate_hz},
                       {"channels", h.channels},
                       {"samples", length},
                       {"concealed_frames", concealed},
                       {"seconds", Seconds(start)}});
    return {};
  }
  console.Note(fmt::format("{}: {} Hz, {} channel{}, {:.2f} s of sound, {:.2f} s",
                           OutputName(a.out), h.rate_hz, h.channels, h.channels == 1 ? "" : "s",
                           static_cast<double>(length) / h.rate_hz, Seconds(start)));
  return {};
}

Status PrintSoundInfo(const std::string& path, const Bytes& file, const DecodeLimits& limits,
                      ModelChoice& models, const Console& console) {
  GODWIT_ASSIGN_OR_RETURN(ContainerReader reader, ContainerReader::Open(file));
  AudioHeader h;
  AudioTags tags;
  uint64_t parts = 0, frames = 0, keys = 0, dropped = 0;
  bool last = false;
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> section, reader.Next());
    if (!section) break;
    if (section->type == static_cast<uint8_t>(SectionType::kSound)) {
      GODWIT_ASSIGN_OR_RETURN(h, ParseAudioHeader(section->body, limits));
    } else if (section->type == static_cast<uint8_t>(SectionType::kTags)) {
      GODWIT_ASSIGN_OR_RETURN(tags, ParseAudioTags(section->body));
    } else if (section->type == static_cast<uint8_t>(SectionType::kSoundPart)) {
      GODWIT_ASSIGN_OR_RETURN(const AudioPart part, ParseAudioPart(section->body, h));
      ++parts;
      frames += part.frames;
      keys += part.key ? 1 : 0;
      last = last || part.last;
      dropped = part.dropped;
    }
  }
  if (!last) return Status(StatusCode::kTruncated, "ends without its last part");
  const uint64_t samples = frames * h.hop - dropped;
  const double seconds = static_cast<double>(samples) / h.rate_hz;
  if (console.json) {
    nlohmann::ordered_json json = {{"file", path},
                                   {"codec", KindName(h.kind)},
                                   {"model", ModelIdHex(h.model_id)},
                                   {"rate_hz", h.rate_hz},
                                   {"channels", h.channels},
                                   {"samples", samples},
                                   {"bytes", file.size()},
                                   {"kbps", Kbps(file.size(), samples, h.rate_hz)},
                                   {"hop", h.hop},
                                   {"frames", frames},
                                   {"parts", parts},
                                   {"keys", keys}};
    for (const auto& [key, text] : tags) json["tags"][key] = text;
    console.PrintJson(json);
    return {};
  }
  const ModelEntry* const model = models.registry().Find(h.model_id);
  const std::string name = h.model_id == 0    ? "untrained"
                           : model == nullptr ? "not at hand"
                                              : model->name;
  console.out << fmt::format(
      "{}: {} Hz, {} channel{}, {:.2f} s, {} bytes, {:.4g} kb/s\n"
      "  codec {}, {} frames of {} samples ({:.3g} ms) in {} parts, {} with a key\n"
      "  model {} ({})\n",
      InputName(path), h.rate_hz, h.channels, h.channels == 1 ? "" : "s", seconds, file.size(),
      Kbps(file.size(), samples, h.rate_hz), KindName(h.kind), frames, h.hop,
      1e3 * h.hop / h.rate_hz, parts, keys, ModelIdHex(h.model_id), name);
  for (const auto& [key, text] : tags) console.out << fmt::format("  {}: {}\n", key, text);
  return {};
}

Status VerifySound(const Bytes& file, const DecodeLimits& limits, ModelChoice& models) {
  ByteSource source = ByteSource::Over(file);
  SoundDecodeArguments a;
  a.limits = limits;
  SoundReader reader(source, a, models);
  GODWIT_RETURN_IF_ERROR(reader.Begin());
  std::vector<int32_t> samples;
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const bool more, reader.Read(&samples));
    samples.clear();
    if (!more) return {};
  }
}

Status CompareSounds(const std::string& path_a, const std::string& path_b,
                     const DecodeLimits& limits, const Console& console) {
  GODWIT_ASSIGN_OR_RETURN(const auto a, OpenAudio(path_a, limits));
  GODWIT_ASSIGN_OR_RETURN(const auto b, OpenAudio(path_b, limits));
  const AudioInfo &p = a->info(), &q = b->info();
  if (p.rate_hz != q.rate_hz || p.channels != q.channels) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{}: {} Hz, {} channels, but {}: {} Hz, {} channels", path_a,
                              p.rate_hz, p.channels, path_b, q.rate_hz, q.channels));
  }
  double xx = 0, yy = 0, xy = 0, largest = 0;
  uint64_t samples = 0;
  std::vector<float> x(4096 * p.channels), y(x.size());
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const size_t got, a->Read(std::span<float>(x)));
    GODWIT_ASSIGN_OR_RETURN(const size_t other, b->Read(std::span<float>(y)));
    if (got != other) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{} and {} have different lengths", path_a, path_b));
    }
    if (got == 0) break;
    samples += got;
    for (size_t i = 0; i < got * p.channels; ++i) {
      const double u = x[i], v = y[i];
      xx += u * u;
      yy += v * v;
      xy += u * v;
      largest = std::max(largest, std::abs(u - v));
    }
  }
  const double snr = 10 * std::log10(xx / (xx + yy - 2 * xy));
  const double si_sdr = 10 * std::log10(xy * xy / (xx * yy - xy * xy));
  if (console.json) {
    console.PrintJson({{"a", path_a},
                       {"b", path_b},
                       {"rate_hz", p.rate_hz},
                       {"channels", p.channels},
                       {"samples", samples},
                       {"si_sdr_db", si_sdr},  // null where equal or silent
                       {"snr_db", snr},
                       {"max_error", largest}});
  } else if (largest == 0) {
    console.out << "equal\n";
  } else {
    console.out << fmt::format("SI-SDR {:.2f} dB, SNR {:.2f} dB, largest error {:.6f}\n", si_sdr,
                               snr, largest);
  }
  return {};
}

}  // namespace godwit
