// Our own codec of arrays at low rates: wavelets, mended by a network or not.
#include <cmath>

#include "codecs/array/array_encoder.h"
#include "codecs/array/array_synthesis.h"
#include "eval/array_error.h"
#include "eval/array_stream.h"
#include "eval/codec_table.h"

namespace godwit {
namespace {

class WaveletCodec final : public Codec {
 public:
  WaveletCodec(std::shared_ptr<const ArraySynthesis> synthesis, int threads)
      : synthesis_(std::move(synthesis)), threads_(threads) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const NdArray& array = ArrayOf(item);
    const double width = RangeOf(array).width();
    ArrayEncodeOptions options;
    options.threads = threads_;
    // As `godwit encode -q`. An array of one value has no range; any step will do.
    options.wavelet_step = (width > 0 ? width : 1) * std::exp2(-(2 + setting / 10));
    stream_.clear();
    // Errors follow from the step, whatever the axes: the fewest bytes are best.
    for (const uint8_t axes : ChannelAxes(array.shape)) {
      options.channel_axes = axes;
      GODWIT_ASSIGN_OR_RETURN(Bytes stream, EncodeArray(array, options));
      if (stream_.empty() || stream.size() < stream_.size()) stream_ = std::move(stream);
    }
    return std::span<const std::byte>(stream_);
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    ArrayDecodeOptions options;
    options.threads = threads_;
    options.synthesis = synthesis_.get();
    return DecodeArrayInto("array", stream, options, &ArrayOf(item));
  }

 private:
  // As `godwit encode` tries them: what the shape suggests and, of volumes, the first or the last
  // axis too where it may be one of bands.
  static std::vector<uint8_t> ChannelAxes(const Shape& shape) {
    constexpr int64_t kFew = 256;
    const uint8_t guess = GuessChannelAxes(shape);
    std::vector<uint8_t> axes = {guess};
    for (const int axis : {0, shape.rank - 1}) {
      const int64_t side = shape.dims[static_cast<size_t>(axis)];
      const auto mask = static_cast<uint8_t>(guess | 1u << axis);
      if (shape.rank >= 3 && side > 1 && side <= kFew && mask != guess) axes.push_back(mask);
    }
    return axes;
  }

  std::shared_ptr<const ArraySynthesis> synthesis_;
  int threads_;
  Bytes stream_;
};

}  // namespace

Result<CodecEntry> MakeWaveletCodec(std::span<const std::string> options,
                                    const CodecContext& context) {
  std::string size;
  for (const std::string& option : options) {
    if (option != "small" && option != "medium" && option != "none") {
      return NoCodecOption("array", option);
    }
    size = option;
  }
  std::shared_ptr<const ArraySynthesis> synthesis;
  CodecEntry entry;
  entry.version = "godwit " + context.version + ", wavelets, no model";
  if (!size.empty() && size != "none") {
    GODWIT_ASSIGN_OR_RETURN(synthesis, context.load_array_synthesis(size));
    entry.version += ", synthesis " + size;
  }
  entry.setting_name = "quality";
  entry.ladder = {0, 10, 20, 30, 40, 50, 60, 70, 80, 90};
  entry.create = [synthesis](int threads) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<WaveletCodec>(synthesis, threads));
  };
  return entry;
}

}  // namespace godwit
