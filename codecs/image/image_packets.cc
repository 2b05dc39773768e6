#include "codecs/image/image_packets.h"

#include <algorithm>
#include <optional>
#include <set>

#include "codecs/image/image_syntax.h"
#include "io/container.h"
#include "io/transport.h"

namespace godwit {
namespace {

Status Corrupt(std::string message) { return Status(StatusCode::kCorrupt, std::move(message)); }

// The file up to its first row.
Bytes FileBegin(std::span<const std::byte> head) {
  ContainerWriter writer;
  writer.Add(SectionType::kPicture, head);
  return writer.Release();
}

// The row's bytes in pieces of `packet_bytes` at most.
Status WriteRow(std::span<const std::byte> body, const ImagePacketOptions& options,
                TransportPacket& p, Bytes* out) {
  for (p.offset = 0; p.offset < body.size(); p.offset += p.piece.size(), ++p.sequence) {
    const size_t room = options.packet_bytes - PacketBytesAround(p);
    const auto left = body.subspan(static_cast<size_t>(p.offset));
    size_t size = std::min(left.size(), room - 1);
    while (size + VarintSize(size) > room) --size;
    p.piece = left.first(size);
    p.last = size == left.size();
    GODWIT_RETURN_IF_ERROR(AppendPacket(p, out));
    p.head = {};
  }
  return {};
}

// A row's bytes from its beginning to the first that is missing.
struct Row {
  std::optional<uint64_t> end;  // where its last piece says that it is
  bool gap = false;             // something of it lies behind what is missing
  Bytes body;
  bool whole() const { return end && *end > 0 && body.size() == *end; }
};

// `pieces` are ordered by offset. Those behind a gap are of no use but to contradict each other.
Result<Row> JoinPieces(std::span<const TransportPacket> pieces) {
  Row row;
  const auto fail = [&](const TransportPacket& p) {
    return Corrupt("packet " + std::to_string(p.sequence) + " of picture " +
                   std::to_string(p.picture) + " contradicts another one at byte " +
                   std::to_string(p.offset) + " of row of tiles " + std::to_string(p.row));
  };
  for (const TransportPacket& p : pieces) {
    const uint64_t end = p.offset + p.piece.size();
    if (p.last && row.end && *row.end != end) return fail(p);
    if (p.last) row.end = end;
  }
  Bytes run;  // from `begin` on without a gap
  uint64_t begin = 0;
  for (const TransportPacket& p : pieces) {
    const uint64_t have = begin + run.size(), end = p.offset + p.piece.size();
    if (row.end && end > *row.end) return fail(p);
    if (p.offset > have) {
      if (!row.gap) row.body = std::move(run);
      row.gap = true;
      run.assign(p.piece.begin(), p.piece.end());
      begin = p.offset;
      continue;
    }
    const auto again = p.piece.first(static_cast<size_t>(std::min(have, end) - p.offset));
    if (!std::equal(again.begin(), again.end(),
                    run.begin() + static_cast<ptrdiff_t>(p.offset - begin))) {
      return fail(p);
    }
    const auto more = p.piece.subspan(again.size());
    run.insert(run.end(), more.begin(), more.end());
  }
  if (!row.gap) row.body = std::move(run);
  return row;
}

// What a row that is not whole lacks.
std::string LackOf(const Row& row, bool any) {
  const std::string have = std::to_string(row.body.size());
  if (!any) return "all of its bytes";
  if (row.gap) return "bytes from " + have + " on, or some of them";
  return "its end, from byte " + have + " on";
}

// Cuts the bytes of a row, which end early, after the last layer that is whole.
ImageLoss KeepWholeLayers(uint64_t tile_row, uint64_t tiles, Bytes& body) {
  ImageLoss loss{.tile_row = tile_row};
  ByteReader reader(body);
  const Result<uint8_t> range = reader.U8();
  if (!range.ok() || (*range & 15) != 0) return loss;
  loss.of = (*range >> 4) + 1;
  size_t whole = 0;
  while (loss.layers < loss.of) {
    uint64_t bytes = 0;
    bool there = true;
    for (uint64_t t = 0; there && t < tiles; ++t) {
      const Result<uint64_t> length = reader.Varint();
      there = length.ok() && *length <= reader.remaining();
      if (there) bytes += *length;
    }
    if (!there || !reader.Take(bytes).ok()) break;
    whole = reader.offset();
    ++loss.layers;
  }
  body.resize(whole);
  if (loss.layers > 0) body[0] = static_cast<std::byte>((loss.layers - 1) << 4);
  return loss;
}

// Packets of the picture, or why there are none.
Result<std::vector<TransportPacket>> PacketsOf(std::span<const std::byte> bytes,
                                               std::optional<uint16_t> wanted,
                                               const DecodeLimits& limits, GatheredImage& image) {
  TransportReader reader(bytes);
  std::vector<TransportPacket> packets;
  std::set<uint16_t> pictures;
  while (const std::optional<TransportPacket> p = reader.Next()) {
    pictures.insert(p->picture);
    if (wanted && *wanted != p->picture) continue;
    packets.push_back(*p);
    if (packets.size() * sizeof(TransportPacket) > limits.max_memory_bytes) {
      return Status(StatusCode::kOverLimit, "more packets than the limit on memory allows");
    }
  }
  image.passed_over = reader.passed_over();
  if (pictures.empty()) return Status(StatusCode::kUnreadable, "no packet in it");
  if ((!wanted && pictures.size() > 1) || packets.empty()) {
    std::string list;
    size_t named = 0;
    for (const uint16_t p : pictures) {
      if (++named > 8) break;
      list += (named > 1 ? ", " : "") + std::to_string(p);
    }
    return Status(
        StatusCode::kInvalidArgument,
        "packets of pictures " + list + (pictures.size() > 8 ? ", ..." : "") +
            (wanted ? ", not of " + std::to_string(*wanted) : "; decode --picture takes one"));
  }
  image.picture = packets[0].picture;
  return packets;
}

void CountPackets(std::span<const TransportPacket> packets, GatheredImage& image) {
  std::vector<uint64_t> numbers;
  for (const TransportPacket& p : packets) numbers.push_back(p.sequence);
  std::ranges::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  image.packets = numbers.size();
  image.duplicates = packets.size() - numbers.size();
  image.missing = numbers.back() + 1 - numbers.size();
}

Result<std::span<const std::byte>> HeadOf(std::span<const TransportPacket> packets) {
  std::span<const std::byte> head;
  for (const TransportPacket& p : packets) {
    if (p.head.empty()) continue;
    if (head.empty()) head = p.head;
    if (!std::ranges::equal(head, p.head)) {
      return Corrupt("two pictures with number " + std::to_string(p.picture));
    }
  }
  if (head.empty()) {
    return Status(StatusCode::kTruncated, "no packet with the head of picture " +
                                              std::to_string(packets[0].picture) + " has arrived");
  }
  return head;
}

}  // namespace

std::string TileRowName(const ImageHeader& header, uint64_t row) {
  const TileGrid grid(header);
  return "row of tiles " + std::to_string(row) + " (lines " +
         std::to_string(row * grid.tile_height) + " to " +
         std::to_string(std::min((row + 1) * grid.tile_height, grid.height) - 1) + ")";
}

Result<Bytes> WriteImagePackets(std::span<const std::byte> file, const ImagePacketOptions& options,
                                const DecodeLimits& limits) {
  if (options.packet_bytes < kMinPacketSize || options.packet_bytes > kMaxPacketSize ||
      options.head_every == 0) {
    return Status(StatusCode::kInvalidArgument, "packets have 64 to 65535 bytes");
  }
  GODWIT_ASSIGN_OR_RETURN(const ImageStream stream, ParseImageStream(file, limits));
  const TileGrid grid(stream.header);
  if (stream.header.order != ImageOrder::kRows) {
    return Status(StatusCode::kUnsupported,
                  "layer after layer; packets carry pictures in the order of rows");
  }
  uint64_t held = kFileHeaderSize;  // less than the file where it has sections of other types
  for (const ImageSectionInfo& section : stream.sections) held += section.bytes;
  if (stream.sections.size() != grid.down + 1 || held != file.size()) {
    return Status(StatusCode::kUnsupported,
                  "packets carry no alpha, profile or tags, and one section a row");
  }
  GODWIT_ASSIGN_OR_RETURN(ContainerReader reader, ContainerReader::Open(file));
  std::span<const std::byte> head;
  TransportPacket packet{.picture = options.picture};
  Bytes out;
  for (packet.row = 0; packet.row < grid.down;) {
    GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> section, reader.Next());
    if (section->type == static_cast<uint8_t>(SectionType::kPicture)) {
      head = section->body;
      continue;
    }
    if (packet.row % options.head_every == 0 || packet.row + 1 == grid.down) packet.head = head;
    const auto body = section->body.subspan(VarintSize(packet.row));
    GODWIT_RETURN_IF_ERROR(WriteRow(body, options, packet, &out));
    ++packet.row;
  }
  return out;
}

Result<GatheredImage> GatherImagePackets(std::span<const std::byte> bytes,
                                         std::optional<uint16_t> picture,
                                         const DecodeLimits& limits) {
  GatheredImage image;
  GODWIT_ASSIGN_OR_RETURN(std::vector<TransportPacket> packets,
                          PacketsOf(bytes, picture, limits, image));
  CountPackets(packets, image);
  GODWIT_ASSIGN_OR_RETURN(const auto head, HeadOf(packets));
  image.file = FileBegin(head);
  GODWIT_ASSIGN_OR_RETURN(const ImageHeader header, PeekImageHeader(image.file, limits));
  if (header.order != ImageOrder::kRows) {
    return Corrupt("packets of a picture that is not in the order of rows");
  }
  if (header.has_alpha)
    return Corrupt("packets of a picture with alpha, which packets do not carry");
  const TileGrid grid(header);
  if (grid.down * sizeof(ImageLoss) > limits.max_memory_bytes) {
    return Status(StatusCode::kOverLimit, "a list of " + std::to_string(grid.down) +
                                              " rows of tiles takes more than the limit of " +
                                              std::to_string(limits.max_memory_bytes) +
                                              " bytes of memory");
  }
  std::ranges::stable_sort(packets, [](const TransportPacket& a, const TransportPacket& b) {
    return std::pair(a.row, a.offset) < std::pair(b.row, b.offset);
  });
  if (packets.back().row >= grid.down) {
    return Corrupt("row of tiles " + std::to_string(packets.back().row) +
                   " is past the picture, which has " + std::to_string(grid.down));
  }
  size_t next = 0;
  for (uint64_t r = 0; r < grid.down; ++r) {
    const size_t begin = next;
    while (next < packets.size() && packets[next].row == r) ++next;
    GODWIT_ASSIGN_OR_RETURN(Row row, JoinPieces(std::span(packets).subspan(begin, next - begin)));
    if (!row.whole()) {
      const std::string lack = LackOf(row, next > begin);
      const ImageLoss loss = KeepWholeLayers(r, grid.across, row.body);
      image.losses.reserve(grid.down);  // no more than was held to the limits
      image.losses.push_back(loss);
      if (image.first_loss.empty()) {
        image.first_loss =
            TileRowName(header, r) + " lacks " + lack +
            (image.missing == 1  ? "; a packet is missing"
             : image.missing > 1 ? "; " + std::to_string(image.missing) + " packets are missing"
                                 : "");
      }
      if (loss.layers == 0) continue;
    }
    ByteWriter body;
    body.Varint(r);
    body.Append(row.body);
    AppendSection(SectionType::kLayers, body.bytes(), &image.file);
  }
  return image;
}

}  // namespace godwit
