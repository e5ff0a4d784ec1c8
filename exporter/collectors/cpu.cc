// Processor seconds per mode, what processors are, and how often heat slowed them down.
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/number.h"
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/cpu_info.h"
#include "exporter/collectors/cpu_throttle.h"
#include "exporter/collectors/kernel_stat.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;
using exposition::PageWriter;

// The kernel counts in hundredths towards user space, whatever its own tick is.
constexpr double kTicksPerSecond = 100;
// Idle time that falls by more than this is a processor that was replaced (hotplug); by less, it is
// the kernel's known habit of correcting itself, and counters must not fall.
constexpr std::uint64_t kJumpBackTicks = 300;

constexpr std::pair<CpuColumn, std::string_view> kModes[] = {
    {kCpuIdle, "idle"},       {kCpuIowait, "iowait"}, {kCpuIrq, "irq"},       {kCpuNice, "nice"},
    {kCpuSoftirq, "softirq"}, {kCpuSteal, "steal"},   {kCpuSystem, "system"}, {kCpuUser, "user"},
};
constexpr std::pair<CpuColumn, std::string_view> kGuestModes[] = {{kCpuGuestNice, "nice"},
                                                                  {kCpuGuest, "user"}};

// A processor with its labels rendered once and counters that never fall.
struct Cpu {
  explicit Cpu(std::uint64_t n) : number(n) {
    const std::string cpu = std::to_string(n);
    for (std::size_t i = 0; i < std::size(kModes); ++i) {
      labels[i] = exposition::RenderLabels({{"cpu", cpu}, {"mode", kModes[i].second}});
    }
    for (std::size_t i = 0; i < std::size(kGuestModes); ++i) {
      guest_labels[i] = exposition::RenderLabels({{"cpu", cpu}, {"mode", kGuestModes[i].second}});
    }
  }

  void Advance(const CpuTicks& now) {
    if (ticks[kCpuIdle] > now[kCpuIdle] + kJumpBackTicks) ticks = {};
    for (std::size_t i = 0; i < ticks.size(); ++i) ticks[i] = std::max(ticks[i], now[i]);
  }

  std::uint64_t number;
  CpuTicks ticks{};
  std::array<std::string, std::size(kModes)> labels;
  std::array<std::string, std::size(kGuestModes)> guest_labels;
};

class CpuCollector final : public Collector {
 public:
  CpuCollector(const Paths& paths, const OptionValues& options)
      : guest_(options.Flag("guest")),
        flags_include_(options.Pattern("info.flags-include")),
        bugs_include_(options.Pattern("info.bugs-include")),
        info_(options.Flag("info") || flags_include_ || bugs_include_),
        stat_(paths.Proc("stat")),
        cpuinfo_(paths.Proc("cpuinfo")),
        isolated_(paths.Sys("devices/system/cpu/isolated")),
        throttle_(paths) {}

  std::string_view name() const override { return "cpu"; }

  Status Collect(CollectContext& context) override {
    if (info_) RETURN_IF_ERROR(CollectInfo(context.page));
    RETURN_IF_ERROR(CollectSeconds(context.page));
    CollectIsolated(context.page);
    throttle_.Write(context.page);
    return {};
  }

 private:
  Status CollectSeconds(PageWriter& page) {
    const Result<std::string_view> text = stat_.Read();
    if (!text) return text.error();
    ParseCpuRows(*text, rows_);
    if (rows_.empty()) return Invalid(stat_.path() + ": no line for a processor");
    FollowHotplug();
    for (std::size_t i = 0; i < rows_.size(); ++i) cpus_[i].Advance(rows_[i].ticks);
    if (guest_) {
      WriteModes(
          page, "node_cpu_guest_seconds_total",
          "Seconds the CPUs spent in guests (VMs) for each mode.", kGuestModes,
          [](const Cpu& cpu) -> auto& { return cpu.guest_labels; });
    }
    WriteModes(
        page, "node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", kModes,
        [](const Cpu& cpu) -> auto& { return cpu.labels; });
    return {};
  }

  template <typename Modes, typename LabelsOf>
  void WriteModes(PageWriter& page, std::string_view name, std::string_view help,
                  const Modes& modes, const LabelsOf& labels_of) const {
    page.Family(name, help, MetricType::kCounter);
    for (const Cpu& cpu : cpus_) {
      const auto& labels = labels_of(cpu);
      for (std::size_t i = 0; i < labels.size(); ++i) {
        page.RenderedSample(labels[i],
                            static_cast<double>(cpu.ticks[modes[i].first]) / kTicksPerSecond);
      }
    }
  }

  void FollowHotplug() {
    bool same = rows_.size() == cpus_.size();
    for (std::size_t i = 0; same && i < rows_.size(); ++i) same = rows_[i].cpu == cpus_[i].number;
    if (same) return;
    cpus_.clear();
    for (const CpuRow& row : rows_) cpus_.emplace_back(row.cpu);
    throttle_.Discover();
  }

  void CollectIsolated(PageWriter& page) {
    const Result<std::string_view> text = isolated_.ReadAttribute();
    if (!text) return;  // older kernels
    const std::vector<std::uint64_t> cpus = ParseCpuList(Trim(*text));
    if (cpus.empty()) return;
    page.Family("node_cpu_isolated",
                "Whether each core is isolated, information from "
                "/sys/devices/system/cpu/isolated.",
                MetricType::kGauge);
    for (const std::uint64_t cpu : cpus) page.Sample({{"cpu", std::to_string(cpu)}}, 1);
  }

  // "1,3-4". A part that is no such range ends the list; so does an absurd one.
  static std::vector<std::uint64_t> ParseCpuList(std::string_view text) {
    constexpr std::uint64_t kMostCpus = 65536;
    std::vector<std::uint64_t> cpus;
    while (!text.empty()) {
      const std::size_t comma = std::min(text.find(','), text.size());
      const std::string_view part = text.substr(0, comma);
      text.remove_prefix(std::min(comma + 1, text.size()));
      const std::size_t dash = part.find('-');
      const auto first = ParseUint(part.substr(0, dash));
      const auto last = dash == std::string_view::npos ? first : ParseUint(part.substr(dash + 1));
      if (!first || !last || *last >= kMostCpus) break;
      for (std::uint64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
    }
    return cpus;
  }

  Status CollectInfo(PageWriter& page) {
    const Result<std::string_view> text = cpuinfo_.Read();
    if (!text) return text.error();
    const std::vector<CpuInfo> cpus = ParseCpuInfo(*text);
    if (cpus.empty()) return {};
    WriteWords(page, "node_cpu_bug_info", "bug",
               "The `bugs` field of CPU information from /proc/cpuinfo taken from the first core.",
               cpus[0].bugs, bugs_include_);
    WriteWords(page, "node_cpu_flag_info", "flag",
               "The `flags` field of CPU information from /proc/cpuinfo taken from the first core.",
               cpus[0].flags, flags_include_);
    page.Family("node_cpu_info", "CPU information from /proc/cpuinfo.", MetricType::kGauge);
    for (const CpuInfo& cpu : cpus) {
      page.Sample({{"cachesize", cpu.cache_size},
                   {"core", cpu.core},
                   {"cpu", cpu.processor},
                   {"family", cpu.family},
                   {"microcode", cpu.microcode},
                   {"model", cpu.model},
                   {"model_name", cpu.model_name},
                   {"package", cpu.package},
                   {"stepping", cpu.stepping},
                   {"vendor", cpu.vendor}},
                  1);
    }
    return {};
  }

  // One sample for each of the words that the expression picks; none without an expression.
  static void WriteWords(PageWriter& page, std::string_view name, std::string_view label,
                         std::string_view help, std::string_view words,
                         const std::optional<Regex>& include) {
    if (!include) return;
    std::set<std::string_view> picked;
    while (!words.empty()) {
      const std::string_view word = NextField(words);
      if (!word.empty() && include->PartialMatch(word)) picked.insert(word);
    }
    if (picked.empty()) return;
    page.Family(name, help, MetricType::kGauge);
    for (const std::string_view word : picked) page.Sample({{label, word}}, 1);
  }

  const bool guest_;
  const std::optional<Regex> flags_include_;
  const std::optional<Regex> bugs_include_;
  const bool info_;
  SourceFile stat_;
  SourceFile cpuinfo_;
  SourceFile isolated_;
  CpuThrottle throttle_;
  std::vector<CpuRow> rows_;
  std::vector<Cpu> cpus_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<CpuCollector>(setup.paths, setup.options));
}

}  // namespace

CollectorSpec CpuSpec() {
  return {.name = "cpu",
          .options = {{"guest", OptionKind::kFlag, "true",
                       "Enables metric node_cpu_guest_seconds_total"},
                      {"info", OptionKind::kFlag, "false", "Enables metric cpu_info"},
                      {"info.flags-include", OptionKind::kRegex, "",
                       "Regexp of the `flags` in cpu_info to show; implies --collector.cpu.info"},
                      {"info.bugs-include", OptionKind::kRegex, "",
                       "Regexp of the `bugs` in cpu_info to show; implies --collector.cpu.info"}},
          .create = Create};
}

}  // namespace skep::exporter
