#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>
#include <vector>

#include "io/exif.h"
#include "io/row_codec.h"
#include "io/zlib_bytes.h"

namespace godwit {
namespace {

using namespace std::string_view_literals;

// Metadata chunks go through our own hands: libpng would drop a profile that it dislikes, and keep
// any number of texts in memory.
constexpr png_byte kOurChunks[] = "iCCP\0eXIf\0iTXt\0acTL";
constexpr png_byte kSkippedChunks[] = "tEXt\0zTXt\0sPLT\0hIST\0pCAL\0sCAL\0tIME";
constexpr std::string_view kXmpKeyword = "XML:com.adobe.xmp"sv;
constexpr uint64_t kSignatureBytes = 8, kChunkOverhead = 12;

uint32_t BigEndian32(std::span<const std::byte> b) {
  return std::to_integer<uint32_t>(b[0]) << 24 | std::to_integer<uint32_t>(b[1]) << 16 |
         std::to_integer<uint32_t>(b[2]) << 8 | std::to_integer<uint32_t>(b[3]);
}

// Cuts a NUL-terminated text from the front of `bytes`; false where there is none.
bool TakeText(std::span<const std::byte>* bytes, std::string_view* text) {
  const auto nul = std::find(bytes->begin(), bytes->end(), std::byte{0});
  if (nul == bytes->end()) return false;
  const size_t n = static_cast<size_t>(nul - bytes->begin());
  *text = {reinterpret_cast<const char*>(bytes->data()), n};
  *bytes = bytes->subspan(n + 1);
  return true;
}

class PngDecoder final : public RowDecoder {
 public:
  explicit PngDecoder(ByteSource source) : source_(std::move(source)) {}
  ~PngDecoder() override { png_destroy_read_struct(&png_, &png_info_, nullptr); }

  Status Open(const DecodeLimits& limits);
  Status ReadRow(uint8_t* row) override;

 private:
  // libpng leaves by longjmp. It may pass over frames of libpng and of callbacks that hold nothing
  // to destroy, and over `body`, a lambda that only calls libpng.
  template <typename Body>
  bool Guarded(Body&& body) {
    if (setjmp(jump_) != 0) return false;
    body();
    return true;
  }
  static PngDecoder* From(png_voidp p) { return static_cast<PngDecoder*>(p); }
  [[noreturn]] static void OnError(png_structp png, png_const_charp message) {
    PngDecoder* const self = From(png_get_error_ptr(png));
    std::snprintf(self->message_, sizeof(message_), "%s", message);
    longjmp(self->jump_, 1);
  }
  static void OnWarning(png_structp, png_const_charp) {}
  static void OnRead(png_structp png, png_bytep data, size_t size) {
    if (!From(png_get_io_ptr(png))->Fill(data, size)) png_error(png, "file ends early");
  }
  static int OnChunk(png_structp png, png_unknown_chunkp chunk) {
    return From(png_get_user_chunk_ptr(png))
        ->OfferChunk(reinterpret_cast<const char*>(chunk->name),
                     std::as_bytes(std::span(chunk->data, chunk->size)));
  }

  bool Fill(png_bytep data, size_t size);
  int OfferChunk(std::string_view name, std::span<const std::byte> data);
  Status TakeChunk(std::string_view name, std::span<const std::byte> data);
  Status TakeProfile(std::span<const std::byte> data);
  Status TakeText(std::span<const std::byte> data);
  void FindLateChunks();
  Status ReadInterlaced();
  Status Failure() const;

  ByteSource source_;
  png_structp png_ = nullptr;
  png_infop png_info_ = nullptr;
  jmp_buf jump_;
  char message_[128] = "";
  bool ended_ = false;
  bool late_ = false;    // the pixels are behind us
  Status chunk_failed_;  // set beneath libpng, which knows only that it failed
  uint64_t max_metadata_bytes_ = 0;
  int passes_ = 1;
  uint32_t next_row_ = 0;
  std::vector<uint8_t> whole_;  // interlaced pictures only
};

bool PngDecoder::Fill(png_bytep data, size_t size) {
  ended_ = source_.Read(std::as_writable_bytes(std::span(data, size))) < size;
  return !ended_;
}

Status PngDecoder::Failure() const {
  GODWIT_RETURN_IF_ERROR(source_.status());
  const std::string at = " at byte " + std::to_string(source_.offset());
  if (ended_) return Status(StatusCode::kTruncated, "PNG ends early" + at);
  if (!chunk_failed_.ok()) return chunk_failed_;
  return Status(StatusCode::kUnreadable, "PNG: " + std::string(message_) + at);
}

// Runs beneath libpng: 1 = taken, 0 = libpng's to judge, -1 = an error.
int PngDecoder::OfferChunk(std::string_view name, std::span<const std::byte> data) {
  constexpr char kAncillaryBit = 0x20;  // in the first letter
  if ((name[0] & kAncillaryBit) == 0) {
    chunk_failed_ = Status(StatusCode::kUnsupported, "PNG: unknown critical chunk");
    return -1;
  }
  try {
    chunk_failed_ = TakeChunk(name.substr(0, 4), data);
  } catch (const std::bad_alloc&) {
    chunk_failed_ = Status(StatusCode::kInternal, "out of memory");
  }
  return chunk_failed_.ok() ? 1 : -1;
}

// Keeps the first of each kind.
Status PngDecoder::TakeChunk(std::string_view name, std::span<const std::byte> data) {
  if (name == "iCCP" && info_.icc.empty()) return TakeProfile(data);
  if (name == "iTXt" && info_.xmp.empty()) return TakeText(data);
  if (name == "acTL" && data.size() >= 4 && BigEndian32(data) > 1) {
    return Status(StatusCode::kUnsupported, "PNG: animated (chunk acTL)");
  }
  if (name == "eXIf" && info_.exif.empty()) {
    if (late_ && ExifOrientation(data) != 1) {
      return Status(
          StatusCode::kUnsupported,
          "PNG: chunk eXIf behind the pixels turns them; read it from a file, not a pipe");
    }
    info_.exif.assign(data.begin(), data.end());
  }
  return {};
}

// iCCP: name, NUL, method 0, zlib stream.
Status PngDecoder::TakeProfile(std::span<const std::byte> data) {
  std::string_view name;
  if (!godwit::TakeText(&data, &name) || data.empty() || data[0] != std::byte{0}) {
    return Status(StatusCode::kUnreadable, "PNG: chunk iCCP is garbled");
  }
  Result<Bytes> icc = Inflate(data.subspan(1), max_metadata_bytes_);
  if (!icc.ok()) return icc.status().WithPrefix("PNG: chunk iCCP: ");
  info_.icc = *std::move(icc);
  return {};
}

// iTXt: keyword, NUL, packed flag, method 0, language, NUL, translated keyword, NUL, text.
Status PngDecoder::TakeText(std::span<const std::byte> data) {
  std::string_view keyword, language, translated;
  if (!godwit::TakeText(&data, &keyword) || keyword != kXmpKeyword) return {};
  const bool packed = data.size() >= 2 && data[0] == std::byte{1};
  if (data.size() < 2 || data[1] != std::byte{0}) {
    return Status(StatusCode::kUnreadable, "PNG: chunk iTXt with XMP is garbled");
  }
  data = data.subspan(2);
  if (!godwit::TakeText(&data, &language) || !godwit::TakeText(&data, &translated)) {
    return Status(StatusCode::kUnreadable, "PNG: chunk iTXt with XMP is garbled");
  }
  if (!packed) {
    info_.xmp.assign(data.begin(), data.end());
    return {};
  }
  Result<Bytes> xmp = Inflate(data, max_metadata_bytes_);
  if (!xmp.ok()) return xmp.status().WithPrefix("PNG: chunk iTXt with XMP: ");
  info_.xmp = *std::move(xmp);
  return {};
}

// PNG allows eXIf and iTXt behind the pixels. Where the source can be searched they are fetched
// now, since an orientation must be known first; what is wrong with them the real pass reports.
void PngDecoder::FindLateChunks() {
  constexpr int kMostChunks = 1 << 20;  // bounds the time; IDATs of 8 KiB fill 8 GiB with these
  uint64_t at = kSignatureBytes;
  bool seen_pixels = false;
  for (int i = 0; i < kMostChunks; ++i) {
    std::byte head[8];
    if (!source_.ReadAt(at, head)) return;
    const uint32_t size = BigEndian32(head);
    const std::string_view name(reinterpret_cast<const char*>(head) + 4, 4);
    if (name == "IEND") return;
    if (name == "IDAT") seen_pixels = true;
    if (seen_pixels && (name == "eXIf" || name == "iTXt") && size <= max_metadata_bytes_) {
      std::byte last;
      if (!source_.ReadAt(at + kChunkOverhead + size - 1, std::span(&last, 1))) return;
      Bytes data(size);
      if (!source_.ReadAt(at + 8, data)) return;
      if (!TakeChunk(name, data).ok()) return;
    }
    at += kChunkOverhead + size;
  }
}

Status PngDecoder::Open(const DecodeLimits& limits) {
  max_metadata_bytes_ = std::min(kMaxMetadataBytes, limits.max_memory_bytes);
  const bool begun = Guarded([&] {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning);
    if (png_ == nullptr) return;
    png_info_ = png_create_info_struct(png_);
    if (png_info_ == nullptr) return;
    png_set_read_fn(png_, this, OnRead);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // CheckPixels() judges
    png_set_chunk_malloc_max(png_, max_metadata_bytes_);
    // Altered metadata is an error like altered pixels, not a chunk to drop.
    png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, kSkippedChunks,
                                sizeof(kSkippedChunks) / 5);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_IF_SAFE, kOurChunks, sizeof(kOurChunks) / 5);
    png_set_read_user_chunk_fn(png_, this, OnChunk);
    png_read_info(png_, png_info_);
  });
  if (!begun) return Failure();
  if (png_ == nullptr || png_info_ == nullptr) {
    return Status(StatusCode::kInternal, "libpng cannot start");
  }
  info_.width = png_get_image_width(png_, png_info_);
  info_.height = png_get_image_height(png_, png_info_);
  GODWIT_RETURN_IF_ERROR(CheckPixels(info_.width, info_.height, limits));
  const bool palette = png_get_color_type(png_, png_info_) == PNG_COLOR_TYPE_PALETTE;
  info_.bit_depth = palette ? uint8_t{8} : png_get_bit_depth(png_, png_info_);
  info_.format = "png";
  // libpng's two rows and ours, at up to 4 x 16 bits.
  memory_bytes_ = uint64_t{info_.width} * 8 * 3;
  GODWIT_RETURN_IF_ERROR(CheckMemory(memory_bytes_, limits));
  const bool ready = Guarded([&] {
    png_set_expand(png_);    // palette to RGB, 1..4-bit grey to 8, tRNS to alpha
    png_set_scale_16(png_);  // rounds to nearest, unlike png_set_strip_16()
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, png_info_);
  });
  if (!ready) return Failure();
  info_.channels = png_get_channels(png_, png_info_);
  if (png_get_rowbytes(png_, png_info_) != size_t{info_.width} * info_.channels) {
    return Status(StatusCode::kInternal, "libpng rows have an unexpected size");
  }
  if (passes_ > 1) {
    memory_bytes_ += uint64_t{info_.width} * info_.height * info_.channels;
    GODWIT_RETURN_IF_ERROR(CheckMemory(memory_bytes_, limits));
  }
  FindLateChunks();
  return {};
}

Status PngDecoder::ReadInterlaced() {
  const size_t row_bytes = size_t{info_.width} * info_.channels;
  whole_.resize(row_bytes * info_.height);
  const bool read = Guarded([&] {
    for (int pass = 0; pass < passes_; ++pass) {
      for (uint32_t y = 0; y < info_.height; ++y) {
        png_read_row(png_, whole_.data() + y * row_bytes, nullptr);
      }
    }
  });
  return read ? Status() : Failure();
}

Status PngDecoder::ReadRow(uint8_t* row) {
  if (passes_ > 1) {
    if (next_row_ == 0) GODWIT_RETURN_IF_ERROR(ReadInterlaced());
    const size_t row_bytes = size_t{info_.width} * info_.channels;
    std::memcpy(row, whole_.data() + next_row_ * row_bytes, row_bytes);
  } else if (!Guarded([&] { png_read_row(png_, row, nullptr); })) {
    return Failure();
  }
  if (++next_row_ < info_.height) return {};
  late_ = true;
  if (!Guarded([&] { png_read_end(png_, png_info_); })) return Failure();
  return {};
}

}  // namespace

Result<std::unique_ptr<RowDecoder>> OpenPng(ByteSource source, const DecodeLimits& limits) {
  auto decoder = std::make_unique<PngDecoder>(std::move(source));
  GODWIT_RETURN_IF_ERROR(decoder->Open(limits));
  return std::unique_ptr<RowDecoder>(std::move(decoder));
}

}  // namespace godwit
