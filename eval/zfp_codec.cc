// zfp as a rival: reversible, with a bound on errors, or at a rate; the array as a whole or, of
// tables, each channel by itself, whichever is smaller.
#include <zfp.h>

#include <cmath>
#include <cstring>

#include "eval/array_error.h"
#include "eval/array_parts.h"
#include "eval/codec_table.h"
#include "eval/stream_parts.h"

namespace godwit {
namespace {

bool IsFloat(SampleType type) { return type == SampleType::kF32 || type == SampleType::kF64; }

// What zfp takes for samples of a type: integers as such where nothing may be lost.
zfp_type ZfpType(SampleType type, bool lossless) {
  if (type == SampleType::kF32) return zfp_type_float;
  if (type == SampleType::kF64 || !lossless) return zfp_type_double;
  return type == SampleType::kU32 ? zfp_type_int64 : zfp_type_int32;
}

template <typename F>
decltype(auto) WithZfpType(zfp_type type, F&& f) {
  if (type == zfp_type_float) return f(float{});
  if (type == zfp_type_double) return f(double{});
  if (type == zfp_type_int64) return f(int64_t{});
  return f(int32_t{});
}

Bytes ToZfp(const NdArray& array, zfp_type to) {
  Bytes out;
  WithSampleType(array.type, [&](auto from) {
    WithZfpType(to, [&](auto value) {
      using From = decltype(from);
      using To = decltype(value);
      const size_t count = array.data.size() / sizeof(From);
      out.resize(count * sizeof(To));
      for (size_t i = 0; i < count; ++i) {
        const To v = static_cast<To>(array.As<From>()[i]);
        std::memcpy(out.data() + i * sizeof(To), &v, sizeof(To));
      }
    });
  });
  return out;
}

void FromZfp(const Bytes& in, zfp_type from, NdArray* array) {
  WithSampleType(array->type, [&](auto to) {
    WithZfpType(from, [&](auto value) {
      using To = decltype(to);
      using From = decltype(value);
      for (size_t i = 0; i < in.size() / sizeof(From); ++i) {
        From v;
        std::memcpy(&v, in.data() + i * sizeof(From), sizeof(From));
        if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
          const double most = static_cast<double>(std::numeric_limits<To>::max());
          const double least = static_cast<double>(std::numeric_limits<To>::min());
          array->As<To>()[i] =
              static_cast<To>(std::clamp(std::nearbyint(static_cast<double>(v)), least, most));
        } else {
          array->As<To>()[i] = static_cast<To>(v);
        }
      }
    });
  });
}

// What is asked of zfp: so many bits a sample where `rate` is not 0; else a bound, 0 for none.
struct Wish {
  double bound = 0, rate = 0;
  bool lossless() const { return bound == 0 && rate == 0; }
};

// A field of zfp's over `data`, a stream and how it codes; freed together.
class Coder {
 public:
  Coder(void* data, zfp_type type, const Shape& shape, const Wish& wish)
      : zfp_(zfp_stream_open(nullptr)) {
    const auto side = [&](int from_last) {
      return static_cast<size_t>(shape.dims[static_cast<size_t>(shape.rank - 1 - from_last)]);
    };
    switch (shape.rank) {
      case 1:
        field_ = zfp_field_1d(data, type, side(0));
        break;
      case 2:
        field_ = zfp_field_2d(data, type, side(0), side(1));
        break;
      case 3:
        field_ = zfp_field_3d(data, type, side(0), side(1), side(2));
        break;
      default:
        field_ = zfp_field_4d(data, type, side(0), side(1), side(2), side(3));
    }
    if (wish.rate > 0) {
      zfp_stream_set_rate(zfp_, wish.rate, type, static_cast<unsigned>(shape.rank), zfp_false);
    } else if (wish.bound > 0) {
      zfp_stream_set_accuracy(zfp_, wish.bound);
    } else {
      zfp_stream_set_reversible(zfp_);
    }
  }
  ~Coder() {
    if (bits_ != nullptr) stream_close(bits_);
    zfp_field_free(field_);
    zfp_stream_close(zfp_);
  }
  Coder(const Coder&) = delete;
  Coder& operator=(const Coder&) = delete;

  Bytes Compress() {
    Attach();
    const size_t size = zfp_compress(zfp_, field_);
    buffer_.resize(size);
    return std::move(buffer_);
  }
  // zfp does not look where a stream ends: it is given zeros behind it, as much as it may read.
  bool Decompress(std::span<const std::byte> stream) {
    Attach();
    if (stream.size() > buffer_.size()) return false;
    std::copy(stream.begin(), stream.end(), buffer_.begin());
    return zfp_decompress(zfp_, field_) == stream.size();
  }

 private:
  void Attach() {
    buffer_.assign(zfp_stream_maximum_size(zfp_, field_), std::byte{0});
    bits_ = stream_open(buffer_.data(), buffer_.size());
    zfp_stream_set_bit_stream(zfp_, bits_);
    zfp_stream_rewind(zfp_);
  }
  zfp_stream* zfp_;
  zfp_field* field_ = nullptr;
  bitstream* bits_ = nullptr;
  Bytes buffer_;
};

class ZfpCodec final : public Codec {
 public:
  explicit ZfpCodec(bool by_rate) : by_rate_(by_rate) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const NdArray array = ByChannel(ArrayOf(item));
    const Wish wish = by_rate_ ? Wish{.rate = setting} : Wish{.bound = ErrorBound(array, setting)};
    if (wish.lossless() && !IsFloat(array.type) && HasWideSamples(array)) {
      return Status(StatusCode::kUnsupported, "zfp: takes integers of at most 31 bits");
    }
    std::vector<Bytes> best;
    uint64_t best_bytes = UINT64_MAX;
    for (const bool each : {false, true}) {
      if (each && !IsTable(ArrayOf(item))) continue;
      std::vector<Bytes> parts = Code(array, wish, each);
      uint64_t bytes = 0;
      for (const Bytes& part : parts) bytes += part.size();
      if (bytes >= best_bytes) continue;
      best = std::move(parts);
      best_bytes = bytes;
    }
    // What was asked for in front, as zfp's own header could have it.
    Bytes head(sizeof(wish));
    std::memcpy(head.data(), &wish, sizeof(wish));
    best.insert(best.begin(), head);
    stream_ = JoinParts(best);
    uncounted_bytes_ = stream_.size() - best_bytes;
    return std::span<const std::byte>(stream_);
  }
  uint64_t uncounted_bytes() const override { return uncounted_bytes_; }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    NdArray array = ByChannel(ArrayOf(item));
    const auto parts = SplitParts(stream);
    if (!parts.ok()) return parts.status().WithPrefix("zfp: ");
    Wish wish;
    const Status other(StatusCode::kInvalidArgument, "zfp: a stream of another array");
    if (parts->size() < 2 || (*parts)[0].size() != sizeof(wish)) return other;
    std::memcpy(&wish, (*parts)[0].data(), sizeof(wish));
    const bool each = parts->size() > 2;
    const auto channels = static_cast<size_t>(each ? array.shape.dims[0] : 1);
    const bool is_wish = wish.bound >= 0 && std::isfinite(wish.bound) && wish.rate >= 0 &&
                         wish.rate <= kMostRate && (wish.bound == 0 || wish.rate == 0);
    if (!is_wish || parts->size() != channels + 1) return other;
    const zfp_type type = ZfpType(array.type, wish.lossless());
    Bytes samples = ToZfp(array, type);
    const size_t step = samples.size() / channels;
    for (size_t c = 0; c < channels; ++c) {
      Coder coder(samples.data() + c * step, type, PartShape(array.shape, each), wish);
      if (!coder.Decompress((*parts)[c + 1])) return other;
    }
    FromZfp(samples, type, &array);
    return FromByChannel(array, &ArrayOf(item));
  }

 private:
  static bool HasWideSamples(const NdArray& array) {
    const ArrayRange range = RangeOf(array);
    return std::max(-range.least, range.largest) >= 1u << 30 && array.type != SampleType::kU32;
  }
  // Of one channel, where each is coded by itself.
  static Shape PartShape(const Shape& shape, bool each) {
    if (!each) return shape;
    Shape part = shape;
    part.rank = 1;
    part.dims = {shape.dims[1], 1, 1, 1};
    return part;
  }
  static std::vector<Bytes> Code(const NdArray& array, const Wish& wish, bool each) {
    const zfp_type type = ZfpType(array.type, wish.lossless());
    Bytes samples = ToZfp(array, type);
    const auto channels = static_cast<size_t>(each ? array.shape.dims[0] : 1);
    const size_t step = samples.size() / channels;
    std::vector<Bytes> parts;
    for (size_t c = 0; c < channels; ++c) {
      Coder coder(samples.data() + c * step, type, PartShape(array.shape, each), wish);
      parts.push_back(coder.Compress());
    }
    return parts;
  }

  static constexpr double kMostRate = 64;

  bool by_rate_;
  Bytes stream_;
  uint64_t uncounted_bytes_ = 0;
};

}  // namespace

Result<CodecEntry> MakeZfpCodec(std::span<const std::string> options, const CodecContext&) {
  bool by_rate = false;
  for (const std::string& option : options) {
    if (option != "rate") return NoCodecOption("zfp", option);
    by_rate = true;
  }
  CodecEntry entry;
  entry.version = std::string(ZFP_VERSION_STRING);
  entry.version = "zfp " + entry.version + ", without its header";
  if (by_rate) {
    entry.setting_name = "bit/sample";
    entry.ladder = {0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8};
    entry.settings_per_one = 4;
  } else {
    entry.aim = Aim::kError;
  }
  entry.create = [by_rate](int) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<ZfpCodec>(by_rate));
  };
  return entry;
}

}  // namespace godwit
