// Our own codec of arrays, by prediction: lossless, or within a bound.
#include "codecs/array/array_encoder.h"
#include "eval/array_error.h"
#include "eval/array_stream.h"
#include "eval/codec_table.h"

namespace godwit {
namespace {

class PacketCodec final : public Codec {
 public:
  explicit PacketCodec(int threads) : threads_(threads) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    ArrayEncodeOptions options;
    options.max_error = ErrorBound(ArrayOf(item), setting);
    options.threads = threads_;
    GODWIT_ASSIGN_OR_RETURN(stream_, EncodeArray(ArrayOf(item), options));
    return std::span<const std::byte>(stream_);
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    ArrayDecodeOptions options;
    options.threads = threads_;
    return DecodeArrayInto("packet", stream, options, &ArrayOf(item));
  }

 private:
  int threads_;
  Bytes stream_;
};

}  // namespace

Result<CodecEntry> MakePacketCodec(std::span<const std::string> options,
                                   const CodecContext& context) {
  if (!options.empty()) return NoCodecOption("packet", options[0]);
  CodecEntry entry;
  entry.version = "godwit " + context.version;
  entry.aim = Aim::kError;
  entry.create = [](int threads) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<PacketCodec>(threads));
  };
  return entry;
}

}  // namespace godwit
