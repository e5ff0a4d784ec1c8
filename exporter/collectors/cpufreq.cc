// Processor frequencies as the frequency scaling drivers tell them.
#include <optional>
#include <string>
#include <vector>

#include "common/base/number.h"
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

struct Attribute {
  std::string_view file;
  std::string_view family;
  std::string_view help;
};

constexpr Attribute kAttributes[] = {
    {"cpuinfo_cur_freq", "node_cpu_frequency_hertz", "Current cpu thread frequency in hertz."},
    {"cpuinfo_max_freq", "node_cpu_frequency_max_hertz", "Maximum cpu thread frequency in hertz."},
    {"cpuinfo_min_freq", "node_cpu_frequency_min_hertz", "Minimum cpu thread frequency in hertz."},
    {"scaling_cur_freq", "node_cpu_scaling_frequency_hertz",
     "Current scaled CPU thread frequency in hertz."},
    {"scaling_max_freq", "node_cpu_scaling_frequency_max_hertz",
     "Maximum scaled CPU thread frequency in hertz."},
    {"scaling_min_freq", "node_cpu_scaling_frequency_min_hertz",
     "Minimum scaled CPU thread frequency in hertz."},
};

constexpr double kHertzPerUnit = 1000;  // files are in kHz

class CpufreqCollector final : public Collector {
 public:
  explicit CpufreqCollector(const Paths& paths) : folder_(paths.Sys("devices/system/cpu")) {}

  std::string_view name() const override { return "cpufreq"; }

  Status Collect(CollectContext& context) override {
    Result<std::vector<std::string>> names = ListFolder(folder_);
    if (!names) return names.error();
    Follow(*names);
    for (std::size_t i = 0; i < std::size(kAttributes); ++i) Write(context.page, i);
    return {};
  }

 private:
  struct Cpu {
    std::string labels;
    std::vector<SourceFile> files;  // as kAttributes
  };

  void Follow(std::vector<std::string>& names) {
    if (names == names_) return;
    names_.swap(names);
    cpus_.clear();
    for (const std::string& name : names_) {
      const std::string folder = folder_ + "/" + name + "/cpufreq";
      const auto number = name.starts_with("cpu") ? ParseUint(name.substr(3)) : std::nullopt;
      if (!number || !IsFolder(folder)) continue;
      Cpu cpu{exposition::RenderLabels({{"cpu", name.substr(3)}}), {}};
      for (const Attribute& attribute : kAttributes) {
        cpu.files.emplace_back(folder + "/" + std::string(attribute.file),
                               SourceFile::Keep::kReopen);
      }
      cpus_.push_back(std::move(cpu));
    }
  }

  // A file that is missing, forbidden (cpuinfo_cur_freq, but for root) or says "<unknown>" gives no
  // sample; a family without samples does not appear.
  void Write(exposition::PageWriter& page, std::size_t attribute) {
    bool announced = false;
    for (Cpu& cpu : cpus_) {
      const Result<std::string_view> text = cpu.files[attribute].ReadAttribute();
      const auto value = text ? ParseUint(Trim(*text)) : std::nullopt;
      if (!value) continue;
      if (!announced) {
        page.Family(kAttributes[attribute].family, kAttributes[attribute].help,
                    exposition::MetricType::kGauge);
        announced = true;
      }
      page.RenderedSample(cpu.labels, static_cast<double>(*value) * kHertzPerUnit);
    }
  }

  const std::string folder_;
  std::vector<std::string> names_;
  std::vector<Cpu> cpus_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<CpufreqCollector>(setup.paths));
}

}  // namespace

CollectorSpec CpufreqSpec() { return {.name = "cpufreq", .create = Create}; }

}  // namespace skep::exporter
