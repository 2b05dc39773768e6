// tests/io/document_example.h: the worked examples of docs/format, so that tests hold them to the
// code.
#pragma once

#include <cstddef>
#include <fstream>
#include <span>
#include <sstream>
#include <string>

#include "base/bytes.h"

namespace godwit {

// "00 1f ..."
inline std::string ToHex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte b : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    if (!text.empty()) text += ' ';
    text += kDigits[std::to_integer<int>(b) >> 4];
    text += kDigits[std::to_integer<int>(b) & 15];
  }
  return text;
}

// The bytes between ```hex and ``` of a page; what follows # is a remark. None if there is no such
// page.
inline Bytes BytesInDocument(const std::string& path) {
  std::ifstream in(path);
  Bytes bytes;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = line == "```hex";
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;)
      bytes.push_back(static_cast<std::byte>(std::stoi(word, nullptr, 16)));
  }
  return bytes;
}

}  // namespace godwit
