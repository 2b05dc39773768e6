#include "apps/array_commands.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/array_file.h"
#include "codecs/array/array_decoder.h"
#include "codecs/array/array_encoder.h"
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

double PsnrOf(const ArrayRange& range, double mean_square) {
  return 10 * std::log10(range.width() * range.width() / mean_square);
}

// One array to streams, at whatever errors a search asks for.
class ArraySearch {
 public:
  ArraySearch(const NdArray& array, const ArrayEncodeArguments& a, const Console& console)
      : array_(array), a_(a), console_(console), range_(RangeOf(array)) {}

  Result<Bytes> Run() {
    if (a_.max_error) return At(*a_.max_error);
    if (a_.relative_error) return At(*a_.relative_error * range_.width());
    // From an eighth of the range to the 2^-13th part of it.
    if (a_.quality) return At(std::ldexp(range_.width(), -3) * std::exp2(-*a_.quality / 10));
    if (a_.psnr_db) return CoarsestThat([&](const Bytes& file) { return Reaches(file); });
    if (a_.size_bytes) return FinestBelow(*a_.size_bytes);
    if (a_.bits_per_sample) {
      const double samples =
          static_cast<double>(array_.data.size()) / static_cast<double>(SampleBytes(array_.type));
      return FinestBelow(static_cast<uint64_t>(*a_.bits_per_sample * samples / 8));
    }
    return At(0);
  }
  const ArrayRange& range() const { return range_; }

 private:
  Result<Bytes> At(double max_error) {
    ArrayEncodeOptions options;
    options.max_error = max_error;
    options.channel_axes = a_.channel_axes;
    options.threads = a_.threads;
    Result<Bytes> file = EncodeArray(array_, options);
    if (file.ok()) {
      console_.Detail(fmt::format("error {:.6g}: {} bytes", max_error, file->size()));
    }
    return file;
  }
  double ErrorAt(int place) const {
    return std::ldexp(range_.width(), -1) * std::exp2(-place / 4.0);
  }

  Result<bool> Reaches(const Bytes& file) {
    GODWIT_ASSIGN_OR_RETURN(const ArrayStream stream, ParseArrayStream(file, a_.limits));
    ArrayDecodeOptions options;
    options.limits = a_.limits;
    options.threads = a_.threads;
    GODWIT_ASSIGN_OR_RETURN(const NdArray decoded, DecodeArray(stream, options));
    return PsnrOf(range_, ErrorOf(array_, decoded).mean_square) >= *a_.psnr_db;
  }
  // Places 0 to kPlaces - 1 are errors, ever smaller; kPlaces is lossless.
  static constexpr int kPlaces = 120;
  Result<Bytes> AtPlace(int place) { return At(place == kPlaces ? 0 : ErrorAt(place)); }

  template <typename Test>
  Result<Bytes> CoarsestThat(Test test) {
    int low = 0, high = kPlaces;  // high will do
    GODWIT_ASSIGN_OR_RETURN(Bytes best, AtPlace(high));
    while (low < high) {
      const int middle = (low + high) / 2;
      GODWIT_ASSIGN_OR_RETURN(Bytes file, AtPlace(middle));
      GODWIT_ASSIGN_OR_RETURN(const bool enough, test(file));
      if (enough) {
        high = middle;
        best = std::move(file);
      } else {
        low = middle + 1;
      }
    }
    return best;
  }
  Result<Bytes> FinestBelow(uint64_t bytes) {
    std::optional<Bytes> best;
    int low = 0, high = kPlaces + 1;
    size_t least = 0;
    while (low < high) {
      const int middle = (low + high) / 2;
      GODWIT_ASSIGN_OR_RETURN(Bytes file, AtPlace(middle));
      if (file.size() <= bytes) {
        low = middle + 1;
        best = std::move(file);
      } else {
        high = middle;
        least = file.size();
      }
    }
    if (best) return *std::move(best);
    return Status(StatusCode::kOverLimit, "the smallest file has " + std::to_string(least) +
                                              " bytes, at most " + std::to_string(bytes) +
                                              " wanted");
  }

  const NdArray& array_;
  const ArrayEncodeArguments& a_;
  const Console& console_;
  const ArrayRange range_;
};

double BitsPerSample(const Shape& shape, uint64_t bytes) {
  const int64_t count = shape.count();
  return count == 0 ? 0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(count);
}

std::string PromiseName(const ArrayHeader& h) {
  switch (h.promise) {
    case ArrayPromise::kNone:
      return "no promise";
    case ArrayPromise::kLossless:
      return "lossless";
    case ArrayPromise::kMaxError:
      return fmt::format("error at most {:.6g}", h.max_error);
  }
  return "";
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

Status EncodeArrayFile(const ArrayEncodeArguments& a, const Console& console) {
  const auto start = Clock::now();
  const std::string place = InputName(a.in) + ": ";
  GODWIT_ASSIGN_OR_RETURN(const NdArray array, ReadArrayFile(a.in, a.limits));
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile output, AtomicOutputFile::Create(a.out, a.overwrite));
  ArraySearch search(array, a, console);
  const Result<Bytes> file = search.Run();
  if (!file.ok()) return file.status().WithPrefix(place);
  GODWIT_ASSIGN_OR_RETURN(const ArrayStream stream, ParseArrayStream(*file, a.limits));
  ArrayError error;
  const bool measures = a.psnr_db || a.report_psnr;
  if (measures) {
    ArrayDecodeOptions options;
    options.limits = a.limits;
    options.threads = a.threads;
    GODWIT_ASSIGN_OR_RETURN(const NdArray decoded, DecodeArray(stream, options));
    error = ErrorOf(array, decoded);
  }
  GODWIT_RETURN_IF_ERROR(output.Write(*file));
  GODWIT_RETURN_IF_ERROR(output.Commit());

  const double bits = BitsPerSample(array.shape, file->size());
  const double psnr_db = PsnrOf(search.range(), error.mean_square);
  if (console.json) {
    nlohmann::ordered_json json = {{"input", a.in},
                                   {"output", a.out},
                                   {"bytes", file->size()},
                                   {"bits_per_sample", bits},
                                   {"type", SampleTypeName(array.type)},
                                   {"shape", ShapeName(array.shape)},
                                   {"channel_axes", AxesName(stream.header)},
                                   {"lossless", stream.header.promise == ArrayPromise::kLossless},
                                   {"max_error", stream.header.max_error},
                                   {"codec", "packet"},
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
  const Result<NdArray> array = DecodeArray(*stream, options);
  if (!array.ok()) return array.status().WithPrefix(place);
  GODWIT_RETURN_IF_ERROR(WriteArrayFile(a.out, *array, a.overwrite));
  if (console.json) {
    console.PrintJson({{"input", a.in},
                       {"output", a.out},
                       {"type", SampleTypeName(array->type)},
                       {"shape", ShapeName(array->shape)},
                       {"seconds", Seconds(start)}});
    return {};
  }
  console.Note(fmt::format("{}: {} {}, {:.2f} s", a.out == "-" ? "standard output" : a.out,
                           ShapeName(array->shape), SampleTypeName(array->type), Seconds(start)));
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
                       {"max_error", h.max_error},
                       {"tile", ShapeName(tile)},
                       {"tiles", stream.tiles.size()}});
    return {};
  }
  console.out << fmt::format(
      "{}: {} {}, {} bytes, {:.4g} bit/sample\n"
      "  codec packet, {}, channel axes {}, {} tiles of {}\n",
      InputName(path), ShapeName(h.shape), SampleTypeName(h.type), file.size(), bits,
      PromiseName(h), AxesName(h), stream.tiles.size(), ShapeName(tile));
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
  const double psnr_db = PsnrOf(RangeOf(a), error.mean_square);
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

Status VerifyArray(const Bytes& file, const DecodeLimits& limits, int threads) {
  GODWIT_ASSIGN_OR_RETURN(const ArrayStream stream, ParseArrayStream(file, limits));
  ArrayDecodeOptions options;
  options.limits = limits;
  options.threads = threads;
  return DecodeArray(stream, options).status();
}

}  // namespace godwit
