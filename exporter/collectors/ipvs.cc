// The kernel's load balancer: /proc/net/ip_vs_stats and /proc/net/ip_vs.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <map>

#include "common/base/file.h"
#include "common/base/number.h"
#include "common/base/quote.h"
#include "exporter/collectors/family_set.h"
#include "exporter/collectors/scan.h"

namespace skep::exporter {

namespace {

constexpr std::array<std::string_view, 6> kLabels = {
    "local_address", "local_port", "remote_address", "remote_port", "proto", "local_mark"};

// Which of kLabels are shown.
using LabelChoice = std::array<bool, kLabels.size()>;

Result<LabelChoice> ParseLabels(std::string_view list) {
  LabelChoice choice{};
  while (!list.empty()) {
    std::size_t comma = std::min(list.find(','), list.size());
    std::string_view name = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (name.empty()) continue;
    auto at = std::find(kLabels.begin(), kLabels.end(), name);
    if (at == kLabels.end()) {
      return Invalid("unknown IPVS backend label " + Quote(name) + ", expected some of " +
                     std::string(kIpvsBackendLabels));
    }
    choice[static_cast<std::size_t>(at - kLabels.begin())] = true;
  }
  return choice;
}

struct Endpoint {
  std::string address;
  std::uint64_t port = 0;
};

// "C0A80016:0CEA", and "[2620:...:000A]:01BB" for version 6.
std::optional<Endpoint> ParseEndpoint(std::string_view text) {
  std::size_t colon = text.rfind(':');
  Endpoint out;
  if (colon == std::string_view::npos || !ParseHex(text.substr(colon + 1), out.port)) return {};
  std::string_view address = text.substr(0, colon);
  std::array<char, INET6_ADDRSTRLEN> printed{};
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    std::string inside(address.substr(1, address.size() - 2));
    in6_addr bytes{};
    if (::inet_pton(AF_INET6, inside.c_str(), &bytes) != 1) return {};
    ::inet_ntop(AF_INET6, &bytes, printed.data(), printed.size());
  } else {
    std::uint64_t number = 0;
    if (address.size() != 8 || !ParseHex(address, number)) return {};
    in_addr bytes{htonl(static_cast<std::uint32_t>(number))};
    ::inet_ntop(AF_INET, &bytes, printed.data(), printed.size());
  }
  out.address = printed.data();
  return out;
}

// Values in the order of kLabels.
using LabelValues = std::array<std::string, kLabels.size()>;

struct Backend {
  std::uint64_t weight = 0;
  std::uint64_t active = 0;
  std::uint64_t inactive = 0;
};

class Table {
 public:
  explicit Table(const LabelChoice& choice) : choice_(choice) {}

  // One line: a virtual server ("TCP ADDRESS:PORT", "FWM MARK") or one of its backends ("->").
  void Line(std::string_view line) {
    SplitFields(line, fields_);
    if (fields_.size() < 2) return;
    if (fields_[0] == "TCP" || fields_[0] == "UDP" || fields_[0] == "SCTP") {
      std::optional<Endpoint> local = ParseEndpoint(fields_[1]);
      has_server_ = local.has_value();
      if (local) Server(local->address, std::to_string(local->port), "");
    } else if (fields_[0] == "FWM") {
      has_server_ = true;
      Server("", "0", std::string(fields_[1]));
    } else if (fields_[0] == "->" && has_server_ && fields_.size() >= 6) {
      AddBackend();
    }
  }

  void Write(FamilySet& families) const {
    for (const auto& [labels, backend] : backends_) {
      auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
        families.AddRendered(name, help, MetricType::kGauge, labels, static_cast<double>(value));
      };
      gauge("node_ipvs_backend_connections_active",
            "The current active connections by local and remote address.", backend.active);
      gauge("node_ipvs_backend_connections_inactive",
            "The current inactive connections by local and remote address.", backend.inactive);
      gauge("node_ipvs_backend_weight", "The current backend weight by local and remote address.",
            backend.weight);
    }
  }

 private:
  void Server(std::string address, std::string port, std::string mark) {
    values_[0] = std::move(address);
    values_[1] = std::move(port);
    values_[4] = std::string(fields_[0]);
    values_[5] = std::move(mark);
  }

  void AddBackend() {
    std::optional<Endpoint> remote = ParseEndpoint(fields_[1]);
    std::optional<std::uint64_t> weight = ParseUint(fields_[3]);
    std::optional<std::uint64_t> active = ParseUint(fields_[4]);
    std::optional<std::uint64_t> inactive = ParseUint(fields_[5]);
    if (!remote || !weight || !active || !inactive) return;  // titles, or torn
    values_[2] = remote->address;
    values_[3] = std::to_string(remote->port);
    std::string labels;
    for (std::size_t i = 0; i < kLabels.size(); ++i) {
      if (choice_[i]) exposition::AppendRenderedLabel(labels, kLabels[i], ValidUtf8(values_[i]));
    }
    Backend& sum = backends_[labels];
    sum.weight += *weight;
    sum.active += *active;
    sum.inactive += *inactive;
  }

  LabelChoice choice_;
  LabelValues values_;
  bool has_server_ = false;
  std::vector<std::string_view> fields_;
  std::map<std::string, Backend> backends_;
};

struct Total {
  std::string_view name;
  std::string_view help;
};
constexpr std::array<Total, 5> kTotals = {{
    {"node_ipvs_connections_total", "The total number of connections made."},
    {"node_ipvs_incoming_packets_total", "The total number of incoming packets."},
    {"node_ipvs_outgoing_packets_total", "The total number of outgoing packets."},
    {"node_ipvs_incoming_bytes_total", "The total amount of incoming data."},
    {"node_ipvs_outgoing_bytes_total", "The total amount of outgoing data."},
}};

// Two lines of titles, then the totals in hexadecimal.
Status AddTotals(FamilySet& families, std::string_view text) {
  (void)NextLine(text);
  (void)NextLine(text);
  std::string_view line = NextLine(text).value_or("");
  std::array<std::uint64_t, kTotals.size()> values{};
  for (std::uint64_t& value : values) {
    if (!NextHex(line, value)) return Corrupt("ip_vs_stats has no five totals in its third line");
  }
  for (std::size_t i = 0; i < kTotals.size(); ++i) {
    families.Add(kTotals[i].name, kTotals[i].help, MetricType::kCounter, {},
                 static_cast<double>(values[i]));
  }
  return {};
}

Status CollectIpvs(const std::string& net, const LabelChoice& choice, CollectContext& context) {
  Result<std::string> totals = ReadFile(net + "/ip_vs_stats");
  if (!totals) return totals.error();
  FamilySet families;
  RETURN_IF_ERROR(AddTotals(families, *totals));
  Result<std::string> text = ReadFile(net + "/ip_vs");
  if (text) {
    Table table(choice);
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = NextLine(rest)) table.Line(*line);
    table.Write(families);
  }
  families.Write(context.page);
  if (!text) return text.error();
  return {};
}

}  // namespace

Result<CollectorPtr> MakeIpvsCollector(const Paths& paths, std::string_view backend_labels) {
  Result<LabelChoice> choice = ParseLabels(backend_labels);
  if (!choice) return choice.error();
  std::string net = paths.Proc("net");
  return MakeFunctionCollector("ipvs", [net, choice = *choice](CollectContext& context) {
    return CollectIpvs(net, choice, context);
  });
}

}  // namespace skep::exporter
