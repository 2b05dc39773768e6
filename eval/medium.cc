#include "eval/medium.h"

#include <array>

namespace godwit {
namespace {

constexpr std::array<MediumWords, 3> kWords = {{
    {"picture", "picture", "pictures", "bit/pixel", "bits a pixel", "MPx/s", "megapixels a second",
     "megapixel", 0.5, "pixels", "swift,jpeg,webp,avif:6,jxl:7", "psnr,ssim,msssim,msssim-rgb",
     "jpeg"},
    {"audio", "sound", "sounds", "kb/s", "kilobits a second", "x real time", "times real time",
     "second of sound", 48, "samples", "sound,opus,vorbis,mp3", "si-sdr,seg-snr,log-mel,stoi",
     "opus"},
    {"array", "array", "arrays", "bit/sample", "bits a sample", "M/s", "million samples a second",
     "million samples", 4, "samples", "packet,zfp,jpeg2000,flac,zstd", "max-error,psnr-range",
     "zfp"},
}};

}  // namespace

const MediumWords& WordsOf(Medium medium) { return kWords[static_cast<size_t>(medium)]; }

std::optional<Medium> FindMedium(std::string_view name) {
  for (size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i].name == name) return static_cast<Medium>(i);
  }
  return std::nullopt;
}

std::string CountText(Medium medium, size_t count) {
  const MediumWords& words = WordsOf(medium);
  return std::to_string(count) + " " + std::string(count == 1 ? words.one : words.many);
}

}  // namespace godwit
