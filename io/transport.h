// io/transport.h: packets that carry pictures in the order of rows; docs/format/transport.md is the
// law. Bytes come from strangers and over bad lines: what is no packet is passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

inline constexpr uint32_t kMinPacketSize = 64, kMaxPacketSize = 65535;  // bytes

struct TransportPacket {
  uint16_t picture = 0;               // number of the picture
  uint64_t sequence = 0;              // of the packet in its picture
  uint64_t row = 0;                   // of tiles
  uint64_t offset = 0;                // of the piece in the row's bytes
  bool last = false;                  // the row ends with this piece
  std::span<const std::byte> head{};  // body of the picture section; often empty
  std::span<const std::byte> piece{};
};

// Finds the packets in bytes that must outlive the reader and its packets.
class TransportReader {
 public:
  explicit TransportReader(std::span<const std::byte> bytes);
  // The next packet whose CRC is right, wherever it begins; nullopt at the end.
  std::optional<TransportPacket> Next();
  uint64_t passed_over() const { return passed_over_; }  // bytes that were in no packet, so far

 private:
  std::optional<TransportPacket> ReadAt(size_t offset, size_t* size);

  std::span<const std::byte> bytes_;
  size_t offset_ = 0;
  uint64_t passed_over_ = 0;
  uint64_t budget_;  // bytes whose CRC may still be taken in vain
};

// Whether there is a packet in what is no .gdw file.
bool HoldsPackets(std::span<const std::byte> bytes);

// Appends one packet. kInvalidArgument where it has more than kMaxPacketSize bytes.
Status AppendPacket(const TransportPacket& packet, Bytes* out);

// Bytes of a packet around its piece, but for the length of the piece.
size_t PacketBytesAround(const TransportPacket& packet);

}  // namespace godwit
