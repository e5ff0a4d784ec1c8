// Batteries and mains.
#include <array>

#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

struct Attribute {
  std::string_view file;
  std::string_view metric;
};

constexpr std::array<Attribute, 10> kPlain = {{{"authentic", "authentic"},
                                               {"calibrate", "calibrate"},
                                               {"capacity", "capacity"},
                                               {"capacity_alert_max", "capacity_alert_max"},
                                               {"capacity_alert_min", "capacity_alert_min"},
                                               {"cycle_count", "cyclecount"},
                                               {"online", "online"},
                                               {"present", "present"},
                                               {"time_to_empty_now", "time_to_empty_seconds"},
                                               {"time_to_full_now", "time_to_full_seconds"}}};

// In millionths of a volt, ampere, watt and their hours.
constexpr std::array<Attribute, 31> kMicro = {
    {{"current_boot", "current_boot"},
     {"current_max", "current_max"},
     {"current_now", "current_ampere"},
     {"energy_empty", "energy_empty"},
     {"energy_empty_design", "energy_empty_design"},
     {"energy_full", "energy_full"},
     {"energy_full_design", "energy_full_design"},
     {"energy_now", "energy_watthour"},
     {"voltage_boot", "voltage_boot"},
     {"voltage_max", "voltage_max"},
     {"voltage_max_design", "voltage_max_design"},
     {"voltage_min", "voltage_min"},
     {"voltage_min_design", "voltage_min_design"},
     {"voltage_now", "voltage_volt"},
     {"voltage_ocv", "voltage_ocv"},
     {"charge_control_limit", "charge_control_limit"},
     {"charge_control_limit_max", "charge_control_limit_max"},
     {"charge_counter", "charge_counter"},
     {"charge_empty", "charge_empty"},
     {"charge_empty_design", "charge_empty_design"},
     {"charge_full", "charge_full"},
     {"charge_full_design", "charge_full_design"},
     {"charge_now", "charge_ampere"},
     {"charge_term_current", "charge_term_current"},
     {"constant_charge_current", "constant_charge_current"},
     {"constant_charge_current_max", "constant_charge_current_max"},
     {"constant_charge_voltage", "constant_charge_voltage"},
     {"constant_charge_voltage_max", "constant_charge_voltage_max"},
     {"precharge_current", "precharge_current"},
     {"input_current_limit", "input_current_limit"},
     {"power_now", "power_watt"}}};

// In tenths of a degree.
constexpr std::array<Attribute, 8> kTenths = {{{"temp", "temp_celsius"},
                                               {"temp_alert_max", "temp_alert_max_celsius"},
                                               {"temp_alert_min", "temp_alert_min_celsius"},
                                               {"temp_ambient", "temp_ambient_celsius"},
                                               {"temp_ambient_max", "temp_ambient_max_celsius"},
                                               {"temp_ambient_min", "temp_ambient_min_celsius"},
                                               {"temp_max", "temp_max_celsius"},
                                               {"temp_min", "temp_min_celsius"}}};

constexpr std::array<std::string_view, 11> kInfo = {
    "capacity_level", "charge_type", "health",     "manufacturer", "model_name", "scope",
    "serial_number",  "status",      "technology", "type",         "usb_type"};

template <std::size_t size>
void AddNumbers(FamilySet& families, const std::string& folder, const std::string& supply,
                const std::array<Attribute, size>& attributes, double divisor) {
  for (const Attribute& attribute : attributes) {
    std::optional<std::int64_t> value = ReadInt(folder + "/" + std::string(attribute.file));
    if (!value) continue;
    std::string metric(attribute.metric);
    families.Add("node_power_supply_" + metric,
                 metric + " value of /sys/class/power_supply/<power_supply>.", MetricType::kGauge,
                 {{"power_supply", supply}}, static_cast<double>(*value) / divisor);
  }
}

void AddInfo(FamilySet& families, const std::string& folder, const std::string& supply) {
  std::string labels = exposition::RenderLabels({{"power_supply", supply}});
  for (std::string_view name : kInfo) {
    std::string value = ReadText(folder + "/" + std::string(name)).value_or("");
    if (!value.empty()) exposition::AppendRenderedLabel(labels, name, ValidUtf8(value));
  }
  families.AddRendered("node_power_supply_info", "info of /sys/class/power_supply/<power_supply>.",
                       MetricType::kGauge, std::move(labels), 1);
}

}  // namespace

CollectorPtr MakePowerSupplyCollector(const Paths& paths, std::optional<Regex> ignored) {
  std::string root = paths.Sys("class/power_supply");
  return MakeFunctionCollector("powersupplyclass",
                               [root, ignored](CollectContext& context) -> Status {
                                 Result<std::vector<std::string>> supplies = ListFolder(root);
                                 if (!supplies) return supplies.error();
                                 FamilySet families;
                                 for (const std::string& supply : *supplies) {
                                   if (ignored && ignored->PartialMatch(supply)) continue;
                                   std::string folder = root + "/" + supply;
                                   AddNumbers(families, folder, supply, kPlain, 1);
                                   AddNumbers(families, folder, supply, kMicro, 1e6);
                                   AddNumbers(families, folder, supply, kTenths, 10);
                                   AddInfo(families, folder, supply);
                                 }
                                 families.Write(context.page);
                                 return {};
                               });
}

}  // namespace skep::exporter
