// Every line of /proc/meminfo.
#include <optional>
#include <string>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/line_cache.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

struct Field {
  std::string family;
  std::string help;
  bool is_counter = false;
};

// "Active(anon)" with "kB" is node_memory_Active_anon_bytes, "HugePages_Total" stays as it is.
Field MakeField(std::string_view key, bool is_bytes) {
  std::string name;
  for (const char c : key) {
    if (c == '(') name += '_';
    if (c != '(' && c != ')') name += c;
  }
  if (is_bytes) name += "_bytes";
  return {"node_memory_" + name, "Memory information field " + name + ".",
          name.ends_with("_total")};
}

class MeminfoCollector final : public Collector {
 public:
  explicit MeminfoCollector(const Paths& paths) : file_(paths.Proc("meminfo")) {}

  std::string_view name() const override { return "meminfo"; }

  Status Collect(CollectContext& context) override {
    const Result<std::string_view> text = file_.Read();
    if (!text) return text.error();
    std::size_t index = 0;
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = NextLine(rest)) {
      if (WriteLine(context.page, *line, index)) ++index;
    }
    if (index == 0) return Invalid(file_.path() + ": no line \"name: number\"");
    return {};
  }

 private:
  // "MemTotal:       16384 kB". False: the line is no such thing, as the last one of a cut file.
  bool WriteLine(exposition::PageWriter& page, std::string_view line, std::size_t index) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    std::string_view rest = line.substr(colon + 1);
    std::uint64_t value = 0;
    if (!NextUint(rest, value)) return false;
    const bool is_bytes = NextField(rest) == "kB";
    const Field& field = fields_.At(index, line.substr(0, colon),
                                    [is_bytes](auto key) { return MakeField(key, is_bytes); });
    page.Family(
        field.family, field.help,
        field.is_counter ? exposition::MetricType::kCounter : exposition::MetricType::kGauge);
    page.Sample(static_cast<double>(value) * (is_bytes ? 1024 : 1));
    return true;
  }

  SourceFile file_;
  LineCache<Field> fields_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<MeminfoCollector>(setup.paths));
}

}  // namespace

CollectorSpec MeminfoSpec() { return {.name = "meminfo", .create = Create}; }

}  // namespace skep::exporter
