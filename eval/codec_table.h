// eval/codec_table.h: the codecs that can be evaluated, by name and options: "jpeg:444".
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "codecs/array/array_synthesis.h"
#include "codecs/audio/audio_model.h"
#include "codecs/image/image_model.h"
#include "eval/codec.h"

namespace godwit {

struct SwiftModels {
  std::shared_ptr<const ImageModel> stream;
  std::shared_ptr<const ImageSynthesis> synthesis;  // null: the plain inverse transform
  std::string synthesis_id;                         // of its file, as ModelIdHex()
};

// kModelMissing: what a context answers whose program loads none.
Status NoModels();

// What codecs need from the program.
struct CodecContext {
  std::string version;  // of the program
  // `model`: an id, a file or nothing; `synthesis`: one of kSynthesisSizes, none, a file or
  // nothing; `entropy`: "lite" or one of kEntropySizes.
  std::function<Result<SwiftModels>(const std::string& model, const std::string& synthesis,
                                    const std::string& entropy)>
      load_swift =
          [](const std::string&, const std::string&, const std::string&) { return NoModels(); };
  // `model`: an id, a file, "none" or nothing; `codec`: music or voice.
  std::function<Result<AudioModel>(const std::string& model, const std::string& codec)> load_sound =
      [](const std::string&, const std::string&) { return NoModels(); };
  // `size`: small or medium.
  std::function<Result<std::shared_ptr<const ArraySynthesis>>(const std::string& size)>
      load_array_synthesis = [](const std::string&) { return NoModels(); };
};

// One row of the table. `make` gets what follows the name, split at ':'.
struct CodecKind {
  Medium medium;
  std::string_view name, options, summary;
  Result<CodecEntry> (*make)(std::span<const std::string> options, const CodecContext& context);
  std::string_view missing;  // the library that it was built without; then `make` is null
};

std::span<const CodecKind> CodecKinds();

// kInvalidArgument: no such codec or option; kUnsupported: built without it. Messages name it.
Result<CodecEntry> FindCodec(const std::string& name, const CodecContext& context);

// "a,b" and "c" are three names; one that starts with "cmd:" goes to the end of its text, commas
// included.
std::vector<std::string> SplitCodecNames(const std::vector<std::string>& texts);

// The rows of the table, each in a file of its own.
Result<CodecEntry> MakeSwiftCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeJpegCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeWebpCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeAvifCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeJxlCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeSoundCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeMusicCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeVoiceCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeOpusCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeVorbisCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeMp3Codec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeWaveletCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakePacketCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeZfpCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeJpeg2000Codec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeFlacCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeZstdCodec(std::span<const std::string>, const CodecContext&);
Result<CodecEntry> MakeCommandCodec(std::span<const std::string>, const CodecContext&);

// For them: "NAME: no option OPTION" or "NAME: TEXT".
Status NoCodecOption(std::string_view codec, std::string_view option);
// A whole number from `low` to `high`, or nothing.
std::optional<int> ParseSmallNumber(std::string_view text, int low, int high);
// The same as the only option of a codec; the last of several, `otherwise` without one.
Result<int> OneNumberOption(std::string_view codec, std::span<const std::string> options,
                            int otherwise, int low, int high);

}  // namespace godwit
