// Whether SELinux is in force, and how its decision cache does.
#include <algorithm>
#include <array>

#include "common/base/file.h"
#include "common/base/number.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

void Write(exposition::PageWriter& page, std::string_view name, std::string_view help,
           MetricType type, double value) {
  page.Family(name, help, type);
  page.Sample(value);
}

// SELINUX= of the configuration: enforcing 1, permissive 0, disabled or unknown -1.
int ConfiguredMode(const std::string& path) {
  Result<std::string> text = ReadFile(path);
  if (!text) return -1;
  std::string_view rest = *text;
  constexpr std::string_view kKey = "SELINUX=";
  while (std::optional<std::string_view> line = NextLine(rest)) {
    std::string_view trimmed = Trim(*line);
    if (!trimmed.starts_with(kKey)) continue;
    std::string_view mode = Trim(trimmed.substr(kKey.size()));
    if (mode == "enforcing") return 1;
    return mode == "permissive" ? 0 : -1;
  }
  return -1;
}

struct CacheStat {
  std::string_view column;
  std::string_view name;
  std::string_view help;
};

constexpr std::array<CacheStat, 6> kCacheStats = {{
    {"allocations", "node_selinux_avc_allocations_total", "SELinux AVC allocations"},
    {"frees", "node_selinux_avc_frees_total", "SELinux AVC frees"},
    {"hits", "node_selinux_avc_hits_total", "SELinux AVC hits"},
    {"lookups", "node_selinux_avc_lookups_total", "SELinux AVC lookups"},
    {"misses", "node_selinux_avc_misses_total", "SELinux AVC misses"},
    {"reclaims", "node_selinux_avc_reclaims_total", "SELinux AVC reclaims"},
}};

// A title line, then one line per processor: each column is added up.
Status WriteCacheStats(exposition::PageWriter& page, const std::string& path) {
  Result<std::string> text = ReadFile(path);
  if (!text) return text.error();
  std::string_view rest = *text;
  std::vector<std::string_view> titles;
  SplitFields(NextLine(rest).value_or(""), titles);
  std::vector<std::uint64_t> sums(titles.size());
  while (std::optional<std::string_view> line = NextLine(rest)) {
    for (std::uint64_t& sum : sums) sum += ParseUint(NextField(*line)).value_or(0);
  }
  for (const CacheStat& stat : kCacheStats) {
    auto at = std::find(titles.begin(), titles.end(), stat.column);
    if (at == titles.end()) continue;
    std::uint64_t sum = sums[static_cast<std::size_t>(at - titles.begin())];
    Write(page, stat.name, stat.help, MetricType::kCounter, static_cast<double>(sum));
  }
  return {};
}

void WriteGauge(exposition::PageWriter& page, std::string_view name, std::string_view help,
                std::string_view number) {
  if (std::optional<std::uint64_t> value = ParseUint(Trim(number))) {
    Write(page, name, help, MetricType::kGauge, static_cast<double>(*value));
  }
}

// What stands behind "KEY:" at the beginning of a line, up to its end.
std::string_view ValueOf(std::string_view text, std::string_view key) {
  while (std::optional<std::string_view> line = NextLine(text)) {
    if (line->starts_with(key) && line->substr(key.size()).starts_with(':')) {
      return line->substr(key.size() + 1);
    }
  }
  return {};
}

// "entries: 503", "buckets used: 283/512", "longest chain: 7".
Status WriteHashStats(exposition::PageWriter& page, const std::string& path) {
  Result<std::string> text = ReadFile(path);
  if (!text) return text.error();
  WriteGauge(page, "node_selinux_avc_hash_entries", "SELinux AVC hash entries",
             ValueOf(*text, "entries"));
  std::string_view buckets = ValueOf(*text, "buckets used");
  std::size_t slash = std::min(buckets.find('/'), buckets.size());
  WriteGauge(page, "node_selinux_avc_hash_buckets_available", "SELinux AVC hash buckets available",
             buckets.substr(std::min(slash + 1, buckets.size())));
  WriteGauge(page, "node_selinux_avc_hash_buckets_used", "SELinux AVC hash buckets used",
             buckets.substr(0, slash));
  WriteGauge(page, "node_selinux_avc_hash_longest_chain", "SELinux AVC hash longest chain",
             ValueOf(*text, "longest chain"));
  return {};
}

// With SELinux compiled in but without a policy every process is "kernel".
bool IsEnabled(const Paths& paths) {
  if (!FileExists(paths.Sys("fs/selinux/enforce"))) return false;
  std::string context = ReadText(paths.Proc("self/attr/current")).value_or("");
  return context.substr(0, context.find('\0')) != "kernel";
}

Status CollectSelinux(const Paths& paths, exposition::PageWriter& page) {
  bool enabled = IsEnabled(paths);
  Write(page, "node_selinux_enabled", "SELinux is enabled, 1 is true, 0 is false",
        MetricType::kGauge, enabled ? 1 : 0);
  if (!enabled) return {};
  Write(page, "node_selinux_config_mode", "Configured SELinux enforcement mode", MetricType::kGauge,
        ConfiguredMode(JoinPath(paths.rootfs, "etc/selinux/config")));
  std::optional<std::int64_t> mode = ReadInt(paths.Sys("fs/selinux/enforce"));
  Write(page, "node_selinux_current_mode", "Current SELinux enforcement mode", MetricType::kGauge,
        mode ? static_cast<double>(*mode) : -1);
  RETURN_IF_ERROR(WriteCacheStats(page, paths.Sys("fs/selinux/avc/cache_stats")));
  RETURN_IF_ERROR(WriteHashStats(page, paths.Sys("fs/selinux/avc/hash_stats")));
  WriteGauge(page, "node_selinux_avc_threshold", "SELinux AVC threshold",
             ReadText(paths.Sys("fs/selinux/avc/cache_threshold")).value_or(""));
  return {};
}

}  // namespace

CollectorPtr MakeSelinuxCollector(const Paths& paths) {
  return MakeFunctionCollector(
      "selinux", [paths](CollectContext& context) { return CollectSelinux(paths, context.page); });
}

}  // namespace skep::exporter
