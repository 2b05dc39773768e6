// libvorbis as a rival: by quality, in Ogg.
#include <vorbis/codec.h>
#include <vorbis/vorbisenc.h>

#include <algorithm>

#include "eval/codec_table.h"
#include "eval/delay_signal.h"
#include "eval/ogg_pages.h"
#include "eval/sndfile_decode.h"

namespace godwit {
namespace {

// The encoder's four parts, freed in the order that libvorbis wants.
class VorbisEncoder {
 public:
  VorbisEncoder() {
    vorbis_info_init(&info_);
    vorbis_comment_init(&comment_);
  }
  ~VorbisEncoder() {
    if (started_) {
      vorbis_block_clear(&block_);
      vorbis_dsp_clear(&dsp_);
    }
    vorbis_comment_clear(&comment_);
    vorbis_info_clear(&info_);
  }
  VorbisEncoder(const VorbisEncoder&) = delete;
  VorbisEncoder& operator=(const VorbisEncoder&) = delete;

  // `quality` from -1 to 10, as oggenc has it.
  Status Start(const Sound& sound, double quality) {
    if (vorbis_encode_init_vbr(&info_, static_cast<long>(sound.channels),
                               static_cast<long>(sound.rate_hz),
                               static_cast<float>(quality / 10)) != 0) {
      return Status(StatusCode::kUnsupported, "vorbis: takes no such rate and channels");
    }
    vorbis_analysis_init(&dsp_, &info_);
    vorbis_block_init(&dsp_, &block_);
    started_ = true;
    return {};
  }
  void Headers(OggWriter* ogg) {
    ogg_packet head, comment, code;
    vorbis_analysis_headerout(&dsp_, &comment_, &head, &comment, &code);
    for (ogg_packet* const packet : {&head, &comment, &code}) ogg->Add(packet);
  }
  // Frames of none: the end. `take` gets each packet.
  template <typename Take>
  void Push(const Sound& sound, size_t from, size_t count, Take take) {
    if (count > 0) {
      float** const room = vorbis_analysis_buffer(&dsp_, static_cast<int>(count));
      for (size_t i = 0; i < count; ++i) {
        for (size_t c = 0; c < sound.channels; ++c) {
          room[c][i] = sound.samples[(from + i) * sound.channels + c];
        }
      }
    }
    vorbis_analysis_wrote(&dsp_, static_cast<int>(count));
    while (vorbis_analysis_blockout(&dsp_, &block_) == 1) {
      vorbis_analysis(&block_, nullptr);
      vorbis_bitrate_addblock(&block_);
      ogg_packet packet;
      while (vorbis_bitrate_flushpacket(&dsp_, &packet) != 0) take(&packet);
    }
  }

 private:
  vorbis_info info_;
  vorbis_comment comment_;
  vorbis_dsp_state dsp_;
  vorbis_block block_;
  bool started_ = false;
};

class VorbisCodec final : public Codec {
 public:
  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const Sound& sound = SoundOf(item);
    VorbisEncoder encoder;
    GODWIT_RETURN_IF_ERROR(encoder.Start(sound, setting));
    OggWriter ogg;
    stream_.clear();
    encoder.Headers(&ogg);
    ogg.TakePages(true, &stream_);
    const auto take = [&](ogg_packet* packet) {
      ogg.Add(packet);
      ogg.TakePages(packet->e_o_s != 0, &stream_);
    };
    constexpr size_t kPart = 1024;
    for (size_t at = 0; at < sound.frames(); at += kPart) {
      encoder.Push(sound, at, std::min(kPart, sound.frames() - at), take);
    }
    encoder.Push(sound, 0, 0, take);
    ogg.TakePages(true, &stream_);
    return std::span<const std::byte>(stream_);
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    Sound& sound = SoundOf(item);
    return DecodeBySndfile(stream, sound.rate_hz, "vorbis", &sound);
  }

  Result<double> DelaySeconds(const ItemView& item, double setting) override {
    const Sound noise = DelaySignal(SoundOf(item).rate_hz, SoundOf(item).channels);
    VorbisEncoder encoder;
    GODWIT_RETURN_IF_ERROR(encoder.Start(noise, setting));
    OggWriter unused;
    encoder.Headers(&unused);
    int64_t decodable = 0;
    return MeasuredDelay(noise, [&](size_t from, size_t count) -> Result<int64_t> {
      encoder.Push(noise, from, count,
                   [&](const ogg_packet* packet) { decodable = packet->granulepos; });
      return decodable;
    });
  }

 private:
  Bytes stream_;
};

}  // namespace

Result<CodecEntry> MakeVorbisCodec(std::span<const std::string> options, const CodecContext&) {
  if (!options.empty()) return NoCodecOption("vorbis", options[0]);
  CodecEntry entry;
  entry.version = std::string(vorbis_version_string()) + ", in Ogg";
  entry.setting_name = "quality";
  entry.ladder = {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  entry.settings_per_one = 100;
  entry.create = [](int) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<VorbisCodec>());
  };
  return entry;
}

}  // namespace godwit
