// Any pair of command lines as a codec: "cmd:NAME|ENCODE|DECODE|SETTINGS". Pictures and streams
// pass through files; times include that and the processes.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "eval/child_process.h"
#include "eval/codec_table.h"
#include "eval/eval_picture.h"
#include "fmt/core.h"
#include "io/input_file.h"
#include "io/output_file.h"

namespace godwit {
namespace {

constexpr uint64_t kMaxStreamBytes = uint64_t{1} << 32;

struct Commands {
  std::string name, encode, decode;
  std::string picture;  // what stands for the picture in both: "{png}" or "{ppm}"
  std::string suffix;   // of the stream: ".avif" for "{file.avif}"
};

void ReplaceAll(std::string* text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text->find(from, at)) != text->npos; at += to.size()) {
    text->replace(at, from.size(), to);
  }
}

// "{file}" or "{file.SUFFIX}"; empty where there is none.
std::string FileMark(const std::string& command) {
  const size_t start = command.find("{file");
  if (start == command.npos) return "";
  const size_t end = command.find('}', start);
  return end == command.npos ? "" : command.substr(start, end + 1 - start);
}

class CommandCodec final : public Codec {
 public:
  CommandCodec(Commands commands, TemporaryFolder folder)
      : commands_(std::move(commands)), folder_(std::move(folder)) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const TensorView<const uint8_t> rgb = PictureOf(item);
    const std::string picture = folder_.File("in." + Suffix()), stream = StreamFile();
    GODWIT_RETURN_IF_ERROR(WriteEvalPicture(picture, rgb));
    std::string command = commands_.encode;
    ReplaceAll(&command, "{q}", fmt::format("{}", setting));
    GODWIT_RETURN_IF_ERROR(Run(std::move(command), picture, stream));
    Result<Bytes> bytes = ReadFile(stream, kMaxStreamBytes);
    if (!bytes.ok()) return bytes.status().WithPrefix(commands_.name + " encoder: ");
    stream_ = *std::move(bytes);
    return std::span<const std::byte>(stream_);
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    const TensorView<uint8_t> rgb = PictureOf(item);
    const std::string picture = folder_.File("out." + Suffix()), file = StreamFile();
    GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile output, AtomicOutputFile::Create(file, true));
    GODWIT_RETURN_IF_ERROR(output.Write(stream));
    GODWIT_RETURN_IF_ERROR(output.Commit());
    GODWIT_RETURN_IF_ERROR(Run(commands_.decode, picture, file));
    Result<EvalPicture> decoded = ReadEvalPicture(picture);
    if (!decoded.ok()) return decoded.status().WithPrefix(commands_.name + " decoder: ");
    if (decoded->rgb.height() != rgb.height || decoded->rgb.width() != rgb.width) {
      return Status(StatusCode::kInvalidArgument,
                    commands_.name + ": decodes to a picture of another size");
    }
    std::copy_n(decoded->rgb.data(), decoded->rgb.size(), rgb.data);
    return {};
  }

  uint64_t child_peak_bytes() const override { return peak_bytes_; }

 private:
  std::string Suffix() const { return commands_.picture.substr(1, 3); }
  std::string StreamFile() const { return folder_.File("stream" + commands_.suffix); }

  Status Run(std::string command, const std::string& picture, const std::string& stream) {
    const std::string shown = command;
    ReplaceAll(&command, commands_.picture, ShellQuoted(picture));
    ReplaceAll(&command, FileMark(command), ShellQuoted(stream));
    const Result<ChildOutput> output = RunChild({"/bin/sh", "-c", command});
    if (!output.ok()) {
      return output.status().WithPrefix(commands_.name + ": \"" + shown + "\": ");
    }
    peak_bytes_ = output->peak_bytes;
    return {};
  }

  Commands commands_;
  TemporaryFolder folder_;
  uint64_t peak_bytes_ = 0;
  Bytes stream_;
};

Status CheckCommands(Commands* commands) {
  const auto has = [](const std::string& text, const char* what) {
    return text.find(what) != text.npos;
  };
  for (const char* const mark : {"{png}", "{ppm}"}) {
    if (has(commands->encode, mark) && has(commands->decode, mark)) {
      commands->picture = mark;
    }
  }
  const std::string file = FileMark(commands->encode);
  if (commands->picture.empty() || file.size() < 6 || file != FileMark(commands->decode) ||
      file.find('/') != file.npos) {
    return Status(StatusCode::kInvalidArgument,
                  commands->name +
                      ": both commands must hold {png} or both {ppm}, and both the same {file} or "
                      "{file.SUFFIX}");
  }
  commands->suffix = file.substr(5, file.size() - 6);
  return {};
}

}  // namespace

Result<CodecEntry> MakeCommandCodec(std::span<const std::string> options, const CodecContext&) {
  std::vector<std::string> parts(1);
  for (const char c : options.empty() ? std::string() : options[0]) {
    // Only the outer bars count: a command may hold "||" or a pipe, written as "\|".
    if (c == '|' && (parts.back().empty() || parts.back().back() != '\\')) {
      parts.emplace_back();
    } else {
      if (c == '|') parts.back().pop_back();
      parts.back() += c;
    }
  }
  if (parts.size() != 4 || parts[0].empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "cmd: takes NAME|ENCODE|DECODE|SETTING SETTING...; a bar inside is \\|");
  }
  Commands commands{parts[0], parts[1], parts[2], "", ""};
  GODWIT_RETURN_IF_ERROR(CheckCommands(&commands));
  CodecEntry entry;
  entry.name = commands.name;
  entry.version = "\"" + commands.encode + "\" and \"" + commands.decode + "\"";
  entry.setting_name = "setting";
  entry.runs_processes = true;
  const std::string& text = parts[3];
  for (const char *at = text.data(), *const end = at + text.size(); at < end;) {
    double value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || (next != end && *next != ' ')) {
      return Status(StatusCode::kInvalidArgument,
                    commands.name + ": no settings: \"" + text + "\"");
    }
    entry.ladder.push_back(value);
    at = std::find_if(next, end, [](char c) { return c != ' '; });
  }
  if (entry.ladder.empty()) {
    return Status(StatusCode::kInvalidArgument, commands.name + ": no settings");
  }
  // As fine as the finest of those given: a program may take whole numbers only.
  const auto fits = [&](double setting) {
    const double scaled = setting * entry.settings_per_one;
    return std::abs(scaled - std::round(scaled)) < 1e-6;
  };
  while (entry.settings_per_one < 1000 &&
         !std::all_of(entry.ladder.begin(), entry.ladder.end(), fits)) {
    entry.settings_per_one *= 10;
  }
  entry.create = [commands](int) -> Result<std::unique_ptr<Codec>> {
    GODWIT_ASSIGN_OR_RETURN(TemporaryFolder folder, TemporaryFolder::Create());
    return std::unique_ptr<Codec>(std::make_unique<CommandCodec>(commands, std::move(folder)));
  };
  return entry;
}

}  // namespace godwit
