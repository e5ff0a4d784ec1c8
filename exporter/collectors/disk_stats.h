// The text of /proc/diskstats and of udev's data about a device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace skep::exporter {

// The kernel added columns over time: 11 from the start, 15 with discards, 17 with flushes.
inline constexpr std::size_t kDiskColumns = 17;

struct DiskRow {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::string_view device;  // into the text
  std::size_t columns = 0;  // how many of `values` the line has
  std::array<std::uint64_t, kDiskColumns> values{};
};

// Lines of at least 11 columns into `rows`; others (the four columns that old kernels gave for
// partitions, a cut line) are left out.
void ParseDiskRows(std::string_view text, std::vector<DiskRow>& rows);

// The value of "E:KEY=value" in udev's data, or "".
std::string_view UdevProperty(std::string_view text, std::string_view key);

}  // namespace skep::exporter
