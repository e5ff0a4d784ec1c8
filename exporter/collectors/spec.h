// How a collector presents itself to the command line and the configuration file, and how it is
// made. Flags (--collector.NAME, --collector.NAME.OPTION) and YAML keys follow from it; nobody else
// lists them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/regex.h"
#include "common/yaml/node.h"
#include "exporter/collectors/device_collectors.h"
#include "exporter/collectors/proc_files.h"
#include "exporter/registry/collector.h"

namespace skep::exporter {

enum class OptionKind : std::uint8_t {
  kFlag,      // true, false; on the command line --X and --no-X
  kText,      // any text
  kRegex,     // RE2; "" means none
  kList,      // a repeatable flag; a YAML sequence or one scalar
  kDuration,  // "5s"
  kNode,      // YAML only: the collector reads the node itself
};

struct OptionSpec {
  // "device-exclude" is --collector.NAME.device-exclude, and the YAML key device_exclude.
  std::string name;
  OptionKind kind = OptionKind::kText;
  std::string fallback;  // as a flag would give it; of a list: one element, "" for none
  std::string help;
  // The whole name of the flag, where node_exporter deviates from that rule; without dashes.
  std::string flag = {};
};

class OptionValues;

// What a collector is made from. Everything outlives the collector but `options`.
struct CollectorSetup {
  const Paths& paths;
  const OptionValues& options;
  const Clock& clock;
  Logger log;
};

struct CollectorSpec {
  std::string name;
  bool on_by_default = true;
  std::vector<OptionSpec> options = {};
  // kInvalid where options contradict each other or name what does not exist.
  Result<std::unique_ptr<Collector>> (*create)(const CollectorSetup& setup) = nullptr;

  // The YAML key of an option: '-' and '.' become '_'.
  static std::string YamlKey(std::string_view option);
  // "collector.cpu.guest".
  std::string FlagName(const OptionSpec& option) const;
};

// The options of one collector with their values, checked when they are set. A value.
class OptionValues {
 public:
  // All at their fallbacks, which must be valid.
  explicit OptionValues(const CollectorSpec& spec);

  // As a flag gives it; of a list: the whole list. kInvalid says what was expected.
  Status Set(std::string_view option, std::vector<std::string> texts);
  // As the configuration file gives it: one map with the YAML keys, and `enabled`, which goes to
  // `enabled` where present. Errors name the line.
  Status Read(const yaml::Node& map, bool& enabled);

  // Whether it was set, by flag or file.
  bool IsSet(std::string_view option) const { return At(option).is_set; }
  // Requires: the option exists and has the kind.
  bool Flag(std::string_view option) const;
  const std::string& Text(std::string_view option) const;
  const std::optional<Regex>& Pattern(std::string_view option) const;
  const std::vector<std::string>& List(std::string_view option) const;
  Duration Span(std::string_view option) const;
  // Nothing where the file does not have it.
  const std::optional<yaml::Node>& Node(std::string_view option) const;

  // One line "KEY: value" per option, each behind `indent`. Values under keys that name a secret
  // (password, token, ...) are written as "<secret>".
  void AppendYaml(std::string_view indent, std::string& out) const;

 private:
  struct Value {
    OptionKind kind;
    std::string key;                 // in YAML
    std::vector<std::string> texts;  // exactly one but for kList and kNode
    std::optional<Regex> pattern;
    Duration span{0};
    std::optional<yaml::Node> node;
    bool is_set = false;
  };

  const Value& At(std::string_view option) const;
  static Status Assign(Value& value, std::vector<std::string> texts);
  static Status ReadOne(Value& value, const yaml::Node& node);

  std::map<std::string, Value, std::less<>> values_;
};

// The options device-include and device-exclude that several collectors have.
std::vector<OptionSpec> DeviceFilterOptions(std::string_view devices, std::string exclude);
// From their values. An include switches the default exclude off; both together are kInvalid, as
// in node_exporter.
Result<DeviceFilter> ReadDeviceFilter(const OptionValues& options);

}  // namespace skep::exporter
