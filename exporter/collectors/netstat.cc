// Protocol counters of /proc/net/netstat, snmp and snmp6.
#include <optional>
#include <string>
#include <vector>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/line_cache.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::PageWriter;

constexpr std::string_view kFields =
    "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|"
    "Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts)|"
    "Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|"
    "Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$";

struct Family {
  std::size_t column = 0;
  std::string name;
  std::string help;
};

class NetstatCollector final : public Collector {
 public:
  NetstatCollector(const Paths& paths, std::optional<Regex> fields)
      : wanted_(std::move(fields)),
        netstat_{SourceFile(paths.Proc("net/netstat")), {}},
        snmp_{SourceFile(paths.Proc("net/snmp")), {}},
        snmp6_(paths.Proc("net/snmp6")) {}

  std::string_view name() const override { return "netstat"; }

  Status Collect(CollectContext& context) override {
    RETURN_IF_ERROR(CollectTable(context.page, netstat_));
    RETURN_IF_ERROR(CollectTable(context.page, snmp_));
    return CollectSnmp6(context.page);
  }

 private:
  // Two lines per protocol, "Tcp: names" and "Tcp: numbers", of which the first never changes.
  struct Table {
    SourceFile file;
    LineCache<std::vector<Family>> wanted;  // by the line of names
  };

  Status CollectTable(PageWriter& page, Table& table) {
    const Result<std::string_view> text = table.file.Read();
    if (!text) return text.error();
    std::string_view rest = *text;
    for (std::size_t index = 0; const auto names = NextLine(rest); ++index) {
      std::optional<std::string_view> numbers = NextLine(rest);
      const std::size_t colon = names->find(':');
      if (!numbers || colon == std::string_view::npos ||
          !numbers->starts_with(names->substr(0, colon + 1))) {
        return Invalid(table.file.path() + ": names and numbers do not go together");
      }
      const auto& families =
          table.wanted.At(index, *names, [this](auto line) { return Choose(line); });
      WriteRow(page, families, numbers->substr(colon + 1));
    }
    return {};
  }

  std::vector<Family> Choose(std::string_view names) const {
    std::vector<Family> families;
    const std::size_t colon = names.find(':');
    const std::string protocol(names.substr(0, colon));
    names.remove_prefix(colon + 1);
    for (std::size_t column = 0;; ++column) {
      const std::string field(NextField(names));
      if (field.empty()) return families;
      if (Family family = Make(protocol, field); !family.name.empty()) {
        family.column = column;
        families.push_back(std::move(family));
      }
    }
  }

  // A name of "" where the field is not wanted.
  Family Make(const std::string& protocol, const std::string& field) const {
    const std::string key = protocol + "_" + field;
    if (wanted_ && !wanted_->PartialMatch(key)) return {};
    return {0, "node_netstat_" + key, "Statistic " + protocol + field + "."};
  }

  static void WriteRow(PageWriter& page, const std::vector<Family>& families,
                       std::string_view numbers) {
    std::size_t column = 0;
    for (const Family& family : families) {
      for (; column < family.column; ++column) NextField(numbers);
      double value = 0;
      ++column;
      if (!NextDouble(numbers, value)) continue;
      Write(page, family, value);
    }
  }

  // "Ip6InReceives  128": protocol up to the 6. Absent where IPv6 is off.
  Status CollectSnmp6(PageWriter& page) {
    const Result<std::string_view> text = snmp6_.Read();
    if (!text) return text.error().kind() == ErrorKind::kNotFound ? Status() : text.error();
    std::size_t index = 0;
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = NextLine(rest)) {
      const std::string_view key = NextField(*line);
      const Family& family = snmp6_wanted_.At(index++, key, [this](std::string_view name) {
        const std::size_t six = name.find('6');
        if (six == std::string_view::npos) return Family();
        return Make(std::string(name.substr(0, six + 1)), std::string(name.substr(six + 1)));
      });
      double value = 0;
      if (!family.name.empty() && NextDouble(*line, value)) Write(page, family, value);
    }
    return {};
  }

  static void Write(PageWriter& page, const Family& family, double value) {
    page.Family(family.name, family.help, exposition::MetricType::kUnknown);
    page.Sample(value);
  }

  const std::optional<Regex> wanted_;
  Table netstat_;
  Table snmp_;
  SourceFile snmp6_;
  LineCache<Family> snmp6_wanted_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(
      std::make_unique<NetstatCollector>(setup.paths, setup.options.Pattern("fields")));
}

}  // namespace

CollectorSpec NetstatSpec() {
  return {.name = "netstat",
          .options = {{"fields", OptionKind::kRegex, std::string(kFields),
                       "Regexp of fields to return for netstat collector"}},
          .create = Create};
}

}  // namespace skep::exporter
