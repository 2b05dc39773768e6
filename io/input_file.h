// io/input_file.h: whole files in memory.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

// All bytes of `path`; "-" is standard input. kUnreadable where there is no such file, or it is a
// directory, or reading fails; kOverLimit beyond `max_bytes`. Every message names the path.
Result<Bytes> ReadFile(const std::string& path, uint64_t max_bytes);

// What messages call `path`: itself, or "standard input" for "-".
std::string InputName(const std::string& path);

}  // namespace godwit
