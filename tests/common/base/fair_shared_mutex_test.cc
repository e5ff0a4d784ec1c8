#include "common/base/fair_shared_mutex.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace skep {

TEST_CASE("A writer gets its turn however many readers come", "[base]") {
  FairSharedMutex mutex;
  std::atomic<bool> done{false};
  std::atomic<int> reads{0};
  int value = 0;
  {
    // Overlapping readers: with three of them one always holds it.
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back([&] {
        while (!done) {
          const std::shared_lock lock(mutex);
          reads += value >= 0 ? 1 : 0;
          std::this_thread::yield();
        }
      });
    }
    while (reads < 100) std::this_thread::yield();
    for (int i = 0; i < 100; ++i) {
      const std::unique_lock lock(mutex);
      ++value;
    }
    done = true;
  }
  CHECK(value == 100);
}

}  // namespace skep
