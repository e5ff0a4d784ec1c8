#include "exporter/collectors/disk_stats.h"

#include <optional>

#include "exporter/collectors/proc_files.h"
#include "exporter/collectors/scan.h"

namespace skep::exporter {
namespace {

constexpr std::size_t kOldestColumns = 11;

}  // namespace

void ParseDiskRows(std::string_view text, std::vector<DiskRow>& rows) {
  rows.clear();
  while (std::optional<std::string_view> line = NextLine(text)) {
    DiskRow row;
    if (!NextUint(*line, row.major) || !NextUint(*line, row.minor)) continue;
    row.device = NextField(*line);
    while (row.columns < kDiskColumns && NextUint(*line, row.values[row.columns])) ++row.columns;
    if (row.columns >= kOldestColumns) rows.push_back(row);
  }
}

std::string_view UdevProperty(std::string_view text, std::string_view key) {
  while (std::optional<std::string_view> line = NextLine(text)) {
    if (!line->starts_with("E:")) continue;
    line->remove_prefix(2);
    if (line->size() > key.size() && line->starts_with(key) && (*line)[key.size()] == '=') {
      return line->substr(key.size() + 1);
    }
  }
  return {};
}

}  // namespace skep::exporter
