// codecs/image/image_packets.h: pictures in the order of rows as packets, and back;
// docs/format/transport.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/image/image_header.h"

namespace godwit {

struct ImagePacketOptions {
  uint32_t packet_bytes = 1200;  // most that a packet has, 64..65535
  uint16_t picture = 0;          // its number
  uint32_t head_every = 2;       // the head goes with the first of so many rows, and with the last
};

// A .gdw picture in the order of rows as packets, one after the other: those of the firmware
// library. kUnsupported for other orders, and where the file holds more than sensors write: alpha,
// a profile, tags, sections of unknown types, or several a row. Other errors as ParseImageStream().
Result<Bytes> WriteImagePackets(std::span<const std::byte> file,
                                const ImagePacketOptions& options = {},
                                const DecodeLimits& limits = {});

// What has arrived of one picture.
struct GatheredImage {
  uint16_t picture = 0;
  Bytes file;  // .gdw: the rows that are there, short ones with the layers that are whole
  std::vector<ImageLoss> losses;  // by row; empty: `file` is the sender's, byte for byte
  uint64_t packets = 0;           // without duplicates
  uint64_t missing = 0;           // packets known to be lost; the last ones leave no trace
  uint64_t duplicates = 0;
  uint64_t passed_over = 0;  // bytes in no packet
  std::string first_loss;    // for people, empty if nothing is lost
};

// Gathers the packets of one picture, in any order, with garbage between them. kInvalidArgument: of
// several pictures none was chosen, or `picture` is none of them; kTruncated: nothing with the
// picture's head has arrived; kCorrupt: packets that contradict each other; kOverLimit.
Result<GatheredImage> GatherImagePackets(std::span<const std::byte> bytes,
                                         std::optional<uint16_t> picture = std::nullopt,
                                         const DecodeLimits& limits = {});

// "row of tiles 3 (lines 96 to 127)".
std::string TileRowName(const ImageHeader& header, uint64_t row);

}  // namespace godwit
