#include <array>

#include "common/base/number.h"
#include "exporter/collectors/process_group.h"

namespace skep::exporter {

namespace {

// Places behind the name, from 0 at the state; proc(5) counts the state as field 3.
constexpr std::size_t kUserTicks = 11;
constexpr std::size_t kSystemTicks = 12;
constexpr std::size_t kThreads = 17;
constexpr std::size_t kStartTicks = 19;
constexpr std::size_t kResidentPages = 21;

}  // namespace

// `123 (name) S 1 ...`: the name may hold blanks and brackets, so it ends at the last bracket.
std::optional<ProcessStat> ParseProcessStat(std::string_view line) {
  std::size_t open = line.find('(');
  std::size_t close = line.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  ProcessStat stat;
  stat.comm = line.substr(open + 1, close - open - 1);
  std::string_view rest = line.substr(close + 1);
  std::string_view state = NextField(rest);
  if (state.size() != 1) return {};
  stat.state = state[0];
  for (std::size_t place = 1; place <= kResidentPages; ++place) {
    std::string_view field = NextField(rest);
    std::uint64_t* out = place == kUserTicks       ? &stat.user_ticks
                         : place == kSystemTicks   ? &stat.system_ticks
                         : place == kThreads       ? &stat.threads
                         : place == kStartTicks    ? &stat.start_ticks
                         : place == kResidentPages ? &stat.resident_pages
                                                   : nullptr;
    if (out == nullptr) continue;
    std::optional<std::uint64_t> number = ParseUint(field);
    if (!number) return {};
    *out = *number;
  }
  // A line cut within the last number would tell too little memory.
  if (rest.empty()) return {};
  return stat;
}

}  // namespace skep::exporter
