// Bytes that wait in UDP sockets, read and to be sent.
#include "common/base/file.h"
#include "exporter/collectors/family_set.h"
#include "exporter/collectors/scan.h"

namespace skep::exporter {

namespace {

struct Queues {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

// The fifth column is "TX:RX" in hexadecimal. A line that ends before it is torn and left out.
Queues AddUp(std::string_view table) {
  Queues sum;
  (void)NextLine(table);  // column titles
  while (std::optional<std::string_view> line = NextLine(table)) {
    for (int skipped = 0; skipped < 4; ++skipped) (void)NextField(*line);
    std::string_view both = NextField(*line);
    std::size_t colon = both.find(':');
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    if (colon == std::string_view::npos || !ParseHex(both.substr(0, colon), sent) ||
        !ParseHex(both.substr(colon + 1), received)) {
      continue;
    }
    sum.sent += sent;
    sum.received += received;
  }
  return sum;
}

}  // namespace

CollectorPtr MakeUdpQueuesCollector(const Paths& paths) {
  std::string folder = paths.Proc("net");
  auto buffer = std::make_shared<std::string>();
  return MakeFunctionCollector("udp_queues", [folder, buffer](CollectContext& context) -> Status {
    bool announced = false;
    for (auto [file, version] : {std::pair("/udp", "v4"), std::pair("/udp6", "v6")}) {
      Status status = ReadFileInto(folder + file, *buffer);
      if (!status && status.error().kind() == ErrorKind::kNotFound) continue;
      RETURN_IF_ERROR(status);
      if (!announced) {
        context.page.Family("node_udp_queues",
                            "Number of allocated memory in the kernel for UDP datagrams in bytes.",
                            MetricType::kGauge);
      }
      announced = true;
      Queues queues = AddUp(*buffer);
      context.page.Sample({{"ip", version}, {"queue", "rx"}}, static_cast<double>(queues.received));
      context.page.Sample({{"ip", version}, {"queue", "tx"}}, static_cast<double>(queues.sent));
    }
    if (!announced) return NotFound("no UDP on this machine");
    return {};
  });
}

}  // namespace skep::exporter
