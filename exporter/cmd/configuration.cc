#include "exporter/cmd/configuration.h"

#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "common/yaml/node.h"
#include "exporter/collectors/catalogue.h"

namespace skep::exporter {
namespace {

// The map `collectors` of the file, read once for all collectors.
struct FileCollectors {
  bool disable_defaults = false;
  std::vector<std::optional<yaml::Node>> nodes;  // as Catalogue()
};

Result<FileCollectors> ReadFile(const Flags& flags) {
  FileCollectors file;
  file.nodes.resize(Catalogue().size());
  if (flags.config_file.empty()) return file;
  Result<std::string> text = ::skep::ReadFile(flags.config_file, 16UL << 20);
  if (!text) return text.error();
  Result<yaml::Node> root = yaml::Node::Parse(*text, flags.config_file);
  if (!root) return root.error();
  yaml::MapReader top(*root);
  yaml::MapReader collectors(top.Take("collectors"));
  RETURN_IF_ERROR(top.Finish("the configuration"));
  collectors.Read("disable_defaults", file.disable_defaults);
  for (std::size_t i = 0; i < file.nodes.size(); ++i) {
    const yaml::Node node = collectors.Take(Catalogue()[i].name);
    if (!node.IsNull()) file.nodes[i] = node;
  }
  RETURN_IF_ERROR(collectors.Finish("collectors"));
  return file;
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

Result<ChosenCollector> Choose(const CollectorSpec& spec, const std::optional<yaml::Node>& node,
                               bool disable_defaults, const Flags& flags) {
  ChosenCollector chosen{&spec, spec.on_by_default && !disable_defaults, OptionValues(spec)};
  if (node) RETURN_IF_ERROR(ApplyNode(*node, chosen));
  const auto given = flags.collectors.find(spec.name);
  if (given != flags.collectors.end()) RETURN_IF_ERROR(ApplyFlags(given->second, chosen));
  return chosen;
}

}  // namespace

Result<Configuration> Configuration::Load(const Flags& flags) {
  const Result<FileCollectors> file = ReadFile(flags);
  if (!file) return file.error();
  const bool disable_defaults = flags.disable_defaults || file->disable_defaults;
  Configuration configuration;
  for (std::size_t i = 0; i < file->nodes.size(); ++i) {
    Result<ChosenCollector> chosen =
        Choose(Catalogue()[i], file->nodes[i], disable_defaults, flags);
    if (!chosen) return chosen.error();
    configuration.collectors_.push_back(std::move(*chosen));
  }
  return configuration;
}

std::string Configuration::ToYaml() const {
  std::string out = "collectors:\n  disable_defaults: true\n";
  for (const ChosenCollector& chosen : collectors_) {
    if (!chosen.enabled) continue;
    out += "  " + chosen.spec->name + ":\n    enabled: true\n";
    chosen.options.AppendYaml("    ", out);
  }
  return out;
}

Result<std::unique_ptr<Registry>> MakeRegistry(const Configuration& configuration,
                                               const Flags& flags, Registry::Options options,
                                               const Clock& clock, const Logger& log) {
  auto registry = std::make_unique<Registry>(std::move(options), clock, log.For("registry"));
  for (const ChosenCollector& chosen : configuration.collectors()) {
    if (!chosen.enabled) continue;
    Result<std::unique_ptr<Collector>> collector = chosen.spec->create(
        {flags.paths, chosen.options, clock, log.For("collector " + chosen.spec->name)});
    if (!collector) return collector.error().Wrap("collector " + chosen.spec->name);
    RETURN_IF_ERROR(registry->Add(std::move(*collector)));
  }
  return registry;
}

}  // namespace skep::exporter
