// eval/stream_parts.h: several streams as one, for rivals that code an array in parts.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

// A count and sizes, then the parts. What it adds is not counted as the rival's.
Bytes JoinParts(const std::vector<Bytes>& parts);
uint64_t JoiningBytes(size_t parts);
// Borrows. kCorrupt where it is nothing that JoinParts() makes.
Result<std::vector<std::span<const std::byte>>> SplitParts(std::span<const std::byte> stream);

}  // namespace godwit
