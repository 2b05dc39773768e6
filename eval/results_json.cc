#include "eval/results_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/input_file.h"

namespace godwit {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;
constexpr uint64_t kMostRate = 10'000'000, kMostChannels = 1024, kMostSamples = uint64_t{1} << 48;

// The first schema, of pictures alone, had other names.
constexpr std::string_view kFirstSchema = "godwit-eval-1";

Status Bad(std::string_view member, std::string_view what) {
  return Status(StatusCode::kCorrupt, std::string(member) + ": " + std::string(what));
}

// Members by name, with a check of type. `At` is null where there is none.
const Json* At(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

Result<std::string> Text(const Json& json, const char* name) {
  const Json* const value = At(json, name);
  if (value == nullptr || !value->is_string()) return Bad(name, "no text");
  return value->get<std::string>();
}

Result<double> Number(const Json& json, const char* name) {
  const Json* const value = At(json, name);
  if (value == nullptr || !value->is_number()) return Bad(name, "no number");
  return value->get<double>();
}

Result<uint64_t> Whole(const Json& json, const char* name, uint64_t most) {
  const Json* const value = At(json, name);
  if (value == nullptr || !value->is_number_unsigned() || value->get<uint64_t>() > most) {
    return Bad(name, "no whole number from 0 to " + std::to_string(most));
  }
  return value->get<uint64_t>();
}

Result<std::vector<double>> Numbers(const Json& json, const char* name) {
  std::vector<double> numbers;
  const Json* const value = At(json, name);
  if (value == nullptr) return numbers;
  if (!value->is_array()) return Bad(name, "no list");
  for (const Json& one : *value) {
    if (!one.is_number()) return Bad(name, "holds what is no number");
    numbers.push_back(one.get<double>());
  }
  return numbers;
}

Result<std::map<std::string, double>> MetricsAt(const Json& json) {
  std::map<std::string, double> metrics;
  const Json* const value = At(json, "metrics");
  if (value == nullptr || !value->is_object()) return Bad("metrics", "no object");
  for (const auto& [name, one] : value->items()) {
    if (!one.is_number() && !one.is_null()) return Bad(name, "no number");
    metrics[name] = one.is_null() ? std::numeric_limits<double>::quiet_NaN() : one.get<double>();
  }
  return metrics;
}

// "image" in the first schema.
Result<std::string> ItemName(const Json& json) {
  return Text(json, At(json, "image") != nullptr ? "image" : "item");
}

// Every element of the list at `name`, which may be missing.
template <typename T, typename F>
Status ReadList(const Json& json, const char* name, F read, std::vector<T>* out) {
  const Json* const list = At(json, name);
  if (list == nullptr) return {};
  if (!list->is_array()) return Bad(name, "no list");
  for (size_t i = 0; i < list->size(); ++i) {
    Result<T> one = read((*list)[i]);
    if (!one.ok()) {
      return one.status().WithPrefix(std::string(name) + "[" + std::to_string(i) + "]: ");
    }
    out->push_back(*std::move(one));
  }
  return {};
}

Result<ItemRecord> ItemFromJson(Medium medium, const Json& json) {
  ItemRecord item;
  GODWIT_ASSIGN_OR_RETURN(item.name, Text(json, "name"));
  GODWIT_ASSIGN_OR_RETURN(item.digest, Text(json, "sha256"));
  if (medium == Medium::kPicture) {
    GODWIT_ASSIGN_OR_RETURN(const uint64_t width, Whole(json, "width", UINT32_MAX));
    GODWIT_ASSIGN_OR_RETURN(const uint64_t height, Whole(json, "height", UINT32_MAX));
    if (width == 0 || height == 0) return Bad("width", "is no size of a picture");
    item.width = static_cast<uint32_t>(width);
    item.height = static_cast<uint32_t>(height);
  } else if (medium == Medium::kSound) {
    GODWIT_ASSIGN_OR_RETURN(const uint64_t rate_hz, Whole(json, "rate_hz", kMostRate));
    GODWIT_ASSIGN_OR_RETURN(const uint64_t channels, Whole(json, "channels", kMostChannels));
    GODWIT_ASSIGN_OR_RETURN(item.frames, Whole(json, "frames", kMostSamples));
    if (rate_hz == 0 || channels == 0 || item.frames == 0) return Bad("frames", "is no sound");
    item.rate_hz = static_cast<uint32_t>(rate_hz);
    item.channels = static_cast<uint32_t>(channels);
  } else {
    GODWIT_ASSIGN_OR_RETURN(item.type, Text(json, "type"));
    const Json* const shape = At(json, "shape");
    if (shape == nullptr || !shape->is_array() || shape->empty() || shape->size() > 4) {
      return Bad("shape", "no list of one to four sides");
    }
    for (const Json& side : *shape) {
      if (!side.is_number_unsigned() || side.get<uint64_t>() == 0 ||
          side.get<uint64_t>() > kMostSamples) {
        return Bad("shape", "holds what is no side");
      }
      item.shape.push_back(side.get<uint64_t>());
    }
  }
  return item;
}

Result<CodecRecord> CodecFromJson(const Json& json) {
  CodecRecord codec;
  GODWIT_ASSIGN_OR_RETURN(codec.name, Text(json, "name"));
  GODWIT_ASSIGN_OR_RETURN(codec.version, Text(json, "version"));
  GODWIT_ASSIGN_OR_RETURN(codec.setting_name, Text(json, "setting_name"));
  GODWIT_ASSIGN_OR_RETURN(codec.settings, Numbers(json, "settings"));
  GODWIT_ASSIGN_OR_RETURN(const uint64_t threads, Whole(json, "threads", 1 << 20));
  codec.threads = static_cast<int>(threads);
  const Json* const processes = At(json, "runs_processes");
  if (const Json* const aim = At(json, "aim")) {
    const auto found = std::find(kAims.begin(), kAims.end(), *aim);
    if (found == kAims.end()) return Bad("aim", "none of setting, rate and error");
    codec.aim = static_cast<Aim>(found - kAims.begin());
  }
  codec.runs_processes = processes != nullptr && processes->is_boolean() && processes->get<bool>();
  return codec;
}

Result<ImportedCurve> ImportedFromJson(const Json& json) {
  ImportedCurve curve;
  GODWIT_ASSIGN_OR_RETURN(curve.name, Text(json, "name"));
  GODWIT_ASSIGN_OR_RETURN(curve.description, Text(json, "description"));
  GODWIT_ASSIGN_OR_RETURN(curve.source, Text(json, "source"));
  const Json* const columns = At(json, "columns");
  if (columns == nullptr || !columns->is_object()) return Bad("columns", "no object");
  size_t length = 0;
  for (const auto& [name, unused] : columns->items()) {
    GODWIT_ASSIGN_OR_RETURN(std::vector<double> numbers, Numbers(*columns, name.c_str()));
    if (!curve.columns.empty() && numbers.size() != length) {
      return Bad(name, "has another length than the others");
    }
    length = numbers.size();
    curve.columns[name] = std::move(numbers);
  }
  if (!curve.columns.contains("bpp")) return Bad("columns", "no bpp");
  return curve;
}

Result<MachineRecord> MachineFromJson(const Json& json) {
  MachineRecord machine;
  GODWIT_ASSIGN_OR_RETURN(machine.cpu, Text(json, "cpu"));
  GODWIT_ASSIGN_OR_RETURN(machine.simd, Text(json, "simd"));
  GODWIT_ASSIGN_OR_RETURN(machine.system, Text(json, "system"));
  GODWIT_ASSIGN_OR_RETURN(machine.compiler, Text(json, "compiler"));
  GODWIT_ASSIGN_OR_RETURN(const uint64_t processors, Whole(json, "processors", 1 << 20));
  machine.processors = static_cast<int>(processors);
  return machine;
}

// What measurements name must be there.
Status CheckNames(const Results& results) {
  const auto check = [&](const auto& rows, const char* list) -> Status {
    for (const auto& row : rows) {
      if (results.FindItem(row.item) == nullptr) return Bad(list, "no item " + row.item);
      if (results.FindCodec(row.codec) == nullptr) return Bad(list, "no codec " + row.codec);
    }
    return {};
  };
  GODWIT_RETURN_IF_ERROR(check(results.measurements, "measurements"));
  return check(results.pictures, "pictures");
}

}  // namespace

Result<Measurement> MeasurementFromJson(const Json& json) {
  Measurement m;
  GODWIT_ASSIGN_OR_RETURN(m.item, ItemName(json));
  GODWIT_ASSIGN_OR_RETURN(m.codec, Text(json, "codec"));
  GODWIT_ASSIGN_OR_RETURN(m.setting, Number(json, "setting"));
  GODWIT_ASSIGN_OR_RETURN(m.bytes, Whole(json, "bytes", uint64_t{1} << 40));
  GODWIT_ASSIGN_OR_RETURN(m.metrics, MetricsAt(json));
  GODWIT_ASSIGN_OR_RETURN(m.encode_s, Numbers(json, "encode_s"));
  GODWIT_ASSIGN_OR_RETURN(m.decode_s, Numbers(json, "decode_s"));
  if (At(json, "used") != nullptr) {
    GODWIT_ASSIGN_OR_RETURN(m.used, Number(json, "used"));
  }
  if (At(json, "delay_s") != nullptr) {
    GODWIT_ASSIGN_OR_RETURN(m.delay_s, Number(json, "delay_s"));
  }
  if (At(json, "encode_peak_bytes") != nullptr && At(json, "decode_peak_bytes") != nullptr) {
    GODWIT_ASSIGN_OR_RETURN(m.encode_peak_bytes, Whole(json, "encode_peak_bytes", UINT64_MAX));
    GODWIT_ASSIGN_OR_RETURN(m.decode_peak_bytes, Whole(json, "decode_peak_bytes", UINT64_MAX));
  }
  return m;
}

Result<ReportPicture> ReportPictureFromJson(const Json& json) {
  ReportPicture p;
  GODWIT_ASSIGN_OR_RETURN(p.item, ItemName(json));
  GODWIT_ASSIGN_OR_RETURN(p.codec, Text(json, "codec"));
  GODWIT_ASSIGN_OR_RETURN(
      p.target_bpp, Number(json, At(json, "target_bpp") != nullptr ? "target_bpp" : "target_rate"));
  GODWIT_ASSIGN_OR_RETURN(p.setting, Number(json, "setting"));
  GODWIT_ASSIGN_OR_RETURN(p.bytes, Whole(json, "bytes", uint64_t{1} << 40));
  GODWIT_ASSIGN_OR_RETURN(p.metrics, MetricsAt(json));
  GODWIT_ASSIGN_OR_RETURN(p.file, Text(json, "file"));
  return p;
}

Result<Failure> FailureFromJson(const Json& json) {
  Failure f;
  GODWIT_ASSIGN_OR_RETURN(f.item, ItemName(json));
  GODWIT_ASSIGN_OR_RETURN(f.codec, Text(json, "codec"));
  GODWIT_ASSIGN_OR_RETURN(f.setting, Number(json, "setting"));
  GODWIT_ASSIGN_OR_RETURN(f.error, Text(json, "error"));
  return f;
}

Result<Results> ResultsFromJson(const Json& json) {
  Results r;
  GODWIT_ASSIGN_OR_RETURN(const std::string schema, Text(json, "schema"));
  const bool is_first = schema == kFirstSchema;
  if (schema != kResultsSchema && !is_first) {
    return Status(StatusCode::kUnsupported,
                  "schema " + schema + ", not " + std::string(kResultsSchema));
  }
  if (!is_first) {
    GODWIT_ASSIGN_OR_RETURN(const std::string name, Text(json, "medium"));
    const std::optional<Medium> medium = FindMedium(name);
    if (!medium) return Bad("medium", "none that is known");
    r.medium = *medium;
  }
  GODWIT_ASSIGN_OR_RETURN(r.program, Text(json, "program"));
  GODWIT_ASSIGN_OR_RETURN(r.command, Text(json, "command"));
  const Json* const machine = At(json, "machine");
  if (machine == nullptr) return Bad("machine", "no object");
  GODWIT_ASSIGN_OR_RETURN(r.machine, MachineFromJson(*machine));
  GODWIT_ASSIGN_OR_RETURN(const uint64_t repeats, Whole(json, "repeats", 1 << 20));
  r.repeats = static_cast<int>(repeats);
  GODWIT_RETURN_IF_ERROR(ReadList(
      json, "metrics",
      [](const Json& one) -> Result<std::string> {
        if (!one.is_string()) return Bad("metric", "no text");
        return one.get<std::string>();
      },
      &r.metrics));
  GODWIT_RETURN_IF_ERROR(ReadList(
      json, is_first ? "images" : "items",
      [&](const Json& one) { return ItemFromJson(r.medium, one); }, &r.items));
  GODWIT_RETURN_IF_ERROR(ReadList(json, "codecs", CodecFromJson, &r.codecs));
  GODWIT_RETURN_IF_ERROR(ReadList(json, "measurements", MeasurementFromJson, &r.measurements));
  GODWIT_RETURN_IF_ERROR(ReadList(json, "pictures", ReportPictureFromJson, &r.pictures));
  GODWIT_RETURN_IF_ERROR(ReadList(json, "failures", FailureFromJson, &r.failures));
  GODWIT_RETURN_IF_ERROR(ReadList(json, "imported", ImportedFromJson, &r.imported));
  GODWIT_RETURN_IF_ERROR(CheckNames(r));
  return r;
}

Result<Results> ParseResults(std::string_view text) {
  GODWIT_ASSIGN_OR_RETURN(const Json json, ParseEvalJson(text));
  return ResultsFromJson(json);
}

Result<Results> ReadResults(const std::string& path) {
  std::error_code ignored;
  const std::string file = std::filesystem::is_directory(path, ignored)
                               ? (std::filesystem::path(path) / "results.json").string()
                               : path;
  GODWIT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(file, kMaxFileBytes));
  Result<Results> results =
      ParseResults({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!results.ok()) return results.status().WithPrefix(file + ": ");
  return results;
}

}  // namespace godwit
