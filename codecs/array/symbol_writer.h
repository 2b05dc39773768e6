// codecs/array/symbol_writer.h: coefficients to coded symbols, band by band; what encoders by
// wavelets share. docs/format/array.md section 8.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "codecs/array/wavelet_tile.h"
#include "entropy/bit_stream.h"

namespace godwit::array {

class SymbolWriter {
 public:
  // Of a coefficient of band b, times inverses[b], the nearest whole number would be its symbol.
  // `coefficients`: component after component, where the bands say. All must outlive the writer.
  SymbolWriter(WaveletTile& tile, const std::vector<double>& inverses, const WaveletModel& start,
               const std::vector<int32_t>& coefficients)
      : tile_(tile),
        inverses_(inverses),
        model_(start),
        symbols_(model_),
        coefficients_(coefficients) {}

  // Sets the symbols and points of the tile, too. start(b), before band b of any component, may
  // change its coefficients and sees the symbols of those before.
  template <typename F>
  void Code(BitWriter& writer, F start) {
    Prepare();
    for (size_t b = 0; b < tile_.bands.size(); ++b) {
      start(b);
      CodeBand(writer, b);
    }
    CodePoints(writer, tile_);
  }
  void Code(BitWriter& writer) {
    Code(writer, [](size_t) {});
  }
  const WaveletModel& model() const { return model_; }

 private:
  void Prepare();
  void CodeBand(BitWriter& writer, size_t b);
  struct Centres;
  void CodeComponent(BitWriter& writer, size_t b, size_t k, Centres& centres);
  int32_t Decided(const SymbolContext& c, double size) const;

  WaveletTile& tile_;
  const std::vector<double>& inverses_;
  WaveletModel model_;
  SymbolCoder symbols_;
  const std::vector<int32_t>& coefficients_;
};

// Calls write(BitWriter&) into a buffer of `bytes`, and again into larger ones until it suffices.
template <typename F>
Result<Bytes> WriteGrowing(size_t bytes, F write) {
  for (;; bytes *= 4) {
    Bytes out(bytes);
    BitWriter writer(out);
    GODWIT_RETURN_IF_ERROR(write(writer));
    const Result<size_t> size = writer.Finish();
    if (!size.ok() && size.status().code() == StatusCode::kOverLimit) continue;
    if (!size.ok()) return size.status();
    out.resize(*size);
    return out;
  }
}

}  // namespace godwit::array
