// Multiply-adds per second of each convolution and level, one thread, beside the measured peak of
// the level's instructions on registers. Each result is checked against the scalar kernel first.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "tensor/conv_kernels.h"

namespace godwit {
namespace {

constexpr int64_t kHeight = 64, kWidth = 96;  // positions of the window

double ThreadSeconds() {  // processor time: others share the machine
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Runs `loop` (of `macs` multiply-adds) for 10 ms at a time and keeps the best.
template <typename Loop>
double BestRate(double macs, Loop loop) {
  double best = 0;
  for (int i = 0; i < 3; ++i) {
    int64_t runs = 0;
    const double start = ThreadSeconds();
    double elapsed = 0;
    for (; elapsed < 0.01; elapsed = ThreadSeconds() - start, ++runs) loop();
    best = std::max(best, macs * static_cast<double>(runs) / elapsed);
  }
  return best;
}

#if defined(__x86_64__)
constexpr int kPeakSteps = 10000;

// By hand: of the intrinsic, gcc 12 makes copies.
__attribute__((target("avx512f,avx512vnni"))) void PeakAvx512() {
  __m512i acc[12];
  __m512i x = _mm512_set1_epi8(3), w = _mm512_set1_epi8(-2);
#pragma GCC unroll 12
  for (int n = 0; n < 12; ++n) acc[n] = _mm512_setzero_si512();
  for (int i = 0; i < kPeakSteps; ++i) {
#pragma GCC unroll 12
    for (int n = 0; n < 12; ++n)
      asm volatile("vpdpbusd %2, %1, %0" : "+v"(acc[n]) : "v"(x), "v"(w));
  }
#pragma GCC unroll 12
  for (int n = 0; n < 12; ++n) asm volatile("" : : "v"(acc[n]));
}

__attribute__((target("avx2"))) void PeakAvx2() {
  __m256i acc[10];
  for (__m256i& a : acc) a = _mm256_setzero_si256();
  __m256i x = _mm256_set1_epi8(3), w = _mm256_set1_epi8(-2), ones = _mm256_set1_epi16(1);
  for (int i = 0; i < kPeakSteps; ++i) {
#pragma GCC unroll 10
    for (__m256i& a : acc) {
      asm volatile("" : "+x"(x), "+x"(w));
      a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
    }
  }
  for (__m256i& a : acc) asm volatile("" : : "x"(a));
}
#endif

// Multiply-adds per second of the instructions alone; 0 where the level is the compiler's choice.
double PeakRate(SimdLevel level) {
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return BestRate(kPeakSteps * 12.0 * 64, PeakAvx512);
  if (level == SimdLevel::kAvx2) return BestRate(kPeakSteps * 10.0 * 32, PeakAvx2);
#endif
  (void)level;
  return 0;
}

struct Case {
  ConvSpec spec;
  bool residual;
};
constexpr Case kCases[] = {
    {{48, 48, 3, 1}, false},   {{64, 64, 3, 1}, false},    {{96, 96, 3, 1}, false},
    {{96, 96, 3, 1}, true},    {{128, 128, 3, 1}, false},  {{208, 96, 1, 1}, false},
    {{96, 192, 1, 1}, false},  {{96, 96, 1, 1}, false},    {{192, 96, 1, 1}, true},
    {{16, 64, 5, 1}, false},   {{96, 12, 3, 1}, false},    {{96, 96, 3, 96}, false},
    {{96, 96, 5, 96}, false},  {{192, 192, 3, 12}, false}, {{96, 96, 3, 24}, false},
    {{384, 384, 3, 4}, false}, {{384, 384, 3, 4}, true},   {{208, 247, 3, 13}, false},
    {{247, 384, 1, 1}, false}, {{384, 192, 1, 1}, false},
};

struct Problem {
  explicit Problem(const Case& c) : spec(c.spec) {
    std::mt19937 random(1);
    const int64_t in_stride = (spec.in_channels + 15) / 16 * 16;
    const int64_t out_stride = (spec.out_channels + 15) / 16 * 16;
    const int64_t in_width = kWidth + spec.kernel - 1, in_height = kHeight + spec.kernel - 1;
    in = Tensor<uint8_t>(1, in_height * in_width * in_stride + 64);
    residual = Tensor<uint8_t>(1, kHeight * kWidth * out_stride);
    out = Tensor<uint8_t>(1, kHeight * kWidth * out_stride);
    for (int64_t i = 0; i < in.size(); ++i) in.data()[i] = static_cast<uint8_t>(random());
    for (int64_t i = 0; i < residual.size(); ++i) {
      residual.data()[i] = static_cast<uint8_t>(random());
    }
    for (int64_t i = 0; i < spec.weight_count(); ++i) {
      weight.push_back(static_cast<int8_t>(random() % 128 - 64));
    }
    for (int o = 0; o < spec.out_channels; ++o) {
      bias.push_back(static_cast<int32_t>(random() % 100000) - 50000);
      mult.push_back(static_cast<int32_t>(1u << 30 | random() >> 2));
      shift.push_back(40);
    }
    args = {.in = in.data(),
            .in_row_stride = in_width * in_stride,
            .in_col_stride = in_stride,
            .out = out.data(),
            .out_row_stride = kWidth * out_stride,
            .out_col_stride = out_stride,
            .height = kHeight,
            .width = kWidth};
    if (c.residual) {
      args.residual = residual.data();
      args.residual_row_stride = args.out_row_stride;
      args.residual_col_stride = args.out_col_stride;
    }
  }
  ConvWeights weights() const {
    return {spec, weight.data(), bias.data(), mult.data(), shift.data()};
  }
  double macs() const { return static_cast<double>(spec.weight_count() * kHeight * kWidth); }

  ConvSpec spec;
  Tensor<uint8_t> in, residual, out;
  std::vector<int8_t> weight;
  std::vector<int32_t> bias, mult;
  std::vector<uint8_t> shift;
  ConvArgs args;
};

void RunCase(benchmark::State& state, SimdLevel level, const Case& c) {
  Problem problem(c);
  const ConvKernels& scalar = ConvKernelsFor(SimdLevel::kScalar);
  scalar.run(scalar.pack(problem.weights()), problem.args);
  const Tensor<uint8_t> want = problem.out.Clone();
  std::memset(problem.out.data(), 0, static_cast<size_t>(problem.out.size()));
  const ConvKernels& kernels = ConvKernelsFor(level);
  const PackedConv packed = kernels.pack(problem.weights());
  kernels.run(packed, problem.args);
  if (std::memcmp(want.data(), problem.out.data(), static_cast<size_t>(want.size())) != 0) {
    return state.SkipWithError("differs from the scalar kernel");
  }
  // Beside each case, not once: clock and neighbours change by 20 % within a run.
  const double peak = PeakRate(level);
  for (auto _ : state) {
    kernels.run(packed, problem.args);
    benchmark::ClobberMemory();
  }
  const double macs = problem.macs() * static_cast<double>(state.iterations());
  state.counters["mac/s"] = benchmark::Counter(macs, benchmark::Counter::kIsRate);
  if (peak > 0) {
    state.counters["of_peak"] = benchmark::Counter(macs / peak, benchmark::Counter::kIsRate);
  }
}

std::string CaseName(const Case& c) {
  const std::string k = std::to_string(c.spec.kernel);
  std::string name = k + "x" + k + "/" + std::to_string(c.spec.in_channels) + "->" +
                     std::to_string(c.spec.out_channels);
  if (c.spec.groups > 1) name += "/groups=" + std::to_string(c.spec.groups);
  return name + (c.residual ? "/residual" : "");
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  using namespace godwit;
  for (const SimdLevel level : SupportedSimdLevels()) {
    for (const Case& c : kCases) {
      const std::string name = std::string(SimdLevelName(level)) + "/" + CaseName(c);
      benchmark::RegisterBenchmark(name.c_str(), [level, &c](benchmark::State& state) {
        RunCase(state, level, c);
      })->Unit(benchmark::kMicrosecond);
    }
    const double peak = PeakRate(level);
    benchmark::AddCustomContext("peak of " + std::string(SimdLevelName(level)) + ", Gmac/s",
                                std::to_string(peak / 1e9));
  }
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
