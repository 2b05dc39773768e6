// transforms/packet_stream.h: one axis of packets.h for signals that have no end yet. What comes
// out equals the transform of the whole; what is held back is bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "transforms/packets.h"

namespace godwit {

// The most samples that an analyser has taken and not yet given back as coefficients: each of the
// 2^level splits of a level keeps two for 5/3 and four for 9/7.
constexpr int64_t PacketDelay(Wavelet wavelet, int levels) {
  return (wavelet == Wavelet::k53 ? 2 : 4) * ((int64_t{1} << levels) - 1);
}

// Samples to coefficients. One per signal; not for use by two threads at once.
class PacketAnalyser {
 public:
  PacketAnalyser(Wavelet wavelet, PacketTree tree, int levels);
  PacketAnalyser(PacketAnalyser&&) noexcept;
  ~PacketAnalyser();
  int bands() const;
  // Appends what is known by now to bands[b], in the order of PacketBandOf(); bands() of them.
  void Push(std::span<const int32_t> samples, std::span<std::vector<int32_t>> bands);
  // The end of the signal: appends the rest. Call once, last.
  void Finish(std::span<std::vector<int32_t>> bands);

 private:
  struct Node;
  std::unique_ptr<Node> root_;
  int bands_;
};

// Coefficients to samples, as exact as InversePackets().
class PacketSynthesiser {
 public:
  PacketSynthesiser(Wavelet wavelet, PacketTree tree, int levels);
  PacketSynthesiser(PacketSynthesiser&&) noexcept;
  ~PacketSynthesiser();
  int bands() const;
  // Takes further coefficients of a band and appends the samples that follow from them. What one
  // band is ahead of the others is kept.
  void Push(int band, std::span<const int32_t> coefficients, std::vector<int32_t>& samples);
  // The end of all bands, whose sizes must be those of one signal; appends the rest.
  void Finish(std::vector<int32_t>& samples);

 private:
  struct Node;
  std::unique_ptr<Node> root_;
  std::vector<std::pair<Node*, bool>> inputs_;  // by band: where it goes in, true for high
};

}  // namespace godwit
