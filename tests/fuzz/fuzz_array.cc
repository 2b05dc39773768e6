// Any bytes: an array within the limits or an error, with a synthesis network and without. Read as
// a file; and, so that checksums do not keep the fuzzer out, as the head and the tile of one: the
// first byte is the length of the head.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "io/container.h"
#include "tests/codecs/test_array_synthesis.h"
#include "tests/fuzz/decode_any_array.h"

namespace {

void Decode(std::span<const std::byte> file) {
  using namespace godwit;
  static const Result<ArraySynthesis> kSynthesis = TestArraySynthesis(1);
  if (DecodeAnyArray(file, {})) DecodeAnyArray(file, {.synthesis = &*kSynthesis});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  const auto bytes = AsBytes({data, size});
  Decode(bytes);
  if (size < 2) return 0;
  const size_t head = std::min<size_t>(data[0], size - 1);
  ContainerWriter writer;
  writer.Add(SectionType::kArray, bytes.subspan(1, head));
  writer.Add(SectionType::kArrayTile, bytes.subspan(1 + head));
  Decode(writer.Release());
  return 0;
}
