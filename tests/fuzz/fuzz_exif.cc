// Any bytes: an orientation of 1..8, which is 1 once reset, and no other change than that.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "io/exif.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  const auto before = AsBytes({data, size});
  const int orientation = ExifOrientation(before);
  if (orientation < 1 || orientation > 8) std::abort();
  Bytes after(before.begin(), before.end());
  ResetExifOrientation(after);
  if (ExifOrientation(after) != 1) std::abort();
  if (after.size() != size) std::abort();
  return 0;
}
