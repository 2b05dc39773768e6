// eval/array_parts.h: arrays as rivals want them: channel by channel, sample by sample of a type.
#pragma once

#include "base/status.h"
#include "tensor/nd_array.h"

namespace godwit {

// (time, channel): two axes, the first at least eight times the second.
bool IsTable(const NdArray& array);

// With both axes of a table exchanged; others as they are.
NdArray ByChannel(const NdArray& array);
// The way back into `array`, whose type and shape are the original's.
Status FromByChannel(const NdArray& by_channel, NdArray* array);

}  // namespace godwit
