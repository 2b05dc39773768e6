#include "codecs/array/array_header.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "codecs/array/live_tile.h"
#include "codecs/array/plane_predictor.h"
#include "codecs/array/wavelet_tile.h"
#include "io/container.h"

namespace godwit {
namespace array {
namespace {

constexpr uint64_t kMaxSide = uint64_t{1} << 40;
constexpr uint16_t kHasModel = 1 << 12;
constexpr uint64_t kNoLimit = ~uint64_t{0};

Status Corrupt(const std::string& what) {
  return Status(StatusCode::kCorrupt, "array header: " + what);
}

// a * b, or the largest number where that is beyond it.
uint64_t Times(uint64_t a, uint64_t b) { return a != 0 && b > kNoLimit / a ? kNoLimit : a * b; }

// Which kinds of values go with which types.
bool Fits(MapKind kind, SampleType type) {
  switch (kind) {
    case MapKind::kWhole:
    case MapKind::kSteps:
      return !IsReal(type);
    case MapKind::kOrdered:
    case MapKind::kScaled:
      return IsReal(type);
    case MapKind::kWavelet:
    case MapKind::kLive:
      return true;
    case MapKind::kRelative:
      return type != SampleType::kF64;
    case MapKind::kSingle:
      return type == SampleType::kF64;
  }
  return false;
}

Status ParseUnits(ByteReader& reader, ValueMap* map) {
  GODWIT_ASSIGN_OR_RETURN(const uint16_t exponent, reader.U16());
  map->exponent = static_cast<int16_t>(exponent);
  const auto [least, largest] = ExponentsOf(map->type);
  if (map->exponent < least || map->exponent > largest) return Corrupt("units out of range");
  GODWIT_ASSIGN_OR_RETURN(const uint64_t offset, reader.Varint());
  if (offset > uint64_t{1} << 51) return Corrupt("offset out of range");
  const auto half = static_cast<int64_t>(offset >> 1);
  map->offset = (offset & 1) != 0 ? -half - 1 : half;
  GODWIT_ASSIGN_OR_RETURN(map->step, reader.Varint());
  if (map->step < 256 || map->step > uint64_t{1} << 40) return Corrupt("step out of range");
  return {};
}

Result<ValueMap> ParseMap(ByteReader& reader, SampleType type) {
  ValueMap map;
  map.type = type;
  GODWIT_ASSIGN_OR_RETURN(const uint8_t kind, reader.U8());
  if (kind > static_cast<uint8_t>(MapKind::kLive)) {
    return Status(StatusCode::kUnsupported, "array header: values of kind " + std::to_string(kind));
  }
  map.kind = static_cast<MapKind>(kind);
  if (!Fits(map.kind, type)) return Corrupt("values that do not go with the type");
  if (map.kind == MapKind::kSteps) {
    GODWIT_ASSIGN_OR_RETURN(map.step, reader.Varint());
    if (map.step < 2 || map.step > uint64_t{1} << 33) return Corrupt("step out of range");
  }
  if (map.kind == MapKind::kScaled) {
    GODWIT_ASSIGN_OR_RETURN(const uint64_t mantissa, reader.Varint());
    GODWIT_ASSIGN_OR_RETURN(const uint16_t exponent, reader.U16());
    map.exponent = static_cast<int16_t>(exponent);
    const auto [least, largest] = ExponentsOf(type);
    if (mantissa < 1 || mantissa > uint64_t{1} << 22 || map.exponent < least ||
        map.exponent > largest) {
      return Corrupt("step out of range");
    }
    map.mantissa = static_cast<uint32_t>(mantissa);
  }
  if (map.kind == MapKind::kRelative) {
    GODWIT_ASSIGN_OR_RETURN(map.ratio, reader.U32());
    if (map.ratio == 0) return Corrupt("no relative error");
    GODWIT_ASSIGN_OR_RETURN(map.least, reader.U8());
    map.relative = RelativeScale::Create(type, map.ratio, map.least);
    if (map.relative == nullptr) return Corrupt("relative error out of range");
  }
  if (InUnits(map.kind)) GODWIT_RETURN_IF_ERROR(ParseUnits(reader, &map));
  return map;
}

Status ParseLevels(ByteReader& reader, ArrayHeader* h) {
  GODWIT_ASSIGN_OR_RETURN(const uint16_t levels, reader.U16());
  if (levels >> 13 != 0) return Corrupt("reserved bits");
  for (size_t a = 0; a < 3; ++a) h->levels[a] = levels >> (8 - 4 * a) & 15;
  if (*std::max_element(h->levels.begin(), h->levels.end()) > kMaxWaveletLevels) {
    return Corrupt("more levels than there may be");
  }
  if ((levels & kHasModel) == 0) return {};
  GODWIT_ASSIGN_OR_RETURN(h->model_id, reader.U64());
  return h->model_id == 0 ? Corrupt("a model without a number") : Status();
}

Status ParseLive(ByteReader& reader, ArrayHeader* h) {
  GODWIT_ASSIGN_OR_RETURN(h->live_levels, reader.U8());
  if (h->live_levels < 1 || h->live_levels > kMaxLiveLevels) {
    return Corrupt("more levels than there may be, or none");
  }
  GODWIT_ASSIGN_OR_RETURN(h->model_id, reader.U64());
  return h->model_id == 0 ? Corrupt("a model without a number") : Status();
}

Status ParsePromise(ByteReader& reader, ArrayHeader* h) {
  GODWIT_ASSIGN_OR_RETURN(const uint8_t promise, reader.U8());
  if (promise > static_cast<uint8_t>(ArrayPromise::kRelativeError))
    return Corrupt("unknown promise");
  h->promise = static_cast<ArrayPromise>(promise);
  if (h->promise < ArrayPromise::kMaxError) return {};
  GODWIT_ASSIGN_OR_RETURN(const uint64_t bits, reader.U64());
  h->max_error = std::bit_cast<double>(bits);
  if (!(h->max_error >= 0) || std::isinf(h->max_error)) return Corrupt("error out of range");
  return {};
}

Status CheckLimits(const ArrayHeader& h, const DecodeLimits& limits) {
  uint64_t count = 1;
  for (const int64_t side : h.shape.dims) count = Times(count, static_cast<uint64_t>(side));
  if (count > limits.max_pixels) {
    return Status(StatusCode::kOverLimit,
                  "array of " + (count == kNoLimit ? "more than 2^64" : std::to_string(count)) +
                      " samples, the limit is " + std::to_string(limits.max_pixels));
  }
  if (count == 0) return {};
  const uint64_t bytes = WorkBytes(h, TileBox(h, 0));
  if (bytes > limits.max_memory_bytes) {
    return Status(StatusCode::kOverLimit, "array whose tiles take " + std::to_string(bytes) +
                                              " bytes of work, the limit is " +
                                              std::to_string(limits.max_memory_bytes));
  }
  return {};
}

}  // namespace

std::array<int64_t, 4> TileCounts(const ArrayHeader& h) {
  std::array<int64_t, 4> counts;
  for (size_t i = 0; i < 4; ++i) counts[i] = (h.shape.dims[i] + h.tile[i] - 1) / h.tile[i];
  return counts;
}

int64_t TileCount(const ArrayHeader& h) {
  for (const int64_t side : h.shape.dims) {
    if (side == 0) return 0;  // the others may be anything
  }
  int64_t count = 1;
  for (const int64_t n : TileCounts(h)) count *= n;
  return count;
}

Box TileBox(const ArrayHeader& h, int64_t index) {
  const std::array<int64_t, 4> counts = TileCounts(h);
  Box box;
  for (size_t i = 4; i-- > 0;) {
    box.begin[i] = index % counts[i] * h.tile[i];
    box.size[i] = std::min(h.tile[i], h.shape.dims[i] - box.begin[i]);
    index /= counts[i];
  }
  return box;
}

BoxOrder OrderOf(const ArrayHeader& h, const Box& box) {
  BoxOrder order;
  int64_t* const sides[4] = {&order.places, &order.channels, &order.height, &order.width};
  int role = 3;  // of the next transformed axis, from the last: x, y, place
  for (size_t i = 4; i-- > 0;) {
    if (IsChannelAxis(h, static_cast<int>(i))) {
      order.role[i] = 1;
    } else if (h.shape.dims[i] > 1 && role >= 0) {
      order.role[i] = role;
      role = role == 3 ? 2 : role == 2 ? 0 : -1;
    }
    *sides[order.role[i]] *= box.size[i];
  }
  return order;
}

uint64_t WorkBytes(const ArrayHeader& h, const Box& box) {
  const BoxOrder order = OrderOf(h, box);
  if (h.map.kind == MapKind::kWavelet) return WaveletWorkBytes(h, order);
  if (h.map.kind == MapKind::kLive) return LiveWorkBytes(h, order);
  const bool line = order.height == 1;
  const uint64_t rows = static_cast<uint64_t>(order.height) + (line ? 0 : 2 * kRowPad);
  const uint64_t columns = static_cast<uint64_t>(order.width) +
                           static_cast<uint64_t>(line ? kLeftPad1d : kLeftPad2d) + kRightPad;
  uint64_t samples = Times(static_cast<uint64_t>(order.places * order.channels), rows);
  samples = Times(samples, columns);
  // Values, errors, exceptions; the tables of ordered values have an entry for two samples at
  // most, each with eight places.
  // Of f64 the halves too.
  const bool has_tables = h.map.kind == MapKind::kOrdered || h.map.kind == MapKind::kSingle;
  const uint64_t bytes =
      Times(samples, (has_tables ? 33 : 9) + (h.type == SampleType::kF64 ? 12 : 0));
  constexpr uint64_t kModels = uint64_t{5} << 20;
  return std::max(bytes, bytes + kModels);
}

Bytes WriteHead(const ArrayHeader& h) {
  ByteWriter w;
  w.U8(static_cast<uint8_t>(h.type));
  w.U8(static_cast<uint8_t>(h.shape.rank | h.channel_axes << 4));
  for (size_t i = 0; i < static_cast<size_t>(h.shape.rank); ++i) {
    w.Varint(static_cast<uint64_t>(h.shape.dims[i]));
  }
  for (size_t i = 0; i < static_cast<size_t>(h.shape.rank); ++i) {
    if (!IsChannelAxis(h, static_cast<int>(i))) w.Varint(static_cast<uint64_t>(h.tile[i]));
  }
  w.U8(static_cast<uint8_t>(h.map.kind));
  if (h.map.kind == MapKind::kSteps) w.Varint(h.map.step);
  if (h.map.kind == MapKind::kScaled) {
    w.Varint(h.map.mantissa);
    w.U16(static_cast<uint16_t>(h.map.exponent));
  }
  if (InUnits(h.map.kind)) {
    w.U16(static_cast<uint16_t>(h.map.exponent));
    const int64_t offset = h.map.offset;
    w.Varint(offset < 0 ? 2 * static_cast<uint64_t>(-(offset + 1)) + 1
                        : 2 * static_cast<uint64_t>(offset));
    w.Varint(h.map.step);
  }
  if (h.map.kind == MapKind::kLive) {
    w.U8(h.live_levels);
    w.U64(h.model_id);
  }
  if (h.map.kind == MapKind::kWavelet) {
    w.U16(static_cast<uint16_t>((h.model_id != 0 ? kHasModel : 0) | h.levels[0] << 8 |
                                h.levels[1] << 4 | h.levels[2]));
    if (h.model_id != 0) w.U64(h.model_id);
  }
  if (h.map.kind == MapKind::kRelative) {
    w.U32(h.map.ratio);
    w.U8(h.map.least);
  }
  w.U8(static_cast<uint8_t>(h.promise));
  if (h.promise >= ArrayPromise::kMaxError) w.U64(std::bit_cast<uint64_t>(h.max_error));
  return w.Release();
}

Result<ArrayHeader> ParseHead(std::span<const std::byte> body, const DecodeLimits& limits) {
  ByteReader reader(body);
  ArrayHeader h;
  GODWIT_ASSIGN_OR_RETURN(const uint8_t type, reader.U8());
  if (type > static_cast<uint8_t>(SampleType::kF64)) {
    return Status(StatusCode::kUnsupported,
                  "array header: samples of type " + std::to_string(type));
  }
  h.type = static_cast<SampleType>(type);
  GODWIT_ASSIGN_OR_RETURN(const uint8_t axes, reader.U8());
  h.shape.rank = axes & 15;
  h.channel_axes = axes >> 4;
  if (h.shape.rank < 1 || h.shape.rank > 4) return Corrupt("no axes, or more than four");
  if (h.channel_axes >> h.shape.rank != 0) return Corrupt("channels on an axis that is not there");
  const auto rank = static_cast<size_t>(h.shape.rank);
  int transformed = 0;
  for (size_t i = 0; i < rank; ++i) {
    GODWIT_ASSIGN_OR_RETURN(const uint64_t side, reader.Varint());
    if (side > kMaxSide) return Corrupt("side beyond 2^40");
    h.shape.dims[i] = static_cast<int64_t>(side);
    h.tile[i] = std::max<int64_t>(1, h.shape.dims[i]);
    transformed += side > 1 && !IsChannelAxis(h, static_cast<int>(i));
  }
  if (transformed > 3) return Corrupt("more than three transformed axes");
  for (size_t i = 0; i < rank; ++i) {
    if (IsChannelAxis(h, static_cast<int>(i))) continue;
    GODWIT_ASSIGN_OR_RETURN(const uint64_t tile, reader.Varint());
    if (tile < 1 || tile > static_cast<uint64_t>(h.tile[i])) return Corrupt("tile out of range");
    h.tile[i] = static_cast<int64_t>(tile);
  }
  GODWIT_ASSIGN_OR_RETURN(h.map, ParseMap(reader, h.type));
  if (h.map.kind == MapKind::kWavelet) {
    GODWIT_RETURN_IF_ERROR(ParseLevels(reader, &h));
  }
  if (h.map.kind == MapKind::kLive) {
    if (transformed > 1) return Corrupt("more than one transformed axis");
    GODWIT_RETURN_IF_ERROR(ParseLive(reader, &h));
  }
  GODWIT_RETURN_IF_ERROR(ParsePromise(reader, &h));
  if (reader.remaining() != 0) return Corrupt("bytes left over");
  GODWIT_RETURN_IF_ERROR(CheckLimits(h, limits));
  return h;
}

}  // namespace array

Result<ArrayStream> ParseArrayStream(std::span<const std::byte> file, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(ContainerReader container, ContainerReader::Open(file));
  ArrayStream stream;
  int64_t wanted = -1;  // tiles, once the header is known
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> section, container.Next());
    if (!section) break;
    const std::string place = "section at byte " + std::to_string(section->offset) + ": ";
    switch (static_cast<SectionType>(section->type)) {
      case SectionType::kArray: {
        const Result<ArrayHeader> header = array::ParseHead(section->body, limits);
        if (!header.ok()) {
          // The section is whole: what it lacks is corruption, not truncation.
          const bool cut = header.status().code() == StatusCode::kTruncated;
          return (cut ? Status(StatusCode::kCorrupt, header.status().message()) : header.status())
              .WithPrefix(place);
        }
        stream.header = *header;
        wanted = array::TileCount(stream.header);
        break;
      }
      case SectionType::kArrayTile:
        if (static_cast<int64_t>(stream.tiles.size()) == wanted) {
          return Status(StatusCode::kCorrupt, place + "more tiles than the array has");
        }
        stream.tiles.push_back(section->body);
        stream.offsets.push_back(section->offset);
        break;
      default:
        if (wanted < 0) return Status(StatusCode::kUnsupported, place + "not an array");
        if ((section->type & kCriticalBit) != 0) {
          return Status(StatusCode::kCorrupt, place + "does not belong to an array");
        }
    }
  }
  if (static_cast<int64_t>(stream.tiles.size()) != wanted) {
    return Status(StatusCode::kTruncated, "ends after " + std::to_string(stream.tiles.size()) +
                                              " of " + std::to_string(wanted) + " tiles");
  }
  return stream;
}

}  // namespace godwit
