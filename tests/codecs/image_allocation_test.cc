// Counts calls of the C allocator, which operator new and Tensor both end in. What is promised:
// analysing and synthesising a tile allocate nothing; ImageDecoder allocates in Create() and,
// without alpha and with one thread, never after (alpha takes a few rows of scratch a tile, and
// OpenMP keeps its own books); ImageEncoder, whose output grows, makes no more allocations for the
// third picture of a size than for the second, and nothing of the size of its workspace.
#include <gtest/gtest.h>

#include <atomic>

#include "codecs/image/swift_analysis.h"
#include "codecs/image/swift_synthesis.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GODWIT_OWN_ALLOCATOR 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define GODWIT_OWN_ALLOCATOR 0
#endif
#ifndef GODWIT_OWN_ALLOCATOR
#define GODWIT_OWN_ALLOCATOR 1
#endif

#if GODWIT_OWN_ALLOCATOR
namespace {
std::atomic<int64_t> allocations{0};
std::atomic<size_t> largest{0};
void Count(size_t size) {
  ++allocations;
  if (size > largest) largest = size;
}
}  // namespace
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t size) {
  Count(size);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  Count(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* p, size_t size) {
  Count(size);
  return __libc_realloc(p, size);
}
void* aligned_alloc(size_t align, size_t size) {
  Count(size);
  return __libc_memalign(align, size);
}
}

namespace godwit {
namespace {

TEST(ImageAllocationTest, AnalysingATileAllocatesNothing) {
  const Tensor<uint8_t> picture = MakePicture(90, 120, 3);
  const swift::SwiftModel& model = TestImageModel().swift();
  for (const SimdLevel level : SupportedSimdLevels()) {
    const int64_t before_create = allocations;
    swift::RowAnalyser analyser(model, level);
    swift::CellRow row = swift::CellRow::Create(3, 4, /*own_symbols=*/true);
    EXPECT_GT(allocations, before_create);  // a test of the test
    const int64_t before = allocations;
    for (const int step : {0, 144, 351}) {
      analyser.SetStep(step);
      row.StartTile(4);
      for (int64_t y = 0; y < 90; y += 32, row.first = false)
        analyser.Analyse(picture.view().Window(y, 0, std::min<int64_t>(32, 90 - y), 120), row);
    }
    row.StartTile(1);
    analyser.Analyse(picture.view().Window(0, 0, 1, 1), row);
    EXPECT_EQ(allocations, before) << SimdLevelName(level);
  }
}

TEST(ImageAllocationTest, SynthesisingALaneAllocatesNothing) {
  const int64_t h = 12, w = 16;
  Tensor<int16_t> symbols(h, w, swift::kChannels), dc(h, w);
  for (int64_t i = 0; i < symbols.size(); ++i)
    symbols.data()[i] = static_cast<int16_t>(HashOf(static_cast<uint32_t>(i), 0, 1) % 5);
  swift::LatentRows latents;
  latents.planes = 3;
  latents.picture_h = latents.rows_held = h;
  latents.picture_w = latents.columns = w;
  latents.symbols.fill(symbols.data());
  latents.dc.fill(dc.data());
  Tensor<uint8_t> out(h * 8, w * 8, 3);
  for (const SimdLevel level : SupportedSimdLevels()) {
    for (const ImageSynthesis* synthesis :
         {(const ImageSynthesis*)nullptr, &TestImageSynthesis()}) {
      for (int layers = 1; layers <= 8; ++layers) {
        swift::LaneSynthesiser synthesiser = Must(swift::LaneSynthesiser::Create(
            TestImageModel().swift(), synthesis, level, {3, 100, layers, h, w}, {0, 0, h, w}));
        const int64_t before = allocations;
        for (int64_t y = 0; y < h; y += 3) {
          const Status status =
              synthesiser.Synthesise(latents, y + 3, out.view().Window(8 * y, 0, 24, 8 * w));
          EXPECT_TRUE(status.ok());
        }
        EXPECT_EQ(allocations, before) << SimdLevelName(level);
      }
    }
  }
}

TEST(ImageAllocationTest, ReadingRowsAllocatesNothing) {
  for (const int64_t channels : {1, 3}) {
    const Bytes file =
        EncodePicture(TestImageModel(), MakePicture(200, 150, channels), {.tile = 64});
    const ImageStream stream = Must(ParseImageStream(file));
    for (const ImageSynthesis* synthesis :
         {(const ImageSynthesis*)nullptr, &TestImageSynthesis()}) {
      ImageDecoder decoder =
          Must(ImageDecoder::Create(stream, TestImageModel(), synthesis, {.threads = 1}));
      Tensor<uint8_t> row(1, 150, channels);
      const int64_t before = allocations;
      for (int y = 0; y < 200; ++y) {
        const Status status = decoder.ReadRows(row.view());
        EXPECT_TRUE(status.ok());
      }
      EXPECT_EQ(allocations, before) << "channels=" << channels;
    }
  }
}

TEST(ImageAllocationTest, AnEncoderKeepsItsWorkspace) {
  for (const int64_t channels : {1, 3, 4}) {
    const Tensor<uint8_t> picture = MakePicture(200, 150, channels);
    ImageEncoder encoder = Must(ImageEncoder::Create(TestImageModel(), {.tile = 64, .threads = 1}));
    const Bytes first = Must(encoder.Encode(picture.view()));
    int64_t counts[2];
    for (int64_t& count : counts) {
      largest = 0;
      const int64_t before = allocations;
      const Bytes file = Must(encoder.Encode(picture.view()));
      count = allocations - before;
      EXPECT_EQ(file.size(), first.size());
      // Output buffers double as they grow; a tile's latents alone take 150 kB.
      EXPECT_LE(largest, std::max<size_t>(2 * file.size(), 8192)) << "channels=" << channels;
    }
    EXPECT_EQ(counts[0], counts[1]) << "channels=" << channels;
  }
}

}  // namespace
}  // namespace godwit
#endif
