// What train/array_slices.py calls: what the wavelet method leaves of arrays, for training a
// synthesis network.
//
//   record_slices JOBS OUT
//
// A line of JOBS is "STEP AXES FILE", as fit_array_start has it. Each is coded and decoded, and
// for each tile OUT gets five s32 (job, components, places, rows, columns) and then two lots of
// s32 samples of all components in order: decoded ones and true ones, in 1/64 of the step.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "codecs/array/array_decoder.h"
#include "codecs/array/array_encoder.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/wavelet_decode.h"
#include "io/input_file.h"
#include "io/npy_file.h"

namespace {

using namespace godwit;
using namespace godwit::array;

template <typename T>
T Must(Result<T> result, const std::string& what) {
  if (!result.ok()) {
    std::fprintf(stderr, "record_slices: %s: %s\n", what.c_str(),
                 std::string(result.status().message()).c_str());
    std::exit(1);
  }
  return *std::move(result);
}

void Write(std::ofstream& out, const std::vector<int32_t>& v) {
  out.write(reinterpret_cast<const char*>(v.data()), static_cast<std::streamsize>(v.size() * 4));
}

// Channels in units of the map, projected on the components of the mix.
std::vector<double> TrueComponents(const NdArray& array, const ArrayHeader& header, const Box& box,
                                   const BoxOrder& order, const WaveletTile& tile) {
  const auto count = static_cast<size_t>(tile.shape.count());
  std::vector<double> values(count * static_cast<size_t>(tile.channels));
  WithSampleType(header.type, [&](auto type) {
    const auto* const samples = array.As<decltype(type)>();
    ForEachSample(header, WholeBox(header), box, box, StepsInBoxes(order),
                  [&](int64_t from, int64_t to) {
                    values[static_cast<size_t>(to)] =
                        std::ldexp(static_cast<double>(samples[from]), -header.map.exponent) -
                        static_cast<double>(header.map.offset);
                  });
  });
  if (tile.mix_precision == 0) return values;
  std::vector<double> parts(count * static_cast<size_t>(tile.components));
  for (size_t k = 0; k < static_cast<size_t>(tile.components); ++k) {
    for (size_t c = 0; c < static_cast<size_t>(tile.channels); ++c) {
      const double w = tile.mix[c * static_cast<size_t>(tile.components) + k] / 16384.0;
      for (size_t i = 0; i < count; ++i) parts[k * count + i] += w * values[c * count + i];
    }
  }
  return parts;
}

void Record(int job, const NdArray& array, const ArrayEncodeOptions& options,
            const std::string& name, std::ofstream& out) {
  const Bytes file = Must(EncodeArray(array, options), name);
  const ArrayStream stream = Must(ParseArrayStream(file), name);
  const WaveletModel start;
  for (int64_t t = 0; t < TileCount(stream.header); ++t) {
    const Box box = TileBox(stream.header, t);
    const BoxOrder order = OrderOf(stream.header, box);
    BitReader reader(stream.tiles[static_cast<size_t>(t)]);
    reader.CodeRaw(0, 4);
    TileExceptions exceptions;
    const WaveletTile tile =
        Must(ReadWaveletTile(reader, stream.header, start, order, exceptions), name);
    const double step = static_cast<double>(stream.header.map.step) / 65536;
    const auto in_steps = [&](double v) {
      return static_cast<int32_t>(std::lround(v / step * 64));
    };
    std::vector<int32_t> decoded, original;
    for (const int32_t v : SynthesisedComponents(tile, stream.header.map.step, BestSimdLevel())) {
      decoded.push_back(in_steps(v));
    }
    for (const double v : TrueComponents(array, stream.header, box, order, tile)) {
      original.push_back(in_steps(v));
    }
    const auto side = [](int64_t n) { return static_cast<int32_t>(n); };
    Write(out, {job, side(tile.components), side(tile.shape.sides[0]), side(tile.shape.sides[1]),
                side(tile.shape.sides[2])});
    Write(out, decoded);
    Write(out, original);
  }
  std::printf("%s %zu bytes\n", name.c_str(), file.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: record_slices JOBS OUT\n", stderr);
    return 2;
  }
  std::ifstream in(argv[1]);
  std::ofstream out(argv[2], std::ios::binary);
  double step;
  int axes, job = 0;
  std::string file;
  while (in >> step >> axes && std::getline(in >> std::ws, file)) {
    const NdArray array =
        Must(ReadNpy(Must(ReadFile(file, DecodeLimits().max_memory_bytes), file)), file);
    ArrayEncodeOptions options;
    options.wavelet_step = step;
    options.channel_axes = static_cast<uint8_t>(axes);
    options.threads = 1;
    Record(job++, array, options, file, out);
  }
  out.close();
  return out && job > 0 ? 0 : 1;
}
