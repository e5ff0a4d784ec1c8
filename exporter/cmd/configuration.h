// What is collected and how: the configuration file and the command line put together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "exporter/cmd/flags.h"
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
//
// The command line wins over the file, the file over the defaults.
class Configuration {
 public:
  // Reads flags.config_file where there is one. kInvalid names file, line and column, or the flag;
  // kNotFound, kIo: the file cannot be read.
  static Result<Configuration> Load(const Flags& flags);

  const std::vector<ChosenCollector>& collectors() const { return collectors_; }

  // As a configuration file that would give the same; what could be a secret is "<secret>".
  std::string ToYaml() const;

 private:
  Configuration() = default;

  std::vector<ChosenCollector> collectors_;  // in order of their names
};

// The collectors that are enabled, made ready. kInvalid names the collector.
// `flags` (its paths) and `clock` must outlive the registry.
Result<std::unique_ptr<Registry>> MakeRegistry(const Configuration& configuration,
                                               const Flags& flags, Registry::Options options,
                                               const Clock& clock, const Logger& log);

}  // namespace skep::exporter
