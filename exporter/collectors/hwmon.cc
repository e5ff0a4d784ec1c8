// Sensors: temperatures, fans, voltages, currents, power, as /sys/class/hwmon has them. The files
// of a chip are named TYPE NUMBER _ ELEMENT: temp1_input, fan2_min, pwm1.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "common/base/ascii.h"
#include "common/base/file.h"
#include "common/base/number.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

constexpr std::array<std::string_view, 13> kTypes = {
    "vrm",  "beep_enable", "update_interval", "in",     "cpu",      "fan",      "pwm",
    "temp", "curr",        "power",           "energy", "humidity", "intrusion"};

struct FileName {
  std::string type;
  std::string number;
  std::string element;  // "" of "pwm1"
};

// "temp1_crit_alarm" is temp, 1, crit_alarm. The type ends at the first digit, so a name without
// one, like "update_interval", is all type.
std::optional<FileName> Explode(std::string_view name) {
  auto begin = std::find_if(name.begin(), name.end(), IsDigit);
  auto end = std::find_if_not(begin, name.end(), IsDigit);
  FileName out{std::string(name.begin(), begin), std::string(begin, end), ""};
  if (std::find(kTypes.begin(), kTypes.end(), out.type) == kTypes.end()) return std::nullopt;
  std::string_view rest(end, name.end());
  if (!rest.empty() && (rest.front() != '_' || rest.size() == 1)) return std::nullopt;
  if (!rest.empty()) out.element = rest.substr(1);
  if (out.number.empty()) out.number = "0";
  std::size_t zeros = std::min(out.number.find_first_not_of('0'), out.number.size() - 1);
  out.number.erase(0, zeros);
  return out;
}

// Lower case, underscores for all but letters and digits, none at the ends.
std::string CleanName(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    bool fits = (c >= 'a' && c <= 'z') || IsDigit(c) || c == ':';
    out.push_back(fits ? c : '_');
  }
  std::size_t begin = out.find_first_not_of('_');
  if (begin == std::string::npos) return {};
  return out.substr(begin, out.find_last_not_of('_') - begin + 1);
}

// With blanks kept: labels of sensors may have them at the end.
std::optional<std::string> ReadValue(const std::string& path) {
  Result<std::string> text = ReadFile(path, 4096);
  if (!text) return std::nullopt;
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *text;
}

std::string RealPath(const std::string& path) {
  std::error_code error;
  std::filesystem::path real = std::filesystem::canonical(path, error);
  return error ? "" : real.string();
}

// A name that stays when drivers load in another order: the device's place in the bus, else the
// chip's name, else "hwmon3".
std::string ChipName(const std::string& folder) {
  std::string device = RealPath(folder + "/device");
  if (!device.empty()) {
    std::string name = CleanName(BaseName(device));
    std::string bus = CleanName(BaseName(DirName(device)));
    if (!bus.empty() && !name.empty()) return bus + "_" + name;
    if (!name.empty()) return name;
  }
  std::string name = CleanName(ReadText(folder + "/name").value_or(""));
  if (!name.empty()) return name;
  return CleanName(BaseName(RealPath(folder)));
}

struct Sensor {
  std::string type;
  std::map<std::string, std::string> elements;
};
using Sensors = std::map<std::string, Sensor>;  // by type and number: "temp1"

void ReadSensors(const std::string& folder, Sensors& sensors) {
  for (const std::string& name : ListFolderOrNone(folder)) {
    std::optional<FileName> file = Explode(name);
    if (!file || IsFolder(folder + "/" + name)) continue;
    std::optional<std::string> value = ReadValue(folder + "/" + name);
    if (!value) continue;
    Sensor& sensor = sensors[file->type + file->number];
    sensor.type = file->type;
    sensor.elements[file->element] = std::move(*value);
  }
}

struct Metric {
  std::string name;
  std::string help;
  MetricType type = MetricType::kGauge;
  double value = 0;
};

bool IsAverageInterval(std::string_view element) {
  return element == "average_interval" || element == "average_interval_min" ||
         element == "average_interval_max";
}

// Units by type: drivers count in thousandths and millionths.
Metric WithUnit(std::string name, const std::string& type, const std::string& element,
                double value) {
  std::string in_brackets = " (" + element + ")";
  if (type == "in" || type == "cpu") {
    return {name + "_volts", "Hardware monitor for voltage" + in_brackets, MetricType::kGauge,
            value * 0.001};
  }
  if (type == "temp" && element != "type") {
    return {name + "_celsius", "Hardware monitor for temperature" + in_brackets, MetricType::kGauge,
            value * 0.001};
  }
  if (type == "curr") {
    return {name + "_amps", "Hardware monitor for current" + in_brackets, MetricType::kGauge,
            value * 0.001};
  }
  if (type == "energy") {
    return {name + "_joule_total", "Hardware monitor for joules used so far" + in_brackets,
            MetricType::kCounter, value / 1000000.0};
  }
  if (type == "power" && element == "accuracy") {
    return {name, "Hardware monitor power meter accuracy, as a ratio", MetricType::kGauge,
            value / 1000000.0};
  }
  if (type == "power" && IsAverageInterval(element)) {
    return {name + "_seconds", "Hardware monitor power usage update interval" + in_brackets,
            MetricType::kGauge, value * 0.001};
  }
  if (type == "power") {
    return {name + "_watt", "Hardware monitor for power usage in watts" + in_brackets,
            MetricType::kGauge, value / 1000000.0};
  }
  if (type == "humidity") {
    return {name,
            "Hardware monitor for humidity, as a ratio (multiply with 100.0 to get the humidity as "
            "a percentage)" +
                in_brackets,
            MetricType::kGauge, value / 1000000.0};
  }
  if (type == "fan" &&
      (element == "input" || element == "min" || element == "max" || element == "target")) {
    return {name + "_rpm", "Hardware monitor for fan revolutions per minute" + in_brackets,
            MetricType::kGauge, value};
  }
  return {std::move(name), "Hardware monitor " + type + " element " + element, MetricType::kGauge,
          value};
}

Metric Describe(const Sensor& sensor, const std::string& element, double value) {
  std::string name = "node_hwmon_" + sensor.type;
  if (element == "input") {
    // The input is the value itself, unless the sensor has one without a name too.
    if (sensor.elements.count("") > 0) name += "_input";
  } else if (!element.empty()) {
    name += "_" + CleanName(element);
  }
  if (element == "fault" || element == "alarm") {
    return {name, "Hardware sensor " + element + " status (" + sensor.type + ")",
            MetricType::kGauge, value};
  }
  if (element == "beep") {
    return {name + "_enabled", "Hardware monitor sensor has beeping enabled", MetricType::kGauge,
            value};
  }
  return WithUnit(std::move(name), sensor.type, element, value);
}

// Settings of the chip as a whole. True: it was one of them.
bool AddChipSetting(FamilySet& families, const Sensor& sensor, const std::string& labels) {
  auto at = sensor.elements.find("");
  std::string text = at == sensor.elements.end() ? "" : at->second;
  if (sensor.type == "beep_enable") {
    families.AddRendered("node_hwmon_beep_enabled", "Hardware beep enabled", MetricType::kGauge,
                         labels, text == "1" ? 1 : 0);
    return true;
  }
  if (sensor.type != "vrm" && sensor.type != "update_interval") return false;
  std::optional<double> value = ParseDouble(text);
  if (value && sensor.type == "vrm") {
    families.AddRendered("node_hwmon_voltage_regulator_version", "Hardware voltage regulator",
                         MetricType::kGauge, labels, *value);
  } else if (value) {
    families.AddRendered("node_hwmon_update_interval_seconds", "Hardware monitor update interval",
                         MetricType::kGauge, labels, *value * 0.001);
  }
  return true;
}

void AddSensor(FamilySet& families, const std::string& chip, const std::string& id,
               const Sensor& sensor) {
  auto label = sensor.elements.find("label");
  if (label != sensor.elements.end() && !label->second.empty()) {
    families.Add("node_hwmon_sensor_label", "Label for given chip and sensor", MetricType::kGauge,
                 {{"chip", chip}, {"label", ValidUtf8(label->second)}, {"sensor", id}}, 1);
  }
  std::string labels = exposition::RenderLabels({{"chip", chip}, {"sensor", id}});
  if (AddChipSetting(families, sensor, labels)) return;
  for (const auto& [element, text] : sensor.elements) {
    std::optional<double> value = ParseDouble(text);
    if (element == "label" || !value) continue;
    Metric metric = Describe(sensor, element, *value);
    families.AddRendered(metric.name, metric.help, metric.type, labels, metric.value);
  }
}

void AddChip(FamilySet& families, const std::string& folder) {
  std::string chip = ChipName(folder);
  if (chip.empty()) return;
  std::string name = CleanName(ReadText(folder + "/name").value_or(""));
  if (!name.empty()) {
    families.Add("node_hwmon_chip_names", "Annotation metric for human-readable chip names",
                 MetricType::kGauge, {{"chip", chip}, {"chip_name", name}}, 1);
  }
  Sensors sensors;
  ReadSensors(folder, sensors);
  ReadSensors(folder + "/device", sensors);  // where old drivers put them
  for (const auto& [id, sensor] : sensors) AddSensor(families, chip, id, sensor);
}

}  // namespace

CollectorPtr MakeHwmonCollector(const Paths& paths) {
  std::string folder = paths.Sys("class/hwmon");
  return MakeFunctionCollector("hwmon", [folder](CollectContext& context) -> Status {
    Result<std::vector<std::string>> chips = ListFolder(folder);
    if (!chips) return chips.error();
    FamilySet families;
    for (const std::string& chip : *chips) {
      if (std::chrono::steady_clock::now() > context.deadline) {  // some chips need 100 ms a value
        families.Write(context.page);
        return Error(ErrorKind::kTimeout, "sensors answer too slowly");
      }
      if (IsFolder(folder + "/" + chip)) AddChip(families, folder + "/" + chip);
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
