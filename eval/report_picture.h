// eval/report_picture.h: decoded pictures that the report shows, as lossless WebP files.
#pragma once

#include <string>

#include "base/status.h"
#include "eval/codec.h"
#include "eval/item_metrics.h"
#include "eval/results.h"

namespace godwit {

// Searches the setting whose rate is nearest to picture->target_bpp, decodes, measures and writes
// to `folder`, which is made if need be; fills in `picture`, whose image and codec are given. The
// original is written beside it, once.
Status MakeReportPicture(TensorView<const uint8_t> rgb, const CodecEntry& entry, Codec& codec,
                         ItemMetrics& metrics, const std::string& folder, ReportPicture* picture);

// The names of the files, without folders.
std::string OriginalPictureName(const std::string& image);
std::string ReportPictureName(const ReportPicture& picture);

}  // namespace godwit
