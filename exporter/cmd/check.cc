#include "exporter/cmd/check.h"

#include <optional>

#include "exporter/cmd/configuration.h"
#include "exporter/cmd/modules.h"

namespace skep::exporter {

Verdict CheckConfiguration(const Flags& flags, const Clock& clock) {
  Verdict verdict;
  const std::optional<Configuration> configuration = Configuration::Load(flags, verdict.mistakes);
  if (!configuration) return verdict;
  for (const ChosenCollector& chosen : configuration->collectors()) {
    if (!chosen.enabled) continue;
    const auto made = MakeCollector(chosen, flags, clock, Logger::Silent());
    if (!made) verdict.mistakes.push_back(made.error());
  }
  // Metrics that two modules would both have show when all are made.
  ModuleOptions modules = configuration->modules();
  modules.state.path.clear();
  const auto made = Modules::Create(modules, flags.paths, clock, Logger::Silent());
  if (!made) verdict.mistakes.push_back(made.error());
  verdict.description = configuration->Describe();
  return verdict;
}

}  // namespace skep::exporter
