// Any bytes: every tensor that is found lies in the file, is aligned and has its shape's size.
#include <cstdint>
#include <cstdlib>

#include "models/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  const auto bytes = AsBytes({data, size});
  const Result<SafeTensors> file = SafeTensors::Parse(Bytes(bytes.begin(), bytes.end()));
  if (!file.ok()) {
    if (file.status().code() != StatusCode::kModelRefused) std::abort();
    return 0;
  }
  uint8_t sum = 0;
  for (const auto& [name, entry] : file->tensors()) {
    uint64_t count = TensorTypeSize(entry.type);
    for (const int64_t axis : entry.shape) count *= static_cast<uint64_t>(axis);
    if (count != entry.data.size()) std::abort();
    if (reinterpret_cast<uintptr_t>(entry.data.data()) % TensorTypeSize(entry.type) != 0) {
      std::abort();
    }
    for (const std::byte b : entry.data) sum ^= static_cast<uint8_t>(b);  // in bounds
    if (file->Find(name) != &entry) std::abort();
  }
  volatile uint8_t used = sum;
  (void)used;
  return 0;
}
