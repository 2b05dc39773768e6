// A library with fewer ranges of steps and fewer inputs writes the host's bytes where it can, and
// refuses the rest with codes of their own.
#include <gtest/gtest.h>

#include "tests/codecs/test_pictures.h"
#include "tests/sensor/sensor_encoder.h"

namespace godwit {
namespace {

gws_status Refusal(const gws_params& p) {
  const SensorMemory memory(gws_mem_size(&p));
  gws_status status = GWS_OK;
  return gws_init(memory.data(), memory.size(), &p, &status) == nullptr ? status : GWS_OK;
}

TEST(SensorChoicesTest, StepsOfOtherRangesAreRefused) {
  constexpr gws_input kInput = (GWS_INPUTS & 1) != 0 ? GWS_RGB888 : GWS_GREY;  // all have one
  for (int step = 0; step <= 351; ++step) {
    const int range = step < 128 ? 0 : step < 202 ? 1 : 2;
    const gws_params p = SensorParams(40, 33, kInput, step);
    EXPECT_EQ(Refusal(p), (GWS_STEP_RANGES >> range & 1) != 0 ? GWS_OK : GWS_ERR_STEP) << step;
  }
}

TEST(SensorChoicesTest, OtherInputsAreRefused) {
  const int step = (GWS_STEP_RANGES & 4) != 0 ? 250 : 150;
  for (int input = 0; input <= GWS_YUYV; ++input) {
    const gws_params p = SensorParams(40, 33, static_cast<gws_input>(input), step);
    EXPECT_EQ(Refusal(p), (GWS_INPUTS >> input & 1) != 0 ? GWS_OK : GWS_ERR_INPUT) << input;
  }
}

TEST(SensorChoicesTest, TheRestGivesTheHostsBytes) {
  for (const gws_input input : {GWS_RGB888, GWS_GREY}) {
    if ((GWS_INPUTS >> input & 1) == 0) continue;
    const int64_t channels = input == GWS_GREY ? 1 : 3;
    for (int64_t size = 1; size <= 80; size += 7) {
      const Tensor<uint8_t> picture =
          MakePicture(size, 81 - size, channels, static_cast<uint32_t>(size));
      for (int step = (GWS_STEP_RANGES & 4) != 0 ? 202 : 128; step <= 351; step += 20) {
        const gws_params p = SensorParams(81 - size, size, input, step);
        if (Refusal(p) != GWS_OK) continue;
        const auto stride = static_cast<size_t>((81 - size) * channels);
        EXPECT_TRUE(SensorEncode(p, picture.data(), stride) == HostEncode(p, picture.view()))
            << size << " at step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace godwit
