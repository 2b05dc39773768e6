#include "models/safetensors_writer.h"

#include <nlohmann/json.hpp>

namespace godwit {

void SafeTensorsWriter::Add(std::string_view name, TensorType type, std::vector<int64_t> shape,
                            std::span<const std::byte> data) {
  tensors_.insert_or_assign(std::string(name),
                            Item{type, std::move(shape), Bytes(data.begin(), data.end())});
}

void SafeTensorsWriter::SetMetadata(std::string_view key, std::string_view value) {
  metadata_.insert_or_assign(std::string(key), std::string(value));
}

Bytes SafeTensorsWriter::Finish() const {
  nlohmann::json header = nlohmann::json::object();
  for (const auto& [key, value] : metadata_) header["__metadata__"][key] = value;
  Bytes data;
  for (const size_t size : {4, 2, 1}) {
    for (const auto& [name, item] : tensors_) {
      if (TensorTypeSize(item.type) != size) continue;
      header[name] = {{"dtype", TensorTypeName(item.type)},
                      {"shape", item.shape},
                      {"data_offsets", {data.size(), data.size() + item.data.size()}}};
      data.insert(data.end(), item.data.begin(), item.data.end());
    }
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  ByteWriter out;
  out.U64(text.size());
  out.Append(std::as_bytes(std::span(text)));
  out.Append(data);
  return out.Release();
}

}  // namespace godwit
