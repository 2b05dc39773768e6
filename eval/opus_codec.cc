// libopus as a rival: variable rate, frames of 20 ms, in Ogg.
#include <opus.h>

#include <array>
#include <cmath>
#include <cstring>

#include "eval/codec_table.h"
#include "eval/ogg_pages.h"
#include "eval/resampled.h"
#include "fmt/core.h"

namespace godwit {
namespace {

constexpr uint32_t kFullRate = 48'000;  // that granules count in
constexpr size_t kMostPacketBytes = 4000;

struct OpusOptions {
  int complexity = 10;
  std::optional<int> application;  // absent: voice for one channel of at most 16 kHz
  bool packets = false;
};

// The rate that libopus works at.
uint32_t InnerRate(uint32_t rate_hz) {
  for (const uint32_t rate : {8000u, 12000u, 16000u, 24000u}) {
    if (rate == rate_hz) return rate;
  }
  return kFullRate;
}

Status Failed(int error) {
  return Status(StatusCode::kInternal, fmt::format("opus: {}", opus_strerror(error)));
}

struct FreeEncoder {
  void operator()(OpusEncoder* e) const { opus_encoder_destroy(e); }
};
struct FreeDecoder {
  void operator()(OpusDecoder* d) const { opus_decoder_destroy(d); }
};
using Encoder = std::unique_ptr<OpusEncoder, FreeEncoder>;

void Append16(std::vector<unsigned char>* out, uint32_t v) {
  out->insert(out->end(), {static_cast<unsigned char>(v), static_cast<unsigned char>(v >> 8)});
}
void Append32(std::vector<unsigned char>* out, uint32_t v) {
  Append16(out, v & 0xffff);
  Append16(out, v >> 16);
}

// RFC 7845, 5.1 and 5.2.
std::vector<unsigned char> Head(uint32_t channels, uint32_t skip, uint32_t rate_hz) {
  std::vector<unsigned char> head = {'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1};
  head.push_back(static_cast<unsigned char>(channels));
  Append16(&head, skip);
  Append32(&head, rate_hz);
  Append16(&head, 0);
  head.push_back(0);
  return head;
}
const std::array<unsigned char, 16> kTags = {'O', 'p', 'u', 's', 'T', 'a', 'g', 's'};

class OpusCodec final : public Codec {
 public:
  explicit OpusCodec(const OpusOptions& options) : options_(options) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const Sound& sound = SoundOf(item);
    const uint32_t inner = InnerRate(sound.rate_hz), frame = inner / 50;
    GODWIT_ASSIGN_OR_RETURN(const Encoder encoder, CreateEncoder(sound));
    opus_encoder_ctl(encoder.get(),
                     OPUS_SET_BITRATE(static_cast<int>(std::lround(setting * 1000))));
    const uint32_t ahead = Lookahead(encoder.get());
    GODWIT_ASSIGN_OR_RETURN(Sound slow, Resampled(sound, inner));
    const size_t length = slow.frames(), count = (length + ahead + frame - 1) / frame;
    slow.samples.resize(count * frame * sound.channels);
    const uint32_t step = kFullRate / inner;
    OggWriter ogg;
    stream_.clear();
    packet_bytes_ = 0;
    ogg.Add(Head(sound.channels, ahead * step, sound.rate_hz), 0, false);
    ogg.TakePages(true, &stream_);
    ogg.Add(kTags, 0, false);
    ogg.TakePages(true, &stream_);
    std::array<unsigned char, kMostPacketBytes> packet;
    for (size_t i = 0; i < count; ++i) {
      const int size =
          opus_encode_float(encoder.get(), slow.samples.data() + i * frame * sound.channels,
                            static_cast<int>(frame), packet.data(), kMostPacketBytes);
      if (size < 0) return Failed(size);
      packet_bytes_ += static_cast<uint64_t>(size);
      const bool last = i + 1 == count;
      const size_t granule = last ? length + ahead : (i + 1) * frame;
      ogg.Add(std::span(packet).first(static_cast<size_t>(size)),
              static_cast<int64_t>(granule * step), last);
      ogg.TakePages(last, &stream_);
    }
    return std::span<const std::byte>(stream_);
  }

  uint64_t uncounted_bytes() const override {
    return options_.packets ? stream_.size() - packet_bytes_ : 0;
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    Sound& sound = SoundOf(item);
    const Result<OggPackets> ogg = ReadOggPackets(stream);
    if (!ogg.ok()) return ogg.status().WithPrefix("opus: ");
    const uint32_t inner = InnerRate(sound.rate_hz), step = kFullRate / inner;
    const auto want = static_cast<size_t>(
        std::llround(static_cast<double>(sound.frames()) * inner / sound.rate_hz));
    const auto& packets = ogg->packets;
    if (packets.size() < 3 || packets[0].size() != 19 ||
        std::memcmp(packets[0].data(), "OpusHead", 8) != 0) {
      return Status(StatusCode::kCorrupt, "opus: no stream of Opus");
    }
    const size_t skip = (packets[0][10] + 256u * packets[0][11]) / step;
    if (packets[0][9] != sound.channels ||
        ogg->granule != static_cast<int64_t>((want + skip) * step)) {
      return Status(StatusCode::kInvalidArgument, "opus: a stream of another size");
    }
    int error = 0;
    const std::unique_ptr<OpusDecoder, FreeDecoder> decoder(
        opus_decoder_create(static_cast<int>(inner), static_cast<int>(sound.channels), &error));
    if (decoder == nullptr) return Failed(error);
    Sound slow{inner, sound.channels, sound.bits, {}};
    const size_t most = inner * 120 / 1000;  // of a packet
    std::vector<float> part(most * sound.channels);
    for (size_t i = 2; i < packets.size(); ++i) {
      const int got =
          opus_decode_float(decoder.get(), packets[i].data(), static_cast<int>(packets[i].size()),
                            part.data(), static_cast<int>(most), 0);
      if (got < 0) return Failed(got);
      if (slow.frames() > skip + want) {
        return Status(StatusCode::kCorrupt, "opus: more samples than promised");
      }
      slow.samples.insert(slow.samples.end(), part.begin(), part.begin() + got * sound.channels);
    }
    if (slow.frames() < skip + want) {
      return Status(StatusCode::kCorrupt, "opus: fewer samples than promised");
    }
    const auto begin = slow.samples.begin();
    slow.samples.assign(begin + static_cast<ptrdiff_t>(skip * sound.channels),
                        begin + static_cast<ptrdiff_t>((skip + want) * sound.channels));
    return FillResampled(slow, &sound);
  }

  Result<double> DelaySeconds(const ItemView& item, double) override {
    GODWIT_ASSIGN_OR_RETURN(const Encoder encoder, CreateEncoder(SoundOf(item)));
    const uint32_t inner = InnerRate(SoundOf(item).rate_hz);
    return static_cast<double>(inner / 50 + Lookahead(encoder.get())) / inner;
  }

 private:
  Result<Encoder> CreateEncoder(const Sound& sound) const {
    if (sound.channels > 2) {
      return Status(StatusCode::kUnsupported, "opus: one or two channels here");
    }
    const bool is_voice = sound.channels == 1 && sound.rate_hz <= 16'000;
    int error = 0;
    Encoder encoder(opus_encoder_create(
        static_cast<int>(InnerRate(sound.rate_hz)), static_cast<int>(sound.channels),
        options_.application.value_or(is_voice ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_AUDIO),
        &error));
    if (encoder == nullptr) return Failed(error);
    opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(options_.complexity));
    return encoder;
  }
  static uint32_t Lookahead(OpusEncoder* encoder) {
    opus_int32 ahead = 0;
    opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&ahead));
    return static_cast<uint32_t>(ahead);
  }

  OpusOptions options_;
  Bytes stream_;
  uint64_t packet_bytes_ = 0;
};

}  // namespace

Result<CodecEntry> MakeOpusCodec(std::span<const std::string> options, const CodecContext&) {
  OpusOptions chosen;
  for (const std::string& option : options) {
    if (option == "packets") {
      chosen.packets = true;
    } else if (option == "voip") {
      chosen.application = OPUS_APPLICATION_VOIP;
    } else if (option == "audio") {
      chosen.application = OPUS_APPLICATION_AUDIO;
    } else if (const std::optional<int> number = ParseSmallNumber(option, 0, 10)) {
      chosen.complexity = *number;
    } else {
      return NoCodecOption("opus", option);
    }
  }
  CodecEntry entry;
  entry.version = fmt::format("{}, complexity {}{}", opus_get_version_string(), chosen.complexity,
                              chosen.packets ? ", bytes of packets alone" : ", in Ogg");
  entry.setting_name = "kb/s asked";
  entry.ladder = {5, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256};
  entry.settings_per_one = 100;
  entry.create = [chosen](int) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<OpusCodec>(chosen));
  };
  return entry;
}

}  // namespace godwit
