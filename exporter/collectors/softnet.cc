// How processors keep up with received packets.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

// One line of /proc/net/softnet_stat: hexadecimal columns, of which newer kernels have more.
struct Row {
  std::array<std::uint64_t, 13> columns{};
  std::size_t count = 0;
};

constexpr std::size_t kColumnsDemanded = 9;
constexpr std::size_t kCpuColumn = 12;  // since Linux 5.10; lines skip processors that are off

struct Family {
  std::size_t column;
  std::string_view name;
  std::string_view help;
};
constexpr Family kFamilies[] = {
    {1, "node_softnet_dropped_total", "Number of dropped packets"},
    {0, "node_softnet_processed_total", "Number of processed packets"},
    {2, "node_softnet_times_squeezed_total", "Number of times processing packets ran out of quota"},
};

class SoftnetCollector final : public Collector {
 public:
  explicit SoftnetCollector(const Paths& paths) : file_(paths.Proc("net/softnet_stat")) {}

  std::string_view name() const override { return "softnet"; }

  Status Collect(CollectContext& context) override {
    const Result<std::string_view> text = file_.Read();
    if (!text) return text.error();
    rows_.clear();
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = NextLine(rest)) {
      Row row;
      while (row.count < row.columns.size() && NextHex(*line, row.columns[row.count])) ++row.count;
      if (row.count < kColumnsDemanded) return Invalid(file_.path() + ": too few columns");
      rows_.push_back(row);
    }
    for (const Family& family : kFamilies) Write(context.page, family);
    return {};
  }

 private:
  void Write(exposition::PageWriter& page, const Family& family) {
    page.Family(family.name, family.help, exposition::MetricType::kCounter);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      const std::uint64_t cpu = row.count > kCpuColumn ? row.columns[kCpuColumn] : i;
      page.RenderedSample(Labels(i, cpu), static_cast<double>(row.columns[family.column]));
    }
  }

  const std::string& Labels(std::size_t row, std::uint64_t cpu) {
    if (row >= labels_.size()) labels_.resize(row + 1);
    auto& [number, text] = labels_[row];
    if (text.empty() || number != cpu) {
      number = cpu;
      text = exposition::RenderLabels({{"cpu", std::to_string(cpu)}});
    }
    return text;
  }

  SourceFile file_;
  std::vector<Row> rows_;
  std::vector<std::pair<std::uint64_t, std::string>> labels_;  // by row
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<SoftnetCollector>(setup.paths));
}

}  // namespace

CollectorSpec SoftnetSpec() { return {.name = "softnet", .create = Create}; }

}  // namespace skep::exporter
