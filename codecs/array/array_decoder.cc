#include "codecs/array/array_decoder.h"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <string>
#include <type_traits>

#include "codecs/array/live_decode.h"
#include "codecs/array/live_tile.h"
#include "codecs/array/slice_synthesis.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/wavelet_decode.h"

namespace godwit {
namespace {

using namespace array;

// The part of `a` in `b`, whose sizes may be 0 or less.
Box Meeting(const Box& a, const Box& b) {
  Box box;
  for (size_t i = 0; i < 4; ++i) {
    box.begin[i] = std::max(a.begin[i], b.begin[i]);
    box.size[i] = std::min(a.begin[i] + a.size[i], b.begin[i] + b.size[i]) - box.begin[i];
  }
  return box;
}
bool IsEmpty(const Box& box) {
  return std::any_of(box.size.begin(), box.size.end(), [](int64_t n) { return n <= 0; });
}

// From places to the values in the tables.
Status LookUp(PredictedTile& tile, const std::vector<ValueTable>& tables) {
  bool found = true;
  std::vector<int32_t> entry;  // by place, -1 for none
  for (size_t c = 0; c < tables.size(); ++c) {
    const ValueTable& table = tables[c];
    if (table.values.empty()) continue;
    entry.assign(static_cast<size_t>(table.places.back()) + 1, -1);
    for (size_t i = 0; i < table.places.size(); ++i) {
      entry[static_cast<size_t>(table.places[i])] = static_cast<int32_t>(i);
    }
    ForChannel(tile, static_cast<int64_t>(c), [&](int32_t& v) {
      const int32_t i = entry[static_cast<size_t>(v)];
      found &= i >= 0;
      v = table.values[static_cast<size_t>(std::max(i, 0))];
    });
  }
  return found ? Status() : Status(StatusCode::kCorrupt, "a value that its table does not have");
}

Status DecodePredicted(BitReader& reader, const ValueMap& map, PredictedTile& tile) {
  CodeExceptions(reader, tile.geometry, tile.exceptions, tile.values,
                 map.type == SampleType::kF64 ? &tile.lower : nullptr);
  std::vector<ValueTable> tables;
  GODWIT_RETURN_IF_ERROR(CodeTables(reader, map, tile, tables));
  tile.rate = static_cast<int>(reader.CodeRaw(0, 4));
  std::vector<int32_t> as_they_are;
  if (!tile.exceptions.empty()) as_they_are = tile.values;
  PlaneCoder coder(tile);
  for (int64_t p = 0; p < tile.geometry.planes; ++p) {
    PlaneModel model;
    coder.Code(reader, p, model);
  }
  if (HasLower(map)) CodeLower(reader, tile);
  GODWIT_RETURN_IF_ERROR(reader.Finish());
  if (coder.outside()) return Status(StatusCode::kCorrupt, "values outside their type");
  for (size_t i = 0; i < as_they_are.size(); ++i) {
    if (tile.exceptions[i] != 0) tile.values[i] = as_they_are[i];
  }
  return LookUp(tile, tables);
}

void StoreTile(const ArrayHeader& header, const PredictedTile& tile, const Box& box,
               const Box& part, NdArray& out, const Box& whole) {
  const auto value = [&](int64_t at, auto type) {
    const auto i = static_cast<size_t>(at);
    if constexpr (std::is_integral_v<decltype(type)>) {
      return IntegerFromWhole(header.map, tile.values[i]);
    } else {
      using T = decltype(type);
      const int32_t v = tile.values[i];
      const bool as_it_is = !tile.exceptions.empty() && tile.exceptions[i] != 0;
      if constexpr (std::is_same_v<T, double>) {
        if (as_it_is) return DoubleOf(v, tile.lower[i]);
        if (HasLower(header.map)) return DoubleOf(v >= 0 ? v : v ^ 0x7fffffff, tile.lower[i]);
        return DoubleFromWhole(header.map, v);
      } else {
        return as_it_is ? std::bit_cast<float>(v) : FloatFromWhole(header.map, v);
      }
    }
  };
  WithSampleType(header.type, [&](auto type) {
    using T = decltype(type);
    T* const samples = out.As<T>();
    ForEachSample(
        header, whole, box, part, StepsInPlanes(OrderOf(header, box)),
        [&](int64_t to, int64_t from) { samples[to] = static_cast<T>(value(from, type)); });
  });
}

TileMethod MethodOf(MapKind kind) {
  if (kind == MapKind::kLive) return TileMethod::kLive;
  return kind == MapKind::kWavelet ? TileMethod::kWavelet : TileMethod::kPredicted;
}

// `model` may be null where the header names none.
Status DecodeTile(const ArrayStream& stream, int64_t index, const ArrayModel* model,
                  const ArraySynthesis* synthesis, NdArray& out, const Box& whole) {
  const ArrayHeader& header = stream.header;
  const Box box = TileBox(header, index);
  const Box part = Meeting(box, whole);
  if (IsEmpty(part)) return {};
  const auto t = static_cast<size_t>(index);
  const std::string place =
      "tile " + std::to_string(index) + " at byte " + std::to_string(stream.offsets[t]) + ": ";
  return CatchOutOfMemory([&]() -> Status {
    const BoxOrder order = OrderOf(header, box);
    BitReader reader(stream.tiles[t]);
    const uint32_t method = reader.CodeRaw(0, 4);
    const TileMethod wanted = MethodOf(header.map.kind);
    if (method != static_cast<uint32_t>(wanted)) {
      return Status(StatusCode::kUnsupported, place + "method " + std::to_string(method));
    }
    if (wanted == TileMethod::kLive) {
      return DecodeLiveTile(reader, header, *model, BestSimdLevel(), box, part, out, whole)
          .WithPrefix(place);
    }
    if (wanted == TileMethod::kWavelet) {
      const WaveletModel start = model != nullptr ? model->start() : WaveletModel();
      return DecodeWaveletTile(reader, header, start, synthesis, box, part, out, whole)
          .WithPrefix(place);
    }
    PredictedTile tile;
    tile.geometry = GeometryOf(order);
    tile.channels = order.channels;
    tile.values.resize(static_cast<size_t>(tile.geometry.size()));
    GODWIT_RETURN_IF_ERROR(DecodePredicted(reader, header.map, tile).WithPrefix(place));
    StoreTile(header, tile, box, part, out, whole);
    return {};
  });
}

// Whether the model is for the method that the header has.
Status CheckModel(const ArrayHeader& header, const ArrayModel* model) {
  const bool wants_live = header.map.kind == MapKind::kLive;
  if (model == nullptr) {  // no file's head: made by the caller
    return wants_live ? Status(StatusCode::kCorrupt, "the stream names no model") : Status();
  }
  const LiveModel* const live = model->live();
  if ((live != nullptr) != wants_live || (wants_live && live->levels != header.live_levels)) {
    return Status(StatusCode::kCorrupt, "the stream names a model of another method");
  }
  return {};
}

}  // namespace

Result<NdArray> DecodeArray(const ArrayStream& stream, const ArrayDecodeOptions& options) {
  const ArrayHeader& header = stream.header;
  if (header.model_id != 0 &&
      (options.model == nullptr || options.model->id() != header.model_id)) {
    return Status(StatusCode::kModelMissing,
                  "the stream needs array model " + HexOf(header.model_id));
  }
  const ArrayModel* const model = header.model_id != 0 ? options.model : nullptr;
  GODWIT_RETURN_IF_ERROR(CheckModel(header, model));
  NdArray out{header.type, header.shape, {}};
  Box whole = options.part;
  uint64_t bytes = SampleBytes(header.type);
  for (size_t i = 0; i < 4; ++i) {
    const int64_t side = header.shape.dims[i];
    if (whole.size[i] == 0) whole.size[i] = side - whole.begin[i];
    if (whole.begin[i] < 0 || whole.begin[i] > side || whole.size[i] < 0 ||
        whole.size[i] > side - whole.begin[i]) {
      return Status(StatusCode::kInvalidArgument,
                    "the part wanted is outside the array on axis " + std::to_string(i));
    }
    out.shape.dims[i] = whole.size[i];
  }
  for (const int64_t side : out.shape.dims) {
    if (side == 0) return out;
  }
  bytes *= static_cast<uint64_t>(out.shape.count());  // at most limits.max_pixels samples
  const int threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  const int64_t tiles = TileCount(header);
  const ArraySynthesis* const synthesis =
      header.map.kind == MapKind::kWavelet ? options.synthesis : nullptr;
  const Box first = TileBox(header, 0);
  uint64_t work = WorkBytes(header, first);
  if (synthesis != nullptr) {  // both are at most 2^63
    work = std::min(work, ~uint64_t{0} >> 1) + SliceWorkBytes(*synthesis, OrderOf(header, first));
  }
  if (header.map.kind == MapKind::kLive) {
    work = std::min(work, ~uint64_t{0} >> 1) + LiveNetworkBytes(*model->live());
  }
  const uint64_t limit = options.limits.max_memory_bytes;
  if (bytes > limit || work > limit - bytes) {
    return Status(StatusCode::kOverLimit, "decoding takes " + std::to_string(bytes + work) +
                                              " bytes, the limit is " + std::to_string(limit));
  }
  // No more threads than there is memory for.
  const int workers = static_cast<int>(std::min<uint64_t>(
      {static_cast<uint64_t>(threads), static_cast<uint64_t>(tiles), (limit - bytes) / work}));
  GODWIT_RETURN_IF_ERROR(CatchOutOfMemory([&]() -> Status {
    out.data.resize(bytes);
    return {};
  }));
  std::vector<Status> status(static_cast<size_t>(tiles));
#pragma omp parallel for num_threads(workers) schedule(dynamic) if (workers > 1)
  for (int64_t i = 0; i < tiles; ++i) {
    status[static_cast<size_t>(i)] = DecodeTile(stream, i, model, synthesis, out, whole);
  }
  for (const Status& s : status) GODWIT_RETURN_IF_ERROR(s);
  return out;
}

}  // namespace godwit
