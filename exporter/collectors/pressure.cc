// How long processes waited for processor, memory and disks (PSI).
#include <array>
#include <optional>
#include <string>

#include "common/base/number.h"
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

struct Family {
  std::string_view line;  // "some", "full"
  std::string_view name;
  std::string_view help;
};

struct Resource {
  SourceFile file;
  std::array<Family, 2> families;  // a name of "": there is none
};

// Microseconds of "some avg10=0.00 avg60=0.00 avg300=0.00 total=123".
std::optional<std::uint64_t> Total(std::string_view text, std::string_view wanted) {
  while (std::optional<std::string_view> line = NextLine(text)) {
    if (NextField(*line) != wanted) continue;
    constexpr std::string_view kTotal = "total=";
    for (auto field = NextField(*line); !field.empty(); field = NextField(*line)) {
      if (field.starts_with(kTotal)) return ParseUint(field.substr(kTotal.size()));
    }
  }
  return std::nullopt;
}

class PressureCollector final : public Collector {
 public:
  explicit PressureCollector(const Paths& paths)
      : resources_{{
            {SourceFile(paths.Proc("pressure/cpu")),
             {{{"some", "node_pressure_cpu_waiting_seconds_total",
                "Total time in seconds that processes have waited for CPU time"},
               {}}}},
            {SourceFile(paths.Proc("pressure/io")),
             {{{"full", "node_pressure_io_stalled_seconds_total",
                "Total time in seconds no process could make progress due to IO congestion"},
               {"some", "node_pressure_io_waiting_seconds_total",
                "Total time in seconds that processes have waited due to IO congestion"}}}},
            {SourceFile(paths.Proc("pressure/memory")),
             {{{"full", "node_pressure_memory_stalled_seconds_total",
                "Total time in seconds no process could make progress due to memory congestion"},
               {"some", "node_pressure_memory_waiting_seconds_total",
                "Total time in seconds that processes have waited for memory"}}}},
        }} {}

  std::string_view name() const override { return "pressure"; }

  Status Collect(CollectContext& context) override {
    for (Resource& resource : resources_) {
      const Result<std::string_view> text = resource.file.Read();
      // Reading fails with EOPNOTSUPP where the kernel has it but was started without psi=1.
      if (!text) return NotFound("pressure information is unavailable: " + text.error().message());
      for (const Family& family : resource.families) {
        const auto total = family.name.empty() ? std::nullopt : Total(*text, family.line);
        if (!total) continue;
        context.page.Family(family.name, family.help, exposition::MetricType::kCounter);
        context.page.Sample(static_cast<double>(*total) / 1e6);
      }
    }
    return {};
  }

 private:
  std::array<Resource, 3> resources_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<PressureCollector>(setup.paths));
}

}  // namespace

CollectorSpec PressureSpec() { return {.name = "pressure", .create = Create}; }

}  // namespace skep::exporter
