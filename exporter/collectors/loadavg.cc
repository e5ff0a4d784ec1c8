// Load averages.
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

class LoadavgCollector final : public Collector {
 public:
  explicit LoadavgCollector(const Paths& paths) : file_(paths.Proc("loadavg")) {}

  std::string_view name() const override { return "loadavg"; }

  Status Collect(CollectContext& context) override {
    const Result<std::string_view> text = file_.Read();
    if (!text) return text.error();
    std::string_view rest = *text;
    double load1 = 0, load5 = 0, load15 = 0;
    if (!NextDouble(rest, load1) || !NextDouble(rest, load5) || !NextDouble(rest, load15)) {
      return Invalid(file_.path() + ": expected three numbers");
    }
    const auto one = [&](std::string_view name, std::string_view help, double value) {
      context.page.Family(name, help, exposition::MetricType::kGauge);
      context.page.Sample(value);
    };
    one("node_load1", "1m load average.", load1);
    one("node_load15", "15m load average.", load15);
    one("node_load5", "5m load average.", load5);
    return {};
  }

 private:
  SourceFile file_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<LoadavgCollector>(setup.paths));
}

}  // namespace

CollectorSpec LoadavgSpec() { return {.name = "loadavg", .create = Create}; }

}  // namespace skep::exporter
