// Wavelet packets forward and back at each SIMD level: samples a second of one thread.
#include <benchmark/benchmark.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "transforms/packet_stream.h"
#include "transforms/packets.h"

namespace godwit {
namespace {

constexpr int64_t kSamples = int64_t{1} << 18;

std::vector<int32_t> Noise() {
  std::mt19937 rng(1);
  std::vector<int32_t> v(kSamples);
  for (int32_t& x : v) x = static_cast<int32_t>(rng()) >> 12;
  return v;
}

// A signal, a picture, a volume, each of kSamples; three levels an axis.
std::vector<PacketAxis> AxesOf(int dimensions) {
  const int bits = 18 / dimensions;
  return std::vector<PacketAxis>(static_cast<size_t>(dimensions), {int64_t{1} << bits, 3});
}

void Packets(benchmark::State& state, SimdLevel level, Wavelet wavelet, int dimensions) {
  const std::vector<PacketAxis> axes = AxesOf(dimensions);
  const LiftingKernels& kernels = LiftingKernelsFor(level);
  std::vector<int32_t> scratch(PacketScratch(axes));
  const std::vector<int32_t> before = Noise();
  std::vector<int32_t> data = before;
  const auto there_and_back = [&] {
    ForwardPackets(kernels, wavelet, axes, data.data(), scratch);
    InversePackets(kernels, wavelet, axes, data.data(), scratch);
  };
  there_and_back();
  if (data != before) return state.SkipWithError("the inverse is not exact");
  for (auto _ : state) {
    (void)_;
    there_and_back();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(2 * state.iterations() * kSamples);
}

void Stream(benchmark::State& state, Wavelet wavelet) {
  const std::vector<int32_t> samples = Noise();
  PacketAnalyser analyser(wavelet, PacketTree::kFull, 8);
  std::vector<std::vector<int32_t>> bands(static_cast<size_t>(analyser.bands()));
  for (auto _ : state) {
    (void)_;
    for (auto& band : bands) band.clear();
    analyser.Push(samples, bands);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
}

void Register() {
  for (const SimdLevel level : SupportedSimdLevels()) {
    for (const Wavelet wavelet : {Wavelet::k53, Wavelet::k97}) {
      for (const int dimensions : {1, 2, 3}) {
        const std::string name = std::string("packets/") + std::string(SimdLevelName(level)) +
                                 (wavelet == Wavelet::k53 ? "/5_3/" : "/9_7/") +
                                 std::to_string(dimensions) + "d";
        benchmark::RegisterBenchmark(name.c_str(), Packets, level, wavelet, dimensions);
      }
    }
  }
  benchmark::RegisterBenchmark("stream/5_3/8_levels", Stream, Wavelet::k53);
  benchmark::RegisterBenchmark("stream/9_7/8_levels", Stream, Wavelet::k97);
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  godwit::Register();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
