// What the server counts of requests. Private to the folder.
#pragma once

#include <atomic>
#include <cstdint>

namespace skep::net {

// Thread-safe. For the meanings see HttpServer::Counts.
struct ServerCounters {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> handler_failures{0};
  std::atomic<std::uint64_t> malformed{0};
  std::atomic<std::uint64_t> too_large{0};
  std::atomic<std::uint64_t> unauthorized{0};
};

inline void CountOne(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace skep::net
