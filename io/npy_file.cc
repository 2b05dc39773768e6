#include "io/npy_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "io/array_layout.h"

namespace godwit {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeader = size_t{64} << 10;  // NumPy itself stops at 10000 characters
constexpr uint64_t kMaxSide = uint64_t{1} << 60;

Status Garbled(const std::string& what) {
  return Status(StatusCode::kUnreadable, ".npy header: " + what);
}

// The Python literal of a header: a dictionary of strings, booleans and tuples of integers.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Result<ArrayLayout> Parse() {
    if (!Take('{')) return Garbled("no dictionary");
    while (!Take('}')) {
      GODWIT_ASSIGN_OR_RETURN(const std::string_view key, String());
      if (!Take(':')) return Garbled("no colon after a key");
      GODWIT_RETURN_IF_ERROR(Value(key));
      if (!Take(',') && Peek() != '}') return Garbled("neither a comma nor the end");
    }
    if (Peek() != '\0') return Garbled("something after the dictionary");
    if (!has_type_ || !has_order_ || !has_shape_) return Garbled("a key is missing");
    return layout_;
  }

 private:
  char Peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  Result<std::string_view> String() {
    const char quote = Peek();
    if (quote != '\'' && quote != '"') return Garbled("no string where one belongs");
    const size_t end = text_.find(quote, at_ + 1);
    if (end == text_.npos) return Garbled("a string without end");
    const std::string_view s = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return s;
  }
  Status Value(std::string_view key) {
    bool* const seen = key == "descr"           ? &has_type_
                       : key == "fortran_order" ? &has_order_
                       : key == "shape"         ? &has_shape_
                                                : nullptr;
    if (seen == nullptr || *seen) return Garbled("a key that does not belong there");
    *seen = true;
    if (key == "descr") return Type();
    return key == "shape" ? Sides() : Order();
  }
  Status Type() {
    if (Peek() == '[') return Status(StatusCode::kUnsupported, ".npy records with fields");
    GODWIT_ASSIGN_OR_RETURN(const std::string_view name, String());
    constexpr std::array<std::string_view, kSampleTypes> kNames = {"u1", "i1", "u2", "i2",
                                                                   "u4", "i4", "f4", "f8"};
    const std::string_view kind = name.size() == 3 ? name.substr(1) : "";
    const auto found = std::find(kNames.begin(), kNames.end(), kind);
    const bool known = found != kNames.end() || kind == "b1";
    if (!known || std::string_view("<>|=").find(name[0]) == std::string_view::npos) {
      return Status(StatusCode::kUnsupported,
                    ".npy samples of type " + std::string(name.substr(0, 16)));
    }
    if (kind != "b1") layout_.type = static_cast<SampleType>(found - kNames.begin());
    layout_.swapped = name[0] == '>';
    return {};
  }
  Status Order() {
    for (const bool fortran : {false, true}) {
      const std::string_view word = fortran ? "True" : "False";
      Peek();
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      layout_.first_fastest = fortran;
      return {};
    }
    return Garbled("fortran_order is neither True nor False");
  }
  Status Sides() {
    if (!Take('(')) return Garbled("shape is no tuple");
    while (!Take(')')) {
      if (layout_.shape.rank == 4) {
        return Status(StatusCode::kUnsupported, ".npy array with more than four axes");
      }
      uint64_t side = 0;
      bool any = false;
      for (char c = Peek(); c >= '0' && c <= '9'; c = at_ < text_.size() ? text_[at_] : '\0') {
        side = side * 10 + static_cast<uint64_t>(c - '0');
        if (side > kMaxSide) return Status(StatusCode::kOverLimit, ".npy side beyond 2^60");
        ++at_;
        any = true;
      }
      if (!any) return Garbled("a side that is no number");
      layout_.shape.dims[static_cast<size_t>(layout_.shape.rank++)] = static_cast<int64_t>(side);
      if (!Take(',') && Peek() != ')') return Garbled("sides without a comma");
    }
    if (layout_.shape.rank == 0) {
      return Status(StatusCode::kUnsupported, ".npy array without axes");
    }
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
  ArrayLayout layout_;
  bool has_type_ = false, has_order_ = false, has_shape_ = false;
};

}  // namespace

bool IsNpy(std::span<const std::byte> prefix) {
  return prefix.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), prefix.begin(),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

Result<NdArray> ReadNpy(std::span<const std::byte> file, const DecodeLimits& limits) {
  if (!IsNpy(file)) return Status(StatusCode::kUnreadable, "not a .npy file: wrong magic");
  ByteReader reader(file.subspan(kMagic.size()));
  GODWIT_ASSIGN_OR_RETURN(const uint8_t major, reader.U8());
  GODWIT_ASSIGN_OR_RETURN(const uint8_t minor, reader.U8());
  if (major < 1 || major > 3 || minor != 0) {
    return Status(StatusCode::kUnsupported,
                  ".npy version " + std::to_string(major) + '.' + std::to_string(minor));
  }
  uint64_t size = 0;
  if (major == 1) {
    GODWIT_ASSIGN_OR_RETURN(size, reader.U16());
  } else {
    GODWIT_ASSIGN_OR_RETURN(size, reader.U32());
  }
  if (size > kMaxHeader) return Status(StatusCode::kOverLimit, ".npy header beyond 64 KiB");
  GODWIT_ASSIGN_OR_RETURN(const auto text, reader.Take(size));
  HeaderParser parser({reinterpret_cast<const char*>(text.data()), text.size()});
  GODWIT_ASSIGN_OR_RETURN(const ArrayLayout layout, parser.Parse());
  GODWIT_RETURN_IF_ERROR(ArrayBytes(layout.type, layout.shape, limits).status());
  return ReadSamples(layout, file.subspan(kMagic.size() + reader.offset()), /*exact=*/true);
}

Bytes NpyHeader(SampleType type, const Shape& shape) {
  constexpr std::array<std::string_view, kSampleTypes> kNames = {"|u1", "|i1", "<u2", "<i2",
                                                                 "<u4", "<i4", "<f4", "<f8"};
  std::string text = "{'descr': '" + std::string(kNames[static_cast<size_t>(type)]) +
                     "', 'fortran_order': False, 'shape': (";
  for (int i = 0; i < shape.rank; ++i) {
    text += std::to_string(shape.dims[static_cast<size_t>(i)]) + (shape.rank == 1 ? "," : "");
    if (i + 1 < shape.rank) text += ", ";
  }
  text += "), }";
  constexpr size_t kFixed = 10;  // magic, version, length
  while ((kFixed + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  ByteWriter w;
  w.Append(std::as_bytes(std::span(kMagic)));
  w.U8(1);
  w.U8(0);
  w.U16(static_cast<uint16_t>(text.size()));
  w.Append(std::as_bytes(std::span(text)));
  return w.Release();
}

}  // namespace godwit
