// codecs/array/predictor_fit.h: the weights that an encoder sends, by least squares. Float: it
// chooses what is sent, never how it is read.
#pragma once

#include "codecs/array/predicted_tile.h"

namespace godwit::array {

// For plane p of the tile, whose values and those of the planes before are there. The room around
// the plane's rows is filled as its coding will.
PlaneModel FitPlane(PredictedTile& tile, int64_t plane);

}  // namespace godwit::array
