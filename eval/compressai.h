// eval/compressai.h: the JSON of rate-distortion curves that CompressAI reads and writes.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "eval/results.h"

namespace godwit {

// {"name", "description", "results": {"psnr-rgb": [], "ms-ssim-rgb": [], "bpp": [],
// "encoding_time": [], "decoding_time": []}}; also with the older names "psnr" and "ms-ssim", for
// the same metrics. Other columns are passed over. Messages do not name the source.
Result<ImportedCurve> ParseCompressAi(std::string_view text);
Result<ImportedCurve> ReadCompressAi(const std::string& path);  // names it

// The means of one codec over all its pictures, by setting. Seconds are of a picture.
std::string CompressAiText(const Results& results, const std::string& codec);

}  // namespace godwit
