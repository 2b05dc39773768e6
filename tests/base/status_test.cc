#include "base/status.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace godwit {
namespace {

TEST(StatusTest, DefaultIsOkAndSaysNothing) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kOk);
  EXPECT_EQ(status.message(), "");
}

TEST(StatusTest, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  const int last = static_cast<int>(StatusCode::kNotWritable);
  for (int code = 0; code <= last; ++code) {
    const std::string_view name = StatusCodeName(static_cast<StatusCode>(code));
    EXPECT_NE(name, "unknown") << "code " << code;
    EXPECT_TRUE(names.insert(name).second) << name << " names two codes";
  }
  EXPECT_EQ(StatusCodeName(static_cast<StatusCode>(last + 1)), "unknown");
}

TEST(StatusTest, PrefixesStackOutwardsAndKeepTheCode) {
  const Status inner(StatusCode::kCorrupt, "wrong CRC");
  const Status outer = inner.WithPrefix("section 3: ").WithPrefix("photo.gdw: ");
  EXPECT_EQ(outer.code(), StatusCode::kCorrupt);
  EXPECT_EQ(outer.message(), "photo.gdw: section 3: wrong CRC");
  EXPECT_TRUE(Status().WithPrefix("photo.gdw: ").ok());
}

TEST(ResultTest, HoldsAValueOrTheReason) {
  const Result<int> good = 7;
  ASSERT_TRUE(good.ok());
  EXPECT_TRUE(good.status().ok());
  EXPECT_EQ(*good, 7);

  const Result<int> bad = Status(StatusCode::kOverLimit, "too wide");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), StatusCode::kOverLimit);
  EXPECT_EQ(bad.status().message(), "too wide");
}

Result<std::unique_ptr<int>> Boxed(int v) {
  if (v < 0) return Status(StatusCode::kInvalidArgument, "negative");
  return std::make_unique<int>(v);
}

// Two in one function, in a loop: the macros must not clash with each other or with themselves.
Result<int> Sum(int a, int b) {
  int sum = 0;
  for (int i = 0; i < 2; ++i) {
    GODWIT_ASSIGN_OR_RETURN(const std::unique_ptr<int> left, Boxed(a));
    GODWIT_ASSIGN_OR_RETURN(const std::unique_ptr<int> right, Boxed(b));
    sum += *left + *right;
  }
  return sum;
}

TEST(ResultTest, AssignOrReturnMovesTheValueOrPassesTheFailureOn) {
  const Result<int> sum = Sum(3, 4);
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(*sum, 14);
  EXPECT_EQ(Sum(3, -4).status().message(), "negative");
}

Status CheckEven(int v) {
  return v % 2 == 0 ? Status()
                    : Status(StatusCode::kInvalidArgument, std::to_string(v) + " is odd");
}

Status CheckBoth(int a, int b) {
  if (a != b)
    GODWIT_RETURN_IF_ERROR(CheckEven(a));
  else
    return Status(StatusCode::kInternal, "equal");
  GODWIT_RETURN_IF_ERROR(CheckEven(b));
  return Status();
}

TEST(StatusTest, ReturnIfErrorIsOneStatementAndStopsAtTheFirstFailure) {
  EXPECT_TRUE(CheckBoth(2, 4).ok());
  EXPECT_EQ(CheckBoth(3, 5).message(), "3 is odd");
  EXPECT_EQ(CheckBoth(2, 5).message(), "5 is odd");
  EXPECT_EQ(CheckBoth(2, 2).message(), "equal");
}

}  // namespace
}  // namespace godwit
