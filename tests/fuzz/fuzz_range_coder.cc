// Any bytes decode to some symbols, and Finish() accepts them exactly if the encoder, given those
// symbols, writes the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/bytes.h"
#include "entropy/adaptive_bit.h"
#include "entropy/range_coder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  if (size < 2) return 0;
  // The first two bytes choose a model: a three-symbol table, and how many rounds to code.
  const uint32_t split = 1u + data[0] * 257u / 2;  // 1..32768
  const size_t rounds = data[1];
  const std::span<const std::byte> stream = AsBytes({data + 2, size - 2});

  Bytes again(stream.size() + 16 * rounds + 16);
  RangeDecoder decoder(stream);
  RangeEncoder encoder(again);
  AdaptiveBit read, written;
  const Interval table[] = {{0, split}, {split, 1}, {split + 1, 65535 - split}};
  for (size_t i = 0; i < rounds; ++i) {
    const uint32_t at = decoder.Peek();
    const Interval s = *std::find_if(std::begin(table), std::end(table),
                                     [at](Interval t) { return at - t.low < t.size; });
    decoder.Take(s);
    encoder.Encode(s);
    if (decoder.fingerprint() != encoder.fingerprint()) std::abort();
    const bool bit = DecodeAdaptive(decoder, read, 4 + static_cast<int>(i % 5));
    EncodeAdaptive(encoder, written, bit, 4 + static_cast<int>(i % 5));
    const int count = static_cast<int>(i % 17);
    encoder.EncodeRaw(decoder.DecodeRaw(count), count);
    if (decoder.fingerprint() != encoder.fingerprint()) std::abort();
  }
  const Result<size_t> length = encoder.Finish();
  if (!length.ok()) std::abort();
  again.resize(*length);
  const bool same = std::equal(again.begin(), again.end(), stream.begin(), stream.end());
  if (decoder.Finish().ok() != same) std::abort();
  return 0;
}
