// apps/array_file.h: arrays for the commands: read from files of any kind, written, described and
// compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/array/array_header.h"
#include "tensor/nd_array.h"

namespace godwit {

// Whether the file begins like an array's (.npy, NIfTI, gzip). False for standard input, which
// cannot be looked at twice, and for what cannot be read.
bool BeginsLikeArray(const std::string& path);

// Whether it begins like sound that may be read as an array (WAV, FLAC, Ogg, AIFF): (frame,
// channel).
bool BeginsLikeAudio(const std::string& path);

// Messages name the file.
Result<NdArray> ReadArrayFile(const std::string& path, const DecodeLimits& limits);
// A .npy file; "-" is standard output.
Status WriteArrayFile(const std::string& path, const NdArray& array, bool overwrite);

// "198x100x100".
std::string ShapeName(const Shape& shape);

// Least and largest finite sample; zeros where there is none.
struct ArrayRange {
  double least = 0, largest = 0;
  double width() const { return largest - least; }
};
ArrayRange RangeOf(const NdArray& array);

// Both of one type and shape. NaN in both is no error; in one, an infinite one.
struct ArrayError {
  double max = 0, mean_square = 0;
};
ArrayError ErrorOf(const NdArray& a, const NdArray& b);

// Bit i for axis i of "0,2"; "none" for none. Nothing where that is no list of axes.
std::optional<uint8_t> ParseAxes(const std::string& text);
// "2:10,:,5": a part by axis. False where that is no such text.
bool ParseSlice(const std::string& text, const Shape& shape, array::Box* part);

}  // namespace godwit
