// Temperatures and cooling devices as ACPI and the platform drivers tell them.
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

// A zone that is switched off or whose sensor sleeps has no temperature and is left out.
void AddZone(FamilySet& families, const std::string& path, std::string_view number) {
  std::optional<std::string> type = ReadText(path + "/type");
  std::optional<std::int64_t> millidegrees = ReadInt(path + "/temp");
  if (!type || !millidegrees) return;
  families.Add("node_thermal_zone_temp", "Zone temperature in Celsius", MetricType::kGauge,
               {{"type", ValidUtf8(*type)}, {"zone", number}},
               static_cast<double>(*millidegrees) / 1000.0);
}

void AddCoolingDevice(FamilySet& families, const std::string& path, std::string_view number) {
  std::optional<std::string> type = ReadText(path + "/type");
  std::optional<std::int64_t> now = ReadInt(path + "/cur_state");
  std::optional<std::int64_t> max = ReadInt(path + "/max_state");
  if (!type || !now || !max) return;
  std::string labels = exposition::RenderLabels({{"name", number}, {"type", ValidUtf8(*type)}});
  families.AddRendered("node_cooling_device_cur_state",
                       "Current throttle state of the cooling device", MetricType::kGauge, labels,
                       static_cast<double>(*now));
  families.AddRendered("node_cooling_device_max_state",
                       "Maximum throttle state of the cooling device", MetricType::kGauge, labels,
                       static_cast<double>(*max));
}

}  // namespace

CollectorPtr MakeThermalZoneCollector(const Paths& paths) {
  std::string folder = paths.Sys("class/thermal");
  return MakeFunctionCollector("thermal_zone", [folder](CollectContext& context) -> Status {
    constexpr std::string_view kZone = "thermal_zone";
    constexpr std::string_view kDevice = "cooling_device";
    FamilySet families;
    for (const std::string& name : ListFolderOrNone(folder)) {
      std::string_view view = name;
      if (view.starts_with(kZone)) {
        AddZone(families, folder + "/" + name, view.substr(kZone.size()));
      } else if (view.starts_with(kDevice)) {
        AddCoolingDevice(families, folder + "/" + name, view.substr(kDevice.size()));
      }
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
