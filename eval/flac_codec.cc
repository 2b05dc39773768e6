// FLAC as a rival for tables of 16 bits: up to 8 channels a file, as small as it can; lossless.
#include <FLAC/stream_encoder.h>

#include "eval/array_parts.h"
#include "eval/codec_table.h"
#include "eval/stream_parts.h"
#include "fmt/core.h"
#include "io/audio_file.h"

namespace godwit {
namespace {

constexpr int64_t kMostChannels = 8;
constexpr unsigned kRate = 48'000;  // said in the header, and of no matter

struct FreeEncoder {
  void operator()(FLAC__StreamEncoder* e) const { FLAC__stream_encoder_delete(e); }
};

FLAC__StreamEncoderWriteStatus Take(const FLAC__StreamEncoder*, const FLAC__byte* bytes,
                                    size_t size, uint32_t, uint32_t, void* out) {
  const std::byte* const from = reinterpret_cast<const std::byte*>(bytes);
  static_cast<Bytes*>(out)->insert(static_cast<Bytes*>(out)->end(), from, from + size);
  return FLAC__STREAM_ENCODER_WRITE_STATUS_OK;
}

class FlacCodec final : public Codec {
 public:
  Result<std::span<const std::byte>> Encode(const ItemView& item, double) override {
    const NdArray& array = ArrayOf(item);
    const int64_t channels = array.shape.dims[1];
    std::vector<Bytes> parts;
    for (int64_t first = 0; first < channels; first += kMostChannels) {
      Result<Bytes> part = EncodeChannels(array, first, std::min(kMostChannels, channels - first));
      if (!part.ok()) return part.status();
      parts.push_back(*std::move(part));
    }
    stream_ = JoinParts(parts);
    joining_bytes_ = JoiningBytes(parts.size());
    return std::span<const std::byte>(stream_);
  }
  uint64_t uncounted_bytes() const override { return joining_bytes_; }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    NdArray& array = ArrayOf(item);
    const int64_t rows = array.shape.dims[0], channels = array.shape.dims[1];
    const auto parts = SplitParts(stream);
    if (!parts.ok()) return parts.status().WithPrefix("flac: ");
    const Status other(StatusCode::kInvalidArgument, "flac: a stream of another array");
    int64_t first = 0;
    for (const std::span<const std::byte> part : *parts) {
      const auto reader = OpenAudioBytes(part);
      if (!reader.ok()) return reader.status().WithPrefix("flac: ");
      GODWIT_ASSIGN_OR_RETURN(const NdArray read, ReadAudioArray(**reader));
      const int64_t count = read.shape.dims[1];
      if (read.type != SampleType::kI16 || read.shape.dims[0] != rows || first + count > channels) {
        return other;
      }
      for (int64_t r = 0; r < rows; ++r) {
        std::copy_n(read.As<int16_t>() + r * count, count,
                    array.As<int16_t>() + r * channels + first);
      }
      first += count;
    }
    return first == channels ? Status() : other;
  }

 private:
  static Result<Bytes> EncodeChannels(const NdArray& array, int64_t first, int64_t count) {
    const std::unique_ptr<FLAC__StreamEncoder, FreeEncoder> encoder(FLAC__stream_encoder_new());
    const int64_t rows = array.shape.dims[0], channels = array.shape.dims[1];
    std::vector<FLAC__int32> samples;
    samples.reserve(static_cast<size_t>(rows * count));
    for (int64_t r = 0; r < rows; ++r) {
      const int16_t* const row = array.As<int16_t>() + r * channels + first;
      samples.insert(samples.end(), row, row + count);
    }
    Bytes out;
    FLAC__StreamEncoder* const e = encoder.get();
    const bool done =
        e != nullptr && FLAC__stream_encoder_set_channels(e, static_cast<uint32_t>(count)) &&
        FLAC__stream_encoder_set_bits_per_sample(e, 16) &&
        FLAC__stream_encoder_set_sample_rate(e, kRate) &&
        FLAC__stream_encoder_set_compression_level(e, 8) &&
        FLAC__stream_encoder_set_do_exhaustive_model_search(e, true) &&
        FLAC__stream_encoder_set_do_qlp_coeff_prec_search(e, true) &&
        FLAC__stream_encoder_set_total_samples_estimate(e, static_cast<FLAC__uint64>(rows)) &&
        FLAC__stream_encoder_init_stream(e, Take, nullptr, nullptr, nullptr, &out) ==
            FLAC__STREAM_ENCODER_INIT_STATUS_OK &&
        FLAC__stream_encoder_process_interleaved(e, samples.data(), static_cast<uint32_t>(rows)) &&
        FLAC__stream_encoder_finish(e);
    if (!done) return Status(StatusCode::kInternal, "flac: libFLAC failed");
    return out;
  }

  Bytes stream_;
  uint64_t joining_bytes_ = 0;
};

}  // namespace

Result<CodecEntry> MakeFlacCodec(std::span<const std::string> options, const CodecContext&) {
  if (!options.empty()) return NoCodecOption("flac", options[0]);
  CodecEntry entry;
  entry.version = fmt::format("libFLAC {}, level 8, all models tried", FLAC__VERSION_STRING);
  entry.aim = Aim::kError;
  entry.lossless_only = true;
  entry.takes = [](const ItemView& item) {
    return ArrayOf(item).type == SampleType::kI16 && IsTable(ArrayOf(item));
  };
  entry.create = [](int) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<FlacCodec>());
  };
  return entry;
}

}  // namespace godwit
