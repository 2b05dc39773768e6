// Any bytes as a picture file, with the test model in place of the one that it names: samples or an
// error, the same at each SIMD level, for a region as for the whole and after a change of entropy
// coding, whose bytes are the same at each level too. Checksums would keep the
// fuzzer out, so the first byte tells how the rest is taken:
//   0  a file, as it is
//   1  a file, its checksums and model put right
//   2  a picture without a container: size, layers and substreams from the bytes themselves
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

#include "codecs/image/full_model.h"
#include "codecs/image/image_decoder.h"
#include "codecs/image/image_header.h"
#include "codecs/image/image_repack.h"
#include "codecs/image/image_syntax.h"
#include "tests/codecs/stream_bytes.h"
#include "tests/codecs/test_model.h"

namespace {

using namespace godwit;

constexpr DecodeLimits kLimits{.max_pixels = 4096, .max_memory_bytes = 64 << 20};

// As many layers as the bytes tell of; what is missing at their end is empty.
ImageStream StreamFrom(ByteReader reader) {
  const auto byte = [&] {
    const Result<uint8_t> b = reader.U8();
    return b.ok() ? *b : uint8_t{0};
  };
  ImageStream s;
  s.header.width = byte() % 80 + 1u;
  s.header.height = byte() % 50 + 1u;
  const uint8_t kind = byte();
  s.header.planes = (kind & 1) != 0 ? 3 : 1;
  s.header.tile_width = 32u << (kind >> 1 & 1);
  s.header.tile_height = 32u << (kind >> 7);
  s.header.step_index = static_cast<uint16_t>((byte() | (kind & 4) << 6) % 352);
  const uint64_t tiles = TileGrid(s.header).count();
  const auto take = [&](std::vector<std::span<const std::byte>>& out) {
    out.resize(tiles);
    for (auto& substream : out) {
      const uint64_t wanted = byte();
      substream = *reader.Take(std::min<uint64_t>(wanted, reader.remaining()));
    }
  };
  s.layers.resize((kind >> 3 & 7) + 1u);
  for (auto& layer : s.layers) take(layer);
  s.header.full = (kind & 128) != 0;
  if ((kind & 64) != 0) take(s.alpha);
  return s;
}

std::optional<Tensor<uint8_t>> Decode(const ImageStream& stream, const ImageModel& model,
                                      const ImageSynthesis* synthesis,
                                      const ImageDecodeOptions& options) {
  Result<Tensor<uint8_t>> picture = DecodeImage(stream, model, synthesis, options);
  if (picture.ok()) return *std::move(picture);
  switch (picture.status().code()) {
    case StatusCode::kCorrupt:
    case StatusCode::kTruncated:
    case StatusCode::kOverLimit:
    case StatusCode::kModelMissing:  // another entropy model
      return std::nullopt;
    default:
      std::abort();
  }
}

// The file with another entropy coding, if all of the stream is sound.
std::optional<Bytes> Repacked(const ImageStream& stream, const ImageModel& model, SimdLevel level) {
  Result<Bytes> file =
      RepackImage(stream, model,
                  {.entropy = stream.header.full ? ImageEntropy::kLite : ImageEntropy::kFull,
                   .threads = 1,
                   .limits = kLimits,
                   .simd = level});
  if (file.ok()) return *std::move(file);
  switch (file.status().code()) {
    case StatusCode::kCorrupt:
    case StatusCode::kTruncated:
    case StatusCode::kOverLimit:
    case StatusCode::kModelMissing:
      return std::nullopt;
    default:
      std::abort();
  }
}

bool Same(const Tensor<uint8_t>& a, const Tensor<uint8_t>& b) {
  return a.size() == b.size() && std::equal(a.data(), a.data() + a.size(), b.data());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const uint8_t mode = data[0] % 3, choice = data[1], place = data[2];
  const auto bytes = AsBytes({data + 3, size - 3});
  Bytes file(bytes.begin(), bytes.end());
  if (mode == 1) FixCrcs(file);
  ImageStream stream;
  if (mode == 2) {
    stream = StreamFrom(ByteReader(file));
  } else {
    Result<ImageStream> parsed = ParseImageStream(file, kLimits, (choice & 1) != 0);
    if (!parsed.ok()) return 0;
    stream = *std::move(parsed);
  }
  const ImageModel& model = data[0] / 3 % 2 != 0 ? TestMidModel() : TestImageModel();
  if (mode != 0) stream.header.model_id = model.id();
  if (mode != 0 && stream.header.full)
    stream.header.entropy_id = static_cast<uint32_t>(model.entropy_model_id());
  if (stream.header.model_id != model.id()) return 0;

  const ImageSynthesis* const synthesis = (choice & 2) != 0 ? &TestImageSynthesis() : nullptr;
  ImageDecodeOptions options{.layers = (choice >> 2 & 7) + 1, .limits = kLimits, .threads = 1};
  options.simd = SimdLevel::kScalar;
  const std::optional<Tensor<uint8_t>> whole = Decode(stream, model, synthesis, options);
  options.simd = BestSimdLevel();
  options.window = 32;
  const std::optional<Tensor<uint8_t>> again = Decode(stream, model, synthesis, options);
  if (whole.has_value() != again.has_value()) std::abort();
  if (!whole.has_value()) return 0;
  if (!Same(*whole, *again)) std::abort();

  const std::optional<Bytes> repacked = Repacked(stream, model, SimdLevel::kScalar);
  if (repacked != Repacked(stream, model, BestSimdLevel())) std::abort();
  if (repacked.has_value()) {
    const Result<ImageStream> other = ParseImageStream(*repacked, kLimits);
    if (!other.ok()) std::abort();
    const std::optional<Tensor<uint8_t>> same = Decode(*other, model, synthesis, options);
    if (!same.has_value() || !Same(*whole, *same)) std::abort();
  }

  const ImageHeader& h = stream.header;
  ImageRegion& r = options.region;
  r.x = place % 16 * h.width / 16;
  r.y = place / 16 * h.height / 16;
  r.width = std::max(1u, (h.width - r.x) / 2);
  r.height = std::max(1u, (h.height - r.y) / 2);
  const std::optional<Tensor<uint8_t>> part = Decode(stream, model, synthesis, options);
  if (!part.has_value()) std::abort();  // its tiles all decoded before
  const auto window = whole->view().Window(r.y, r.x, r.height, r.width);
  for (int64_t y = 0; y < part->height(); ++y) {
    if (!std::equal(window.At(y, 0), window.At(y, 0) + window.width * window.channels,
                    part->view().At(y, 0))) {
      std::abort();
    }
  }
  return 0;
}
