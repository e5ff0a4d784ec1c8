#include "evaluator/cmd/tool_check_targets.h"

#include <ostream>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "evaluator/scrape/target.h"

namespace skep::tool {
namespace {

// The target groups that discovery files list now; `whose` is for messages.
ExitCode ReadListed(ToolIo& io, const std::vector<scrape::FileDiscoveryOptions>& discoveries,
                    const std::string& whose, std::vector<scrape::TargetGroup>& groups) {
  ExitCode code = ExitCode::kGood;
  for (const scrape::FileDiscoveryOptions& discovery : discoveries) {
    for (const std::string& pattern : discovery.files) {
      const Result<std::vector<std::string>> paths = Glob(pattern);
      if (!paths || paths->empty()) {
        io.err << "skep: warning: file " << Quote(pattern) << " for file_sd in " << whose
               << " does not exist\n";
        continue;
      }
      for (const std::string& path : *paths) {
        const Result<std::string> text = ReadFile(path);
        const auto listed = text ? scrape::ParseTargetFile(*text, path)
                                 : Result<std::vector<scrape::TargetGroup>>(text.error());
        if (listed)
          groups.insert(groups.end(), listed->begin(), listed->end());
        else
          code = Refuse(io, listed.error().message());
      }
    }
  }
  return code;
}

ExitCode CheckJob(ToolIo& io, const scrape::JobOptions& job, const TargetCheck& check) {
  const std::string name = "scrape job " + Quote(job.name);
  std::vector<scrape::TargetGroup> groups = job.static_groups;
  ExitCode code = ExitCode::kGood;
  if (check.discovery == DiscoveryFiles::kRead)
    code = ReadListed(io, job.file_discoveries, name, groups);
  for (const scrape::TargetGroup& group : groups) {
    for (const std::string& address : group.targets) {
      const auto target = scrape::MakeTarget(job, group, address);
      if (target) continue;
      code = Refuse(io, check.file + ": " + name + ": group " + group.source + ": " +
                            target.error().message());
    }
  }
  return code;
}

}  // namespace

ExitCode CheckTargets(ToolIo& io, const config::Configuration& configuration,
                      const TargetCheck& check) {
  ExitCode code = ExitCode::kGood;
  for (const scrape::JobOptions& job : configuration.scrape.jobs) {
    code = Worse(code, CheckJob(io, job, check));
  }
  if (check.discovery == DiscoveryFiles::kSkip) return code;
  for (const config::AlertmanagerOptions& options : configuration.alerting.alertmanagers) {
    std::vector<scrape::TargetGroup> groups;
    code = Worse(code, ReadListed(io, options.file_discoveries, "alertmanager config", groups));
  }
  return code;
}

}  // namespace skep::tool
