#include "codecs/array/array_encoder.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include "codecs/array/live_encode.h"
#include "codecs/array/live_model.h"
#include "codecs/array/predictor_fit.h"
#include "codecs/array/table_fit.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/unit_load.h"
#include "codecs/array/wavelet_encode.h"
#include "io/container.h"

namespace godwit {
namespace {

using namespace array;

// The step nearest below 2 * max_error that a header can say.
ValueMap ScaledMap(SampleType type, double max_error) {
  ValueMap map{MapKind::kScaled, type};
  int exponent = 0;
  const double fraction = std::frexp(2 * max_error, &exponent);  // in [0.5, 1)
  constexpr int kBits = 22;
  map.mantissa = static_cast<uint32_t>(std::floor(fraction * (1 << kBits)));
  map.exponent = exponent - kBits;
  return map;
}

double StepOf(const ValueMap& map) { return std::ldexp(map.mantissa, map.exponent); }

template <typename T, typename Test>
bool NearlyAll(const NdArray& array, Test test) {
  const T* const samples = array.As<T>();
  const auto count = static_cast<int64_t>(array.data.size() / sizeof(T));
  int64_t beyond = 0;
  for (int64_t i = 0; i < count; ++i) beyond += std::isfinite(samples[i]) && !test(samples[i]);
  return beyond <= count / 64;
}

// Whether most finite samples have a whole number at all.
bool ScaledReaches(const NdArray& array, const ValueMap& map) {
  const auto [least, most] = ExponentsOf(map.type);
  if (map.exponent < least || map.exponent > most) return false;
  const double largest = StepOf(map) * kMaxScaled;
  const auto test = [&](double v) { return std::abs(v) <= largest; };
  return map.type == SampleType::kF32 ? NearlyAll<float>(array, test)
                                      : NearlyAll<double>(array, test);
}

bool IsSingle(double v) {
  const auto single = static_cast<float>(v);  // infinite where v is beyond
  return std::bit_cast<uint64_t>(static_cast<double>(single)) == std::bit_cast<uint64_t>(v);
}

ValueMap ChooseMap(const NdArray& array, double max_error) {
  if (IsReal(array.type)) {
    const ValueMap scaled = ScaledMap(array.type, max_error);
    if (max_error > 0 && ScaledReaches(array, scaled)) return scaled;
    const bool single = array.type == SampleType::kF64 && NearlyAll<double>(array, IsSingle);
    return {single ? MapKind::kSingle : MapKind::kOrdered, array.type};
  }
  const double whole = std::floor(std::min(max_error, 4294967295.0));
  if (whole < 1) return {MapKind::kWhole, array.type};
  return {MapKind::kSteps, array.type, 2 * static_cast<uint64_t>(whole) + 1};
}

// The exponent field below which there are so few samples that they may be exceptions: around 0
// there should be few steps.
uint8_t LeastExponent(const NdArray& array) {
  std::array<size_t, 256> counts{};
  const float* const samples = array.As<float>();
  const size_t count = array.data.size() / sizeof(float);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t word = std::bit_cast<uint32_t>(samples[i]) & 0x7fffffff;
    if (word != 0) ++counts[word >> 23];
  }
  size_t below = counts[0];
  uint8_t least = 1;
  while (least < 254 && below + counts[least] <= count / 2048) below += counts[least++];
  return least;
}

// Without loss where the error is too small to be said.
ValueMap RelativeMap(const NdArray& array, double relative_error) {
  ValueMap map{MapKind::kRelative, array.type};
  const double ratio = std::floor(std::ldexp(relative_error, 32));
  map.ratio = static_cast<uint32_t>(std::min(ratio, 4294967295.0));
  if (array.type == SampleType::kF32) map.least = LeastExponent(array);
  if (map.ratio > 0) map.relative = RelativeScale::Create(array.type, map.ratio, map.least);
  return map.relative != nullptr ? map : ChooseMap(array, 0);
}

int32_t WholeFromInteger(const ValueMap& map, int64_t sample) {
  if (map.kind == MapKind::kRelative) {
    const int32_t number = map.relative->NumberOf(static_cast<uint32_t>(std::abs(sample)));
    return sample < 0 ? -number : number;
  }
  const int64_t shifted = sample - (map.type == SampleType::kU32 ? int64_t{1} << 31 : 0);
  if (map.kind == MapKind::kWhole) return static_cast<int32_t>(shifted);
  const auto step = static_cast<int64_t>(map.step), half = step / 2;
  const int64_t q = shifted >= 0 ? (shifted + half) / step : -((-shifted + half) / step);
  return static_cast<int32_t>(q);
}

// False where none is within the error.
bool WholeFromReal(const ValueMap& map, double max_error, float sample, int32_t* q) {
  if (map.kind == MapKind::kOrdered) {
    *q = OrderedBits(sample);
    return true;
  }
  if (map.kind == MapKind::kRelative) {
    if (!std::isfinite(sample)) return false;
    const int32_t number = map.relative->NumberOf(std::bit_cast<uint32_t>(std::abs(sample)));
    *q = sample < 0 ? -number : number;
    return number != 0 || sample == 0;
  }
  const double near = static_cast<double>(sample) / StepOf(map);
  if (!(std::abs(near) < kMaxScaled)) return false;  // NaN too
  *q = static_cast<int32_t>(std::lround(near));
  return std::abs(static_cast<double>(FloatFromWhole(map, *q)) - sample) <= max_error;
}
bool WholeFromReal(const ValueMap& map, double max_error, double sample, int32_t* q) {
  if (map.kind == MapKind::kOrdered) {  // the lower half is kept beside it
    const auto upper = static_cast<int32_t>(std::bit_cast<uint64_t>(sample) >> 32);
    *q = upper >= 0 ? upper : upper ^ 0x7fffffff;
    return true;
  }
  if (map.kind == MapKind::kSingle) {
    if (!std::isfinite(sample) || !IsSingle(sample)) return false;
    *q = OrderedBits(static_cast<float>(sample));
    return true;
  }
  const double near = sample / StepOf(map);
  if (!(std::abs(near) < kMaxScaled)) return false;
  *q = static_cast<int32_t>(std::lround(near));
  return std::abs(DoubleFromWhole(map, *q) - sample) <= max_error;
}

template <typename T>
void LoadIntegers(const NdArray& array, const ArrayHeader& header, const Box& whole, const Box& box,
                  PredictedTile& tile) {
  const T* const samples = array.As<T>();
  ForEachSample(
      header, whole, box, box, StepsInPlanes(OrderOf(header, box)), [&](int64_t from, int64_t to) {
        tile.values[static_cast<size_t>(to)] = WholeFromInteger(header.map, samples[from]);
      });
}

template <typename T>
void LoadReals(const NdArray& array, const ArrayHeader& header, const Box& whole, const Box& box,
               PredictedTile& tile) {
  const T* const samples = array.As<T>();
  const bool has_lower = HasLower(header.map);
  if (std::is_same_v<T, double>) tile.lower.resize(tile.values.size());
  const TileSteps steps = StepsInPlanes(OrderOf(header, box));
  ForEachSample(header, whole, box, box, steps, [&](int64_t from, int64_t at) {
    const auto to = static_cast<size_t>(at);
    // The lower halves of f64 are sent beside their values.
    if (has_lower) KeepBits(samples[from], to, tile.values, tile.lower);
    if (WholeFromReal(header.map, header.max_error, samples[from], &tile.values[to])) return;
    if (tile.exceptions.empty()) tile.exceptions.resize(tile.values.size());
    tile.exceptions[to] = 1;
    KeepBits(samples[from], to, tile.values, tile.lower);
  });
}

void LoadTile(const NdArray& array, const ArrayHeader& header, const Box& whole, const Box& box,
              PredictedTile& tile) {
  WithSampleType(header.type, [&](auto type) {
    if constexpr (std::is_integral_v<decltype(type)>) {
      LoadIntegers<decltype(type)>(array, header, whole, box, tile);
    } else {
      LoadReals<decltype(type)>(array, header, whole, box, tile);
    }
  });
}

// What the planes before an exception lead one to expect, so that fitting is not led astray.
void FillExceptions(PredictedTile& tile) {
  if (tile.exceptions.empty()) return;
  int32_t last = 0;
  const PlaneGeometry& g = tile.geometry;
  for (int64_t p = 0; p < g.planes; ++p) {
    for (int64_t y = 0; y < g.height; ++y) {
      for (int64_t x = 0; x < g.width; ++x) {
        const auto at = static_cast<size_t>(g.At(p, y, x));
        if (tile.exceptions[at] != 0) tile.values[at] = last;
        last = tile.values[at];
      }
    }
  }
}

// Where floats are few numbers, values become their places in a table.
std::vector<ValueTable> FitTables(const ValueMap& map, PredictedTile& tile) {
  std::vector<ValueTable> tables(static_cast<size_t>(tile.channels));
  if (!HasTables(map)) return tables;
  for (size_t c = 0; c < tables.size(); ++c) {
    std::vector<int32_t> values;
    ForChannel(tile, static_cast<int64_t>(c), [&](int32_t& v) { values.push_back(v); });
    std::optional<ValueTable> table = FitTable(std::move(values));
    if (!table) continue;
    tables[c] = *std::move(table);
    const std::vector<int32_t>& known = tables[c].values;
    ForChannel(tile, static_cast<int64_t>(c), [&](int32_t& v) {
      const auto i = std::lower_bound(known.begin(), known.end(), v) - known.begin();
      v = tables[c].places[static_cast<size_t>(i)];
    });
  }
  return tables;
}

// `planes`: only the first so many, to see what they take.
Result<size_t> WriteTile(const ValueMap& map, PredictedTile& tile, std::vector<ValueTable>& tables,
                         int rate, int64_t planes, std::span<std::byte> out) {
  BitWriter writer(out);
  writer.CodeRaw(static_cast<uint32_t>(TileMethod::kPredicted), 4);
  CodeExceptions(writer, tile.geometry, tile.exceptions, tile.values,
                 map.type == SampleType::kF64 ? &tile.lower : nullptr);
  GODWIT_RETURN_IF_ERROR(CodeTables(writer, map, tile, tables));
  FillExceptions(tile);
  tile.rate = rate;
  writer.CodeRaw(static_cast<uint32_t>(rate), 4);
  PlaneCoder coder(tile);
  for (int64_t p = 0; p < planes; ++p) {
    PlaneModel model = FitPlane(tile, p);
    coder.Code(writer, p, model);
  }
  if (HasLower(map)) CodeLower(writer, tile);
  return writer.Finish();
}

// Into a buffer that is made larger until it suffices.
Result<Bytes> WrittenTile(const ValueMap& map, const PredictedTile& tile,
                          std::vector<ValueTable>& tables, int rate, int64_t planes) {
  const PlaneGeometry& g = tile.geometry;
  const auto samples = static_cast<size_t>(planes * g.height * g.width);
  for (size_t bytes = samples * 10 + (size_t{1} << 16);; bytes *= 2) {
    Bytes out(bytes);
    PredictedTile work = tile;
    const Result<size_t> size = WriteTile(map, work, tables, rate, planes, out);
    if (!size.ok() && size.status().code() == StatusCode::kOverLimit) continue;
    if (!size.ok()) return size.status();
    out.resize(*size);
    return out;
  }
}

// Whether and how fast weights should learn depends on the signal: by 9 % on one ECG, by -3 % on a
// cube whose planes have weights enough. So the first planes are written with each.
Result<int> ChooseRate(const ValueMap& map, const PredictedTile& tile,
                       std::vector<ValueTable>& tables) {
  constexpr int64_t kTrialSamples = int64_t{1} << 18;
  const PlaneGeometry& g = tile.geometry;
  const int64_t planes = std::clamp<int64_t>(kTrialSamples / (g.height * g.width), 1, g.planes);
  int best = 0;
  size_t least = 0;
  for (const int rate : {0, 6, 9}) {
    GODWIT_ASSIGN_OR_RETURN(const Bytes out, WrittenTile(map, tile, tables, rate, planes));
    if (rate == 0 || out.size() < least) {
      least = out.size();
      best = rate;
    }
  }
  return best;
}

Result<Bytes> EncodeTile(const NdArray& array, const ArrayHeader& header, int64_t index) {
  Box whole;
  for (size_t i = 0; i < 4; ++i) whole.size[i] = header.shape.dims[i];
  const Box box = TileBox(header, index);
  const BoxOrder order = OrderOf(header, box);
  PredictedTile tile;
  tile.geometry = GeometryOf(order);
  tile.channels = order.channels;
  tile.values.resize(static_cast<size_t>(tile.geometry.size()));
  LoadTile(array, header, whole, box, tile);
  std::vector<ValueTable> tables = FitTables(header.map, tile);
  GODWIT_ASSIGN_OR_RETURN(const int rate, ChooseRate(header.map, tile, tables));
  return WrittenTile(header.map, tile, tables, rate, tile.geometry.planes);
}

// Halves the longest transformed axis until a tile is small enough.
void ChooseTiles(ArrayHeader& header, int64_t most_samples) {
  header.tile = header.shape.dims;
  for (int64_t& side : header.tile) side = std::max<int64_t>(side, 1);
  while (true) {
    double samples = 1;
    size_t longest = 4;
    for (size_t i = 0; i < 4; ++i) {
      samples *= static_cast<double>(header.tile[i]);
      if (IsChannelAxis(header, static_cast<int>(i)) || header.tile[i] < 32) continue;
      if (longest == 4 || header.tile[i] > header.tile[longest]) longest = i;
    }
    if (samples <= static_cast<double>(most_samples) || longest == 4) return;
    header.tile[longest] = (header.tile[longest] + 1) / 2;
  }
}

}  // namespace

uint8_t GuessChannelAxes(const Shape& shape) {
  constexpr int64_t kFew = 64, kMuchLonger = 8;
  const auto rank = static_cast<size_t>(shape.rank);
  const auto dims = shape.dims.begin();
  const int64_t longest = *std::max_element(dims, dims + shape.rank);
  uint8_t mask = 0;
  int transformed = 0;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t side = shape.dims[i];
    if (side > 1 && side <= kFew && side * kMuchLonger <= longest) {
      mask = static_cast<uint8_t>(mask | 1u << i);
    }
    transformed += side > 1 && (mask >> i & 1) == 0;
  }
  if (transformed == 4) {
    mask = static_cast<uint8_t>(1u << (std::min_element(dims, dims + 4) - dims));
  }
  return mask;
}

Result<Bytes> EncodeArray(const NdArray& array, const ArrayEncodeOptions& options) {
  const double ratio = options.relative_error;
  if (!(ratio >= 0) || std::isinf(ratio)) {
    return Status(StatusCode::kInvalidArgument, "the relative error must be a number from 0 on");
  }
  if (ratio > 0 && array.type == SampleType::kF64) {
    return Status(StatusCode::kUnsupported, "a relative error of f64; make them f32 first");
  }
  if (!(options.wavelet_step >= 0) || std::isinf(options.wavelet_step)) {
    return Status(StatusCode::kInvalidArgument, "the step must be a number from 0 on");
  }
  if (!(options.max_error >= 0) || std::isinf(options.max_error)) {
    return Status(StatusCode::kInvalidArgument, "the largest error must be a number from 0 on");
  }
  ArrayHeader header;
  header.type = array.type;
  header.shape = array.shape;
  header.channel_axes = options.channel_axes.value_or(GuessChannelAxes(array.shape));
  if (header.channel_axes >> array.shape.rank != 0) {
    return Status(StatusCode::kInvalidArgument, "channels on an axis that is not there");
  }
  int transformed = 0;
  for (int i = 0; i < array.shape.rank; ++i) {
    transformed += array.shape.dims[static_cast<size_t>(i)] > 1 && !IsChannelAxis(header, i);
  }
  if (transformed > 3) {
    return Status(StatusCode::kUnsupported, "four transformed axes: one must hold channels");
  }
  const bool is_wavelet = options.wavelet_step > 0;
  const bool is_live = is_wavelet && options.model != nullptr && options.model->live() != nullptr;
  if (is_wavelet) {
    header.map = UnitMap(array, options.wavelet_step);
    if (options.model != nullptr) header.model_id = options.model->id();
    if (is_live) {
      header.map.kind = MapKind::kLive;
      header.live_levels = static_cast<uint8_t>(options.model->live()->levels);
      GODWIT_RETURN_IF_ERROR(CheckLiveShape(header, *options.model));
    }
  } else {
    header.map = ratio > 0 ? RelativeMap(array, ratio) : ChooseMap(array, options.max_error);
  }
  const MapKind kind = header.map.kind;
  const bool exact =
      kind == MapKind::kWhole || kind == MapKind::kOrdered || kind == MapKind::kSingle;
  header.promise = is_wavelet                   ? ArrayPromise::kNone
                   : exact                      ? ArrayPromise::kLossless
                   : kind == MapKind::kRelative ? ArrayPromise::kRelativeError
                                                : ArrayPromise::kMaxError;
  header.max_error = exact || is_wavelet          ? 0
                     : kind == MapKind::kRelative ? ratio
                                                  : options.max_error;
  ChooseTiles(header, options.tile_samples);

  const int64_t tiles = TileCount(header);
  if (is_wavelet && !is_live && tiles > 0) {
    GODWIT_ASSIGN_OR_RETURN(header.levels, CatchOutOfMemory([&]() -> Result<WaveletLevels> {
                              return ChooseLevels(array, header);
                            }));
  }
  const WaveletModel untrained;
  const WaveletModel& start = options.model != nullptr ? options.model->start() : untrained;
  std::vector<Result<Bytes>> bodies(static_cast<size_t>(tiles), Bytes());
  const int threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  const int workers = static_cast<int>(std::min<int64_t>(threads, tiles));
#pragma omp parallel for num_threads(workers) schedule(dynamic) if (workers > 1)
  for (int64_t i = 0; i < tiles; ++i) {
    bodies[static_cast<size_t>(i)] = CatchOutOfMemory([&] {
      if (is_live) return EncodeLiveTile(array, header, *options.model, BestSimdLevel(), start, i);
      return is_wavelet ? EncodeWaveletTile(array, header, start, i) : EncodeTile(array, header, i);
    });
  }
  return CatchOutOfMemory([&]() -> Result<Bytes> {
    ContainerWriter writer;
    writer.Add(SectionType::kArray, WriteHead(header));
    for (const Result<Bytes>& body : bodies) {
      if (!body.ok()) return body.status();
      writer.Add(SectionType::kArrayTile, *body);
    }
    return writer.Release();
  });
}

}  // namespace godwit
