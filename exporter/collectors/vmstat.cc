// Chosen lines of /proc/vmstat.
#include <optional>
#include <string>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/line_cache.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

struct Field {
  std::string family;  // "": not wanted
  std::string help;
};

class VmstatCollector final : public Collector {
 public:
  VmstatCollector(const Paths& paths, std::optional<Regex> fields)
      : wanted_(std::move(fields)), file_(paths.Proc("vmstat")) {}

  std::string_view name() const override { return "vmstat"; }

  Status Collect(CollectContext& context) override {
    const Result<std::string_view> text = file_.Read();
    if (!text) return text.error();
    std::size_t index = 0;
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = NextLine(rest)) {
      const std::string_view key = NextField(*line);
      const Field& field = fields_.At(index++, key, [this](auto name) { return Make(name); });
      double value = 0;
      if (field.family.empty() || !NextDouble(*line, value)) continue;
      context.page.Family(field.family, field.help, exposition::MetricType::kUnknown);
      context.page.Sample(value);
    }
    return {};
  }

 private:
  Field Make(std::string_view key) const {
    if (key.empty() || (wanted_ && !wanted_->PartialMatch(key))) return {};
    const std::string name(key);
    return {"node_vmstat_" + name, "/proc/vmstat information field " + name + "."};
  }

  const std::optional<Regex> wanted_;
  SourceFile file_;
  LineCache<Field> fields_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(
      std::make_unique<VmstatCollector>(setup.paths, setup.options.Pattern("fields")));
}

}  // namespace

CollectorSpec VmstatSpec() {
  return {.name = "vmstat",
          .options = {{"fields", OptionKind::kRegex, "^(oom_kill|pgpg|pswp|pg.*fault).*",
                       "Regexp of fields to return for vmstat collector"}},
          .create = Create};
}

}  // namespace skep::exporter
