#include "exporter/cmd/configuration.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "exporter/cmd/config_text.h"
#include "exporter/cmd/state_options.h"
#include "exporter/collectors/catalogue.h"

namespace skep::exporter {
namespace {

std::optional<std::string> StateDirectory() {
  const char* const value = std::getenv("STATE_DIRECTORY");
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// `true`, `false`, or the map of options.
Status ApplyNode(const yaml::Node& node, ChosenCollector& chosen) {
  chosen.enabled = true;
  if (node.IsMap()) return chosen.options.Read(node, chosen.enabled);
  const Result<bool> enabled = node.AsBool();
  if (!enabled) return node.Complain("expected true, false or a map of options");
  chosen.enabled = *enabled;
  return {};
}

Status ApplyFlags(const CollectorFlags& flags, ChosenCollector& chosen) {
  if (flags.enabled) chosen.enabled = *flags.enabled;
  for (const OptionSpec& option : chosen.spec->options) {
    const auto given = flags.options.find(option.name);
    if (given == flags.options.end()) continue;
    const Status set = chosen.options.Set(option.name, given->second);
    if (!set) return set.error().Wrap("--" + chosen.spec->FlagName(option));
  }
  return {};
}

Result<ChosenCollector> Choose(const CollectorSpec& spec, const yaml::Node& node,
                               bool disable_defaults, const Flags& flags) {
  ChosenCollector chosen{&spec, spec.on_by_default && !disable_defaults, OptionValues(spec)};
  if (!node.IsNull()) RETURN_IF_ERROR(ApplyNode(node, chosen));
  const auto given = flags.collectors.find(spec.name);
  if (given != flags.collectors.end()) RETURN_IF_ERROR(ApplyFlags(given->second, chosen));
  return chosen;
}

// Fields that nobody knows, each with its place.
void FindUnknown(const yaml::Node& map, std::string_view what,
                 const std::vector<std::string_view>& known, std::vector<Error>& mistakes) {
  for (const auto& [key, value] : map.entries()) {
    if (std::find(known.begin(), known.end(), key.text()) != known.end()) continue;
    mistakes.push_back(key.Complain("field " + key.text() + " not found in " + std::string(what)));
  }
}

Result<yaml::Node> ReadRoot(const Flags& flags) {
  if (flags.config_file.empty()) return yaml::Node::Parse("", "");
  Result<std::string> text = ReadFile(flags.config_file, 16UL << 20);
  if (!text) return text.error();
  return yaml::Node::Parse(*text, flags.config_file);
}

}  // namespace

// Goes through the file and keeps each mistake.
class Configuration::Loader {
 public:
  Loader(const Flags& flags, yaml::Node root, std::vector<Error>& mistakes)
      : flags_(flags), root_(std::move(root)), mistakes_(mistakes) {}

  Configuration Load() {
    if (!root_.IsNull() && !root_.IsMap()) {
      mistakes_.push_back(root_.Complain("expected a map"));
      return Configuration();
    }
    FindUnknown(root_, "the configuration", {"collectors", "ingest", "logs", "state", "swarm"},
                mistakes_);
    LoadCollectors();
    LoadModules();
    return std::move(configuration_);
  }

 private:
  void LoadCollectors() {
    const yaml::Node map = root_.Get("collectors");
    if (!map.IsNull() && !map.IsMap()) {
      mistakes_.push_back(map.Complain("expected a map of collectors"));
      return;
    }
    bool disable_defaults = false;
    yaml::MapReader reader(map);
    std::vector<std::string_view> known = {"disable_defaults"};
    reader.Read("disable_defaults", disable_defaults);
    for (const CollectorSpec& spec : Catalogue()) {
      known.push_back(spec.name);
      reader.Ignore(spec.name);
    }
    if (reader.failed()) mistakes_.push_back(reader.Finish("collectors").error());
    FindUnknown(map, "collectors", known, mistakes_);
    for (const CollectorSpec& spec : Catalogue()) {
      Keep(Choose(spec, map.Get(spec.name), disable_defaults || flags_.disable_defaults, flags_),
           configuration_.collectors_);
    }
  }

  void LoadModules() {
    ModuleOptions& modules = configuration_.modules_;
    Keep(ReadStateOptions(root_.Get("state"), flags_, StateDirectory()), modules.state);
    Keep(ingest::ReadOptions(Take("ingest")), modules.ingest);
    if (const yaml::Node logs = Take("logs"); !logs.IsNull()) {
      Keep(logs::ReadOptions(logs), modules.logs);
    }
    if (const yaml::Node swarm = Take("swarm"); !swarm.IsNull()) {
      Keep(stores::ReadOptions(swarm), modules.swarm);
      Keep(stores::ReadTranscriptOptions(swarm.Get("transcripts")), modules.transcripts);
    }
    // Both fill the same histogram.
    if (modules.logs && !modules.logs->request_buckets.empty()) {
      modules.ingest.events.request_bounds = modules.logs->request_buckets;
    }
  }

  yaml::Node Take(const std::string& key) {
    configuration_.nodes_.emplace_back(key, root_.Get(key));
    return configuration_.nodes_.back().second;
  }

  template <typename T, typename Out>
  void Keep(Result<T> read, Out& out) {
    if (read) {
      out = std::move(*read);
    } else {
      mistakes_.push_back(read.error());
    }
  }

  void Keep(Result<ChosenCollector> read, std::vector<ChosenCollector>& out) {
    if (read) {
      out.push_back(std::move(*read));
    } else {
      mistakes_.push_back(read.error());
    }
  }

  const Flags& flags_;
  const yaml::Node root_;
  std::vector<Error>& mistakes_;
  Configuration configuration_;
};

std::optional<Configuration> Configuration::Load(const Flags& flags, std::vector<Error>& mistakes) {
  const Result<yaml::Node> root = ReadRoot(flags);
  if (!root) {
    mistakes.push_back(root.error());
    return std::nullopt;
  }
  const std::size_t before = mistakes.size();
  Configuration configuration = Loader(flags, *root, mistakes).Load();
  if (mistakes.size() > before) return std::nullopt;
  return configuration;
}

Result<Configuration> Configuration::Load(const Flags& flags) {
  std::vector<Error> mistakes;
  std::optional<Configuration> configuration = Load(flags, mistakes);
  if (configuration) return std::move(*configuration);
  const Error& first = mistakes.front();
  if (mistakes.size() == 1) return first;
  return Error(first.kind(), first.message() + " (and " + std::to_string(mistakes.size() - 1) +
                                 " more mistakes, which skep-exporter check names)");
}

std::string Configuration::ToYaml() const {
  std::string out = "collectors:\n  disable_defaults: true\n";
  for (const ChosenCollector& chosen : collectors_) {
    if (!chosen.enabled) continue;
    out += "  " + chosen.spec->name + ":\n    enabled: true\n";
    chosen.options.AppendYaml("    ", out);
  }
  out += exporter::ToYaml(modules_.state);
  for (const auto& [key, node] : nodes_) AppendConfig(key, node, "", out);
  return out;
}

std::string Configuration::Describe() const {
  std::string names;
  std::size_t enabled = 0;
  for (const ChosenCollector& chosen : collectors_) {
    if (!chosen.enabled) continue;
    ++enabled;
    names += " " + chosen.spec->name;
  }
  return "collectors (" + std::to_string(enabled) + "):" + names + "\n" + DescribeModules(modules_);
}

Result<std::unique_ptr<Collector>> MakeCollector(const ChosenCollector& chosen, const Flags& flags,
                                                 const Clock& clock, const Logger& log) {
  Result<std::unique_ptr<Collector>> collector = chosen.spec->create(
      {flags.paths, chosen.options, clock, log.For("collector " + chosen.spec->name)});
  if (!collector) return collector.error().Wrap("collector " + chosen.spec->name);
  return collector;
}

Result<std::unique_ptr<Registry>> MakeRegistry(const Configuration& configuration,
                                               const Flags& flags, Registry::Options options,
                                               const Clock& clock, const Logger& log) {
  auto registry = std::make_unique<Registry>(std::move(options), clock, log.For("registry"));
  for (const ChosenCollector& chosen : configuration.collectors()) {
    if (!chosen.enabled) continue;
    Result<std::unique_ptr<Collector>> collector = MakeCollector(chosen, flags, clock, log);
    if (!collector) return collector.error();
    RETURN_IF_ERROR(registry->Add(std::move(*collector)));
  }
  return registry;
}

}  // namespace skep::exporter
