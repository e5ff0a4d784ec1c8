// The machine's time, its zone, and the hardware clocks it could use.
#include <array>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;
using exposition::PageWriter;

class TimeCollector final : public Collector {
 public:
  TimeCollector(const Paths& paths, const Clock& clock)
      : clock_(clock), folder_(paths.Sys("devices/system/clocksource")) {}

  std::string_view name() const override { return "time"; }

  Status Collect(CollectContext& context) override {
    WriteClocksources(context.page);
    WriteTime(context.page);
    return {};
  }

 private:
  struct Device {
    std::string number;  // 0 of clocksource0
    SourceFile available;
    SourceFile current;
  };

  void WriteTime(PageWriter& page) const {
    const Timestamp now = clock_.Now();
    page.Family("node_time_seconds", "System time in seconds since epoch (1970).",
                MetricType::kGauge);
    page.Sample(ToSeconds(now));
    const std::time_t seconds =
        std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    struct tm local {};
    if (::localtime_r(&seconds, &local) == nullptr) return;
    page.Family("node_time_zone_offset_seconds", "System time zone offset in seconds.",
                MetricType::kGauge);
    page.Sample({{"time_zone", local.tm_zone}}, static_cast<double>(local.tm_gmtoff));
  }

  void WriteClocksources(PageWriter& page) {
    if (devices_.empty()) Discover();
    WriteNames(
        page, "node_time_clocksource_available_info",
        "Available clocksources read from '/sys/devices/system/clocksource'.",
        [](Device & device) -> auto& { return device.available; });
    WriteNames(
        page, "node_time_clocksource_current_info",
        "Current clocksource read from '/sys/devices/system/clocksource'.",
        [](Device & device) -> auto& { return device.current; });
  }

  void Discover() {
    constexpr std::string_view kPrefix = "clocksource";
    for (const std::string& name : ListFolderOrNone(folder_)) {
      if (!name.starts_with(kPrefix)) continue;
      const std::string folder = folder_ + "/" + name;
      devices_.push_back({name.substr(kPrefix.size()),
                          SourceFile(folder + "/available_clocksource"),
                          SourceFile(folder + "/current_clocksource")});
    }
  }

  template <typename FileOf>
  void WriteNames(PageWriter& page, std::string_view family, std::string_view help,
                  const FileOf& file_of) {
    bool announced = false;
    for (Device& device : devices_) {
      const Result<std::string_view> text = file_of(device).ReadAttribute();
      if (!text) continue;
      std::string_view names = *text;
      for (auto name = NextField(names); !name.empty(); name = NextField(names)) {
        if (!announced) page.Family(family, help, MetricType::kGauge);
        announced = true;
        page.Sample({{"clocksource", name}, {"device", device.number}}, 1);
      }
    }
  }

  const Clock& clock_;
  const std::string folder_;
  std::vector<Device> devices_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<TimeCollector>(setup.paths, setup.clock));
}

}  // namespace

CollectorSpec TimeSpec() { return {.name = "time", .create = Create}; }

}  // namespace skep::exporter
