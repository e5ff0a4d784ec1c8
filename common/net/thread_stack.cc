#include "common/net/thread_stack.h"

#include <dlfcn.h>
#include <pthread.h>

#include <algorithm>
#include <cstddef>

namespace {

constexpr std::size_t kLeastStackBytes = 16UL << 20;

using SetStackSize = int (*)(pthread_attr_t*, std::size_t);

}  // namespace

// Stands before the C library's, whose place in the search order comes after the program's.
extern "C" __attribute__((visibility("default"))) int pthread_attr_setstacksize(
    pthread_attr_t* attributes, std::size_t size) noexcept {
  static const auto next =
      reinterpret_cast<SetStackSize>(dlsym(RTLD_NEXT, "pthread_attr_setstacksize"));
  return next(attributes, std::max(size, kLeastStackBytes));
}

namespace skep::net {

void EnsureThreadStacks() {}

}  // namespace skep::net
