// How often a test repeats what only large numbers show.
#pragma once

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

}  // namespace skep::test
