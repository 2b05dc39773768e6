#include "io/nifti_file.h"

#include <cstring>
#include <optional>
#include <string>

#include "io/array_layout.h"
#include "io/zlib_bytes.h"

namespace godwit {
namespace {

// Offsets of the fields that matter here, from nifti1.h.
constexpr size_t kHeaderBytes = 348, kDim = 40, kDataType = 70, kDataOffset = 108, kMagic = 344;

class Header {
 public:
  Header(std::span<const std::byte> bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}
  int16_t I16(size_t at) const { return static_cast<int16_t>(Unsigned(at, 2)); }
  uint32_t U32(size_t at) const { return static_cast<uint32_t>(Unsigned(at, 4)); }

 private:
  uint64_t Unsigned(size_t at, size_t size) const {
    uint64_t v = 0;
    for (size_t i = 0; i < size; ++i) {
      v |= std::to_integer<uint64_t>(bytes_[at + (swapped_ ? size - 1 - i : i)]) << (8 * i);
    }
    return v;
  }
  std::span<const std::byte> bytes_;
  bool swapped_;
};

std::optional<SampleType> TypeOf(int16_t code) {
  switch (code) {
    case 2:
      return SampleType::kU8;
    case 4:
      return SampleType::kI16;
    case 8:
      return SampleType::kI32;
    case 16:
      return SampleType::kF32;
    case 64:
      return SampleType::kF64;
    case 256:
      return SampleType::kI8;
    case 512:
      return SampleType::kU16;
    case 768:
      return SampleType::kU32;
    default:
      return std::nullopt;
  }
}

Status ReadShape(const Header& header, Shape* shape) {
  const int rank = header.I16(kDim);  // 1 to 7: IsNifti() has looked
  std::array<int64_t, 7> sides;
  int used = 0;
  for (int i = 0; i < rank; ++i) {
    const int64_t side = header.I16(kDim + 2 + 2 * static_cast<size_t>(i));
    if (side < 1) return Status(StatusCode::kUnreadable, "NIfTI axis of " + std::to_string(side));
    sides[static_cast<size_t>(i)] = side;
    if (side > 1 || i == 0) used = i + 1;
  }
  if (used > 4) return Status(StatusCode::kUnsupported, "NIfTI volume with more than four axes");
  shape->rank = used;
  for (int i = 0; i < used; ++i) {
    shape->dims[static_cast<size_t>(used - 1 - i)] = sides[static_cast<size_t>(i)];
  }
  return {};
}

Result<NdArray> ReadPlain(std::span<const std::byte> file, const DecodeLimits& limits) {
  if (file.size() < kHeaderBytes) {
    return Status(StatusCode::kTruncated,
                  "NIfTI header ends at byte " + std::to_string(file.size()));
  }
  if (!IsNifti(file)) return Status(StatusCode::kUnreadable, "not a NIfTI-1 file");
  const bool swapped = Header(file, false).U32(0) != kHeaderBytes;
  const Header header(file, swapped);
  if (file[kMagic + 1] != std::byte{'+'}) {
    return Status(StatusCode::kUnsupported, "NIfTI header without samples (.hdr and .img)");
  }
  const int16_t code = header.I16(kDataType);
  const std::optional<SampleType> type = TypeOf(code);
  if (!type)
    return Status(StatusCode::kUnsupported, "NIfTI samples of type " + std::to_string(code));
  ArrayLayout layout{*type, {}, /*first_fastest=*/false, swapped};
  GODWIT_RETURN_IF_ERROR(ReadShape(header, &layout.shape));
  GODWIT_RETURN_IF_ERROR(ArrayBytes(layout.type, layout.shape, limits).status());
  const float offset = std::bit_cast<float>(header.U32(kDataOffset));
  if (!(offset >= kHeaderBytes && offset < 1e9f)) {
    return Status(StatusCode::kUnreadable, "NIfTI samples inside the header");
  }
  const auto begin = static_cast<size_t>(offset);
  if (begin > file.size()) return Status(StatusCode::kTruncated, "NIfTI file ends in its header");
  return ReadSamples(layout, file.subspan(begin), /*exact=*/false);
}

}  // namespace

bool IsNifti(std::span<const std::byte> prefix) {
  if (prefix.size() < kHeaderBytes) return false;
  for (const bool swapped : {false, true}) {
    const Header header(prefix, swapped);
    if (header.U32(0) != kHeaderBytes) continue;
    const int16_t rank = header.I16(kDim);
    const bool magic = std::memcmp(prefix.data() + kMagic, "n+1", 4) == 0 ||
                       std::memcmp(prefix.data() + kMagic, "ni1", 4) == 0;
    return magic && rank >= 1 && rank <= 7;
  }
  return false;
}

bool IsGzip(std::span<const std::byte> prefix) {
  return prefix.size() >= 2 && prefix[0] == std::byte{0x1f} && prefix[1] == std::byte{0x8b};
}

Result<NdArray> ReadNifti(std::span<const std::byte> file, const DecodeLimits& limits) {
  if (!IsGzip(file)) return ReadPlain(file, limits);
  GODWIT_ASSIGN_OR_RETURN(const Bytes plain,
                          Inflate(file, limits.max_memory_bytes, ZlibWrapper::kGzip));
  return ReadPlain(plain, limits);
}

}  // namespace godwit
