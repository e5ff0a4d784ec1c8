// The connection tracking table of netfilter.
#include <array>
#include <optional>
#include <string>

#include "common/base/number.h"
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;

struct Statistic {
  std::string_view column;  // in the first line of the table
  std::string_view help;
};

constexpr std::array<Statistic, 8> kStatistics{{
    {"drop", "Number of packets dropped due to conntrack failure."},
    {"early_drop",
     "Number of dropped conntrack entries to make room for new ones, if maximum table size was "
     "reached."},
    {"found", "Number of searched entries which were successful."},
    {"ignore", "Number of packets seen which are already connected to a conntrack entry."},
    {"insert", "Number of entries inserted into the list."},
    {"insert_failed", "Number of entries for which list insertion was attempted but failed."},
    {"invalid", "Number of packets seen which can not be tracked."},
    {"search_restart",
     "Number of conntrack table lookups which had to be restarted due to hashtable resizes."},
}};

using Sums = std::array<std::uint64_t, kStatistics.size()>;

// A line of names, then one of hexadecimal numbers per processor; the sums of the columns we know.
// Columns come and go between kernels: one that is missing sums up to 0. False: no line of names.
bool SumColumns(std::string_view text, Sums& sums) {
  std::array<std::optional<std::size_t>, 64> wanted;  // column to statistic
  std::optional<std::string_view> names = NextLine(text);
  if (!names || names->empty()) return false;
  for (std::size_t column = 0; column < wanted.size(); ++column) {
    const std::string_view name = NextField(*names);
    for (std::size_t i = 0; i < kStatistics.size(); ++i) {
      if (name == kStatistics[i].column) wanted[column] = i;
    }
  }
  while (std::optional<std::string_view> line = NextLine(text)) {
    std::uint64_t value = 0;
    for (std::size_t column = 0; column < wanted.size() && NextHex(*line, value); ++column) {
      if (wanted[column]) sums[*wanted[column]] += value;
    }
  }
  return true;
}

class ConntrackCollector final : public Collector {
 public:
  explicit ConntrackCollector(const Paths& paths)
      : count_(paths.Proc("sys/net/netfilter/nf_conntrack_count")),
        max_(paths.Proc("sys/net/netfilter/nf_conntrack_max")),
        table_(paths.Proc("net/stat/nf_conntrack")) {
    for (std::size_t i = 0; i < kStatistics.size(); ++i) {
      families_[i] = "node_nf_conntrack_stat_" + std::string(kStatistics[i].column);
    }
  }

  std::string_view name() const override { return "conntrack"; }

  Status Collect(CollectContext& context) override {
    RETURN_IF_ERROR(WriteNumber(context, count_, "node_nf_conntrack_entries",
                                "Number of currently allocated flow entries for connection "
                                "tracking."));
    RETURN_IF_ERROR(WriteNumber(context, max_, "node_nf_conntrack_entries_limit",
                                "Maximum size of connection tracking table."));
    const Result<std::string_view> text = table_.Read();
    if (!text) return text.error();
    Sums sums{};
    if (!SumColumns(*text, sums)) return Invalid(table_.path() + ": empty");
    for (std::size_t i = 0; i < sums.size(); ++i) {
      context.page.Family(families_[i], kStatistics[i].help, MetricType::kGauge);
      context.page.Sample(static_cast<double>(sums[i]));
    }
    return {};
  }

 private:
  // Absent (kNotFound) where the module is not loaded.
  static Status WriteNumber(CollectContext& context, SourceFile& file, std::string_view family,
                            std::string_view help) {
    const Result<std::string_view> text = file.Read();
    if (!text) return text.error();
    const auto value = ParseUint(Trim(*text));
    if (!value) return Invalid(file.path() + ": expected a number");
    context.page.Family(family, help, MetricType::kGauge);
    context.page.Sample(static_cast<double>(*value));
    return {};
  }

  SourceFile count_;
  SourceFile max_;
  SourceFile table_;
  std::array<std::string, kStatistics.size()> families_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<ConntrackCollector>(setup.paths));
}

}  // namespace

CollectorSpec ConntrackSpec() { return {.name = "conntrack", .create = Create}; }

}  // namespace skep::exporter
