// eval/sound_metrics.h: how far a decoded sound is from the original. docs/metrics.md defines each.
#pragma once

#include "eval/item.h"

namespace godwit {

// Both of one rate, length and number of channels; neither is moved or scaled. NaN where there is
// no value: a silent original, or one that is too short.
double SiSdr(const Sound& original, const Sound& decoded);           // dB, at least kLeastSiSdr
double SegmentalSnr(const Sound& original, const Sound& decoded);    // dB
double LogMelDistance(const Sound& original, const Sound& decoded);  // dB
double ScaledPsnr(const Sound& original, const Sound& decoded);      // dB, as WaLLoC has it
double Stoi(const Sound& original, const Sound& decoded);            // of the mean of the channels

inline constexpr double kLeastSiSdr = -60;

}  // namespace godwit
