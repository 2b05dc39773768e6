// tests/codecs/test_model.h: a stream model and a small synthesis made in memory, so that the tests
// of codecs/ need no trained weights. Every table that a model has is in use, none is trained.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "codecs/image/image_model.h"

namespace godwit {

// Whole files. `variant` changes one entry, so the id.
Bytes TestStreamModelFile(int variant = 0);
Bytes TestSynthesisFile(uint64_t stream_id);
// `seed` changes all weights; `size` "mid" gives smaller networks, and "" one that names none.
Bytes TestEntropyFile(uint64_t stream_id, uint32_t seed = 1, const std::string& size = "");

// Of TestStreamModelFile(), with the weights of TestEntropyFile(), and of a synthesis for it;
// loaded once, never freed.
const ImageModel& TestImageModel();
const ImageModel& TestMidModel();  // the same stream model, with the small entropy model
const ImageSynthesis& TestImageSynthesis();

// Other models: of variant 1, and a synthesis for it.
const ImageModel& OtherImageModel();
const ImageSynthesis& OtherImageSynthesis();

}  // namespace godwit
