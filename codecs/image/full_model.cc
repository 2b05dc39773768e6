#include "codecs/image/full_model.h"

#include <algorithm>
#include <string>

#include "models/registry.h"

namespace godwit::swift {
namespace {

Status LoadBand(const SafeTensors& file, int plane, int band, FullNetwork& values,
                FullNetwork& cells) {
  const FullBandShape shape(plane, band);
  const std::string place = std::to_string(plane) + "." + std::to_string(band);
  GODWIT_RETURN_IF_ERROR(values.Load(file, "band." + place, shape.values, /*has_flag=*/true,
                                     shape.common, shape.even, shape.odd));
  return cells.Load(file, "cell." + place, 0, /*has_flag=*/true, 0, shape.cell_even, 0);
}

}  // namespace

Result<std::unique_ptr<FullModel>> FullModel::Load(const SafeTensors& file, uint64_t id) {
  auto m = std::make_unique<FullModel>();
  m->id = id;
  const auto stream = file.Metadata("godwit.entropy.stream");
  const std::optional<uint64_t> stream_id =
      stream ? ParseModelId(*stream) : std::optional<uint64_t>();
  if (file.Metadata("godwit.codec") != "swift" || file.Metadata("godwit.kind") != "entropy" ||
      !stream_id) {
    return Status(StatusCode::kModelRefused,
                  "not a swift entropy model (metadata godwit.codec, .kind, .entropy.stream)");
  }
  m->stream_id = *stream_id;
  GODWIT_ASSIGN_OR_RETURN(const auto level, file.Get<uint8_t>("level", {256}));
  std::copy_n(level.data(), level.size(), m->level.data());
  if (m->level[0] != 0 || *std::max_element(m->level.begin(), m->level.end()) > kMaxLevel)
    return Status(StatusCode::kModelRefused, "tensor level: out of range");
  for (int p = 0; p < kPlanes; ++p) {
    const auto pz = static_cast<size_t>(p);
    for (int b = 0; b < FullBands(p); ++b) {
      const size_t g = pz * kBands + static_cast<size_t>(b);
      GODWIT_RETURN_IF_ERROR(LoadBand(file, p, b, m->values[g], m->cells[g]));
    }
    const std::string plane = std::to_string(p);
    GODWIT_RETURN_IF_ERROR(m->values[kFullCoarseGroup + pz].Load(
        file, "coarse." + plane, kCoarse - 1, /*has_flag=*/true, 50 + 20 * p, 32, 0));
    GODWIT_RETURN_IF_ERROR(m->values[kFullCoarseDcGroup + pz].Load(
        file, "coarse_dc." + plane, 1, /*has_flag=*/false, 8 + p, 2, 0));
  }
  GODWIT_RETURN_IF_ERROR(m->start.Load(file));
  return m;
}

}  // namespace godwit::swift
