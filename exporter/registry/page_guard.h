// Keeps a page well-formed whatever collectors write: every family once, and not too many series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skep::exporter {

// Belongs to one page that grows by pieces. Thread-compatible.
class PageGuard {
 public:
  // `max_series` 0: no bound. `reserved`: names no family may have, each ended by a newline; a
  // name that ends with _total is reserved without that ending too, as OpenMetrics announces it.
  // Must outlive the guard.
  explicit PageGuard(std::size_t max_series, std::string_view reserved = {});

  struct Verdict {
    std::size_t duplicate_families = 0;
    std::size_t families_over_limit = 0;
    std::string first_dropped;  // its name, or ""
  };

  // Looks at what stands in `page` from `begin` on and takes out whole families: those whose names
  // were seen before, and those that would pass the bound. Requires: `page` before `begin` is as
  // the last call left it.
  Verdict Admit(std::string& page, std::size_t begin);

  std::size_t series() const { return series_; }

 private:
  // Where a name stands, in the page or in the reserved text; length 0: an empty slot.
  struct Slot {
    std::uint64_t hash = 0;
    std::size_t offset = 0;
    std::uint32_t length = 0;
    bool is_reserved = false;
  };

  bool IsKnown(const std::string& page, std::string_view name) const;
  void Remember(std::string_view name, std::size_t offset, bool is_reserved = false);
  void Insert(Slot slot);

  std::size_t max_series_;
  std::string_view reserved_;
  std::size_t series_ = 0;
  std::size_t families_ = 0;
  std::vector<Slot> slots_;  // open addressing; a power of two, at most half full
};

}  // namespace skep::exporter
