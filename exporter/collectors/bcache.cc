// Block devices cached by faster ones: /sys/fs/bcache/UUID.
#include <array>
#include <cmath>

#include "common/base/file.h"
#include "common/base/number.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

// The kernel prints sizes for people: "4.9G". What stands behind the point is not a decimal
// fraction but a number of 0 to 1023 divided by 100, so ".10" is more than ".9".
std::optional<double> ParseHumanSize(std::string_view text) {
  constexpr std::string_view kUnits = "kMGTPEZY";
  if (text.empty()) return std::nullopt;
  std::size_t unit = kUnits.find(text.back());
  if (unit == std::string_view::npos) return ParseDouble(text);
  text.remove_suffix(1);
  std::size_t point = std::min(text.find('.'), text.size());
  std::optional<double> whole = ParseDouble(text.substr(0, point));
  if (!whole) return std::nullopt;
  double size = *whole;
  if (point < text.size()) {
    std::optional<double> fraction = ParseDouble(text.substr(point + 1));
    if (!fraction) return std::nullopt;
    size += (text.front() == '-' ? -1 : 1) * *fraction / 10.24;
  }
  return std::trunc(std::ldexp(size, 10 * static_cast<int>(unit + 1)));
}

struct Attribute {
  std::string_view file;
  std::string_view name;  // behind "node_bcache_"
  std::string_view help;
  MetricType type = MetricType::kGauge;
  double factor = 1;
};

constexpr std::array<Attribute, 10> kSetAttributes = {{
    {"average_key_size", "average_key_size_sectors",
     "Average data per key in the btree (sectors)."},
    {"btree_cache_size", "btree_cache_size_bytes",
     "Amount of memory currently used by the btree cache."},
    {"cache_available_percent", "cache_available_percent",
     "Percentage of cache device without dirty data, usable for writeback (may contain clean "
     "cached data)."},
    {"congested", "congested", "Congestion."},
    {"root_usage_percent", "root_usage_percent",
     "Percentage of the root btree node in use (tree depth increases if too high)."},
    {"tree_depth", "tree_depth", "Depth of the btree."},
    {"internal/active_journal_entries", "active_journal_entries",
     "Number of journal entries that are newer than the index."},
    {"internal/btree_nodes", "btree_nodes", "Total nodes in the btree."},
    {"internal/btree_read_average_duration_us", "btree_read_average_duration_seconds",
     "Average btree read duration.", MetricType::kGauge, 1e-9},
    {"internal/cache_read_races", "cache_read_races_total",
     "Counts instances where while data was being read from the cache, the bucket was reused and "
     "invalidated - i.e. where the pointer was stale after the read completed.",
     MetricType::kCounter},
}};

constexpr std::array<Attribute, 8> kBackingAttributes = {{
    {"dirty_data", "dirty_data_bytes",
     "Amount of dirty data for this backing device in the cache."},
    {"stats_total/bypassed", "bypassed_bytes_total",
     "Amount of IO (both reads and writes) that has bypassed the cache.", MetricType::kCounter},
    {"stats_total/cache_bypass_hits", "cache_bypass_hits_total",
     "Hits for IO intended to skip the cache.", MetricType::kCounter},
    {"stats_total/cache_bypass_misses", "cache_bypass_misses_total",
     "Misses for IO intended to skip the cache.", MetricType::kCounter},
    {"stats_total/cache_hits", "cache_hits_total",
     "Hits counted per individual IO as bcache sees them.", MetricType::kCounter},
    {"stats_total/cache_miss_collisions", "cache_miss_collisions_total",
     "Instances where data insertion from cache miss raced with write (data already present).",
     MetricType::kCounter},
    {"stats_total/cache_misses", "cache_misses_total",
     "Misses counted per individual IO as bcache sees them.", MetricType::kCounter},
    {"stats_total/cache_readaheads", "cache_readaheads_total", "Count of times readahead occurred.",
     MetricType::kCounter},
}};

// Lines of writeback_rate_debug.
constexpr std::array<Attribute, 5> kWritebackLines = {{
    {"change:", "writeback_change", "Last writeback rate change step for this backing device."},
    {"integral:", "writeback_rate_integral_term",
     "Current result of integral controller, part of writeback rate"},
    {"proportional:", "writeback_rate_proportional_term",
     "Current result of proportional controller, part of writeback rate"},
    {"rate:", "writeback_rate", "Current writeback rate for this backing device in bytes."},
    {"target:", "dirty_target_bytes",
     "Current dirty data target threshold for this backing device in bytes."},
}};

constexpr std::array<Attribute, 3> kCacheAttributes = {{
    {"io_errors", "io_errors",
     "Number of errors that have occurred, decayed by io_error_halflife."},
    {"metadata_written", "metadata_written_bytes_total",
     "Sum of all non data writes (btree writes and all other metadata).", MetricType::kCounter},
    {"written", "written_bytes_total", "Sum of all data that has been written to the cache.",
     MetricType::kCounter},
}};

constexpr std::array<Attribute, 2> kPriorityLines = {{
    {"Metadata:", "priority_stats_metadata_percent", "Bcache's metadata overhead."},
    {"Unused:", "priority_stats_unused_percent",
     "The percentage of the cache that doesn't contain any data."},
}};

void Add(FamilySet& families, const Attribute& attribute, const std::string& labels,
         std::optional<double> value) {
  if (!value) return;
  families.AddRendered("node_bcache_" + std::string(attribute.name), attribute.help, attribute.type,
                       labels, *value * attribute.factor);
}

template <std::size_t size>
void AddFiles(FamilySet& families, const std::array<Attribute, size>& attributes,
              const std::string& folder, const std::string& labels) {
  for (const Attribute& attribute : attributes) {
    std::optional<std::string> text = ReadText(folder + "/" + std::string(attribute.file));
    if (text) Add(families, attribute, labels, ParseHumanSize(*text));
  }
}

// Lines of a key and a number with "/sec" or "%" behind it.
template <std::size_t size>
void AddLines(FamilySet& families, const std::array<Attribute, size>& attributes,
              const std::string& path, const std::string& labels) {
  Result<std::string> text = ReadFile(path);
  if (!text) return;
  std::string_view rest = *text;
  while (std::optional<std::string_view> line = NextLine(rest)) {
    std::string_view key = NextField(*line);
    std::string_view value = NextField(*line);
    value = value.substr(0, value.find_first_of("/%"));
    for (const Attribute& attribute : attributes) {
      if (attribute.file == key) Add(families, attribute, labels, ParseHumanSize(value));
    }
  }
}

bool IsNumbered(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && ParseUint(name.substr(prefix.size()));
}

void AddSet(FamilySet& families, const std::string& folder, const std::string& uuid,
            bool priority_stats) {
  AddFiles(families, kSetAttributes, folder, exposition::RenderLabels({{"uuid", uuid}}));
  for (const std::string& name : ListFolderOrNone(folder)) {
    std::string path = folder + "/" + name;
    if (IsNumbered(name, "bdev")) {
      auto labels = exposition::RenderLabels({{"backing_device", name}, {"uuid", uuid}});
      AddFiles(families, kBackingAttributes, path, labels);
      AddLines(families, kWritebackLines, path + "/writeback_rate_debug", labels);
    } else if (IsNumbered(name, "cache")) {
      auto labels = exposition::RenderLabels({{"cache_device", name}, {"uuid", uuid}});
      AddFiles(families, kCacheAttributes, path, labels);
      // Reading it sorts all buckets of the cache, hence only when asked for.
      if (priority_stats) AddLines(families, kPriorityLines, path + "/priority_stats", labels);
    }
  }
}

}  // namespace

CollectorPtr MakeBcacheCollector(const Paths& paths, bool priority_stats) {
  std::string root = paths.Sys("fs/bcache");
  return MakeFunctionCollector("bcache", [root, priority_stats](CollectContext& context) -> Status {
    FamilySet families;
    for (const std::string& name : ListFolderOrNone(root)) {
      // Beside the sets, named by UUID, stand "register" and the like.
      if (name.find('-') != std::string::npos) {
        AddSet(families, root + "/" + name, name, priority_stats);
      }
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
