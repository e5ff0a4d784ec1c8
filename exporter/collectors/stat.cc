// Interrupts, context switches, forks, processes and the time of the start of the machine.
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/kernel_stat.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;
using exposition::PageWriter;

constexpr std::string_view kSoftirqs[] = {"hi",           "timer",   "net_tx", "net_rx",  "block",
                                          "block_iopoll", "tasklet", "sched",  "hrtimer", "rcu"};

class StatCollector final : public Collector {
 public:
  StatCollector(const Paths& paths, bool softirq) : softirq_(softirq), file_(paths.Proc("stat")) {}

  std::string_view name() const override { return "stat"; }

  Status Collect(CollectContext& context) override {
    const Result<std::string_view> text = file_.Read();
    if (!text) return text.error();
    SystemCounters counters;
    if (!ParseSystemCounters(*text, counters)) {
      return Invalid(file_.path() + ": lines are missing");
    }
    Write(context.page, counters);
    return {};
  }

 private:
  void Write(PageWriter& page, const SystemCounters& counters) const {
    const auto one = [&page](std::string_view name, std::string_view help, MetricType type,
                             std::uint64_t value) {
      page.Family(name, help, type);
      page.Sample(static_cast<double>(value));
    };
    one("node_boot_time_seconds", "Node boot time, in unixtime.", MetricType::kGauge,
        counters.boot_time);
    one("node_context_switches_total", "Total number of context switches.", MetricType::kCounter,
        counters.context_switches);
    one("node_forks_total", "Total number of forks.", MetricType::kCounter, counters.forks);
    one("node_intr_total", "Total number of interrupts serviced.", MetricType::kCounter,
        counters.interrupts);
    one("node_procs_blocked", "Number of processes blocked waiting for I/O to complete.",
        MetricType::kGauge, counters.procs_blocked);
    one("node_procs_running", "Number of processes in runnable state.", MetricType::kGauge,
        counters.procs_running);
    if (!softirq_) return;
    page.Family("node_softirqs_total", "Number of softirq calls.", MetricType::kCounter);
    for (std::size_t i = 0; i < std::size(kSoftirqs); ++i) {
      page.Sample({{"vector", kSoftirqs[i]}}, static_cast<double>(counters.softirqs[i]));
    }
  }

  const bool softirq_;
  SourceFile file_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(
      std::make_unique<StatCollector>(setup.paths, setup.options.Flag("softirq")));
}

}  // namespace

CollectorSpec StatSpec() {
  return {.name = "stat",
          .options = {{"softirq", OptionKind::kFlag, "false", "Export softirq calls per vector"}},
          .create = Create};
}

}  // namespace skep::exporter
