// What the kernel thinks of its clock.
#include <sys/timex.h>

#include <cerrno>

#include "exporter/collectors/basic_collectors.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;

// Frequencies are parts per million with 16 bits of fraction.
constexpr double kFrequencyUnit = 1'000'000.0 * 65536.0;
constexpr double kMicroseconds = 1e6;
constexpr double kNanoseconds = 1e9;

struct Family {
  std::string_view name;
  std::string_view help;
  MetricType type;
  // `units` is how many of the clock's units make a second.
  double (*value)(const timex& clock, double units);
};

constexpr Family kFamilies[] = {
    {"node_timex_estimated_error_seconds", "Estimated error in seconds.", MetricType::kGauge,
     [](const timex& c, double) { return static_cast<double>(c.esterror) / kMicroseconds; }},
    {"node_timex_frequency_adjustment_ratio", "Local clock frequency adjustment.",
     MetricType::kGauge,
     [](const timex& c, double) { return 1 + static_cast<double>(c.freq) / kFrequencyUnit; }},
    {"node_timex_loop_time_constant", "Phase-locked loop time constant.", MetricType::kGauge,
     [](const timex& c, double) { return static_cast<double>(c.constant); }},
    {"node_timex_maxerror_seconds", "Maximum error in seconds.", MetricType::kGauge,
     [](const timex& c, double) { return static_cast<double>(c.maxerror) / kMicroseconds; }},
    {"node_timex_offset_seconds", "Time offset in between local system and reference clock.",
     MetricType::kGauge,
     [](const timex& c, double units) { return static_cast<double>(c.offset) / units; }},
    {"node_timex_pps_calibration_total", "Pulse per second count of calibration intervals.",
     MetricType::kCounter, [](const timex& c, double) { return static_cast<double>(c.calcnt); }},
    {"node_timex_pps_error_total", "Pulse per second count of calibration errors.",
     MetricType::kCounter, [](const timex& c, double) { return static_cast<double>(c.errcnt); }},
    {"node_timex_pps_frequency_hertz", "Pulse per second frequency.", MetricType::kGauge,
     [](const timex& c, double) { return static_cast<double>(c.ppsfreq) / kFrequencyUnit; }},
    {"node_timex_pps_jitter_seconds", "Pulse per second jitter.", MetricType::kGauge,
     [](const timex& c, double units) { return static_cast<double>(c.jitter) / units; }},
    {"node_timex_pps_jitter_total", "Pulse per second count of jitter limit exceeded events.",
     MetricType::kCounter, [](const timex& c, double) { return static_cast<double>(c.jitcnt); }},
    {"node_timex_pps_shift_seconds", "Pulse per second interval duration.", MetricType::kGauge,
     [](const timex& c, double) { return static_cast<double>(c.shift); }},
    {"node_timex_pps_stability_exceeded_total",
     "Pulse per second count of stability limit exceeded events.", MetricType::kCounter,
     [](const timex& c, double) { return static_cast<double>(c.stbcnt); }},
    {"node_timex_pps_stability_hertz",
     "Pulse per second stability, average of recent frequency changes.", MetricType::kGauge,
     [](const timex& c, double) { return static_cast<double>(c.stabil) / kFrequencyUnit; }},
    {"node_timex_status", "Value of the status array bits.", MetricType::kGauge,
     [](const timex& c, double) { return static_cast<double>(c.status); }},
};

constexpr Family kLastFamilies[] = {
    {"node_timex_tai_offset_seconds", "International Atomic Time (TAI) offset.", MetricType::kGauge,
     [](const timex& c, double) { return static_cast<double>(c.tai); }},
    {"node_timex_tick_seconds", "Seconds between clock ticks.", MetricType::kGauge,
     [](const timex& c, double) { return static_cast<double>(c.tick) / kMicroseconds; }},
};

class TimexCollector final : public Collector {
 public:
  std::string_view name() const override { return "timex"; }

  Status Collect(CollectContext& context) override {
    timex clock{};  // modes 0: reads only
    const int state = ::adjtimex(&clock);
    // Some container runtimes forbid even reading.
    if (state < 0 && errno == EPERM) return NotFound("adjtimex is not permitted");
    if (state < 0) return FromErrno("adjtimex", errno);
    const double units = (clock.status & STA_NANO) != 0 ? kNanoseconds : kMicroseconds;
    const auto write = [&](const Family& family) {
      context.page.Family(family.name, family.help, family.type);
      context.page.Sample(family.value(clock, units));
    };
    for (const Family& family : kFamilies) write(family);
    context.page.Family("node_timex_sync_status",
                        "Is clock synchronized to a reliable server (1 = yes, 0 = no).",
                        MetricType::kGauge);
    context.page.Sample(state == TIME_ERROR ? 0 : 1);
    for (const Family& family : kLastFamilies) write(family);
    return {};
  }
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup&) {
  return std::unique_ptr<Collector>(std::make_unique<TimexCollector>());
}

}  // namespace

CollectorSpec TimexSpec() { return {.name = "timex", .create = Create}; }

}  // namespace skep::exporter
