#include <algorithm>
#include <bit>
#include <string_view>
#include <vector>

#include "io/row_codec.h"

namespace godwit {
namespace {

constexpr uint32_t kMaxSample = 65535;

bool IsSpace(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(int c) { return c >= '0' && c <= '9'; }

// P1..P6 of Netpbm's pbm(5), pgm(5) and ppm(5), and P7, pam(5). P1..P3 are text.
class PnmDecoder final : public RowDecoder {
 public:
  explicit PnmDecoder(ByteSource source) : source_(std::move(source)) {}
  Status Open(const DecodeLimits& limits);
  Status ReadRow(uint8_t* row) override;

 private:
  static constexpr int kPam = 7;
  bool bitmap() const { return kind_ == 1 || kind_ == 4; }
  bool text() const { return kind_ <= 3; }
  size_t samples() const { return size_t{info_.width} * info_.channels; }

  Status Garbled(const std::string& what) const {
    return Status(StatusCode::kUnreadable,
                  "PNM: " + what + " at byte " + std::to_string(source_.offset()));
  }
  Status Ended() const {
    GODWIT_RETURN_IF_ERROR(source_.status());
    return Status(StatusCode::kTruncated,
                  "PNM ends early at byte " + std::to_string(source_.offset()));
  }
  Result<int> AfterSpace();
  Result<uint32_t> Number(std::string_view what);
  Status ReadHeader();
  Result<std::string> PamLine();
  Status ReadPamHeader();
  Status ReadText(uint8_t* row);
  Status ReadPacked(uint8_t* row);
  Status CheckEnd();

  ByteSource source_;
  int kind_ = 0;  // the digit of the magic
  uint32_t max_sample_ = 1;
  std::vector<uint8_t> to_byte_;  // for every sample up to max_sample_
  std::vector<std::byte> packed_;
  uint32_t next_row_ = 0;
};

// The first byte that is neither white space nor in a comment.
Result<int> PnmDecoder::AfterSpace() {
  int c = source_.Get();
  while (IsSpace(c) || c == '#') {
    const bool comment = c == '#';
    while (comment && c != '\n' && c != '\r' && c >= 0) c = source_.Get();
    if (c >= 0) c = source_.Get();
  }
  if (c < 0) return Ended();
  return c;
}

// Takes the byte behind the number too: the one white space that a header ends with.
Result<uint32_t> PnmDecoder::Number(std::string_view what) {
  GODWIT_ASSIGN_OR_RETURN(int c, AfterSpace());
  if (!IsDigit(c)) return Garbled("no number for the " + std::string(what));
  uint64_t v = 0;
  for (; IsDigit(c); c = source_.Get()) {
    v = v * 10 + static_cast<uint64_t>(c - '0');
    if (v > UINT32_MAX) return Garbled("huge " + std::string(what));
  }
  // The end of the file ends the last number of a text picture, and nothing else.
  const bool may_end = text() && !to_byte_.empty() && source_.status().ok();
  if (c < 0 && !may_end) return Ended();
  if (c >= 0 && !IsSpace(c)) return Garbled("no white space after the " + std::string(what));
  return static_cast<uint32_t>(v);
}

Status PnmDecoder::ReadHeader() {
  static constexpr const char* kFormats[] = {"", "pbm", "pgm", "ppm", "pbm", "pgm", "ppm"};
  info_.format = kFormats[kind_];
  info_.channels = kind_ == 3 || kind_ == 6 ? 3 : 1;
  const std::span<const std::byte> next = source_.Peek(1);
  if (next.empty()) return Ended();
  const int c = std::to_integer<int>(next[0]);
  if (!IsSpace(c) && c != '#') return Garbled("no white space after the magic");
  GODWIT_ASSIGN_OR_RETURN(info_.width, Number("width"));
  GODWIT_ASSIGN_OR_RETURN(info_.height, Number("height"));
  if (bitmap()) return {};
  GODWIT_ASSIGN_OR_RETURN(max_sample_, Number("largest sample"));
  return {};
}

Result<std::string> PnmDecoder::PamLine() {
  constexpr size_t kLongestLine = 1024;
  std::string line;
  for (int c = source_.Get(); c != '\n'; c = source_.Get()) {
    if (c < 0) return Ended();
    if (line.size() == kLongestLine) return Garbled("header line too long");
    line.push_back(static_cast<char>(c));
  }
  while (!line.empty() && IsSpace(line.back())) line.pop_back();
  return line;
}

Status PnmDecoder::ReadPamHeader() {
  struct Tuple {
    std::string_view type;
    uint8_t depth;
  };
  static constexpr Tuple kTuples[] = {
      {"BLACKANDWHITE", 1}, {"GRAYSCALE", 1},       {"RGB", 3},
      {"RGB_ALPHA", 4},     {"GRAYSCALE_ALPHA", 2}, {"BLACKANDWHITE_ALPHA", 2},
  };
  struct Field {
    std::string_view name;
    uint32_t value;
  };
  Field fields[] = {{"WIDTH", 0}, {"HEIGHT", 0}, {"DEPTH", 0}, {"MAXVAL", 0}};
  std::string type;
  info_.format = "pam";
  for (bool first = true;; first = false) {
    GODWIT_ASSIGN_OR_RETURN(const std::string line, PamLine());
    if (first && !line.empty()) return Garbled("no line end after the magic");
    if (line == "ENDHDR") break;
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.find_first_of(" \t");
    const std::string name = line.substr(0, space);
    const size_t start = space == std::string::npos ? space : line.find_first_not_of(" \t", space);
    const std::string value = start == std::string::npos ? "" : line.substr(start);
    if (name == "TUPLTYPE") {
      type = value;
      continue;
    }
    Field* const field = std::find_if(std::begin(fields), std::end(fields),
                                      [&](const Field& f) { return f.name == name; });
    const bool digits =
        !value.empty() && value.size() <= 9 && std::all_of(value.begin(), value.end(), IsDigit);
    if (field == std::end(fields) || !digits) return Garbled("header line \"" + line + "\"");
    field->value = static_cast<uint32_t>(std::stoul(value));
  }
  info_.width = fields[0].value;
  info_.height = fields[1].value;
  max_sample_ = fields[3].value;
  const uint32_t depth = fields[2].value;
  for (const Tuple& tuple : kTuples) {
    if (tuple.depth == depth && (type.empty() || tuple.type == type)) {
      info_.channels = tuple.depth;
      return {};
    }
  }
  return Status(StatusCode::kUnsupported,
                "PAM: " + std::to_string(depth) + " channels of type \"" + type + "\"");
}

Status PnmDecoder::Open(const DecodeLimits& limits) {
  source_.Get();  // 'P'
  kind_ = source_.Get() - '0';
  GODWIT_RETURN_IF_ERROR(kind_ == kPam ? ReadPamHeader() : ReadHeader());
  if (max_sample_ < 1 || max_sample_ > kMaxSample) {
    return Garbled("largest sample " + std::to_string(max_sample_) + ", not 1..65535,");
  }
  GODWIT_RETURN_IF_ERROR(CheckPixels(info_.width, info_.height, limits));
  info_.bit_depth = static_cast<uint8_t>(std::bit_width(max_sample_));
  const uint64_t row_bytes = kind_ == 4          ? (uint64_t{info_.width} + 7) / 8
                             : max_sample_ > 255 ? samples() * 2
                                                 : samples();
  memory_bytes_ = row_bytes + kMaxSample;
  GODWIT_RETURN_IF_ERROR(CheckMemory(memory_bytes_, limits));
  if (!text()) packed_.resize(row_bytes);
  to_byte_.resize(size_t{max_sample_} + 1);
  for (uint32_t v = 0; v <= max_sample_; ++v) {
    to_byte_[v] = static_cast<uint8_t>((v * 255 + max_sample_ / 2) / max_sample_);
  }
  if (bitmap()) to_byte_ = {255, 0};  // a set bit is black
  return {};
}

Status PnmDecoder::ReadText(uint8_t* row) {
  for (size_t i = 0; i < samples(); ++i) {
    uint32_t v;
    if (kind_ == 1) {  // needs no white space between
      GODWIT_ASSIGN_OR_RETURN(const int c, AfterSpace());
      v = static_cast<uint32_t>(c) - '0';
    } else {
      GODWIT_ASSIGN_OR_RETURN(v, Number("sample"));
    }
    if (v > max_sample_) return Garbled("sample above " + std::to_string(max_sample_));
    row[i] = to_byte_[v];
  }
  return {};
}

Status PnmDecoder::ReadPacked(uint8_t* row) {
  if (source_.Read(packed_) < packed_.size()) return Ended();
  const size_t n = samples();
  uint32_t largest = 0;
  if (kind_ == 4) {
    for (size_t i = 0; i < n; ++i) {
      row[i] = to_byte_[std::to_integer<size_t>(packed_[i / 8] >> (7 - i % 8)) & 1];
    }
  } else if (max_sample_ > 255) {
    for (size_t i = 0; i < n; ++i) {
      const uint32_t v = std::to_integer<uint32_t>(packed_[2 * i]) << 8 |
                         std::to_integer<uint32_t>(packed_[2 * i + 1]);
      largest = std::max(largest, v);
      row[i] = to_byte_[std::min(v, max_sample_)];
    }
  } else {
    for (size_t i = 0; i < n; ++i) {
      const uint32_t v = std::to_integer<uint32_t>(packed_[i]);
      largest = std::max(largest, v);
      row[i] = to_byte_[std::min(v, max_sample_)];
    }
  }
  if (largest > max_sample_) {
    return Garbled("sample " + std::to_string(largest) + " above " + std::to_string(max_sample_) +
                   " before");
  }
  return {};
}

// A wrong header shows as bytes left over, so these are an error.
Status PnmDecoder::CheckEnd() {
  int c = source_.Get();
  while (text() && IsSpace(c)) c = source_.Get();
  GODWIT_RETURN_IF_ERROR(source_.status());
  return c < 0 ? Status() : Garbled("more data after the last row");
}

Status PnmDecoder::ReadRow(uint8_t* row) {
  GODWIT_RETURN_IF_ERROR(text() ? ReadText(row) : ReadPacked(row));
  return ++next_row_ == info_.height ? CheckEnd() : Status();
}

}  // namespace

Result<std::unique_ptr<RowDecoder>> OpenPnm(ByteSource source, const DecodeLimits& limits) {
  auto decoder = std::make_unique<PnmDecoder>(std::move(source));
  GODWIT_RETURN_IF_ERROR(decoder->Open(limits));
  return std::unique_ptr<RowDecoder>(std::move(decoder));
}

}  // namespace godwit
