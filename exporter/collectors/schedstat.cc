// How long processes ran on each processor, and how long they waited for it.
#include "common/base/file.h"
#include "common/base/number.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

// "cpu0" and nine numbers, of which the last three are counted: running and waiting nanoseconds,
// time slices.
void AddProcessor(FamilySet& families, std::string_view line) {
  std::vector<std::string_view> fields;
  SplitFields(line, fields);
  if (fields.size() < 10) return;
  std::string_view cpu = fields[0].substr(3);
  std::optional<std::uint64_t> running = ParseUint(fields[7]);
  std::optional<std::uint64_t> waiting = ParseUint(fields[8]);
  std::optional<std::uint64_t> slices = ParseUint(fields[9]);
  if (!running || !waiting || !slices) return;
  families.Add("node_schedstat_running_seconds_total",
               "Number of seconds CPU spent running a process.", MetricType::kCounter,
               {{"cpu", cpu}}, static_cast<double>(*running) / 1e9);
  families.Add("node_schedstat_waiting_seconds_total",
               "Number of seconds spent by processing waiting for this CPU.", MetricType::kCounter,
               {{"cpu", cpu}}, static_cast<double>(*waiting) / 1e9);
  families.Add("node_schedstat_timeslices_total", "Number of timeslices executed by CPU.",
               MetricType::kCounter, {{"cpu", cpu}}, static_cast<double>(*slices));
}

}  // namespace

CollectorPtr MakeSchedstatCollector(const Paths& paths) {
  std::string path = paths.Proc("schedstat");
  return MakeFunctionCollector("schedstat", [path](CollectContext& context) -> Status {
    Result<std::string> text = ReadFile(path);
    if (!text) return text.error();
    FamilySet families;
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = NextLine(rest)) {
      if (line->starts_with("cpu")) AddProcessor(families, *line);
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
