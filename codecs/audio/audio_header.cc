#include "codecs/audio/audio_header.h"

#include <algorithm>
#include <bit>

#include "codecs/audio/audio_layout.h"
#include "codecs/audio/sound_unit.h"

namespace godwit {
namespace {

constexpr uint8_t kKey = 1, kLast = 2;

Status Corrupt(const std::string& what) {
  return Status(StatusCode::kCorrupt, "sound header: " + what);
}

Status CheckHeader(const AudioHeader& h, const DecodeLimits& limits) {
  if (h.rate_hz < 1 || h.rate_hz > kMaxAudioRate) return Corrupt("rate out of range");
  if (h.channels < 1 || h.channels > kMaxAudioChannels) return Corrupt("channels out of range");
  if (!audio::IsHop(h.hop)) return Corrupt("frames of " + std::to_string(h.hop) + " samples");
  if (h.shape > 16 || h.noise > 16 || h.grain > 32) {
    return Corrupt("shape, noise or grain out of range");
  }
  if (AudioStateBytes(h) > limits.max_memory_bytes) {
    return Status(StatusCode::kOverLimit, "sound that takes " + std::to_string(AudioStateBytes(h)) +
                                              " bytes of work, the limit is " +
                                              std::to_string(limits.max_memory_bytes));
  }
  if (h.length && *h.length > limits.max_pixels / h.channels) {
    return Status(StatusCode::kOverLimit,
                  "sound of " + std::to_string(*h.length) + " times " + std::to_string(h.channels) +
                      " samples, the limit is " + std::to_string(limits.max_pixels));
  }
  return {};
}

// A varint that fits `most`.
Result<uint32_t> Limited(ByteReader& reader, uint32_t most, const char* what) {
  GODWIT_ASSIGN_OR_RETURN(const uint64_t v, reader.Varint());
  if (v > most) return Corrupt(std::string(what) + " out of range");
  return static_cast<uint32_t>(v);
}

// The section is whole: what it lacks is corruption, not truncation.
template <typename T>
Result<T> Whole(Result<T> parsed) {
  if (parsed.status().code() != StatusCode::kTruncated) return parsed;
  return Corrupt(parsed.status().message());
}

Result<AudioHeader> ReadHeader(std::span<const std::byte> body, const DecodeLimits& limits) {
  ByteReader reader(body);
  AudioHeader h;
  GODWIT_ASSIGN_OR_RETURN(const uint8_t first, reader.U8());
  if ((first & 15) > 1 || first >> 4 > 2) {
    return Status(StatusCode::kUnsupported, "sound header: kind " + std::to_string(first));
  }
  h.kind = static_cast<AudioKind>(first & 15);
  h.samples = static_cast<AudioSamples>(first >> 4);
  GODWIT_ASSIGN_OR_RETURN(h.rate_hz, Limited(reader, kMaxAudioRate, "rate"));
  GODWIT_ASSIGN_OR_RETURN(h.channels, Limited(reader, kMaxAudioChannels, "channels"));
  GODWIT_ASSIGN_OR_RETURN(h.hop, Limited(reader, audio::kMaxHop, "frame"));
  GODWIT_ASSIGN_OR_RETURN(h.shape, reader.U8());
  GODWIT_ASSIGN_OR_RETURN(h.noise, reader.U8());
  GODWIT_ASSIGN_OR_RETURN(h.grain, reader.U8());
  GODWIT_ASSIGN_OR_RETURN(h.model_id, reader.U64());
  GODWIT_ASSIGN_OR_RETURN(const uint64_t length, reader.Varint());
  if (length > uint64_t{1} << 48) return Corrupt("length out of range");
  if (length > 0) h.length = length - 1;
  if (reader.remaining() > 0) return Corrupt("bytes left over");
  GODWIT_RETURN_IF_ERROR(CheckHeader(h, limits));
  return h;
}

Result<AudioPart> ReadPart(std::span<const std::byte> body, const AudioHeader& header) {
  ByteReader reader(body);
  AudioPart part;
  GODWIT_ASSIGN_OR_RETURN(const uint8_t flags, reader.U8());
  if ((flags & ~(kKey | kLast)) != 0) {
    return Status(StatusCode::kUnsupported, "sound part: flags " + std::to_string(flags));
  }
  part.key = (flags & kKey) != 0;
  part.last = (flags & kLast) != 0;
  GODWIT_ASSIGN_OR_RETURN(const uint32_t step, Limited(reader, audio::kMaxStep, "step"));
  part.step = static_cast<int>(step);
  GODWIT_ASSIGN_OR_RETURN(part.frames, Limited(reader, 1u << 16, "frames"));
  if (part.last) {
    GODWIT_ASSIGN_OR_RETURN(part.dropped, Limited(reader, header.hop - 1, "dropped samples"));
  }
  if (part.frames == 0 && !part.last) return Corrupt("a part without frames");
  if (part.frames == 0 && part.dropped != 0) return Corrupt("dropped samples out of range");
  GODWIT_ASSIGN_OR_RETURN(part.packets, reader.Take(reader.remaining()));
  if (part.packets.size() < part.frames) {  // a packet has a byte at least
    return Status(StatusCode::kTruncated, "sound part: fewer bytes than frames");
  }
  return part;
}

Result<AudioTags> ReadTags(std::span<const std::byte> body) {
  ByteReader reader(body);
  AudioTags tags;
  while (reader.remaining() > 0) {
    std::string pair[2];
    for (std::string& s : pair) {
      GODWIT_ASSIGN_OR_RETURN(const uint64_t size, reader.Varint());
      GODWIT_ASSIGN_OR_RETURN(const auto text, reader.Take(size));
      s.assign(reinterpret_cast<const char*>(text.data()), text.size());
    }
    tags.emplace_back(std::move(pair[0]), std::move(pair[1]));
  }
  return tags;
}

}  // namespace

Result<AudioHeader> ParseAudioHeader(std::span<const std::byte> body, const DecodeLimits& limits) {
  return Whole(ReadHeader(body, limits));
}
Result<AudioPart> ParseAudioPart(std::span<const std::byte> body, const AudioHeader& header) {
  return Whole(ReadPart(body, header));
}
Result<AudioTags> ParseAudioTags(std::span<const std::byte> body) { return Whole(ReadTags(body)); }

Bytes WriteAudioHeader(const AudioHeader& h) {
  ByteWriter w;
  w.U8(static_cast<uint8_t>(static_cast<uint8_t>(h.kind) | static_cast<uint8_t>(h.samples) << 4));
  w.Varint(h.rate_hz);
  w.Varint(h.channels);
  w.Varint(h.hop);
  w.U8(h.shape);
  w.U8(h.noise);
  w.U8(h.grain);
  w.U64(h.model_id);
  w.Varint(h.length ? *h.length + 1 : 0);
  return w.Release();
}

Bytes WriteAudioPart(const AudioPart& part) {
  ByteWriter w;
  w.U8(static_cast<uint8_t>((part.key ? kKey : 0) | (part.last ? kLast : 0)));
  w.Varint(static_cast<uint64_t>(part.step));
  w.Varint(part.frames);
  if (part.last) w.Varint(part.dropped);
  w.Append(part.packets);
  return w.Release();
}

Bytes WriteAudioTags(const AudioTags& tags) {
  ByteWriter w;
  for (const auto& [key, text] : tags) {
    for (const std::string& s : {key, text}) {
      w.Varint(s.size());
      w.Append(std::as_bytes(std::span(s)));
    }
  }
  return w.Release();
}

Result<AudioHeader> MakeAudioHeader(AudioKind kind, uint32_t rate_hz, uint32_t channels) {
  AudioHeader h;
  h.kind = kind;
  h.rate_hz = rate_hz;
  h.channels = channels;
  if (rate_hz < 1 || rate_hz > kMaxAudioRate || channels < 1 || channels > kMaxAudioChannels) {
    return Status(StatusCode::kUnsupported, "sound of " + std::to_string(rate_hz) + " Hz with " +
                                                std::to_string(channels) + " channels");
  }
  const uint64_t most = uint64_t{rate_hz} * (kind == AudioKind::kMusic ? 100 : 40) / 1000;
  h.hop = audio::kMinHop;
  for (uint32_t hop = audio::kMinHop; hop <= audio::kMaxHop && 2 * hop <= most; hop += 32) {
    if (audio::IsHop(hop)) h.hop = hop;
  }
  // Of 5 to 14, on training speech at 6 and 12 kb/s, 5 has the best STOI, SI-SDR and log-mel
  // distance; music pays 1.3 dB of SI-SDR for 3 % of log-mel distance from 8 to 9.
  h.shape = kind == AudioKind::kMusic ? 9 : 5;
  // Of 0 to 11, grain of 3 has the best STOI and costs 0.1 to 0.3 dB of SI-SDR less than 7; in
  // music 3 costs a tenth to a quarter of log-mel distance.
  h.noise = kind == AudioKind::kMusic ? 14 : 13;
  h.grain = kind == AudioKind::kMusic ? 7 : 3;
  return h;
}

double AudioEncoderMacs(const AudioHeader& h) {
  // Rotations of pairs at the boundary, factors before and after: 2 each. A pass of radix r takes
  // r - 1 complex products for r points, which are 2 r samples; that of radix 5 16 products more.
  double macs = 6;
  const uint32_t points = h.hop / 2;
  const auto twos = std::countr_zero(points);
  macs += 1.5 * (twos / 2) + (twos % 2 != 0 ? 1 : 0) + (points % 5 == 0 ? 3.2 : 0);
  constexpr double kLevelAndStep = 2, kPair = 2.0 * (3 + 4) / 4;  // products and turning, of two
  return macs + kLevelAndStep + (h.channels > 1 ? kPair : 0);
}

uint64_t AudioStateBytes(const AudioHeader& h) {
  // Of a channel: contexts, spectrum, symbols, targets, samples and the tables of the transform.
  return h.channels * (sizeof(audio::UnitMemory) + uint64_t{h.hop} * 64) + (1 << 16);
}

}  // namespace godwit
