// base/status.h: how every library here reports failure. No exceptions leave the libraries.
#pragma once

#include <cassert>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace godwit {

// The causes a caller may want to tell apart; apps/exit_code.h maps them to exit codes.
enum class StatusCode : uint8_t {
  kOk,
  kInternal,         // our own mistake, or the machine failed (out of memory, disk error)
  kInvalidArgument,  // the caller asked for something that has no meaning
  kUnreadable,       // an input is missing, or is not readable as what it claims to be
  kUnsupported,      // a valid input that this version does not handle
  kCorrupt,          // bytes contradict themselves or their checksum
  kTruncated,        // bytes end early; a prefix of a valid stream always gives this one
  kOverLimit,        // the header asks for more than the limits allow
  kModelMissing,     // a stream names a model that is not at hand
  kModelRefused,     // a model file is damaged, unsafe or does not fit the codec
  kNotWritable,      // the output exists or cannot be written
};

std::string_view StatusCodeName(StatusCode code);

// A code and, unless it is ok, one line of text that names the place (offset, field, value).
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {
    assert(code != StatusCode::kOk);
  }
  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  // The same failure with the place put before the text: "photo.gdw: " or "section 3: ".
  Status WithPrefix(std::string_view place) const {
    return ok() ? *this : Status(code_, std::string(place) + message_);
  }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

// A value or the reason why there is none; keeps to what std::expected<T, Status> offers.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit, so `return value;` works
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }  // NOLINT
  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& value() {
    assert(ok());
    return *value_;
  }
  const T& value() const {
    assert(ok());
    return *value_;
  }

 private:
  std::optional<T> value_;
  Status status_;
};

// Runs `f`, which returns a Status or a Result; memory that is not there becomes a Status. For the
// calls where a library allocates: no exception leaves it, least of all from a parallel region.
template <typename F>
auto CatchOutOfMemory(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kInternal, "out of memory");
  }
}

// Statement macros for the two commonest lines. The name of `lhs` may be a declaration.
#define GODWIT_RETURN_IF_ERROR(expr)                                            \
  do {                                                                          \
    if (::godwit::Status status_or = (expr); !status_or.ok()) return status_or; \
  } while (0)
#define GODWIT_CONCAT_INNER(a, b) a##b
#define GODWIT_CONCAT(a, b) GODWIT_CONCAT_INNER(a, b)
#define GODWIT_ASSIGN_OR_RETURN(lhs, expr) \
  GODWIT_ASSIGN_OR_RETURN_INNER(GODWIT_CONCAT(result_, __LINE__), lhs, expr)
#define GODWIT_ASSIGN_OR_RETURN_INNER(result, lhs, expr) \
  auto result = (expr);                                  \
  if (!result.ok()) return result.status();              \
  lhs = *std::move(result)

}  // namespace godwit
