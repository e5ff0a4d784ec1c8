// File descriptors of the whole machine.
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

class FilefdCollector final : public Collector {
 public:
  explicit FilefdCollector(const Paths& paths) : file_(paths.Proc("sys/fs/file-nr")) {}

  std::string_view name() const override { return "filefd"; }

  Status Collect(CollectContext& context) override {
    const Result<std::string_view> text = file_.Read();
    if (!text) return text.error();
    std::string_view rest = Trim(*text);
    std::uint64_t allocated = 0, unused = 0, maximum = 0;
    if (!NextUint(rest, allocated) || !NextUint(rest, unused) || !NextUint(rest, maximum)) {
      return Invalid(file_.path() + ": expected three numbers");
    }
    const auto one = [&](std::string_view name, std::string_view help, std::uint64_t value) {
      context.page.Family(name, help, exposition::MetricType::kGauge);
      context.page.Sample(static_cast<double>(value));
    };
    one("node_filefd_allocated", "File descriptor statistics: allocated.", allocated);
    one("node_filefd_maximum", "File descriptor statistics: maximum.", maximum);
    return {};
  }

 private:
  SourceFile file_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<FilefdCollector>(setup.paths));
}

}  // namespace

CollectorSpec FilefdSpec() { return {.name = "filefd", .create = Create}; }

}  // namespace skep::exporter
