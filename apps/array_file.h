// apps/array_file.h: arrays for the commands: recognised, written and described.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/array/array_header.h"
#include "eval/array_error.h"
#include "io/any_array.h"
#include "tensor/nd_array.h"

namespace godwit {

// Whether the file begins like an array's (.npy, NIfTI, gzip). False for standard input, which
// cannot be looked at twice, and for what cannot be read.
bool BeginsLikeArray(const std::string& path);

// Whether it begins like sound that may be read as an array (WAV, FLAC, Ogg, AIFF): (frame,
// channel).
bool BeginsLikeAudio(const std::string& path);

// A .npy file; "-" is standard output.
Status WriteArrayFile(const std::string& path, const NdArray& array, bool overwrite);

// "198x100x100".
std::string ShapeName(const Shape& shape);

// Bit i for axis i of "0,2"; "none" for none. Nothing where that is no list of axes.
std::optional<uint8_t> ParseAxes(const std::string& text);
// "2:10,:,5": a part by axis. False where that is no such text.
bool ParseSlice(const std::string& text, const Shape& shape, array::Box* part);

}  // namespace godwit
