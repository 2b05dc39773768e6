// apps/array_commands.h: what encode, decode, info and verify do with arrays.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/console.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

namespace godwit {

class ModelChoice;

struct ArrayEncodeArguments {
  std::string in, out;
  // At most one; without any of them nothing is lost.
  std::optional<double> quality, bits_per_sample, psnr_db, max_error, range_error, relative_error;
  std::optional<uint64_t> size_bytes;
  std::optional<uint8_t> channel_axes;
  std::string method = "auto";  // or "predict", "wavelet", "live"
  // Of wavelets and the live method: empty for the best at hand, "none", an id or a file.
  std::string model;
  std::vector<std::string> model_folders;
  int threads = 0;
  bool overwrite = false, report_psnr = false;
  DecodeLimits limits;

  // Whether wavelets, learned or not, may be the answer.
  bool SeeksWavelet() const {
    return method == "wavelet" || method == "live" ||
           (method == "auto" && (quality || bits_per_sample || psnr_db || size_bytes));
  }
};
Status EncodeArrayFile(const ArrayEncodeArguments& a, const Console& console);

struct ArrayDecodeArguments {
  std::string in, out, slice;
  std::string synthesis;  // of wavelets: one of kSynthesisSizes, a file; empty or "none" for none
  std::vector<std::string> model_folders;
  int threads = 0;
  bool overwrite = false;
  DecodeLimits limits;
};
Status DecodeArrayFile(const ArrayDecodeArguments& a, const Bytes& file, const Console& console);

// True if a whole file, read already, holds an array.
bool HoldsArray(const Bytes& file);

Status PrintArrayInfo(const std::string& path, const Bytes& file, const DecodeLimits& limits,
                      const Console& console);
// Of one type and shape: the largest error, and the PSNR whose peak is the range of A.
Status CompareArrays(const std::string& path_a, const std::string& path_b,
                     const DecodeLimits& limits, const Console& console);
Status VerifyArray(const Bytes& file, const DecodeLimits& limits, int threads, ModelChoice& models);

}  // namespace godwit
