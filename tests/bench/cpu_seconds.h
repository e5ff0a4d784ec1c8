// Processor time of a benchmark.
#pragma once

#include <ctime>

namespace skep::bench {

// Of all threads of the process, kernel included.
inline double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace skep::bench
