// Energy used by processors and memory, as their power meters count it.
#include <map>

#include "common/base/number.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

struct Zone {
  std::string name;   // "package"
  std::string index;  // "0"
  std::string path;
};

// "package-0" carries its index; of "dram" there may be several without one, which are counted.
Zone NameZone(std::string_view name, std::string path, std::map<std::string, int>& used) {
  std::size_t dash = name.find('-');
  if (dash != std::string_view::npos && name.find('-', dash + 1) == std::string_view::npos) {
    std::string_view index = name.substr(dash + 1);
    if (ParseUint(index)) return {std::string(name.substr(0, dash)), std::string(index), path};
  }
  int index = used[std::string(name)]++;
  return {std::string(name), std::to_string(index), std::move(path)};
}

// What a metric name may not hold becomes an underscore.
std::string MetricPart(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '_' || c == ':';
    if (!fits) c = '_';
  }
  return out;
}

void Add(FamilySet& families, const Zone& zone, double joules, bool zone_label) {
  if (zone_label) {
    families.Add("node_rapl_joules_total", "Current RAPL value in joules", MetricType::kCounter,
                 {{"index", zone.index}, {"path", zone.path}, {"rapl_zone", zone.name}}, joules);
    return;
  }
  families.Add("node_rapl_" + MetricPart(zone.name) + "_joules_total",
               "Current RAPL " + zone.name + " value in joules", MetricType::kCounter,
               {{"index", zone.index}, {"path", zone.path}}, joules);
}

}  // namespace

CollectorPtr MakeRaplCollector(const Paths& paths, bool zone_label) {
  std::string folder = paths.Sys("class/powercap");
  return MakeFunctionCollector("rapl", [folder, zone_label](CollectContext& context) -> Status {
    Result<std::vector<std::string>> names = ListFolder(folder);
    if (!names) return names.error();
    FamilySet families;
    std::map<std::string, int> used;
    bool unreadable = false;
    for (const std::string& file : *names) {
      std::string path = folder + "/" + file;
      std::optional<std::string> name = ReadText(path + "/name");
      if (!name) continue;
      Zone zone = NameZone(ValidUtf8(*name), path, used);
      std::optional<std::uint64_t> microjoules = ReadUint(path + "/energy_uj");
      unreadable = unreadable || !microjoules;  // since 2020 for root only
      if (microjoules) Add(families, zone, static_cast<double>(*microjoules) / 1e6, zone_label);
    }
    if (families.empty() && unreadable) return NotFound("the power meters are readable for root");
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
