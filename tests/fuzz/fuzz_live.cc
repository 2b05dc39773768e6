// Any bytes as a tile of the live method, with a head of any shape; and as a stream: an array
// within the limits or an error. The first byte chooses the model, the next six the head.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "io/container.h"
#include "tests/codecs/test_live_model.h"
#include "tests/fuzz/decode_any_array.h"

namespace {

using namespace godwit;

const ArrayModel& Model(bool large) {
  static const Result<ArrayModel> kSmall =
      LoadArrayModel(LiveTestModel{.channels = 1, .levels = 2, .rise = 6}.File());
  static const Result<ArrayModel> kLarge =
      LoadArrayModel(LiveTestModel{.channels = 3, .levels = 5, .seed = 4}.File());
  return large ? *kLarge : *kSmall;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = AsBytes({data, size});
  DecodeAnyArray(bytes, {.model = &Model(false)});
  constexpr size_t kHead = 7;
  if (size < kHead) return 0;
  const ArrayModel& model = Model(data[0] % 2 == 1);
  ArrayHeader header;
  header.type = static_cast<SampleType>(data[1] % kSampleTypes);
  header.shape = Shape::Of(data[2] * 4, data[3] % 16, 1);
  header.shape.rank = 2;
  header.channel_axes = data[0] / 2 % 4;
  header.tile = header.shape.dims;
  for (int64_t& side : header.tile) side = std::max<int64_t>(side, 1);
  header.map.kind = array::MapKind::kLive;
  header.map.type = header.type;
  header.map.step = uint64_t{256} << data[4] % 33;
  header.map.exponent = data[5] % 16 - 8;
  header.map.offset = data[6];
  header.live_levels = static_cast<uint8_t>(data[0] % 2 == 1 ? 5 : 2);
  header.model_id = model.id();
  ContainerWriter writer;
  writer.Add(SectionType::kArray, array::WriteHead(header));
  writer.Add(SectionType::kArrayTile, bytes.subspan(kHead));
  DecodeAnyArray(writer.Release(), {.model = &model});
  return 0;
}
