// LAME as a rival: MP3 of an average rate, with the tag that tells players what to cut.
#include <lame/lame.h>

#include <algorithm>

#include "eval/codec_table.h"
#include "eval/delay_signal.h"
#include "eval/resampled.h"
#include "eval/sndfile_decode.h"
#include "fmt/core.h"

namespace godwit {
namespace {

constexpr int kDecoderDelay = 528 + 1;  // of every MP3 decoder: polyphase filter and overlap

struct FreeLame {
  void operator()(lame_global_flags* l) const { lame_close(l); }
};
using Lame = std::unique_ptr<lame_global_flags, FreeLame>;

class Mp3Codec final : public Codec {
 public:
  explicit Mp3Codec(int quality) : quality_(quality) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const Sound& sound = SoundOf(item);
    GODWIT_ASSIGN_OR_RETURN(rate_hz_, RateOf(sound, setting));
    GODWIT_ASSIGN_OR_RETURN(const Lame lame, Create(rate_hz_, rate_hz_, sound.channels, setting));
    GODWIT_ASSIGN_OR_RETURN(const Sound slow, Resampled(sound, rate_hz_));
    stream_.clear();
    constexpr size_t kPart = 4608;
    for (size_t at = 0; at < slow.frames(); at += kPart) {
      GODWIT_RETURN_IF_ERROR(Push(lame.get(), slow, at, std::min(kPart, slow.frames() - at)));
    }
    Bytes rest(7200);
    const int left = lame_encode_flush(lame.get(), reinterpret_cast<unsigned char*>(rest.data()),
                                       static_cast<int>(rest.size()));
    if (left < 0) return Status(StatusCode::kInternal, "mp3: LAME failed");
    stream_.insert(stream_.end(), rest.begin(), rest.begin() + left);
    // The first frame was kept free for it.
    rest.resize(lame_get_lametag_frame(lame.get(), nullptr, 0));
    lame_get_lametag_frame(lame.get(), reinterpret_cast<unsigned char*>(rest.data()), rest.size());
    if (rest.size() > stream_.size())
      return Status(StatusCode::kInternal, "mp3: no room for a tag");
    std::copy(rest.begin(), rest.end(), stream_.begin());
    return std::span<const std::byte>(stream_);
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    const Result<uint32_t> rate = StreamRate(stream);
    if (!rate.ok()) return rate.status();
    return DecodeBySndfile(stream, *rate, "mp3", &SoundOf(item));
  }

  Result<double> DelaySeconds(const ItemView& item, double setting) override {
    const Sound& sound = SoundOf(item);
    GODWIT_ASSIGN_OR_RETURN(const uint32_t rate_hz, RateOf(sound, setting));
    GODWIT_ASSIGN_OR_RETURN(const Lame lame, Create(rate_hz, rate_hz, sound.channels, setting));
    const Sound noise = DelaySignal(rate_hz, sound.channels);
    const auto push = [&](size_t from, size_t count) -> Result<int64_t> {
      GODWIT_RETURN_IF_ERROR(Push(lame.get(), noise, from, count));
      return int64_t{lame_get_frameNum(lame.get())} * lame_get_framesize(lame.get()) -
             lame_get_encoder_delay(lame.get()) - kDecoderDelay;
    };
    return MeasuredDelay(noise, push);
  }

 private:
  Result<Lame> Create(uint32_t from_hz, uint32_t to_hz, uint32_t channels, double kbps) const {
    Lame lame(lame_init());
    if (lame == nullptr || channels > 2) {
      return Status(StatusCode::kUnsupported, "mp3: one or two channels");
    }
    lame_set_in_samplerate(lame.get(), static_cast<int>(from_hz));
    lame_set_out_samplerate(lame.get(), static_cast<int>(to_hz));  // 0: LAME's choice
    lame_set_num_channels(lame.get(), static_cast<int>(channels));
    lame_set_mode(lame.get(), channels == 1 ? MONO : JOINT_STEREO);
    lame_set_VBR(lame.get(), vbr_abr);
    lame_set_VBR_mean_bitrate_kbps(lame.get(), static_cast<int>(kbps));
    lame_set_quality(lame.get(), quality_);
    for (const auto set : {lame_set_errorf, lame_set_debugf, lame_set_msgf}) {
      set(lame.get(), [](const char*, va_list) {});
    }
    if (lame_init_params(lame.get()) < 0) {
      return Status(StatusCode::kUnsupported,
                    fmt::format("mp3: LAME takes no {} Hz with {} channels", from_hz, channels));
    }
    return lame;
  }

  // That LAME would resample to; done here, so that its own resampler moves nothing.
  Result<uint32_t> RateOf(const Sound& sound, double kbps) const {
    GODWIT_ASSIGN_OR_RETURN(const Lame lame, Create(sound.rate_hz, 0, sound.channels, kbps));
    return static_cast<uint32_t>(lame_get_out_samplerate(lame.get()));
  }

  Status Push(lame_global_flags* lame, const Sound& sound, size_t from, size_t count) {
    Bytes out(count * 5 / 4 + 7200);
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    const float* const samples = sound.samples.data() + from * sound.channels;
    const int n = static_cast<int>(count), room = static_cast<int>(out.size());
    const int got = sound.channels == 1
                        ? lame_encode_buffer_ieee_float(lame, samples, samples, n, to, room)
                        : lame_encode_buffer_interleaved_ieee_float(lame, samples, n, to, room);
    if (got < 0) return Status(StatusCode::kInternal, "mp3: LAME failed");
    stream_.insert(stream_.end(), out.begin(), out.begin() + got);
    return {};
  }

  // Of the first frame header, ISO 11172-3 and 13818-3.
  static Result<uint32_t> StreamRate(std::span<const std::byte> stream) {
    if (stream.size() >= 4 && stream[0] == std::byte{0xff} &&
        (stream[1] & std::byte{0xe0}) == std::byte{0xe0}) {
      constexpr uint32_t kRates[3] = {44'100, 48'000, 32'000};
      const unsigned version = std::to_integer<unsigned>(stream[1]) >> 3 & 3;
      const unsigned index = std::to_integer<unsigned>(stream[2]) >> 2 & 3;
      if (index < 3 && version != 1)
        return kRates[index] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    }
    return Status(StatusCode::kCorrupt, "mp3: no MP3");
  }

  int quality_;
  uint32_t rate_hz_ = 0;
  Bytes stream_;
};

}  // namespace

Result<CodecEntry> MakeMp3Codec(std::span<const std::string> options, const CodecContext&) {
  GODWIT_ASSIGN_OR_RETURN(const int quality, OneNumberOption("mp3", options, 2, 0, 9));
  CodecEntry entry;
  entry.version =
      fmt::format("LAME {}, average rate, quality {}", get_lame_short_version(), quality);
  entry.setting_name = "kb/s asked";
  entry.ladder = {8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 310};
  entry.create = [quality](int) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<Mp3Codec>(quality));
  };
  return entry;
}

}  // namespace godwit
