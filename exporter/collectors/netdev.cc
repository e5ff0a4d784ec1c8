// Counters of network interfaces, and their addresses.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/device_choice.h"
#include "exporter/collectors/line_cache.h"
#include "exporter/collectors/net_dev.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;
using exposition::PageWriter;

// An address as node_network_address_info tells it.
struct Address {
  std::string text;
  int prefix_length = 0;
  std::string_view scope;
};

int PrefixLength(const unsigned char* mask, std::size_t bytes) {
  int bits = 0;
  for (std::size_t i = 0; i < bytes; ++i) bits += std::popcount(mask[i]);
  return bits;
}

std::string_view Scope4(in_addr address) {
  const std::uint32_t host = ntohl(address.s_addr);
  const bool link_local = (host >> 16) == 0xa9fe || (host >> 8) == 0xe00000;
  if ((host >> 24) == 127 || link_local) return "link-local";
  return host == 0 || host == INADDR_BROADCAST || (host >> 28) == 0xe ? "" : "global";
}

std::string_view Scope6(const in6_addr& address) {
  if (IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_LINKLOCAL(&address) ||
      IN6_IS_ADDR_MC_LINKLOCAL(&address)) {
    return "link-local";
  }
  if (IN6_IS_ADDR_MC_NODELOCAL(&address)) return "interface-local";
  return IN6_IS_ADDR_UNSPECIFIED(&address) || IN6_IS_ADDR_MULTICAST(&address) ? "" : "global";
}

template <typename Socket>
Socket As(const sockaddr* address) {
  Socket out{};
  if (address != nullptr) std::memcpy(&out, address, sizeof(out));
  return out;
}

std::optional<Address> Describe(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (entry.ifa_addr->sa_family == AF_INET) {
    const auto address = As<sockaddr_in>(entry.ifa_addr).sin_addr;
    const auto mask = As<sockaddr_in>(entry.ifa_netmask).sin_addr;
    ::inet_ntop(AF_INET, &address, text.data(), text.size());
    return Address{text.data(), std::popcount(mask.s_addr), Scope4(address)};
  }
  if (entry.ifa_addr->sa_family == AF_INET6) {
    const auto address = As<sockaddr_in6>(entry.ifa_addr).sin6_addr;
    const auto mask = As<sockaddr_in6>(entry.ifa_netmask).sin6_addr;
    ::inet_ntop(AF_INET6, &address, text.data(), text.size());
    return Address{text.data(), PrefixLength(mask.s6_addr, 16), Scope6(address)};
  }
  return std::nullopt;
}

class NetdevCollector final : public Collector {
 public:
  NetdevCollector(const CollectorSetup& setup, DeviceFilter devices)
      : netlink_(setup.options.Flag("netlink")),
        addresses_(setup.options.Flag("address-info")),
        devices_(std::move(devices)),
        counters_(setup.options.Flag("enable-detailed-metrics") ? NetdevDetailedCounters()
                                                                : NetdevCounters()),
        file_(setup.paths.Proc("net/dev")) {
    for (const NetdevCounter& counter : counters_) {
      const std::string name(counter.name);
      families_.emplace_back("node_network_" + name + "_total",
                             "Network device statistic " + name + ".");
    }
  }

  std::string_view name() const override { return "netdev"; }

  Status Collect(CollectContext& context) override {
    const Result<bool> from_netlink = ReadRows();
    if (!from_netlink) return from_netlink.error();
    if (addresses_) RETURN_IF_ERROR(WriteAddresses(context.page));
    std::erase_if(rows_, [this](const LinkRow& row) { return !devices_.Keeps(row.name); });
    if (rows_.empty()) return {};
    for (std::size_t i = 0; i < counters_.size(); ++i) {
      // The file does not tell it, and 0 would be invented.
      if (!*from_netlink && counters_[i].name == "receive_nohandler") continue;
      WriteCounter(context.page, i);
    }
    return {};
  }

 private:
  // True: from the routing socket. Where that is forbidden (a sandbox), the file serves.
  Result<bool> ReadRows() {
    if (netlink_ && links_.Read(rows_)) return true;
    const Result<std::string_view> text = file_.Read();
    if (!text) return text.error();
    const Status parsed = ParseNetDev(*text, rows_);
    if (!parsed) return parsed.error().Wrap(file_.path());
    return false;
  }

  void WriteCounter(PageWriter& page, std::size_t counter) {
    page.Family(families_[counter].first, families_[counter].second, MetricType::kCounter);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::string& labels = labels_.At(i, rows_[i].name, [](std::string_view device) {
        return exposition::RenderLabels({{"device", device}});
      });
      page.RenderedSample(labels, static_cast<double>(counters_[counter].value(rows_[i].stats)));
    }
  }

  Status WriteAddresses(PageWriter& page) {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return FromErrno("getifaddrs", errno);
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(first, ::freeifaddrs);
    bool announced = false;
    for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
      const std::optional<Address> address = Describe(*entry);
      if (!address) continue;
      if (!std::exchange(announced, true)) {
        page.Family("node_network_address_info", "node network address by device",
                    MetricType::kGauge);
      }
      page.Sample({{"address", address->text},
                   {"device", entry->ifa_name},
                   {"netmask", std::to_string(address->prefix_length)},
                   {"scope", address->scope}},
                  1);
    }
    return {};
  }

  const bool netlink_;
  const bool addresses_;
  DeviceChoice devices_;
  const std::vector<NetdevCounter>& counters_;
  std::vector<std::pair<std::string, std::string>> families_;  // name and help, as counters_
  SourceFile file_;
  LinkDump links_;
  std::vector<LinkRow> rows_;
  LineCache<std::string> labels_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  Result<DeviceFilter> devices = ReadDeviceFilter(setup.options);
  if (!devices) return devices.error();
  return std::unique_ptr<Collector>(std::make_unique<NetdevCollector>(setup, std::move(*devices)));
}

}  // namespace

CollectorSpec NetdevSpec() {
  CollectorSpec spec{
      .name = "netdev", .options = DeviceFilterOptions("net", "^lo$"), .create = Create};
  spec.options.push_back(
      {"address-info", OptionKind::kFlag, "false", "Collect address-info for every device"});
  spec.options.push_back({"enable-detailed-metrics", OptionKind::kFlag, "false",
                          "Use (incompatible) metric names that provide more detailed stats"});
  spec.options.push_back({"netlink", OptionKind::kFlag, "true",
                          "Use netlink to gather stats instead of /proc/net/dev"});
  return spec;
}

}  // namespace skep::exporter
