// Any bytes decode to a plane or an error, inside the plane's memory; what decodes without error
// survives another round trip.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/bytes.h"
#include "codecs/image/lossless_plane.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  if (size < 2) return 0;
  Tensor<uint8_t> plane(data[0], data[1]), again(data[0], data[1]);
  const Status status = DecodeLosslessPlane(AsBytes({data + 2, size - 2}), plane.view());
  if (!status.ok()) return 0;
  Bytes out(LosslessPlaneBound(plane.height(), plane.width()));
  const Result<size_t> length = EncodeLosslessPlane(plane.view(), out);
  if (!length.ok()) std::abort();
  out.resize(*length);
  if (!DecodeLosslessPlane(out, again.view()).ok()) std::abort();
  if (!std::equal(plane.data(), plane.data() + plane.size(), again.data())) std::abort();
  return 0;
}
