// codecs/array/table_fit.h: finds out whether a channel's floats are few numbers in disguise.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/array/value_table.h"

namespace godwit::array {

// Of a channel's samples in ordered bits; nothing where a table would not pay.
std::optional<ValueTable> FitTable(std::vector<int32_t> ordered);

}  // namespace godwit::array
