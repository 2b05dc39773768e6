#include "tensor/conv_pack.h"

#include <algorithm>

namespace godwit {
namespace {

// Lane `lane` of `unit` serves `channel`; channels past the last get harmless constants.
template <int kLanes>
void SetLane(const ConvWeights& weights, int channel, int lane, UnitConstants<kLanes>* unit) {
  const bool real = channel < weights.spec.out_channels;
  const int shift = real ? weights.shift[channel] : 1;
  const int odd = lane % 2, i = lane / 2;
  unit->mult[odd][i] = real ? weights.mult[channel] : 1;
  unit->shift[odd][i] = shift;
  uint64_t round = uint64_t{1} << (shift - 1);
  if (kLanes == 8) round += uint64_t{1} << 63;
  unit->round[odd][i] = static_cast<int64_t>(round);
  unit->bias[lane] = real ? weights.bias[channel] : 0;
  unit->fix[lane] =
      kLanes == 8 ? static_cast<int32_t>(static_cast<uint32_t>(uint64_t{1} << (63 - shift))) : 0;
}

template <int kLanes>
UnitConstants<kLanes>* AllocateUnits(int64_t count, PackedConv* packed) {
  packed->constants = Tensor<int64_t>(count, sizeof(UnitConstants<kLanes>) / sizeof(int64_t));
  return reinterpret_cast<UnitConstants<kLanes>*>(packed->constants.data());
}

// The block's input channels: all of its groups, widened to multiples of 4.
void SetInputRange(const ConvSpec& spec, int lanes, ConvBlock* block) {
  const int last = std::min(block->first_channel + block->units * lanes, spec.out_channels) - 1;
  const int begin = block->first_channel / spec.group_out() * spec.group_in();
  const int end = (last / spec.group_out() + 1) * spec.group_in();
  block->in_offset = begin / 4 * 4;
  block->steps = (end + 3) / 4 - begin / 4;
}

}  // namespace

template <int kLanes>
PackedConv PackBlocks(const ConvWeights& weights, int max_units) {
  const ConvSpec& spec = weights.spec;
  PackedConv packed;
  packed.spec = spec;
  // A block of several groups multiplies zeros: 192 -> 192 in 12 groups ran at 22 % of peak so.
  if (spec.groups > 1) max_units = std::clamp(spec.group_out() / kLanes, 1, max_units);
  const int units = (spec.out_channels + kLanes - 1) / kLanes;
  const int blocks = (units + max_units - 1) / max_units;
  int64_t bytes = 0;
  for (int b = 0, unit = 0; b < blocks; ++b) {
    ConvBlock block;
    block.units = units / blocks + (b < units % blocks ? 1 : 0);
    block.first_channel = unit * kLanes;
    block.first_unit = unit;
    block.weight_offset = bytes;
    SetInputRange(spec, kLanes, &block);
    bytes += int64_t{spec.taps()} * block.steps * block.units * kLanes * 4;
    unit += block.units;
    packed.blocks.push_back(block);
  }
  packed.weights = Tensor<int8_t>(1, bytes);
  UnitConstants<kLanes>* constants = AllocateUnits<kLanes>(units, &packed);
  for (int c = 0; c < units * kLanes; ++c) {
    SetLane<kLanes>(weights, c, c % kLanes, &constants[c / kLanes]);
  }
  for (const ConvBlock& block : packed.blocks) {
    int8_t* base = packed.weights.data() + block.weight_offset;
    const int end = std::min(block.first_channel + block.units * kLanes, spec.out_channels);
    for (int o = block.first_channel; o < end; ++o) {
      const int lane = o - block.first_channel;  // over all units of the block
      const int first_in = o / spec.group_out() * spec.group_in() - block.in_offset;
      for (int tap = 0; tap < spec.taps(); ++tap) {
        for (int i = 0; i < spec.group_in(); ++i) {
          const int64_t step = int64_t{tap} * block.steps + (first_in + i) / 4;
          base[(step * block.units * kLanes + lane) * 4 + (first_in + i) % 4] =
              weights.weight[(int64_t{o} * spec.taps() + tap) * spec.group_in() + i];
        }
      }
    }
  }
  return packed;
}

template <int kLanes>
PackedConv PackDepthwise(const ConvWeights& weights) {
  const ConvSpec& spec = weights.spec;
  const int quads = DepthwiseQuads(spec);
  PackedConv packed;
  packed.spec = spec;
  const int blocks = (spec.out_channels + kLanes * 4 - 1) / (kLanes * 4);
  const int64_t block_bytes = int64_t{quads} * 4 * kLanes * 4;
  packed.weights = Tensor<int8_t>(1, blocks * block_bytes);
  UnitConstants<kLanes>* constants = AllocateUnits<kLanes>(blocks * 4, &packed);
  for (int b = 0; b < blocks; ++b) {
    const int first = b * kLanes * 4;
    packed.blocks.push_back({.first_channel = first,
                             .units = 4,
                             .in_offset = first,
                             .weight_offset = b * block_bytes,
                             .first_unit = b * 4});
    for (int unit = 0; unit < 4; ++unit) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const int channel = first + lane / 4 * 16 + unit * 4 + lane % 4;
        SetLane<kLanes>(weights, channel, lane, &constants[b * 4 + unit]);
        if (channel >= spec.out_channels) continue;
        for (int tap = 0; tap < spec.taps(); ++tap) {
          packed.weights.data()[b * block_bytes +
                                ((int64_t{tap} / 4 * 4 + unit) * kLanes + lane) * 4 + tap % 4] =
              weights.weight[int64_t{channel} * spec.taps() + tap];
        }
      }
    }
  }
  return packed;
}

template PackedConv PackBlocks<8>(const ConvWeights&, int);
template PackedConv PackBlocks<16>(const ConvWeights&, int);
template PackedConv PackDepthwise<8>(const ConvWeights&);
template PackedConv PackDepthwise<16>(const ConvWeights&);

TapOffsets DepthwiseTapOffsets(const ConvSpec& spec, const ConvArgs& args) {
  TapOffsets offsets{};
  for (int t = 0; t < spec.taps(); ++t) {
    offsets[t] = t / spec.kernel * args.in_row_stride + t % spec.kernel * args.in_col_stride;
  }
  return offsets;
}

// Of the 16 lanes of AVX-512, the one level that rests.
RestingConv MakeResting(const PackedConv& packed, const uint8_t* rest) {
  constexpr int64_t kLanes = 16;
  const auto* units = reinterpret_cast<const UnitConstants<kLanes>*>(packed.constants.data());
  RestingConv r;
  r.rest = Tensor<uint8_t>(1, 256);
  std::copy_n(rest, packed.spec.in_channels, r.rest.data());
  r.sums = Tensor<int32_t>(1, (packed.spec.out_channels + kLanes - 1) / kLanes * kLanes);
  r.groups = Tensor<int32_t>(1, packed.weights.size() / 4);
  for (const ConvBlock& block : packed.blocks) {
    const int64_t lanes = block.units * kLanes, first = block.first_unit * kLanes;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int32_t sum = units[block.first_unit + lane / kLanes].bias[lane % kLanes];
      for (int64_t step = 0; step < block.steps; ++step) {
        const int64_t at = block.weight_offset / 4 + step * lanes + lane;
        int32_t group = 0;
        for (int64_t i = 0; i < 4; ++i)
          group += packed.weights.data()[4 * at + i] * r.rest.data()[4 * step + i];
        r.groups.data()[at] = group;
        sum += group;
      }
      r.sums.data()[first + lane] = sum;
    }
  }
  return r;
}

}  // namespace godwit
