#include "apps/array_file.h"

#include <algorithm>

#include "io/audio_file.h"
#include "io/byte_source.h"
#include "io/input_file.h"
#include "io/nifti_file.h"
#include "io/npy_file.h"
#include "io/output_file.h"

namespace godwit {
namespace {

std::vector<std::string> Fields(const std::string& text) {
  std::vector<std::string> fields(1);
  for (const char c : text) {
    if (c == ',') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

template <typename Test>
bool Begins(const std::string& path, Test test) {
  if (path == "-") return false;
  Result<ByteSource> source = ByteSource::Open(path);
  return source.ok() && test(source->Peek(512));
}

// Digits only; up to 2^40.
bool ParseIndex(const std::string& text, int64_t* value) {
  if (text.empty() || text.size() > 12) return false;
  *value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (c - '0');
  }
  return true;
}

}  // namespace

bool BeginsLikeArray(const std::string& path) {
  return Begins(path,
                [](auto prefix) { return IsNpy(prefix) || IsGzip(prefix) || IsNifti(prefix); });
}

bool BeginsLikeAudio(const std::string& path) {
  return Begins(path, [](auto prefix) { return IsAudio(prefix); });
}

Status WriteArrayFile(const std::string& path, const NdArray& array, bool overwrite) {
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile out, AtomicOutputFile::Create(path, overwrite));
  GODWIT_RETURN_IF_ERROR(out.Write(NpyHeader(array.type, array.shape)));
  GODWIT_RETURN_IF_ERROR(out.Write(array.data));
  return out.Commit();
}

std::string ShapeName(const Shape& shape) {
  std::string name;
  for (size_t i = 0; i < static_cast<size_t>(shape.rank); ++i) {
    if (i > 0) name += 'x';
    name += std::to_string(shape.dims[i]);
  }
  return name;
}

std::optional<uint8_t> ParseAxes(const std::string& text) {
  if (text == "none") return uint8_t{0};
  uint8_t mask = 0;
  for (const std::string& field : Fields(text)) {
    int64_t axis;
    if (!ParseIndex(field, &axis) || axis > 3) return std::nullopt;
    mask = static_cast<uint8_t>(mask | 1u << axis);
  }
  return mask;
}

bool ParseSlice(const std::string& text, const Shape& shape, array::Box* part) {
  const std::vector<std::string> fields = Fields(text);
  if (fields.size() > static_cast<size_t>(shape.rank)) return false;
  for (size_t i = 0; i < 4; ++i) {
    int64_t begin = 0, end = shape.dims[i];
    if (i < fields.size()) {
      const std::string& field = fields[i];
      const size_t colon = field.find(':');
      if (colon == field.npos) {
        if (!ParseIndex(field, &begin)) return false;
        end = begin + 1;
      } else {
        const std::string first = field.substr(0, colon), last = field.substr(colon + 1);
        if (!first.empty() && !ParseIndex(first, &begin)) return false;
        if (!last.empty() && !ParseIndex(last, &end)) return false;
      }
    }
    if (begin >= end || end > shape.dims[i]) return false;
    part->begin[i] = begin;
    part->size[i] = end - begin;
  }
  return true;
}

}  // namespace godwit
