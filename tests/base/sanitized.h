// tests/base/sanitized.h: whether a test runs with the address sanitizer, some ten times as long.
// Tests that compare a great many results then compare some of each kind: which values are right
// does not depend on the sanitizer, and other builds compare all.
#pragma once

namespace godwit {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace godwit
