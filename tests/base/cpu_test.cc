#include "base/cpu.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

TEST(CpuTest, EveryLevelHasItsOwnName) {
  std::set<std::string_view> names;
  for (const SimdLevel level : {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    EXPECT_TRUE(names.insert(SimdLevelName(level)).second) << SimdLevelName(level);
  }
  EXPECT_EQ(names.count("unknown"), 0u);
}

TEST(CpuTest, SupportedLevelsRiseFromScalarWithoutGaps) {
  const std::vector<SimdLevel> levels = SupportedSimdLevels();
  ASSERT_FALSE(levels.empty());
  for (size_t i = 0; i < levels.size(); ++i) {
    EXPECT_EQ(levels[i], static_cast<SimdLevel>(i));
  }
}

// BestSimdLevel() reads the environment once, so each cap is tried in a process of its own.
[[noreturn]] void ExitWithBestLevelUnder(std::string_view cap) {
  setenv("GODWIT_CPU", std::string(cap).c_str(), /*overwrite=*/1);
  std::_Exit(static_cast<int>(BestSimdLevel()));
}

TEST(CpuDeathTest, EnvironmentCapsTheLevelAndNeverRaisesIt) {
  const SimdLevel machine = SupportedSimdLevels().back();
  for (const SimdLevel cap : {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    EXPECT_EXIT(ExitWithBestLevelUnder(SimdLevelName(cap)),
                testing::ExitedWithCode(static_cast<int>(std::min(cap, machine))), "")
        << SimdLevelName(cap);
  }
}

TEST(CpuDeathTest, EnvironmentDoesNotChangeWhatTestsMayTry) {
  const int count = static_cast<int>(SupportedSimdLevels().size());
  const auto exit_with_count = [] {
    setenv("GODWIT_CPU", "scalar", /*overwrite=*/1);
    std::_Exit(static_cast<int>(SupportedSimdLevels().size()));
  };
  EXPECT_EXIT(exit_with_count(), testing::ExitedWithCode(count), "");
}

}  // namespace
}  // namespace godwit
