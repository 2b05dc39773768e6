// codecs/image/swift_network_aim.h: where symbols should go so that what the synthesis network
// makes of them is closest to the picture.
#pragma once

#include <array>
#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/image_model.h"
#include "codecs/image/swift_features.h"
#include "codecs/image/swift_latent_tile.h"
#include "models/network_gradient.h"

namespace godwit::swift {

// Works on one tile as if it were the picture: beyond its border the real decoder sees more. Owns
// its workspace; for one thread at a time.
class NetworkAim {
 public:
  // `synthesis` must outlive this. Its network must be supported by NetworkGradient.
  NetworkAim(const ImageSynthesis& synthesis, SimdLevel level, int64_t max_cells_w,
             int64_t max_cells_h);
  static uint64_t BytesFor(const ImageSynthesis& synthesis, int64_t max_cells_w,
                           int64_t max_cells_h);

  // Whether the network works at the step of such streams; otherwise it is of no use here.
  bool Serves(int step_index, int layers) const;
  void StartTile(const LatentTile& tile, int step_index, int layers);
  // Runs the network on the tile's symbols. Returns the squared error that it leaves, in squared
  // steps.
  double Run(const LatentTile& tile);
  // After Run(), once: by the gradient of that error, sets the tile's linear, pull, curvature,
  // compand and targets; those of cells are left to be made of those of DC.
  void Aim(LatentTile& tile);

 private:
  const int8_t* Correction(int64_t y, int64_t x) const;  // of all planes
  void AimBlocks(LatentTile& tile, size_t plane) const;
  void AimDc(LatentTile& tile, size_t plane) const;

  const ImageSynthesis& synthesis_;
  NetworkGradient network_;
  const BlockTransformKernels& kernels_;
  int step_index_ = 0, layers_ = kLayers;
  float steps_ = 0;  // of a coefficient's unit, f=4
};

}  // namespace godwit::swift
