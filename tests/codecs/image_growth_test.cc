// Pictures made to be large: how far a row of tiles can grow beyond its samples. image.md section 8
// has the bounds; this searches for pictures that break them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

#include "codecs/image/image_encoder.h"
#include "models/registry.h"
#include "tests/codecs/test_pictures.h"

namespace godwit {
namespace {

constexpr int64_t kWidth = 128, kHeight = 64;

const ImageModel& ShippedModel() {
  static const ImageModel* const model = [] {
    ModelRegistry registry;
    const uint64_t id = Must(registry.DefaultStreamModel("swift"));
    return new ImageModel(Must(ImageModel::Load(Must(registry.FindStreamModel(id)), id)));
  }();
  return *model;
}

// What a hostile picture may be made of, all in one: noise of an amplitude, with two values or
// many, in squares of one value, in all channels alike or not, which comes and goes in blocks.
struct Hostile {
  int channels = 3;
  int amplitude = 127;  // around `middle`
  int middle = 128;
  bool two_values = true;
  bool same = false;  // in all channels
  int square = 1;     // pixels of a side
  int flat_of_8 = 0;  // of eight units of `unit` pixels so many are flat, at random
  int unit = 8;
  int pattern = 0;  // 1: checks of `square`; 2: a wave of random frequency in every block
  uint32_t seed = 1;
};

Tensor<uint8_t> Make(const Hostile& h) {
  Tensor<uint8_t> picture(kHeight, kWidth, h.channels);
  for (int64_t y = 0; y < kHeight; ++y) {
    for (int64_t x = 0; x < kWidth; ++x) {
      const auto bx = static_cast<uint32_t>(x / h.square), by = static_cast<uint32_t>(y / h.square);
      const uint32_t unit =
          HashOf(static_cast<uint32_t>(x / h.unit), static_cast<uint32_t>(y / h.unit), h.seed + 77);
      for (int c = 0; c < h.channels; ++c) {
        const uint32_t hash = HashOf(bx, by, h.seed + (h.same ? 0 : static_cast<uint32_t>(c) * 9));
        int v = h.two_values ? ((hash >> 9 & 1) != 0 ? h.amplitude : -h.amplitude)
                             : static_cast<int>(hash % static_cast<uint32_t>(2 * h.amplitude + 1)) -
                                   h.amplitude;
        if (h.pattern == 1)
          v = ((bx + by + (h.same ? 0u : static_cast<uint32_t>(c))) & 1) != 0 ? h.amplitude
                                                                              : -h.amplitude;
        if (h.pattern == 2) {
          const uint32_t wave = HashOf(static_cast<uint32_t>(x / 8), static_cast<uint32_t>(y / 8),
                                       h.seed + (h.same ? 0 : static_cast<uint32_t>(c)));
          const double a =
              std::cos((2 * static_cast<double>(x % 8) + 1) * (wave & 7) * 0.19634954) *
              std::cos((2 * static_cast<double>(y % 8) + 1) * (wave >> 3 & 7) * 0.19634954);
          v = (a > 0) != ((wave >> 6 & 1) != 0) ? h.amplitude : -h.amplitude;
        }
        if (static_cast<int>(unit >> 5 & 7) < h.flat_of_8)
          v = (unit >> 9 & 1) != 0 ? h.amplitude : -h.amplitude;
        picture.view().At(y, x)[c] = static_cast<uint8_t>(std::clamp(h.middle + v, 0, 255));
      }
    }
  }
  return picture;
}

double Growth(const Hostile& h, int step_index) {
  const Bytes file =
      EncodePicture(ShippedModel(), Make(h),
                    {.step_index = step_index, .order = ImageOrder::kRows, .threads = 1});
  return static_cast<double>(file.size()) / static_cast<double>(kWidth * kHeight * h.channels);
}

Hostile Random(std::mt19937& random) {
  Hostile h;
  h.channels = random() % 4 == 0 ? 1 : 3;
  h.amplitude = random() % 2 == 0 ? 127 : static_cast<int>(random() % 127 + 1);
  h.two_values = random() % 3 != 0;
  h.same = random() % 3 == 0;
  h.square = 1 << random() % 4;
  h.flat_of_8 = random() % 2 == 0 ? 0 : static_cast<int>(random() % 8);
  h.unit = 4 << random() % 4;
  h.pattern = static_cast<int>(random() % 3);
  h.seed = static_cast<uint32_t>(random());
  return h;
}

Hostile Changed(Hostile h, std::mt19937& random) {
  const Hostile other = Random(random);
  switch (random() % 8) {
    case 0:
      h.amplitude = other.amplitude;
      break;
    case 1:
      h.two_values = other.two_values;
      break;
    case 2:
      h.same = other.same;
      break;
    case 3:
      h.square = other.square;
      break;
    case 4:
      h.flat_of_8 = other.flat_of_8;
      break;
    case 5:
      h.unit = other.unit;
      break;
    case 6:
      h.pattern = other.pattern;
      break;
    default:
      h.seed = other.seed;
      h.middle = static_cast<int>(64 + random() % 128);
  }
  return h;
}

// Of file to samples, by octave of the step; as image.md section 8 says.
struct Bound {
  double grey, colour;
};
constexpr Bound kBounds[] = {{1.75, 1.48}, {1.50, 1.28}, {1.30, 1.13}, {1.13, 0.98},
                             {0.98, 0.84}, {0.81, 0.68}, {0.65, 0.54}, {0.52, 0.41},
                             {0.39, 0.28}, {0.26, 0.16}, {0.14, 0.06}};

// GODWIT_SEARCH=N tries N pictures for each, and prints what it found.
TEST(ImageGrowthTest, NoPictureGrowsBeyondTheBound) {
  const char* const tries = std::getenv("GODWIT_SEARCH");
  const int rounds = tries != nullptr ? std::atoi(tries) : 10;
  std::mt19937 random(1);
  for (int step = 0; step < 352; step += 32) {
    const Bound& bound = kBounds[step / 32];
    for (const int channels : {1, 3}) {
      Hostile best;
      best.channels = channels;
      double most = Growth(best, step);
      for (int i = 0; i < rounds; ++i) {
        Hostile next = i % 3 == 0 ? Random(random) : Changed(best, random);
        next.channels = channels;
        const double growth = Growth(next, step);
        if (growth <= most) continue;
        most = growth;
        best = next;
      }
      if (tries != nullptr) {
        std::printf(
            "step %d, %d channels: %.3f; amplitude %d, values %s, square %d, flat %d of 8\n", step,
            channels, most, best.amplitude, best.two_values ? "two" : "many", best.square,
            best.flat_of_8);
      }
      const double limit = channels == 1 ? bound.grey : bound.colour;
      EXPECT_LE(most, limit) << step;
      EXPECT_GE(most, 0.8 * limit - 0.02) << step;  // the bound is worth something
    }
  }
}

TEST(ImageGrowthTest, AllStepsOfAnOctaveKeepToItsBound) {
  for (int step = 1; step < 352; step += 5) {
    for (const int channels : {1, 3}) {
      Hostile worst;
      worst.channels = channels;
      const Bound& bound = kBounds[step / 32];
      EXPECT_LE(Growth(worst, step), channels == 1 ? bound.grey : bound.colour) << step;
    }
  }
}

}  // namespace
}  // namespace godwit
