#include "apps/array_commands.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/array_file.h"
#include "apps/array_search.h"
#include "apps/model_choice.h"
#include "codecs/array/array_decoder.h"
#include "fmt/core.h"
#include "io/container.h"
#include "io/input_file.h"
#include "io/output_file.h"

namespace godwit {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What an array model is given as: nothing for all of the method at hand, "none", or one, which
// may settle the method.
Result<std::vector<ArrayModel>> ModelsFor(ArrayEncodeArguments& a) {
  GODWIT_ASSIGN_OR_RETURN(ModelChoice models, ModelChoice::Open(a.model_folders));
  std::vector<ArrayModel> found;
  if (a.model.empty()) {
    for (ArrayModel& model : models.ArrayModels()) {
      const bool fits = a.method == "auto" || (model.live() != nullptr) == (a.method == "live");
      if (fits) found.push_back(std::move(model));
    }
  } else if (a.model != "none") {
    GODWIT_ASSIGN_OR_RETURN(ArrayModel model, models.NamedArrayModel(a.model));
    const bool is_live = model.live() != nullptr;
    if (a.method == "auto" && is_live) a.method = "live";
    if (is_live != (a.method == "live")) {
      return Status(StatusCode::kModelRefused,
                    a.model + ": a model for " + (is_live ? "--method live" : "wavelets"));
    }
    found.push_back(std::move(model));
  }
  if (a.method == "live" && found.empty()) {
    return Status(StatusCode::kModelMissing,
                  "no model of the live method is in " + models.registry().Places());
  }
  return found;
}

// The model that a stream names, if it names one.
Result<std::optional<ArrayModel>> ModelOf(const ArrayHeader& header,
                                          const std::vector<std::string>& folders) {
  using Found = std::optional<ArrayModel>;
  if (header.model_id == 0) return Found();
  GODWIT_ASSIGN_OR_RETURN(ModelChoice models, ModelChoice::Open(folders));
  GODWIT_ASSIGN_OR_RETURN(ArrayModel model, models.ArrayModelOf(header.model_id));
  return Found(std::move(model));
}

double BitsPerSample(const Shape& shape, uint64_t bytes) {
  const int64_t count = shape.count();
  return count == 0 ? 0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(count);
}

const char* MethodName(const ArrayHeader& h) {
  if (h.map.kind == array::MapKind::kLive) return "live";
  return h.map.kind == array::MapKind::kWavelet ? "wavelet" : "predict";
}

std::string PromiseName(const ArrayHeader& h) {
  switch (h.promise) {
    case ArrayPromise::kNone:
      return array::InUnits(h.map.kind) ? std::string(MethodName(h)) + ", no promise"
                                        : "no promise";
    case ArrayPromise::kLossless:
      return "lossless";
    case ArrayPromise::kMaxError:
      return fmt::format("error at most {:.6g}", h.max_error);
    case ArrayPromise::kRelativeError:
      return fmt::format("error at most {:.6g} of each sample", h.max_error);
  }
  return "";
}

double MaxErrorOf(const ArrayHeader& h) {
  return h.promise == ArrayPromise::kRelativeError ? 0 : h.max_error;
}
double RelativeErrorOf(const ArrayHeader& h) {
  return h.promise == ArrayPromise::kRelativeError ? h.max_error : 0;
}

// 16 digits, or null in JSON.
nlohmann::ordered_json ModelName(const ArrayHeader& h) {
  if (h.model_id == 0) return nullptr;
  return HexOf(h.model_id);
}

std::string AxesName(const ArrayHeader& h) {
  std::string name;
  for (int i = 0; i < h.shape.rank; ++i) {
    if (!IsChannelAxis(h, i)) continue;
    if (!name.empty()) name += ',';
    name += std::to_string(i);
  }
  return name.empty() ? "none" : name;
}

}  // namespace

Status EncodeArrayFile(const ArrayEncodeArguments& arguments, const Console& console) {
  ArrayEncodeArguments a = arguments;
  const auto start = Clock::now();
  const std::string place = InputName(a.in) + ": ";
  GODWIT_ASSIGN_OR_RETURN(const NdArray array, ReadArrayFile(a.in, a.limits));
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile output, AtomicOutputFile::Create(a.out, a.overwrite));
  std::vector<ArrayModel> models;
  if (a.SeeksWavelet()) {
    Result<std::vector<ArrayModel>> found = ModelsFor(a);
    if (!found.ok()) return found.status().WithPrefix(place);
    models = *std::move(found);
  }
  ArraySearch search(array, a, models, console);
  const Result<FoundArray> found = search.Run();
  if (!found.ok()) return found.status().WithPrefix(place);
  const Bytes* const file = &found->file;
  GODWIT_ASSIGN_OR_RETURN(const ArrayStream stream, ParseArrayStream(*file, a.limits));
  ArrayError error;
  const bool measures = a.psnr_db || a.report_psnr;
  if (measures) {
    GODWIT_ASSIGN_OR_RETURN(const NdArray decoded, search.Decode(*found));
    error = ErrorOf(array, decoded);
  }
  GODWIT_RETURN_IF_ERROR(output.Write(*file));
  GODWIT_RETURN_IF_ERROR(output.Commit());

  const double bits = BitsPerSample(array.shape, file->size());
  const double psnr_db = search.Psnr(error);
  if (console.json) {
    nlohmann::ordered_json json = {{"input", a.in},
                                   {"output", a.out},
                                   {"bytes", file->size()},
                                   {"bits_per_sample", bits},
                                   {"type", SampleTypeName(array.type)},
                                   {"shape", ShapeName(array.shape)},
                                   {"channel_axes", AxesName(stream.header)},
                                   {"lossless", stream.header.promise == ArrayPromise::kLossless},
                                   {"max_error", MaxErrorOf(stream.header)},
                                   {"relative_error", RelativeErrorOf(stream.header)},
                                   {"codec", "packet"},
                                   {"method", MethodName(stream.header)},
                                   {"model", ModelName(stream.header)},
                                   {"seconds", Seconds(start)}};
    if (measures) json["psnr_db"] = psnr_db;  // infinity becomes null
    console.PrintJson(json);
    return {};
  }
  console.Note(fmt::format("{}: {} {}, {} bytes, {:.4g} bit/sample, {}{}, {:.2f} s",
                           a.out == "-" ? "standard output" : a.out, ShapeName(array.shape),
                           SampleTypeName(array.type), file->size(), bits,
                           PromiseName(stream.header),
                           measures ? fmt::format(", {:.2f} dB", psnr_db) : "", Seconds(start)));
  return {};
}

bool HoldsArray(const Bytes& file) {
  const Result<SectionType> medium = PeekMedium(file);
  return medium.ok() && *medium == SectionType::kArray;
}

Status DecodeArrayFile(const ArrayDecodeArguments& a, const Bytes& file, const Console& console) {
  const auto start = Clock::now();
  const std::string place = InputName(a.in) + ": ";
  const Result<ArrayStream> stream = ParseArrayStream(file, a.limits);
  if (!stream.ok()) return stream.status().WithPrefix(place);
  ArrayDecodeOptions options;
  options.limits = a.limits;
  options.threads = a.threads;
  if (!a.slice.empty() && !ParseSlice(a.slice, stream->header.shape, &options.part)) {
    return Status(StatusCode::kInvalidArgument, place + "--slice " + a.slice + ": is no part of " +
                                                    ShapeName(stream->header.shape) +
                                                    ", as 2:10,:,5");
  }
  const auto model = ModelOf(stream->header, a.model_folders);
  if (!model.ok()) return model.status().WithPrefix(place);
  if (*model) options.model = &**model;
  std::optional<ArraySynthesis> synthesis;
  if (stream->header.map.kind == array::MapKind::kWavelet) {
    GODWIT_ASSIGN_OR_RETURN(ModelChoice models, ModelChoice::Open(a.model_folders));
    auto found = models.SynthesisOfArrays(a.synthesis);
    if (!found.ok()) return found.status().WithPrefix(place);
    synthesis = *std::move(found);
  }
  const std::string synthesis_name = synthesis ? synthesis->size() : "none";
  if (synthesis) options.synthesis = &*synthesis;
  const Result<NdArray> array = DecodeArray(*stream, options);
  if (!array.ok()) return array.status().WithPrefix(place);
  GODWIT_RETURN_IF_ERROR(WriteArrayFile(a.out, *array, a.overwrite));
  if (console.json) {
    console.PrintJson({{"input", a.in},
                       {"output", a.out},
                       {"type", SampleTypeName(array->type)},
                       {"shape", ShapeName(array->shape)},
                       {"synthesis", synthesis_name},
                       {"seconds", Seconds(start)}});
    return {};
  }
  console.Note(fmt::format("{}: {} {}{}, {:.2f} s", a.out == "-" ? "standard output" : a.out,
                           ShapeName(array->shape), SampleTypeName(array->type),
                           synthesis ? ", synthesis " + synthesis_name : "", Seconds(start)));
  return {};
}

Status PrintArrayInfo(const std::string& path, const Bytes& file, const DecodeLimits& limits,
                      const Console& console) {
  GODWIT_ASSIGN_OR_RETURN(const ArrayStream stream, ParseArrayStream(file, limits));
  const ArrayHeader& h = stream.header;
  const double bits = BitsPerSample(h.shape, file.size());
  Shape tile = h.shape;
  std::copy_n(h.tile.begin(), 4, tile.dims.begin());
  if (console.json) {
    console.PrintJson({{"file", path},
                       {"codec", "packet"},
                       {"type", SampleTypeName(h.type)},
                       {"shape", ShapeName(h.shape)},
                       {"channel_axes", AxesName(h)},
                       {"bytes", file.size()},
                       {"bits_per_sample", bits},
                       {"lossless", h.promise == ArrayPromise::kLossless},
                       {"max_error", MaxErrorOf(h)},
                       {"relative_error", RelativeErrorOf(h)},
                       {"method", MethodName(h)},
                       {"model", ModelName(h)},
                       {"tile", ShapeName(tile)},
                       {"tiles", stream.tiles.size()}});
    return {};
  }
  console.out << fmt::format(
      "{}: {} {}, {} bytes, {:.4g} bit/sample\n"
      "  codec packet, {}{}, channel axes {}, {} tiles of {}\n",
      InputName(path), ShapeName(h.shape), SampleTypeName(h.type), file.size(), bits,
      PromiseName(h), h.model_id == 0 ? "" : ", model " + HexOf(h.model_id), AxesName(h),
      stream.tiles.size(), ShapeName(tile));
  return {};
}

Status CompareArrays(const std::string& path_a, const std::string& path_b,
                     const DecodeLimits& limits, const Console& console) {
  GODWIT_ASSIGN_OR_RETURN(const NdArray a, ReadArrayFile(path_a, limits));
  GODWIT_ASSIGN_OR_RETURN(const NdArray b, ReadArrayFile(path_b, limits));
  if (a.type != b.type || a.shape != b.shape) {
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("{}: {} {}, but {}: {} {}", path_a, ShapeName(a.shape), SampleTypeName(a.type),
                    path_b, ShapeName(b.shape), SampleTypeName(b.type)));
  }
  const ArrayError error = ErrorOf(a, b);
  const double width = RangeOf(a).width();
  const double psnr_db = 10 * std::log10(width * width / error.mean_square);
  const bool equal = a.data == b.data;
  if (console.json) {
    console.PrintJson({{"a", path_a},
                       {"b", path_b},
                       {"type", SampleTypeName(a.type)},
                       {"shape", ShapeName(a.shape)},
                       {"equal", equal},
                       {"psnr_db", psnr_db},  // null where there is no error
                       {"mse", error.mean_square},
                       {"max_error", error.max}});
  } else if (equal) {
    console.out << "equal\n";
  } else {
    console.out << fmt::format("PSNR {:.4f} dB, largest error {:.9g}\n", psnr_db, error.max);
  }
  return {};
}

Status VerifyArray(const Bytes& file, const DecodeLimits& limits, int threads,
                   ModelChoice& models) {
  GODWIT_ASSIGN_OR_RETURN(const ArrayStream stream, ParseArrayStream(file, limits));
  std::optional<ArrayModel> model;
  if (stream.header.model_id != 0) {
    GODWIT_ASSIGN_OR_RETURN(model, models.ArrayModelOf(stream.header.model_id));
  }
  ArrayDecodeOptions options;
  options.limits = limits;
  options.threads = threads;
  options.model = model ? &*model : nullptr;
  return DecodeArray(stream, options).status();
}

}  // namespace godwit
