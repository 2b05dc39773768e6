// Counts calls of the C allocator, which operator new and Tensor both end in.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "models/network_gradient.h"
#include "models/row_runner.h"
#include "tests/models/test_network.h"

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
std::atomic<size_t> largest{0}, total{0};
std::atomic<int64_t> aligned_left{INT64_MAX};  // then aligned_alloc() fails
}  // namespace
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t size) {
  ++allocations;
  total += size;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* aligned_alloc(size_t align, size_t size) {
  if (aligned_left-- <= 0) return nullptr;
  ++allocations;
  total += size;
  if (size > largest) largest = size;
  return __libc_memalign(align, size);
}
}

namespace godwit {
namespace {

TEST(NetworkAllocationTest, RunAllocatesNothing) {
  const TestNetwork net = MixedNetwork(1);
  const Result<Network> network = net.Load();
  ASSERT_TRUE(network.ok()) << network.status().message();
  const Tensor<uint8_t> input = InputBytes(RandomPicture(net, 9, 9, 1));
  Tensor<uint8_t> out(9 * 6, 9 * 6, 3);
  for (const SimdLevel level : SupportedSimdLevels()) {
    const int64_t before_create = allocations;
    Result<NetworkRunner> runner = NetworkRunner::Create(*network, level, 9, 9);
    ASSERT_TRUE(runner.ok());
    EXPECT_GT(allocations, before_create);  // a test of the test
    for (int pass = 0; pass < 2; ++pass) {
      const int64_t before = allocations;
      const Status status = runner->Run(input.view(), {0, 0, 9, 9}, 9, 9, {0, 0, 9, 9}, out.view());
      EXPECT_EQ(allocations, before) << SimdLevelName(level) << " pass " << pass;
      EXPECT_TRUE(status.ok());
    }
  }
}

TEST(NetworkAllocationTest, StepsAllocateNothing) {
  const TestNetwork net = MixedNetwork(1);
  const Result<Network> network = net.Load();
  ASSERT_TRUE(network.ok()) << network.status().message();
  Tensor<uint8_t> out(4 * 6, 9 * 6, 3);
  for (const SimdLevel level : SupportedSimdLevels()) {
    Result<RowRunner> runner = RowRunner::Create(*network, level, 9, 4);
    ASSERT_TRUE(runner.ok());
    for (int pass = 0; pass < 2; ++pass) {
      const int64_t before = allocations;
      Status status = runner->Start(30, 9, {0, 0, 30, 9});
      while (status.ok() && !runner->done()) {
        const RowRunner::Step& step = runner->Next(4);
        status = runner->Run(out.view().Window(0, 0, step.out_rect.h * 6, 9 * 6));
      }
      EXPECT_EQ(allocations, before) << SimdLevelName(level) << " pass " << pass;
      EXPECT_TRUE(status.ok());
    }
  }
}

// Each of the allocations fails once, those that pack the weights among them.
TEST(NetworkAllocationTest, WhatFailedForWantOfMemoryWorksWhenTriedAgain) {
  const TestNetwork net = MixedNetwork(1);
  const TestPicture picture = RandomPicture(net, 5, 5, 1);
  const TestPicture want = net.Reference(picture);
  const Tensor<uint8_t> input = InputBytes(picture);
  Tensor<uint8_t> out(5 * 6, 5 * 6, 3);
  for (const SimdLevel level : SupportedSimdLevels()) {
    int failed = 0;
    for (bool short_of = true; short_of; failed += short_of) {
      const Result<Network> network = net.Load();
      ASSERT_TRUE(network.ok()) << network.status().message();
      aligned_left = failed;
      short_of = !NetworkRunner::Create(*network, level, 5, 5).ok();
      aligned_left = INT64_MAX;
      Result<NetworkRunner> runner = NetworkRunner::Create(*network, level, 5, 5);
      ASSERT_TRUE(runner.ok());
      const Status status = runner->Run(input.view(), {0, 0, 5, 5}, 5, 5, {0, 0, 5, 5}, out.view());
      ASSERT_TRUE(status.ok());
      for (int64_t i = 0; i < out.size(); ++i)
        ASSERT_EQ(static_cast<int8_t>(out.data()[i]), want.values[static_cast<size_t>(i)])
            << SimdLevelName(level) << " after " << failed;
    }
    EXPECT_GE(failed, 8) << SimdLevelName(level);  // two of each convolution at least
  }
}

TEST(NetworkAllocationTest, WorkspaceIsWhatWasAnnounced) {
  const Result<Network> network = MixedNetwork(1).Load();
  ASSERT_TRUE(network.ok());
  for (const int64_t rows : {1, 4, 16}) {
    largest = 0;
    ASSERT_TRUE(RowRunner::Create(*network, SimdLevel::kScalar, 40, rows).ok());
    const uint64_t bytes = RowRunner::BytesFor(*network, 40, rows);
    EXPECT_GE(largest, bytes);
    EXPECT_LT(largest, bytes + kTensorAlign);
  }
}

TEST(NetworkAllocationTest, GradientsTakeWhatWasAnnounced) {
  TestNetwork net{
      96,
      /*input_signed=*/true,
      {{.op = "conv", .name = "wide", .input = "in", .kernel = 3, .groups = 6, .out = 114},
       {.op = "conv", .name = "out", .input = "wide", .kernel = 3, .out = 20}}};
  net.layers[0].is_signed = true;
  net.Randomise(1);
  const Result<Network> network = net.Load();
  ASSERT_TRUE(network.ok());
  ASSERT_TRUE(NetworkGradient::Supports(*network));
  NetworkGradient(*network, SimdLevel::kScalar, 1, 1);  // packs the network's weights
  for (const int64_t side : {4, 60}) {
    total = 0;
    const NetworkGradient gradient(*network, SimdLevel::kScalar, side, side + 1);
    const uint64_t bytes = NetworkGradient::BytesFor(*network, side, side + 1);
    EXPECT_GE(total, bytes);
    EXPECT_LT(total, bytes + 8192);  // besides: names of places, not places
  }
}

}  // namespace
}  // namespace godwit
#endif
