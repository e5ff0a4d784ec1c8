// How often a test repeats what only large numbers show.
#pragma once

#include <cstdlib>
#include <string_view>

namespace skep::test {

// `full` in a plain build. A sanitizer makes each step many times as slow and finds what it looks
// for in the first of them: there a twentieth.
constexpr int Many(int full) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return full / 20;
#else
  return full;
#endif
}

// Whether tests run with the counts that take long: tests/run.sh --long.
inline bool IsLongForm() {
  const char* const form = std::getenv("SKEP_TEST_LONG");
  return form != nullptr && std::string_view(form) == "1";
}

}  // namespace skep::test
