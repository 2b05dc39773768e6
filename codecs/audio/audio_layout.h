// codecs/audio/audio_layout.h: the bands of a frame, and steps and levels in integers.
// docs/format/audio.md section 5.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace godwit::audio {

inline constexpr uint32_t kMinHop = 64, kMaxHop = 4096;
inline constexpr int kMaxBands = 56;       // a hop of 4096 has 50
inline constexpr int kMaxLevel = 62;       // of a band: log2 of its mean square
inline constexpr int kMaxNoiseLevel = 58;  // noise is no louder: full scale of a lone sine
inline constexpr int kStepsPerOctave = 64, kMaxStep = 28 * kStepsPerOctave;
inline constexpr int kAngles = 16;  // of a stereo band, pi / 16 apart
inline constexpr int32_t kMaxCoefficient = 1 << 29;
inline constexpr int kSampleBits = 24;  // of all samples inside the codec

// Hops whose blocks, down to an eighth, have sizes that the transform knows.
bool IsHop(uint32_t hop);

// First coefficients of the bands, and the hop at the end: as wide as a fifth of where they begin,
// but 8 to 128, in multiples of 8, so that a band has as much of each block of a split frame.
std::vector<uint16_t> BandEdges(uint32_t hop);

// 2^15 * 2^(i / 64), rounded.
inline constexpr std::array<int32_t, kStepsPerOctave> kStepMantissa = {
    32768, 33125, 33486, 33850, 34219, 34591, 34968, 35349, 35734, 36123, 36516, 36914, 37316,
    37722, 38133, 38548, 38968, 39392, 39821, 40255, 40693, 41136, 41584, 42037, 42495, 42958,
    43425, 43898, 44376, 44859, 45348, 45842, 46341, 46846, 47356, 47871, 48393, 48920, 49452,
    49991, 50535, 51085, 51642, 52204, 52773, 53347, 53928, 54515, 55109, 55709, 56316, 56929,
    57549, 58176, 58809, 59449, 60097, 60751, 61413, 62081, 62757, 63441, 64132, 64830};

// parts / 32 steps, rounded and limited; parts < 2^30, 0 <= step <= kMaxStep.
inline int32_t PartsOfStep(uint32_t parts, int step) {
  const int64_t product = int64_t{parts} * kStepMantissa[static_cast<size_t>(step & 63)];
  const int shift = 20 - (step >> 6);
  const int64_t value = shift > 0 ? (product + (int64_t{1} << (shift - 1))) >> shift
                                  : product * (int64_t{1} << -shift);
  return static_cast<int32_t>(std::min<int64_t>(value, kMaxCoefficient));
}

// Square of the rms that a level stands for: 2^level.
inline uint64_t LevelEnergy(int level) { return uint64_t{1} << level; }
// The level nearest to the root of `energy` / `count`, by the logarithm.
int LevelOf(uint64_t energy, uint32_t count);

// The root, rounded down.
uint32_t SquareRoot(uint64_t v);

// The steps of a frame's bands from the levels of the unit's channels (the larger counts).
// shape: 0, the same step for all, to 16, steps that follow the levels.
void BandSteps(const uint8_t* levels_a, const uint8_t* levels_b, size_t bands, int step, int shape,
               int16_t* steps);

// 2^15 cos and sin of i pi / 16.
inline constexpr std::array<int32_t, kAngles> kAngleCosine = {
    32768, 32138, 30274,  27246,  23170,  18205,  12540,  6393,
    0,     -6393, -12540, -18205, -23170, -27246, -30274, -32138};
inline constexpr std::array<int32_t, kAngles> kAngleSine = {
    0,     6393,  12540, 18205, 23170, 27246, 30274, 32138,
    32768, 32138, 30274, 27246, 23170, 18205, 12540, 6393};

// (a, b) = (c a + s b, c b - s a) and back, rounded.
void Rotate(int32_t* a, int32_t* b, size_t n, int angle);
void RotateBack(int32_t* a, int32_t* b, size_t n, int angle);

}  // namespace godwit::audio
