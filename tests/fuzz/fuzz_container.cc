// Any bytes: the container reader returns sections inside the file or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "io/container.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  const std::span<const std::byte> file = AsBytes({data, size});
  const Result<std::span<const std::byte>> peeked = PeekFirstBody(file);
  if (peeked.ok() && peeked->size() > size) std::abort();
  Result<ContainerReader> reader = ContainerReader::Open(file);
  if (!reader.ok()) return 0;
  uint64_t at = kFileHeaderSize;
  while (true) {
    const Result<std::optional<Section>> next = reader->Next();
    if (!next.ok() || !next->has_value()) break;
    const Section& section = **next;
    if (section.offset < at) std::abort();
    at = section.offset + SectionSize(section.body.size());
    if (at > size) std::abort();
    uint8_t sum = 0;  // touches every byte, for the address sanitizer
    for (const std::byte b : section.body) sum ^= std::to_integer<uint8_t>(b);
    if (sum == 0 && section.type == 0) std::abort();  // 0 is no known type
  }
  return 0;
}
