// What a decoder of the live method takes at once is no more than it holds against its limits.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "codecs/array/array_decoder.h"
#include "codecs/array/array_encoder.h"
#include "codecs/array/live_tile.h"
#include "tests/codecs/test_live_model.h"

#if defined(__GLIBC__)
#include <malloc.h>

namespace {

std::atomic<int64_t> now = 0, most = 0;

void* Counted(void* p) {
  if (p == nullptr) throw std::bad_alloc();
  const int64_t held = now += static_cast<int64_t>(malloc_usable_size(p));
  for (int64_t seen = most; held > seen && !most.compare_exchange_weak(seen, held);) {
  }
  return p;
}
void Freed(void* p) {
  if (p != nullptr) now -= static_cast<int64_t>(malloc_usable_size(p));
  std::free(p);
}

}  // namespace

void* operator new(size_t n) { return Counted(std::malloc(n)); }
void* operator new(size_t n, std::align_val_t align) {
  const auto a = static_cast<size_t>(align);
  return Counted(std::aligned_alloc(a, (n + a - 1) / a * a));
}
void operator delete(void* p) noexcept { Freed(p); }
void operator delete(void* p, size_t) noexcept { Freed(p); }
void operator delete(void* p, std::align_val_t) noexcept { Freed(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { Freed(p); }

namespace godwit {
namespace {

TEST(ArrayAllocationTest, LiveTilesTakeNoMoreThanTheirWork) {
  struct Case {
    int64_t samples;
    int channels, levels;
    SampleType type;
    bool has_networks;
  };
  for (const Case& c :
       {Case{4000, 1, 1, SampleType::kU8, false}, Case{4000, 3, 8, SampleType::kF64, false},
        Case{4000, 4, 5, SampleType::kI16, true}, Case{1, 32, 8, SampleType::kF32, false},
        Case{300, 32, 3, SampleType::kF32, true}}) {
    const auto model = LoadArrayModel(LiveTestModel{.channels = c.channels,
                                                    .levels = c.levels,
                                                    .has_analysis = c.has_networks,
                                                    .has_synthesis = c.has_networks}
                                          .File());
    ASSERT_TRUE(model.ok()) << model.status().message();
    NdArray array{c.type, Shape::Of(c.samples, 2 * c.channels, 1), {}};
    array.shape.rank = 2;
    array.data.resize(static_cast<size_t>(array.shape.count()) * SampleBytes(c.type));
    const auto file = EncodeArray(array, {.channel_axes = 2,
                                          .wavelet_step = 1,
                                          .model = &*model,
                                          .tile_samples = int64_t{1} << 40,
                                          .threads = 1});
    ASSERT_TRUE(file.ok()) << file.status().message();
    const auto stream = ParseArrayStream(*file);
    ASSERT_TRUE(stream.ok()) << stream.status().message();
    ASSERT_EQ(stream->tiles.size(), 1u);
    const uint64_t work = array::WorkBytes(stream->header, array::WholeBox(stream->header)) +
                          array::LiveNetworkBytes(*model->live());
    const int64_t before = now;
    most = before;
    const auto decoded = DecodeArray(*stream, {.threads = 1, .model = &*model});
    ASSERT_TRUE(decoded.ok()) << decoded.status().message();
    EXPECT_LE(most - before, static_cast<int64_t>(work + array.data.size()))
        << c.samples << " samples, " << c.channels << " channels, " << c.levels << " levels";
    EXPECT_GT(most - before, static_cast<int64_t>(array.data.size()));
  }
}

}  // namespace
}  // namespace godwit

#endif  // __GLIBC__
