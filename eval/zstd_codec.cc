// Zstandard as a rival: the bytes of samples plane by plane, channel by channel; lossless.
#include <zstd.h>

#include "eval/array_parts.h"
#include "eval/codec_table.h"
#include "fmt/core.h"

namespace godwit {
namespace {

// All first bytes, then all second ones, or back.
Bytes Shuffled(const Bytes& in, size_t bytes, bool back) {
  Bytes out(in.size());
  const size_t count = in.size() / bytes;
  for (size_t i = 0; i < count; ++i) {
    for (size_t b = 0; b < bytes; ++b) {
      if (back) {
        out[i * bytes + b] = in[b * count + i];
      } else {
        out[b * count + i] = in[i * bytes + b];
      }
    }
  }
  return out;
}

class ZstdCodec final : public Codec {
 public:
  explicit ZstdCodec(int level) : level_(level) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double) override {
    const NdArray array = ByChannel(ArrayOf(item));
    const Bytes planes = Shuffled(array.data, SampleBytes(array.type), false);
    stream_.resize(ZSTD_compressBound(planes.size()));
    const size_t size =
        ZSTD_compress(stream_.data(), stream_.size(), planes.data(), planes.size(), level_);
    if (ZSTD_isError(size)) {
      return Status(StatusCode::kInternal, fmt::format("zstd: {}", ZSTD_getErrorName(size)));
    }
    stream_.resize(size);
    return std::span<const std::byte>(stream_);
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    NdArray array = ByChannel(ArrayOf(item));
    Bytes planes(array.data.size());
    const size_t size = ZSTD_decompress(planes.data(), planes.size(), stream.data(), stream.size());
    if (ZSTD_isError(size) || size != planes.size()) {
      return Status(StatusCode::kInvalidArgument, "zstd: a stream of another array");
    }
    array.data = Shuffled(planes, SampleBytes(array.type), true);
    return FromByChannel(array, &ArrayOf(item));
  }

 private:
  int level_;
  Bytes stream_;
};

}  // namespace

Result<CodecEntry> MakeZstdCodec(std::span<const std::string> options, const CodecContext&) {
  GODWIT_ASSIGN_OR_RETURN(const int level, OneNumberOption("zstd", options, 19, 1, 22));
  CodecEntry entry;
  entry.version = fmt::format("zstd {}, level {}, byte planes", ZSTD_versionString(), level);
  entry.aim = Aim::kError;
  entry.lossless_only = true;
  entry.create = [level](int) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<ZstdCodec>(level));
  };
  return entry;
}

}  // namespace godwit
