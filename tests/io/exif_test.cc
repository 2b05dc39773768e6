#include "io/exif.h"

#include <gtest/gtest.h>

#include "tests/io/image_samples.h"

namespace godwit {
namespace {

TEST(ExifTest, FindsAndResetsTheOrientationInBothByteOrders) {
  for (const bool big_endian : {false, true}) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      Bytes blob = ExifBlob(orientation, big_endian);
      EXPECT_EQ(ExifOrientation(blob), orientation);
      ResetExifOrientation(blob);
      EXPECT_EQ(blob, ExifBlob(1, big_endian)) << orientation;
    }
  }
}

TEST(ExifTest, ValuesOutsideOneToEightAreNoOrientation) {
  for (const int value : {0, 9, 255, 256, 0x0600, 65535}) {
    for (const bool big_endian : {false, true}) {
      Bytes blob = ExifBlob(value, big_endian);
      EXPECT_EQ(ExifOrientation(blob), 1) << value;
      ResetExifOrientation(blob);
      EXPECT_EQ(blob, ExifBlob(value, big_endian)) << value;
    }
  }
}

TEST(ExifTest, SecondOrientationTagIsResetToo) {
  Bytes blob = ExifBlob(6, false);
  std::copy_n(blob.begin() + 22, 12, blob.begin() + 10);  // over ImageWidth
  ResetExifOrientation(blob);
  EXPECT_EQ(blob[18], std::byte{1});
  EXPECT_EQ(blob[30], std::byte{1});
}

TEST(ExifTest, EveryPrefixAndEveryAlteredByteIsSafe) {
  const Bytes blob = ExifBlob(6, true);
  for (size_t n = 0; n <= blob.size(); ++n) {
    Bytes part(blob.begin(), blob.begin() + static_cast<std::ptrdiff_t>(n));
    part.shrink_to_fit();
    EXPECT_EQ(ExifOrientation(part), n < 32 ? 1 : 6) << n;
    ResetExifOrientation(part);
    EXPECT_EQ(ExifOrientation(part), 1);
  }
  for (size_t i = 0; i < blob.size(); ++i) {
    for (int v = 0; v < 256; ++v) {
      Bytes altered = blob;
      altered[i] = static_cast<std::byte>(v);
      const int orientation = ExifOrientation(altered);
      EXPECT_GE(orientation, 1);
      EXPECT_LE(orientation, 8);
      ResetExifOrientation(altered);
      EXPECT_EQ(ExifOrientation(altered), 1) << i << " " << v;
    }
  }
}

}  // namespace
}  // namespace godwit
