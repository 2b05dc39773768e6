#include "eval/stream_parts.h"

#include <cstring>

namespace godwit {

uint64_t JoiningBytes(size_t parts) { return 8 * (parts + 1); }

Bytes JoinParts(const std::vector<Bytes>& parts) {
  Bytes out;
  const auto put = [&](uint64_t v) {
    for (int i = 0; i < 8; ++i) out.push_back(static_cast<std::byte>(v >> (8 * i)));
  };
  put(parts.size());
  for (const Bytes& part : parts) put(part.size());
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Result<std::vector<std::span<const std::byte>>> SplitParts(std::span<const std::byte> stream) {
  const auto get = [&](size_t at) {
    uint64_t v = 0;
    for (size_t i = 0; i < 8; ++i) v |= std::to_integer<uint64_t>(stream[8 * at + i]) << (8 * i);
    return v;
  };
  const Status corrupt(StatusCode::kCorrupt, "no stream in parts");
  if (stream.size() < 8 || get(0) > stream.size() / 8 - 1) return corrupt;
  const size_t count = get(0);
  std::vector<std::span<const std::byte>> parts;
  std::span<const std::byte> rest = stream.subspan(8 * (count + 1));
  for (size_t i = 0; i < count; ++i) {
    const uint64_t size = get(i + 1);
    if (size > rest.size()) return corrupt;
    parts.push_back(rest.first(size));
    rest = rest.subspan(size);
  }
  if (!rest.empty()) return corrupt;
  return parts;
}

}  // namespace godwit
