#include "io/any_array.h"

#include "io/audio_file.h"
#include "io/input_file.h"
#include "io/nifti_file.h"
#include "io/npy_file.h"

namespace godwit {

Result<NdArray> ReadArrayFile(const std::string& path, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(const Bytes file, ReadFile(path, limits.max_memory_bytes));
  Result<NdArray> array = CatchOutOfMemory([&]() -> Result<NdArray> {
    if (IsNpy(file)) return ReadNpy(file, limits);
    if (!IsAudio(file)) return ReadNifti(file, limits);
    GODWIT_ASSIGN_OR_RETURN(const auto audio, OpenAudioBytes(file, limits));
    return ReadAudioArray(*audio, limits);
  });
  if (!array.ok()) return array.status().WithPrefix(InputName(path) + ": ");
  return array;
}

}  // namespace godwit
