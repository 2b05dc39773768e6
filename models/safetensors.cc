#include "models/safetensors.h"

#include <algorithm>
#include <cstring>

#include "models/strict_json.h"

namespace godwit {
namespace {

using nlohmann::json;

constexpr int kMaxRank = 8;
constexpr size_t kMaxTensors = 4096;
constexpr int kMaxHeaderDepth = 3;  // file, tensor, shape

struct TypeRow {
  TensorType type;
  std::string_view name;
  size_t size;
};
constexpr TypeRow kTypes[] = {
    {TensorType::kI8, "I8", 1},   {TensorType::kU8, "U8", 1},   {TensorType::kI16, "I16", 2},
    {TensorType::kU16, "U16", 2}, {TensorType::kF16, "F16", 2}, {TensorType::kI32, "I32", 4},
    {TensorType::kU32, "U32", 4}, {TensorType::kF32, "F32", 4},
};

// Entry of the header, its bytes not yet bound.
struct Extent {
  uint64_t begin = 0, end = 0;
  std::string name;
  TensorEntry entry;
};

Result<Extent> ParseEntry(const std::string& name, const json& object) {
  if (!object.is_object()) return Refuse("not an object");
  GODWIT_RETURN_IF_ERROR(CheckKeys(object, {"dtype", "shape", "data_offsets"}));
  Extent extent;
  extent.name = name;
  GODWIT_ASSIGN_OR_RETURN(const std::string dtype, JsonString(object, "dtype"));
  const TypeRow* row = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const TypeRow& r) { return r.name == dtype; });
  if (row == std::end(kTypes)) return Refuse("dtype " + dtype + " is not supported");
  extent.entry.type = row->type;

  const auto shape = object.find("shape");
  if (shape == object.end() || !shape->is_array() || shape->size() > kMaxRank) {
    return Refuse("no shape of at most 8 axes");
  }
  uint64_t bytes = row->size;
  for (const json& axis : *shape) {
    if (!axis.is_number_unsigned() || axis.get<uint64_t>() > INT64_MAX ||
        __builtin_mul_overflow(bytes, axis.get<uint64_t>(), &bytes)) {
      return Refuse("shape is not of sizes whose product fits 64 bits");
    }
    extent.entry.shape.push_back(axis.get<int64_t>());
  }

  const auto offsets = object.find("data_offsets");
  if (offsets == object.end() || !offsets->is_array() || offsets->size() != 2 ||
      !(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned()) {
    return Refuse("no pair of data_offsets");
  }
  extent.begin = (*offsets)[0].get<uint64_t>();
  extent.end = (*offsets)[1].get<uint64_t>();
  if (extent.end < extent.begin || extent.end - extent.begin != bytes) {
    return Refuse("data_offsets do not span the shape's " + std::to_string(bytes) + " bytes");
  }
  if (extent.begin % row->size != 0) {
    return Refuse("offset " + std::to_string(extent.begin) + " is not aligned to its elements");
  }
  return extent;
}

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (const int64_t axis : shape) {
    if (text.size() > 1) text += ',';
    text += std::to_string(axis);
  }
  return text += ']';
}

}  // namespace

std::string_view TensorTypeName(TensorType type) { return kTypes[static_cast<int>(type)].name; }
size_t TensorTypeSize(TensorType type) { return kTypes[static_cast<int>(type)].size; }

Result<SafeTensors> SafeTensors::Parse(Bytes bytes, uint64_t max_bytes) {
  SafeTensors file;
  file.file_ = std::move(bytes);
  const std::span<const std::byte> all = file.file_;
  if (all.size() > max_bytes)
    return Refuse("safetensors: more than " + std::to_string(max_bytes) + " bytes");
  ByteReader reader(all);
  const Result<uint64_t> header_size = reader.U64();
  if (!header_size.ok()) return Refuse("safetensors: shorter than its 8 byte header length");
  if (*header_size > kMaxHeaderBytes || *header_size > reader.remaining()) {
    return Refuse("safetensors: header of " + std::to_string(*header_size) +
                  " bytes passes the limit or the file");
  }
  if (*header_size % 8 != 0) return Refuse("safetensors: data is not 8-byte aligned");
  GODWIT_ASSIGN_OR_RETURN(const auto header, reader.Take(*header_size));
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  if (text.empty() || text[0] != '{') return Refuse("safetensors: header does not start with {");
  const Result<json> parsed = ParseStrictJson(text, kMaxHeaderDepth);
  if (!parsed.ok()) return parsed.status().WithPrefix("safetensors header: ");

  std::vector<Extent> extents;
  for (const auto& [name, value] : parsed->items()) {
    if (name == "__metadata__") {
      if (!value.is_object()) return Refuse("safetensors: __metadata__ is not an object");
      for (const auto& [key, item] : value.items()) {
        if (!item.is_string()) return Refuse("safetensors: metadata " + key + " is not a string");
        file.metadata_.emplace(key, item.get<std::string>());
      }
      continue;
    }
    if (extents.size() == kMaxTensors) return Refuse("safetensors: more than 4096 tensors");
    Result<Extent> extent = ParseEntry(name, value);
    if (!extent.ok()) return extent.status().WithPrefix("tensor " + name + ": ");
    extents.push_back(*std::move(extent));
  }
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const std::span<const std::byte> data = all.subspan(reader.offset());
  uint64_t end = 0;
  for (Extent& extent : extents) {
    if (extent.begin != end || extent.end > data.size()) {
      return Refuse("tensor " + extent.name + ": starts at " + std::to_string(extent.begin) +
                    ", but " + std::to_string(end) + " is the first free byte of " +
                    std::to_string(data.size()));
    }
    end = extent.end;
    extent.entry.data = data.subspan(extent.begin, extent.end - extent.begin);
    file.tensors_.emplace(std::move(extent.name), std::move(extent.entry));
  }
  if (end != data.size()) {
    return Refuse("safetensors: " + std::to_string(data.size() - end) +
                  " bytes belong to no tensor");
  }
  return file;
}

const TensorEntry* SafeTensors::Find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

std::optional<std::string> SafeTensors::Metadata(std::string_view key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return std::nullopt;
  return found->second;
}

Result<std::span<const std::byte>> SafeTensors::GetBytes(std::string_view name, TensorType type,
                                                         std::span<const int64_t> shape) const {
  const TensorEntry* entry = Find(name);
  if (entry == nullptr) return Refuse("tensor " + std::string(name) + ": absent");
  if (entry->type != type ||
      !std::equal(shape.begin(), shape.end(), entry->shape.begin(), entry->shape.end())) {
    return Refuse("tensor " + std::string(name) + ": is " +
                  std::string(TensorTypeName(entry->type)) + ShapeText(entry->shape) + ", not " +
                  std::string(TensorTypeName(type)) + ShapeText(shape));
  }
  return entry->data;
}

}  // namespace godwit
