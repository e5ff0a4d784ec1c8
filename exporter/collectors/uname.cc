// What the system call uname says.
#include <sys/utsname.h>

#include <cerrno>
#include <string>

#include "exporter/collectors/basic_collectors.h"

namespace skep::exporter {
namespace {

class UnameCollector final : public Collector {
 public:
  std::string_view name() const override { return "uname"; }

  Status Collect(CollectContext& context) override {
    struct utsname system {};
    if (::uname(&system) != 0) return FromErrno("uname", errno);
    context.page.Family("node_uname_info",
                        "Labeled system information as provided by the uname system call.",
                        exposition::MetricType::kGauge);
    context.page.Sample({{"domainname", system.domainname},
                         {"machine", system.machine},
                         {"nodename", system.nodename},
                         {"release", system.release},
                         {"sysname", system.sysname},
                         {"version", system.version}},
                        1);
    return {};
  }
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup&) {
  return std::unique_ptr<Collector>(std::make_unique<UnameCollector>());
}

}  // namespace

CollectorSpec UnameSpec() { return {.name = "uname", .create = Create}; }

}  // namespace skep::exporter
