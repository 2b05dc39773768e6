// Packets and damaged files from strangers, with the test model: a picture or an error, the same at
// each SIMD level, and what was not lost comes back. The first byte tells how the rest is taken:
//   0  a stream of packets, as it is
//   1  a damaged .gdw file, its model put right, its checksums too but for one in eight; before
//   that
//      it is cut into packets
//   2  pixels: a picture is encoded, cut into packets, and these are dropped, doubled and moved
//   3  as 2, and bytes are flipped too
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

#include "codecs/image/image_decoder.h"
#include "codecs/image/image_encoder.h"
#include "codecs/image/image_packets.h"
#include "io/transport.h"
#include "tests/codecs/stream_bytes.h"
#include "tests/codecs/test_model.h"

namespace {

using namespace godwit;

constexpr DecodeLimits kLimits{.max_pixels = 1 << 14, .max_memory_bytes = 64 << 20};

void Require(bool condition) {
  if (!condition) std::abort();
}

void DecodeBoth(const ImageStream& stream) {
  ImageDecodeOptions options{.limits = kLimits, .threads = 1};
  options.simd = SimdLevel::kScalar;
  const Result<Tensor<uint8_t>> a =
      DecodeImage(stream, TestImageModel(), &TestImageSynthesis(), options);
  options.simd = BestSimdLevel();
  options.window = 32;
  const Result<Tensor<uint8_t>> b =
      DecodeImage(stream, TestImageModel(), &TestImageSynthesis(), options);
  Require(a.ok() == b.ok());
  if (a.ok()) Require(std::equal(a->data(), a->data() + a->size(), b->data()));
}

void DecodePackets(std::span<const std::byte> bytes) {
  Result<GatheredImage> image = GatherImagePackets(bytes, std::nullopt, kLimits);
  if (!image.ok()) {
    const auto first = TransportReader(bytes).Next();
    if (image.status().code() != StatusCode::kInvalidArgument || !first) return;
    image = GatherImagePackets(bytes, first->picture, kLimits);
    if (!image.ok()) return;
  }
  Result<ImageStream> stream = ParseDamagedImage(image->file, kLimits);
  if (!stream.ok()) return;
  Require(stream->damage.empty());
  stream->losses = image->losses;
  stream->header.model_id = TestImageModel().id();
  if (stream->header.full) return;
  DecodeBoth(*stream);
}

// A strange file is refused or comes back.
void CutIntoPackets(std::span<const std::byte> file) {
  const Result<Bytes> packets = WriteImagePackets(file, {.packet_bytes = 64}, kLimits);
  if (!packets.ok()) return;
  const Result<GatheredImage> image = GatherImagePackets(*packets, std::nullopt, kLimits);
  Require(image.ok() && image->losses.empty() && std::ranges::equal(image->file, file));
}

void RoundTrip(ByteReader reader, bool flip) {
  const auto byte = [&] {
    const Result<uint8_t> b = reader.U8();
    return b.ok() ? *b : uint8_t{0};
  };
  const int64_t width = byte() % 90 + 1, height = byte() % 150 + 1;
  ImageEncodeOptions options{.step_index = byte(), .threads = 1};
  options.order = ImageOrder::kRows;
  options.tile_height = 32;
  options.tile = byte() % 2 == 0 ? 0 : 32;
  const uint32_t size = 64 + byte();
  const uint32_t every = byte() % 4 + 1;
  uint32_t random = byte() + 256u * byte();
  const auto chance = [&](uint32_t of) {
    random = random * 1664525 + 1013904223;
    return (random >> 16) % of;
  };
  Tensor<uint8_t> pixels(height, width, 3);
  const auto seed = *reader.Take(std::min<size_t>(reader.remaining(), 512));
  for (int64_t i = 0; i < pixels.size(); ++i) {
    pixels.data()[i] = seed.empty()
                           ? uint8_t{7}
                           : std::to_integer<uint8_t>(seed[static_cast<size_t>(i) % seed.size()]);
  }
  Result<ImageEncoder> encoder = ImageEncoder::Create(TestImageModel(), options);
  Require(encoder.ok());
  const Result<Bytes> file = encoder->Encode(pixels.view());
  Require(file.ok());
  const Result<Bytes> stream =
      WriteImagePackets(*file, {.packet_bytes = size, .picture = 3, .head_every = every});
  Require(stream.ok());
  TransportReader packets(*stream);
  std::vector<Bytes> kept;
  bool lost = false;
  while (const auto p = packets.Next()) {
    Bytes packet;
    Require(AppendPacket(*p, &packet).ok() && packet.size() <= size);
    const uint32_t fate = chance(16);
    if (fate == 0) {
      lost = true;
      continue;
    }
    const size_t at = fate == 1 ? chance(static_cast<uint32_t>(kept.size()) + 1) : kept.size();
    kept.insert(kept.begin() + static_cast<ptrdiff_t>(at), packet);
    if (fate == 2) kept.push_back(packet);
  }
  Bytes arrived;
  for (const Bytes& packet : kept) arrived.insert(arrived.end(), packet.begin(), packet.end());
  for (uint32_t i = 0; flip && !arrived.empty() && i < 1 + chance(4); ++i)
    arrived[chance(65536) % arrived.size()] ^= static_cast<std::byte>(1 + chance(255));
  if (!lost && !flip) {
    const Result<GatheredImage> image = GatherImagePackets(arrived);
    Require(image.ok() && image->file == *file && image->losses.empty());
  }
  DecodePackets(arrived);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const uint8_t mode = data[0] % 4;
  const auto bytes = AsBytes({data + 1, size - 1});
  if (mode == 0) {
    DecodePackets(bytes);
  } else if (mode == 1) {
    Bytes file(bytes.begin(), bytes.end());
    FixCrcs(file);
    CutIntoPackets(file);
    if (file.size() > 30) file[file.size() * data[0] / 256] ^= std::byte{2};
    Result<ImageStream> stream = ParseDamagedImage(file, kLimits);
    if (!stream.ok()) return 0;
    stream->header.model_id = TestImageModel().id();
    if (!stream->header.full) DecodeBoth(*stream);
  } else {
    RoundTrip(ByteReader(bytes), mode == 3);
  }
  return 0;
}
