// codecs/image/swift_effort.h: what each effort of the encoder does.
#pragma once

#include <array>

#include "codecs/image/image_encoder.h"

namespace godwit::swift {

inline constexpr int kMinEffort = 1, kMaxEffort = kMaxImageEffort;

struct Effort {
  bool weigh_cells = false;  // a second look at bands of cells that cost more than they give
  int toll_passes = 0;       // of the whole tile, with what symbols cost those after them
  int network_rounds = 0;    // at most: they end where they bring nothing
};

// By effort; 0 and 1 round to nearest, with a dead zone, and search nothing. Gains are in
// docs/guide-effort.md.
inline constexpr std::array<Effort, kMaxEffort + 1> kEfforts = {{
    {},
    {},
    {false, 0, 0},
    {true, 1, 0},
    {true, 1, 1},
    {true, 1, 2},
    {true, 1, 3},
    {true, 1, 4},
    {true, 1, 6},
    {true, 1, 10},
}};

static_assert(kEfforts[kFirstNetworkImageEffort].network_rounds > 0 &&
              kEfforts[kFirstNetworkImageEffort - 1].network_rounds == 0);

}  // namespace godwit::swift
