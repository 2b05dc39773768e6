// Any bytes as an entropy model of pictures: taken or refused. And a sound one with some bytes
// changed: where it is taken, what is coded with it comes back, all SIMD levels the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "codecs/image/image_encoder.h"
#include "codecs/image/image_repack.h"
#include "models/registry.h"
#include "tests/codecs/test_model.h"

namespace {

using namespace godwit;

// Edges, noise and a smooth part.
Bytes LitePicture() {
  Tensor<uint8_t> picture(33, 70, 3);
  for (int64_t y = 0; y < 33; ++y) {
    for (int64_t x = 0; x < 70; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        const int64_t noise = x > 40 ? (x * 7919 + y * 104729 + c * 31) % 53 : 0;
        picture.view().At(y, x)[c] =
            static_cast<uint8_t>((x / 9 + y / 7) % 2 * 90 + 2 * y + c * 20 + noise);
      }
    }
  }
  Result<ImageEncoder> encoder =
      ImageEncoder::Create(TestImageModel(), {.step_index = 150, .threads = 1});
  if (!encoder.ok()) std::abort();
  Result<Bytes> file = encoder->Encode(picture.view());
  if (!file.ok()) std::abort();
  return *std::move(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = AsBytes({data, size});
  const Result<SafeTensors> any = SafeTensors::Parse(Bytes(bytes.begin(), bytes.end()));
  if (any.ok()) (void)CheckEntropyModel(*any);
  if (size < 2) return 0;

  static const Bytes stream_file = TestStreamModelFile();
  static const uint64_t id = ModelIdOf(stream_file);
  static const Bytes lite = LitePicture();
  static const Bytes mid = TestEntropyFile(id, 1, "mid"),
                     full_size = TestEntropyFile(id, 1, "full");
  Bytes file = data[0] % 8 != 0 ? mid : full_size;        // the larger one takes longer
  for (size_t i = 1; i + 4 <= size && i < 200; i += 4) {  // place, then value
    const size_t place = (size_t{data[i]} << 16 | size_t{data[i + 1]} << 8 | data[i + 2]);
    file[place % file.size()] = std::byte{data[i + 3]};
  }
  const Result<SafeTensors> changed = SafeTensors::Parse(Bytes(file));
  Result<ImageModel> model = ImageModel::Load(*SafeTensors::Parse(Bytes(stream_file)), id);
  if (!changed.ok() || !model->SetEntropy(*changed, ModelIdOf(file)).ok()) return 0;
  const Result<ImageStream> stream = ParseImageStream(lite);
  const auto repack = [&](const ImageStream& from, ImageEntropy entropy, SimdLevel level) {
    Result<Bytes> to =
        RepackImage(from, *model, {.entropy = entropy, .threads = 1, .limits = {}, .simd = level});
    if (!to.ok()) std::abort();
    return *std::move(to);
  };
  const Bytes full = repack(*stream, ImageEntropy::kFull, SimdLevel::kScalar);
  if (repack(*stream, ImageEntropy::kFull, BestSimdLevel()) != full) std::abort();
  const Result<ImageStream> coded = ParseImageStream(full);
  if (!coded.ok()) std::abort();
  for (const SimdLevel level : {SimdLevel::kScalar, BestSimdLevel()})
    if (repack(*coded, ImageEntropy::kLite, level) != lite) std::abort();
  return 0;
}
