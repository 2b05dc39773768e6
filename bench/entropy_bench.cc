// Symbols per second of the range coder, and of what was considered instead: a range coder with 64
// bits of state, and 2-way interleaved rANS. One core; docs/format/entropy.md quotes the figures.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "entropy/adaptive_bit.h"
#include "entropy/range_coder.h"

namespace godwit {
namespace {

constexpr size_t kCount = 1 << 20;
constexpr int kSymbols = 16;
constexpr int kTableBits = 12;
constexpr uint32_t kTableScale = 1u << kTableBits;
constexpr int kRate = 5;
constexpr size_t kContexts = 64;

// A static table of 16 symbols, falling off from the first; entropy 3.02 bits.
struct Table {
  std::array<uint32_t, kSymbols + 1> low{};  // in 2^-12
  std::array<uint8_t, kTableScale> slot{};   // symbol by position

  Table() {
    std::array<double, kSymbols> weight{};
    double sum = 0, at = 0;
    for (int i = 0; i < kSymbols; ++i) sum += weight[static_cast<size_t>(i)] = std::pow(0.72, i);
    for (size_t i = 0; i < kSymbols; ++i) {
      at += weight[i];
      low[i + 1] =
          static_cast<uint32_t>(at / sum * (kTableScale - kSymbols)) + static_cast<uint32_t>(i) + 1;
    }
    low[kSymbols] = kTableScale;
    for (size_t s = 0; s < kSymbols; ++s) {
      for (uint32_t p = low[s]; p < low[s + 1]; ++p) slot[p] = static_cast<uint8_t>(s);
    }
  }
  Interval Wide(size_t s) const {  // in 2^-16
    return {low[s] << (kScaleBits - kTableBits), (low[s + 1] - low[s])
                                                     << (kScaleBits - kTableBits)};
  }
};
const Table kTable;

std::vector<uint8_t> MakeSymbols() {
  std::mt19937 random(1);
  std::vector<uint8_t> symbols(kCount);
  for (uint8_t& s : symbols) s = kTable.slot[random() % kTableScale];
  return symbols;
}
// Bit i belongs to context i % 64, and each context has its own probability, from 0.01 to 0.5.
std::vector<uint8_t> MakeBits() {
  std::mt19937 random(2);
  std::vector<uint8_t> bits(kCount);
  for (size_t i = 0; i < kCount; ++i) {
    const double p = 0.01 + 0.49 * static_cast<double>(i % kContexts) / (kContexts - 1);
    bits[i] = static_cast<double>(random() % 65536) < p * 65536;
  }
  return bits;
}

void Check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "wrong result: %s\n", what);
  std::abort();
}

// Encoders return the byte count; decoders fill `out`. Each pair is checked before it is timed.
using Symbols = std::vector<uint8_t>;
struct Scheme {
  Symbols (*make)();
  size_t (*encode)(const Symbols&, Bytes&);
  void (*decode)(std::span<const std::byte>, Symbols&);
};

size_t EncodeBits(const Symbols& bits, Bytes& out) {
  RangeEncoder encoder(out);
  std::array<AdaptiveBit, kContexts> contexts{};
  for (size_t i = 0; i < bits.size(); ++i) {
    EncodeAdaptive(encoder, contexts[i % kContexts], bits[i] != 0, kRate);
  }
  return *encoder.Finish();
}
void DecodeBits(std::span<const std::byte> in, Symbols& bits) {
  RangeDecoder decoder(in);
  std::array<AdaptiveBit, kContexts> contexts{};
  for (size_t i = 0; i < bits.size(); ++i) {
    bits[i] = DecodeAdaptive(decoder, contexts[i % kContexts], kRate);
  }
  Check(decoder.Finish().ok(), "bits");
}

// 16 symbols as four adaptive decisions, a binary tree.
size_t EncodeTree(const Symbols& symbols, Bytes& out) {
  RangeEncoder encoder(out);
  std::array<AdaptiveBit, kSymbols> tree{};
  for (const uint8_t s : symbols) {
    size_t node = 1;
    for (int b = 3; b >= 0; --b) {
      const bool bit = s >> b & 1;
      EncodeAdaptive(encoder, tree[node], bit, kRate);
      node = node * 2 + bit;
    }
  }
  return *encoder.Finish();
}
void DecodeTree(std::span<const std::byte> in, Symbols& symbols) {
  RangeDecoder decoder(in);
  std::array<AdaptiveBit, kSymbols> tree{};
  for (uint8_t& s : symbols) {
    size_t node = 1;
    for (int b = 0; b < 4; ++b) node = node * 2 + DecodeAdaptive(decoder, tree[node], kRate);
    s = static_cast<uint8_t>(node - kSymbols);
  }
  Check(decoder.Finish().ok(), "tree");
}

// 16 symbols in unary, as context models code small numbers: 1, 1, ..., 0.
size_t EncodeUnary(const Symbols& symbols, Bytes& out) {
  RangeEncoder encoder(out);
  std::array<AdaptiveBit, kSymbols> more{};
  for (const uint8_t s : symbols) {
    for (size_t i = 0; i < kSymbols - 1; ++i) {
      EncodeAdaptive(encoder, more[i], i < s, kRate);
      if (i >= s) break;
    }
  }
  return *encoder.Finish();
}
void DecodeUnary(std::span<const std::byte> in, Symbols& symbols) {
  RangeDecoder decoder(in);
  std::array<AdaptiveBit, kSymbols> more{};
  for (uint8_t& s : symbols) {
    size_t i = 0;
    while (i < kSymbols - 1 && DecodeAdaptive(decoder, more[i], kRate)) ++i;
    s = static_cast<uint8_t>(i);
  }
  Check(decoder.Finish().ok(), "unary");
}

size_t EncodeTable(const Symbols& symbols, Bytes& out) {
  RangeEncoder encoder(out);
  for (const uint8_t s : symbols) encoder.Encode(kTable.Wide(s));
  return *encoder.Finish();
}
void DecodeLinear(std::span<const std::byte> in, Symbols& symbols) {
  RangeDecoder decoder(in);
  for (uint8_t& out : symbols) {
    const uint32_t at = decoder.Peek() >> (kScaleBits - kTableBits);
    size_t s = 0;
    while (at >= kTable.low[s + 1]) ++s;
    decoder.Take(kTable.Wide(s));
    out = static_cast<uint8_t>(s);
  }
  Check(decoder.Finish().ok(), "linear search");
}
void DecodeLookup(std::span<const std::byte> in, Symbols& symbols) {
  RangeDecoder decoder(in);
  for (uint8_t& out : symbols) {
    out = kTable.slot[decoder.Peek() >> (kScaleBits - kTableBits)];
    decoder.Take(kTable.Wide(out));
  }
  Check(decoder.Finish().ok(), "lookup");
}

// The same coder with 64 bits of low and range, renormalised by 32 bits when the range falls below
// 2^32. A carry goes back into the bytes already written, so the whole stream must be at hand.
class Encoder64 {
 public:
  explicit Encoder64(std::span<std::byte> out) : begin_(out.data()), at_(out.data()) {}
  void Encode(uint32_t low, uint32_t size, int bits) {
    range_ >>= bits;
    Add(low * range_);
    range_ *= size;
    Renormalise();
  }
  void EncodeBit(bool bit, uint32_t p1) {
    const uint64_t bound = (range_ >> kScaleBits) * ((1u << kScaleBits) - p1);
    Add(bound & (0 - static_cast<uint64_t>(bit)));
    range_ = bit ? range_ - bound : bound;
    Renormalise();
  }
  size_t Finish() {
    for (int i = 0; i < 2; ++i) Put();
    return static_cast<size_t>(at_ - begin_);
  }

 private:
  void Add(uint64_t v) {
    low_ += v;
    if (low_ >= v) return;
    std::byte* p = at_;
    while (*--p == std::byte{0xff}) *p = std::byte{0};
    *p = static_cast<std::byte>(std::to_integer<int>(*p) + 1);
  }
  void Renormalise() {
    if (range_ >= (uint64_t{1} << 32)) return;
    Put();
    range_ <<= 32;
  }
  void Put() {
    for (int i = 0; i < 4; ++i) *at_++ = static_cast<std::byte>(low_ >> (56 - 8 * i));
    low_ <<= 32;
  }
  uint64_t low_ = 0, range_ = ~uint64_t{0};
  std::byte* begin_;
  std::byte* at_;
};
class Decoder64 {
 public:
  explicit Decoder64(std::span<const std::byte> in) : in_(in) {
    Get();
    Get();
  }
  uint32_t Peek(int bits) {
    range_ >>= bits;
    return static_cast<uint32_t>(code_ / range_);
  }
  void Take(uint32_t low, uint32_t size) {
    code_ -= low * range_;
    range_ *= size;
    Renormalise();
  }
  bool DecodeBit(uint32_t p1) {
    const uint64_t bound = (range_ >> kScaleBits) * ((1u << kScaleBits) - p1);
    const bool bit = code_ >= bound;
    code_ -= bound & (0 - static_cast<uint64_t>(bit));
    range_ = bit ? range_ - bound : bound;
    Renormalise();
    return bit;
  }

 private:
  void Renormalise() {
    if (range_ >= (uint64_t{1} << 32)) return;
    Get();
    range_ <<= 32;
  }
  void Get() {
    for (int i = 0; i < 4; ++i) {
      code_ = code_ << 8 | (at_ < in_.size() ? std::to_integer<uint64_t>(in_[at_]) : 0);
      ++at_;
    }
  }
  std::span<const std::byte> in_;
  size_t at_ = 0;
  uint64_t range_ = ~uint64_t{0}, code_ = 0;
};

size_t EncodeBits64(const Symbols& bits, Bytes& out) {
  Encoder64 encoder(out);
  std::array<AdaptiveBit, kContexts> contexts{};
  for (size_t i = 0; i < bits.size(); ++i) {
    AdaptiveBit& context = contexts[i % kContexts];
    encoder.EncodeBit(bits[i] != 0, context.p1);
    context.Update(bits[i] != 0, kRate);
  }
  return encoder.Finish();
}
void DecodeBits64(std::span<const std::byte> in, Symbols& bits) {
  Decoder64 decoder(in);
  std::array<AdaptiveBit, kContexts> contexts{};
  for (size_t i = 0; i < bits.size(); ++i) {
    AdaptiveBit& context = contexts[i % kContexts];
    bits[i] = decoder.DecodeBit(context.p1);
    context.Update(bits[i] != 0, kRate);
  }
}
size_t EncodeTable64(const Symbols& symbols, Bytes& out) {
  Encoder64 encoder(out);
  for (const uint8_t s : symbols) {
    encoder.Encode(kTable.low[s], kTable.low[s + 1] - kTable.low[s], kTableBits);
  }
  return encoder.Finish();
}
void DecodeTable64(std::span<const std::byte> in, Symbols& symbols) {
  Decoder64 decoder(in);
  for (uint8_t& s : symbols) {
    s = kTable.slot[decoder.Peek(kTableBits) & (kTableScale - 1)];
    decoder.Take(kTable.low[s], kTable.low[s + 1] - kTable.low[s]);
  }
}

// rANS, Duda 2013 as by Giesen: two 32-bit states, at least 2^16 each, 16 bits at a time. Codes
// backwards from the last symbol into the end of the buffer; symbol i belongs to state i % 2.
constexpr uint32_t kRansLow = 1u << 16;

size_t EncodeRans(const Symbols& symbols, Bytes& out) {
  std::array<uint32_t, 2> state = {kRansLow, kRansLow};
  std::byte* const end = out.data() + out.size();
  std::byte* at = end;
  const auto put16 = [&at](uint32_t v) {
    *--at = static_cast<std::byte>(v >> 8);
    *--at = static_cast<std::byte>(v);
  };
  for (size_t i = symbols.size(); i-- > 0;) {
    uint32_t& x = state[i & 1];
    const uint32_t low = kTable.low[symbols[i]], size = kTable.low[symbols[i] + 1u] - low;
    if (x >= uint64_t{size} << (32 - kTableBits)) {
      put16(x & 0xffffu);
      x >>= 16;
    }
    x = ((x / size) << kTableBits) + x % size + low;
  }
  for (const size_t i : {1u, 0u}) {
    put16(state[i] >> 16);
    put16(state[i] & 0xffffu);
  }
  const auto size = static_cast<size_t>(end - at);
  std::copy(at, end, out.begin());  // part of the price: the stream begins at the end
  return size;
}
void DecodeRans(std::span<const std::byte> in, Symbols& symbols) {
  size_t at = 0;
  const auto get16 = [&]() -> uint32_t {
    if (at + 2 > in.size()) return 0;
    const uint32_t v = std::to_integer<uint32_t>(in[at]) | std::to_integer<uint32_t>(in[at + 1])
                                                               << 8;
    at += 2;
    return v;
  };
  std::array<uint32_t, 2> state;
  for (uint32_t& x : state) {
    x = get16();
    x |= get16() << 16;
  }
  const auto step = [&](uint32_t& x) {
    const uint32_t slot = x & (kTableScale - 1);
    const uint8_t s = kTable.slot[slot];
    x = (kTable.low[s + 1u] - kTable.low[s]) * (x >> kTableBits) + slot - kTable.low[s];
    if (x < kRansLow) x = x << 16 | get16();
    return s;
  };
  for (size_t i = 0; i + 2 <= symbols.size(); i += 2) {
    symbols[i] = step(state[0]);
    symbols[i + 1] = step(state[1]);
  }
  Check(at == in.size() && state[0] == kRansLow && state[1] == kRansLow, "rANS");
}

const Scheme kBits = {MakeBits, EncodeBits, DecodeBits};
const Scheme kBits64 = {MakeBits, EncodeBits64, DecodeBits64};
const Scheme kTree = {MakeSymbols, EncodeTree, DecodeTree};
const Scheme kUnary = {MakeSymbols, EncodeUnary, DecodeUnary};
const Scheme kLinear = {MakeSymbols, EncodeTable, DecodeLinear};
const Scheme kLookup = {MakeSymbols, EncodeTable, DecodeLookup};
const Scheme kTable64 = {MakeSymbols, EncodeTable64, DecodeTable64};
const Scheme kRans = {MakeSymbols, EncodeRans, DecodeRans};

Bytes CheckedStream(const Scheme& scheme, const Symbols& symbols) {
  Bytes stream(kCount * 2 + 64);
  stream.resize(scheme.encode(symbols, stream));
  Symbols decoded(symbols.size());
  scheme.decode(stream, decoded);
  Check(decoded == symbols, "round trip");
  return stream;
}

void Report(benchmark::State& state, const Bytes& stream) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kCount));
  state.counters["bits_per_symbol"] = 8.0 * static_cast<double>(stream.size()) / kCount;
}
void Encode(benchmark::State& state, const Scheme& scheme) {
  const Symbols symbols = scheme.make();
  const Bytes stream = CheckedStream(scheme, symbols);
  Bytes out(kCount * 2 + 64);
  for (auto _ : state) benchmark::DoNotOptimize(scheme.encode(symbols, out));
  Report(state, stream);
}
void Decode(benchmark::State& state, const Scheme& scheme) {
  const Symbols symbols = scheme.make();
  const Bytes stream = CheckedStream(scheme, symbols);
  Symbols out(symbols.size());
  for (auto _ : state) {
    scheme.decode(stream, out);
    benchmark::DoNotOptimize(out.data());
  }
  Report(state, stream);
}

BENCHMARK_CAPTURE(Encode, adaptive_bits, kBits);
BENCHMARK_CAPTURE(Decode, adaptive_bits, kBits);
BENCHMARK_CAPTURE(Encode, adaptive_bits_64, kBits64);
BENCHMARK_CAPTURE(Decode, adaptive_bits_64, kBits64);
BENCHMARK_CAPTURE(Encode, adaptive_tree, kTree);
BENCHMARK_CAPTURE(Decode, adaptive_tree, kTree);
BENCHMARK_CAPTURE(Encode, adaptive_unary, kUnary);
BENCHMARK_CAPTURE(Decode, adaptive_unary, kUnary);
BENCHMARK_CAPTURE(Encode, table, kLinear);
BENCHMARK_CAPTURE(Decode, table_linear, kLinear);
BENCHMARK_CAPTURE(Decode, table_lookup, kLookup);
BENCHMARK_CAPTURE(Encode, table_64, kTable64);
BENCHMARK_CAPTURE(Decode, table_64, kTable64);
BENCHMARK_CAPTURE(Encode, rans, kRans);
BENCHMARK_CAPTURE(Decode, rans, kRans);

}  // namespace
}  // namespace godwit

BENCHMARK_MAIN();
