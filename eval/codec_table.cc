#include "eval/codec_table.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace godwit {
namespace {

#if GODWIT_EVAL_AVIF
constexpr auto kMakeAvif = MakeAvifCodec;
#else
constexpr decltype(CodecKind::make) kMakeAvif = nullptr;
#endif
#if GODWIT_EVAL_JXL
constexpr auto kMakeJxl = MakeJxlCodec;
#else
constexpr decltype(CodecKind::make) kMakeJxl = nullptr;
#endif

#if GODWIT_EVAL_OPUS
constexpr auto kMakeOpus = MakeOpusCodec;
#else
constexpr decltype(CodecKind::make) kMakeOpus = nullptr;
#endif
#if GODWIT_EVAL_VORBIS
constexpr auto kMakeVorbis = MakeVorbisCodec;
#else
constexpr decltype(CodecKind::make) kMakeVorbis = nullptr;
#endif
#if GODWIT_EVAL_MP3
constexpr auto kMakeMp3 = MakeMp3Codec;
#else
constexpr decltype(CodecKind::make) kMakeMp3 = nullptr;
#endif
#if GODWIT_EVAL_ZFP
constexpr auto kMakeZfp = MakeZfpCodec;
#else
constexpr decltype(CodecKind::make) kMakeZfp = nullptr;
#endif
#if GODWIT_EVAL_JPEG2000
constexpr auto kMakeJpeg2000 = MakeJpeg2000Codec;
#else
constexpr decltype(CodecKind::make) kMakeJpeg2000 = nullptr;
#endif
#if GODWIT_EVAL_FLAC
constexpr auto kMakeFlac = MakeFlacCodec;
#else
constexpr decltype(CodecKind::make) kMakeFlac = nullptr;
#endif
#if GODWIT_EVAL_ZSTD
constexpr auto kMakeZstd = MakeZstdCodec;
#else
constexpr decltype(CodecKind::make) kMakeZstd = nullptr;
#endif

constexpr std::array<CodecKind, 18> kKinds = {{
    {Medium::kPicture, "swift",
     "[:small|medium|large|huge|none][:mid|full][:effort=N][:tune=msssim][:model=ID|FILE]"
     "[:synthesis=FILE]",
     "ours, by quality; mid, full: entropy coding; the synthesis is the decoder's choice, default "
     "medium",
     MakeSwiftCodec, ""},
    {Medium::kPicture, "jpeg", "[:444][:progressive][:fixed]",
     "libjpeg-turbo: 4:2:0 and optimised tables, or as said; fixed: no optimised tables",
     MakeJpegCodec, ""},
    {Medium::kPicture, "webp", "[:METHOD]", "libwebp, lossy; method 0 to 6, default 4",
     MakeWebpCodec, ""},
    {Medium::kPicture, "avif", "[:SPEED][:420|422][:ssim|psnr][:dav1d|aom]",
     "libavif with aom: speed 0 to 10, default 6; 4:4:4, or as said; tuning and decoder are "
     "libavif's",
     kMakeAvif, "libavif"},
    {Medium::kPicture, "jxl", "[:EFFORT]", "libjxl, lossy: effort 1 to 9, default 7", kMakeJxl,
     "libjxl"},
    {Medium::kPicture, "cmd", ":NAME|ENCODE|DECODE|SETTING SETTING...",
     "two command lines; {png} or {ppm}, {file} and {q} stand for picture, stream and setting",
     MakeCommandCodec, ""},
    {Medium::kSound, "sound", "", "ours: voice for one channel of at most 16 kHz, else music",
     MakeSoundCodec, ""},
    {Medium::kSound, "music", "[:model=ID|FILE|none]", "ours, by quality", MakeMusicCodec, ""},
    {Medium::kSound, "voice", "[:model=ID|FILE|none]", "ours, by quality, at 16 kHz at most",
     MakeVoiceCodec, ""},
    {Medium::kSound, "opus", "[:COMPLEXITY][:voip|audio][:packets]",
     "libopus, variable rate, in Ogg: complexity 0 to 10, default 10; voip where ours is voice;\n"
     "      packets: counts the bytes of packets alone",
     kMakeOpus, "libopus"},
    {Medium::kSound, "vorbis", "", "libvorbis, by quality, in Ogg", kMakeVorbis, "libvorbis"},
    {Medium::kSound, "mp3", "[:QUALITY]", "LAME, average rate; quality 0 (slow) to 9, default 2",
     kMakeMp3, "libmp3lame"},
    {Medium::kArray, "packet", "", "ours, by prediction: lossless, or within a bound",
     MakePacketCodec, ""},
    {Medium::kArray, "array", "[:small|medium]",
     "ours, by wavelets and quality; slices mended by a network", MakeWaveletCodec, ""},
    {Medium::kArray, "zfp", "[:rate]", "zfp: reversible, or within a bound; rate: by bits a sample",
     kMakeZfp, "libzfp"},
    {Medium::kArray, "jpeg2000", "[:lossy][:53]",
     "openjpeg, band by band, u8 and u16: lossless, or at the lowest quality that keeps a bound;\n"
     "      lossy: by PSNR of each band, 9/7, or 5/3 cut short",
     kMakeJpeg2000, "libopenjp2"},
    {Medium::kArray, "flac", "", "libFLAC, tables of i16, up to 8 channels together; lossless",
     kMakeFlac, "libFLAC"},
    {Medium::kArray, "zstd", "[:LEVEL]", "byte planes; level 1 to 22, default 19; lossless",
     kMakeZstd, "libzstd"},
}};

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Status NoModels() { return Status(StatusCode::kModelMissing, "this program loads no models"); }

std::span<const CodecKind> CodecKinds() { return kKinds; }

Result<CodecEntry> FindCodec(const std::string& name, const CodecContext& context) {
  const size_t colon = std::min(name.find(':'), name.size());
  const std::string_view base(name.data(), colon);
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(),
                                 [base](const CodecKind& k) { return k.name == base; });
  if (kind == kKinds.end()) {
    std::string known;
    for (const CodecKind& k : kKinds) known += (known.empty() ? "" : ", ") + std::string(k.name);
    return Status(StatusCode::kInvalidArgument,
                  "no codec " + std::string(base) + "; there are " + known);
  }
  if (kind->make == nullptr) {
    return Status(StatusCode::kUnsupported,
                  name + ": this program was built without " + std::string(kind->missing));
  }
  std::vector<std::string> options;
  if (colon < name.size()) {
    // A command line may hold colons of its own.
    options = base == "cmd" ? std::vector<std::string>{name.substr(colon + 1)}
                            : Split(std::string_view(name).substr(colon + 1), ':');
  }
  Result<CodecEntry> entry = kind->make(options, context);
  if (!entry.ok()) return entry;
  if (entry->name.empty()) entry->name = name;
  entry->medium = kind->medium;
  entry->spec = name;
  return entry;
}

std::vector<std::string> SplitCodecNames(const std::vector<std::string>& texts) {
  std::vector<std::string> names;
  for (std::string_view text : texts) {
    while (!text.empty()) {
      const size_t end = text.starts_with("cmd:") ? text.size() : text.find(',');
      const std::string_view name = text.substr(0, end);
      if (!name.empty()) names.emplace_back(name);
      text.remove_prefix(std::min(name.size() + 1, text.size()));
    }
  }
  return names;
}

Status NoCodecOption(std::string_view codec, std::string_view option) {
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(),
                                 [codec](const CodecKind& k) { return k.name == codec; });
  return Status(StatusCode::kInvalidArgument, std::string(codec) + ": no option " +
                                                  std::string(option) + "; it takes " +
                                                  std::string(codec) + std::string(kind->options));
}

std::optional<int> ParseSmallNumber(std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value >= low && value <= high ? std::optional<int>(value) : std::nullopt;
}

Result<int> OneNumberOption(std::string_view codec, std::span<const std::string> options,
                            int otherwise, int low, int high) {
  for (const std::string& option : options) {
    const std::optional<int> number = ParseSmallNumber(option, low, high);
    if (!number) return NoCodecOption(codec, option);
    otherwise = *number;
  }
  return otherwise;
}

}  // namespace godwit
