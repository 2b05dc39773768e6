// openjpeg as a rival, band by band: reversible; 9/7 at the lowest quality that keeps a bound; or
// at a quality, 9/7 or 5/3.
#include <openjpeg.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "eval/array_error.h"
#include "eval/array_parts.h"
#include "eval/codec_table.h"
#include "eval/stream_parts.h"
#include "fmt/core.h"

namespace godwit {
namespace {

// Qualities that are tried: PSNR of each band, in quarters of a decibel.
constexpr int kLeastQuality = 10 * 4, kMostQuality = 120 * 4;
constexpr int kUsualResolutions = 6;

struct Memory {
  Bytes out;
  std::span<const std::byte> in;
  size_t at = 0;
};

OPJ_SIZE_T WriteMemory(void* from, OPJ_SIZE_T size, void* user) {
  auto& m = *static_cast<Memory*>(user);
  if (m.at + size > m.out.size()) m.out.resize(m.at + size);
  std::memcpy(m.out.data() + m.at, from, size);
  m.at += size;
  return size;
}
OPJ_SIZE_T ReadMemory(void* to, OPJ_SIZE_T size, void* user) {
  auto& m = *static_cast<Memory*>(user);
  const size_t n = std::min<size_t>(size, m.in.size() - m.at);
  if (n == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(to, m.in.data() + m.at, n);
  m.at += n;
  return n;
}
OPJ_OFF_T Skip(OPJ_OFF_T size, void* user) {
  auto& m = *static_cast<Memory*>(user);
  const size_t end = m.in.empty() ? SIZE_MAX / 2 : m.in.size();
  if (size < 0 || static_cast<size_t>(size) > end - m.at) return -1;
  m.at += static_cast<size_t>(size);
  return size;
}
OPJ_BOOL Seek(OPJ_OFF_T to, void* user) {
  auto& m = *static_cast<Memory*>(user);
  if (to < 0 || (!m.in.empty() && static_cast<size_t>(to) > m.in.size())) return OPJ_FALSE;
  m.at = static_cast<size_t>(to);
  return OPJ_TRUE;
}

struct FreeImage {
  void operator()(opj_image_t* i) const { opj_image_destroy(i); }
};
using OpjImage = std::unique_ptr<opj_image_t, FreeImage>;

struct OpjCodec {
  opj_codec_t* codec;
  explicit OpjCodec(opj_codec_t* c) : codec(c) {}
  ~OpjCodec() { opj_destroy_codec(codec); }
  OpjCodec(const OpjCodec&) = delete;
  OpjCodec& operator=(const OpjCodec&) = delete;
};

struct FreeStream {
  void operator()(opj_stream_t* s) const { opj_stream_destroy(s); }
};
using Stream = std::unique_ptr<opj_stream_t, FreeStream>;

Stream Open(Memory* memory, bool reads) {
  Stream stream(opj_stream_default_create(reads ? OPJ_TRUE : OPJ_FALSE));
  opj_stream_set_user_data(stream.get(), memory, nullptr);
  opj_stream_set_user_data_length(stream.get(), memory->in.size());
  opj_stream_set_write_function(stream.get(), WriteMemory);
  opj_stream_set_read_function(stream.get(), ReadMemory);
  opj_stream_set_skip_function(stream.get(), Skip);
  opj_stream_set_seek_function(stream.get(), Seek);
  return stream;
}

struct Bands {
  uint32_t count, height, width;
  size_t samples() const { return size_t{height} * width; }
};
Bands BandsOf(const NdArray& array) {
  const auto side = [&](int axis) {
    return static_cast<uint32_t>(array.shape.dims[static_cast<size_t>(axis)]);
  };
  return array.shape.rank == 2 ? Bands{1, side(0), side(1)} : Bands{side(0), side(1), side(2)};
}

uint32_t SampleAt(const NdArray& array, size_t i) {
  return array.type == SampleType::kU8 ? array.As<uint8_t>()[i] : array.As<uint16_t>()[i];
}

Status Failed() { return Status(StatusCode::kInternal, "jpeg2000: openjpeg failed"); }

// In dB; 0: nothing is lost.
struct Quality {
  double decibels = 0;
  bool is_53 = false;
};

Result<Bytes> EncodeBand(const NdArray& array, const Bands& bands, size_t band, uint32_t bits,
                         const Quality& quality) {
  opj_cparameters_t p;
  opj_set_default_encoder_parameters(&p);
  p.tcp_numlayers = 1;
  if (quality.decibels > 0) {
    p.cp_fixed_quality = 1;
    p.tcp_distoratio[0] = static_cast<float>(quality.decibels);
    p.irreversible = quality.is_53 ? 0 : 1;
  } else {
    p.cp_disto_alloc = 1;
    p.tcp_rates[0] = 0;
  }
  const uint32_t side = std::min(bands.height, bands.width);
  p.numresolution = std::min(kUsualResolutions, static_cast<int>(std::bit_width(side)));
  opj_image_cmptparm_t component{};
  component.dx = component.dy = 1;
  component.w = bands.width;
  component.h = bands.height;
  component.prec = bits;
  const OpjImage image(opj_image_create(1, &component, OPJ_CLRSPC_GRAY));
  if (image == nullptr) return Failed();
  image->x1 = bands.width;
  image->y1 = bands.height;
  for (size_t i = 0; i < bands.samples(); ++i) {
    image->comps[0].data[i] = static_cast<OPJ_INT32>(SampleAt(array, band * bands.samples() + i));
  }
  const OpjCodec codec(opj_create_compress(OPJ_CODEC_J2K));
  Memory memory;
  {
    const Stream stream = Open(&memory, false);
    if (!opj_setup_encoder(codec.codec, &p, image.get()) ||
        !opj_start_compress(codec.codec, image.get(), stream.get()) ||
        !opj_encode(codec.codec, stream.get()) || !opj_end_compress(codec.codec, stream.get())) {
      return Failed();
    }
  }
  return std::move(memory.out);
}

Status DecodeBand(std::span<const std::byte> bytes, const Bands& bands, size_t band,
                  NdArray* array) {
  Memory memory;
  memory.in = bytes;
  const Stream stream = Open(&memory, true);
  const OpjCodec codec(opj_create_decompress(OPJ_CODEC_J2K));
  opj_dparameters_t p;
  opj_set_default_decoder_parameters(&p);
  opj_image_t* raw = nullptr;
  const bool head =
      opj_setup_decoder(codec.codec, &p) && opj_read_header(stream.get(), codec.codec, &raw);
  const OpjImage image(raw);
  if (!head) return Status(StatusCode::kCorrupt, "jpeg2000: no codestream");
  if (image->numcomps != 1 || image->comps[0].w != bands.width ||
      image->comps[0].h != bands.height) {
    return Status(StatusCode::kInvalidArgument, "jpeg2000: a stream of another array");
  }
  if (!opj_decode(codec.codec, stream.get(), image.get())) return Failed();
  for (size_t i = 0; i < bands.samples(); ++i) {
    const OPJ_INT32 v = image->comps[0].data[i];
    const size_t at = band * bands.samples() + i;
    if (array->type == SampleType::kU8) {
      array->As<uint8_t>()[at] = static_cast<uint8_t>(std::clamp(v, 0, 255));
    } else {
      array->As<uint16_t>()[at] = static_cast<uint16_t>(std::clamp(v, 0, 65535));
    }
  }
  return {};
}

class Jpeg2000Codec final : public Codec {
 public:
  Jpeg2000Codec(bool by_quality, bool is_53) : by_quality_(by_quality), is_53_(is_53) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const NdArray& array = ArrayOf(item);
    const double bound = by_quality_ ? 0 : ErrorBound(array, setting);
    Result<Bytes> best = Code(array, {by_quality_ ? setting : 0, is_53_});
    if (bound > 0) {
      for (int low = kLeastQuality, high = kMostQuality; low <= high;) {
        const int middle = (low + high) / 2;
        Result<Bytes> tried = Code(array, {middle / 4.0, false});
        if (!tried.ok()) return tried.status();
        NdArray decoded = array;
        GODWIT_RETURN_IF_ERROR(Decode(*tried, &decoded));
        if (ErrorOf(array, decoded).max <= bound) {
          best = std::move(tried);
          high = middle - 1;
        } else {
          low = middle + 1;
        }
      }
    }
    if (!best.ok()) return best.status();
    stream_ = *std::move(best);
    uncounted_bytes_ = JoiningBytes(BandsOf(array).count);
    return std::span<const std::byte>(stream_);
  }
  uint64_t uncounted_bytes() const override { return uncounted_bytes_; }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    NdArray& array = ArrayOf(item);
    const Bands bands = BandsOf(array);
    const auto parts = SplitParts(stream);
    if (!parts.ok()) return parts.status().WithPrefix("jpeg2000: ");
    if (parts->size() != bands.count) {
      return Status(StatusCode::kInvalidArgument, "jpeg2000: a stream of another array");
    }
    for (size_t band = 0; band < bands.count; ++band) {
      GODWIT_RETURN_IF_ERROR(DecodeBand((*parts)[band], bands, band, &array));
    }
    return {};
  }

 private:
  static Result<Bytes> Code(const NdArray& array, const Quality& quality) {
    const Bands bands = BandsOf(array);
    uint32_t most = 0;
    for (size_t i = 0; i < bands.count * bands.samples(); ++i) {
      most = std::max(most, SampleAt(array, i));
    }
    const auto bits = std::max(8u, static_cast<uint32_t>(std::bit_width(most)));
    std::vector<Bytes> parts;
    for (size_t band = 0; band < bands.count; ++band) {
      Result<Bytes> part = EncodeBand(array, bands, band, bits, quality);
      if (!part.ok()) return part;
      parts.push_back(*std::move(part));
    }
    return JoinParts(parts);
  }

  bool by_quality_, is_53_;
  Bytes stream_;
  uint64_t uncounted_bytes_ = 0;
};

}  // namespace

Result<CodecEntry> MakeJpeg2000Codec(std::span<const std::string> options, const CodecContext&) {
  bool by_quality = false, is_53 = false;
  for (const std::string& option : options) {
    if (option == "lossy") {
      by_quality = true;
    } else if (option == "53" && by_quality) {
      is_53 = true;
    } else {
      return NoCodecOption("jpeg2000", option);
    }
  }
  CodecEntry entry;
  entry.version = fmt::format("openjpeg {}, band by band", opj_version());
  if (by_quality) {
    entry.version += is_53 ? ", 5/3 cut short" : ", 9/7";
    entry.setting_name = "dB of each band";
    entry.ladder = {20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60};
    entry.settings_per_one = 4;
  } else {
    entry.aim = Aim::kError;
  }
  entry.takes = [](const ItemView& item) {
    const NdArray& array = ArrayOf(item);
    return (array.type == SampleType::kU8 || array.type == SampleType::kU16) &&
           (array.shape.rank == 2 || array.shape.rank == 3) && !IsTable(array);
  };
  entry.create = [by_quality, is_53](int) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<Jpeg2000Codec>(by_quality, is_53));
  };
  return entry;
}

}  // namespace godwit
