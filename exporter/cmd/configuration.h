// What is collected and how: the configuration file and the command line put together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/yaml/node.h"
#include "exporter/cmd/flags.h"
#include "exporter/cmd/modules.h"
#include "exporter/collectors/spec.h"
#include "exporter/registry/registry.h"

namespace skep::exporter {

// One collector as it is to run.
struct ChosenCollector {
  const CollectorSpec* spec;
  bool enabled;
  OptionValues options;
};

// Immutable value.
//
//   collectors:
//     disable_defaults: true            # all off but those named here or on the command line
//     cpu: {info: true}                 # naming a collector switches it on
//     netclass: false                   # so does true; false switches it off
//     filesystem: {enabled: false}
//   state: {path: /var/lib/skep-exporter}   # state_options.h
//   ingest: {...}                           # exporter/ingest/options.h; on without being named
//   logs: {...}                             # exporter/logs/options.h
//   swarm: {...}                            # exporter/stores/options.h, transcripts.h
//
// The command line wins over the file, the file over the defaults.
class Configuration {
 public:
  // Reads flags.config_file where there is one. kInvalid names file, line and column, or the flag,
  // of the first mistake; kNotFound, kIo: the file cannot be read.
  static Result<Configuration> Load(const Flags& flags);
  // The same with every mistake, at most one of each collector and each module. Without a value
  // there is at least one.
  static std::optional<Configuration> Load(const Flags& flags, std::vector<Error>& mistakes);

  const std::vector<ChosenCollector>& collectors() const { return collectors_; }
  const ModuleOptions& modules() const { return modules_; }

  // As a configuration file that would give the same; what could be a secret is "<secret>".
  std::string ToYaml() const;
  // What it makes the program do, a line each, for people.
  std::string Describe() const;

 private:
  class Loader;
  Configuration() = default;

  std::vector<ChosenCollector> collectors_;  // in order of their names
  ModuleOptions modules_;
  std::vector<std::pair<std::string, yaml::Node>> nodes_;  // of the modules, by key
};

// The collectors that are enabled, made ready. kInvalid names the collector.
// `flags` (its paths) and `clock` must outlive the registry.
Result<std::unique_ptr<Registry>> MakeRegistry(const Configuration& configuration,
                                               const Flags& flags, Registry::Options options,
                                               const Clock& clock, const Logger& log);
// One collector of it.
Result<std::unique_ptr<Collector>> MakeCollector(const ChosenCollector& chosen, const Flags& flags,
                                                 const Clock& clock, const Logger& log);

}  // namespace skep::exporter
