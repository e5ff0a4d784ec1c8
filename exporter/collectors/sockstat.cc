// Sockets in use, by protocol.
#include <unistd.h>

#include <optional>
#include <string>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/line_cache.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;
using exposition::PageWriter;

struct Family {
  std::string name;
  std::string help;
};

class SockstatCollector final : public Collector {
 public:
  explicit SockstatCollector(const Paths& paths)
      : page_bytes_(static_cast<double>(::sysconf(_SC_PAGESIZE))),
        v4_{SourceFile(paths.Proc("net/sockstat")), {}},
        v6_{SourceFile(paths.Proc("net/sockstat6")), {}} {}

  std::string_view name() const override { return "sockstat"; }

  Status Collect(CollectContext& context) override {
    RETURN_IF_ERROR(CollectTable(context.page, v4_));
    const Status v6 = CollectTable(context.page, v6_);
    // Absent where IPv6 is off.
    return !v6 && v6.error().kind() == ErrorKind::kNotFound ? Status() : v6;
  }

 private:
  struct Table {
    SourceFile file;
    LineCache<Family> families;
  };

  // "TCP: inuse 4 orphan 0 mem 34"; "sockets: used 23" counts all of them.
  Status CollectTable(PageWriter& page, Table& table) {
    const Result<std::string_view> text = table.file.Read();
    if (!text) return text.error();
    std::size_t index = 0;
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = NextLine(rest)) {
      std::string_view protocol = NextField(*line);
      if (!protocol.ends_with(':')) return Invalid(table.file.path() + ": malformed line");
      protocol.remove_suffix(1);
      for (;;) {
        const std::string_view key = NextField(*line);
        std::uint64_t value = 0;
        if (key.empty() || !NextUint(*line, value)) break;
        const auto count = static_cast<double>(value);
        Write(page, table, index, protocol, key, count);
        if (key == "mem") Write(page, table, index, protocol, "mem_bytes", count * page_bytes_);
      }
    }
    return {};
  }

  static void Write(PageWriter& page, Table& table, std::size_t& index, std::string_view protocol,
                    std::string_view key, double value) {
    std::string name(protocol);
    name.append("_").append(key);
    const Family& family = table.families.At(index++, name, [&](std::string_view) {
      if (name == "sockets_used") {
        return Family{"node_sockstat_sockets_used", "Number of IPv4 sockets in use."};
      }
      return Family{"node_sockstat_" + name, "Number of " + std::string(protocol) +
                                                 " sockets in state " + std::string(key) + "."};
    });
    page.Family(family.name, family.help, MetricType::kGauge);
    page.Sample(value);
  }

  const double page_bytes_;
  Table v4_;
  Table v6_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<SockstatCollector>(setup.paths));
}

}  // namespace

CollectorSpec SockstatSpec() { return {.name = "sockstat", .create = Create}; }

}  // namespace skep::exporter
