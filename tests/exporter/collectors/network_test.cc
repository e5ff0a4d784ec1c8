// The collectors netdev, netclass, netstat, sockstat and conntrack over fixture trees.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/link_dump.h"
#include "tests/exporter/collectors/made.h"

namespace skep::exporter {
namespace {

using test::Collected;
using test::Made;
using test::Tree;

constexpr std::string_view kNetDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
    "fifo colls carrier compressed\n"
    "    lo:  11     1    0    0    0     0          0         0   11     1    0    0    0     0   "
    "    0          0\n"
    "  eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";

const Made::Options kFromFile = {{"netlink", {"false"}}};

TEST_CASE("netdev shows every column of the file but those of the loopback", "[collectors]") {
  const Tree tree;
  tree.Write("proc/net/dev", kNetDev);
  const Collected got = Made(NetdevSpec(), tree, kFromFile).Collect();
  REQUIRE(got.status);
  CHECK_FALSE(got.Mentions(R"("lo")"));
  const std::pair<std::string, int> expected[] = {
      {"receive_bytes", 1},       {"receive_packets", 2},   {"receive_errs", 3},
      {"receive_drop", 4},        {"receive_fifo", 5},      {"receive_frame", 6},
      {"receive_compressed", 7},  {"receive_multicast", 8}, {"transmit_bytes", 9},
      {"transmit_packets", 10},   {"transmit_errs", 11},    {"transmit_drop", 12},
      {"transmit_fifo", 13},      {"transmit_colls", 14},   {"transmit_carrier", 15},
      {"transmit_compressed", 16}};
  for (const auto& [name, value] : expected) {
    CAPTURE(name);
    CHECK(got.Has("node_network_" + name + "_total{device=\"eth0\"} " + std::to_string(value)));
    CHECK(got.Has("# HELP node_network_" + name + "_total Network device statistic " + name + "."));
  }
  CHECK_FALSE(got.Mentions("nohandler"));  // the file does not tell it
}

TEST_CASE("netdev takes an include instead of its default exclude, never both", "[collectors]") {
  const Tree tree;
  tree.Write("proc/net/dev", kNetDev);
  Made::Options options = kFromFile;
  options["device-include"] = {"^lo$"};
  const Collected got = Made(NetdevSpec(), tree, options).Collect();
  CHECK(got.Has(R"(node_network_receive_bytes_total{device="lo"} 11)"));
  CHECK_FALSE(got.Mentions("eth0"));
  options["device-exclude"] = {"x"};
  CHECK_THROWS_WITH(Made(NetdevSpec(), tree, options),
                    "device-include and device-exclude are mutually exclusive");
}

TEST_CASE("netdev refuses a file with too few columns", "[collectors]") {
  const Tree tree;
  tree.Write("proc/net/dev", kNetDev.substr(0, kNetDev.size() - 4));
  const Collected got = Made(NetdevSpec(), tree, kFromFile).Collect();
  REQUIRE_FALSE(got.status);
  CHECK(got.status.error().message().find("interface eth0: expected 16 numbers") !=
        std::string::npos);
  CHECK(got.page.empty());
}

TEST_CASE("netdev shows the kernel's own fields when asked for", "[collectors]") {
  const Tree tree;
  tree.Write("proc/net/dev", kNetDev);
  Made::Options options = kFromFile;
  options["enable-detailed-metrics"] = {"true"};
  const Collected got = Made(NetdevSpec(), tree, options).Collect();
  CHECK(got.Has(R"(node_network_multicast_total{device="eth0"} 8)"));
  CHECK(got.Has(R"(node_network_receive_errors_total{device="eth0"} 3)"));
  CHECK_FALSE(got.Mentions("receive_errs"));
}

// One message RTM_NEWLINK of an interface with `name` whose received bytes are `bytes`.
std::string LinkMessage(std::string_view name, std::uint64_t bytes) {
  const auto attribute = [](unsigned short type, std::string_view payload) {
    rtattr header{};
    header.rta_len = static_cast<unsigned short>(sizeof(header) + payload.size());
    header.rta_type = type;
    std::string out(reinterpret_cast<const char*>(&header), sizeof(header));
    out += payload;
    out.resize((out.size() + 3) & ~std::size_t{3});
    return out;
  };
  rtnl_link_stats64 stats{};
  stats.rx_bytes = bytes;
  const std::string body =
      std::string(sizeof(ifinfomsg), '\0') + attribute(IFLA_IFNAME, std::string(name) + '\0') +
      attribute(IFLA_STATS64, {reinterpret_cast<const char*>(&stats), sizeof(stats)});
  nlmsghdr header{};
  header.nlmsg_len = static_cast<unsigned>(sizeof(header) + body.size());
  header.nlmsg_type = RTM_NEWLINK;
  return std::string(reinterpret_cast<const char*>(&header), sizeof(header)) + body;
}

TEST_CASE("link messages are read one after the other until the end", "[collectors]") {
  nlmsghdr done{};
  done.nlmsg_len = sizeof(done);
  done.nlmsg_type = NLMSG_DONE;
  const std::string end(reinterpret_cast<const char*>(&done), sizeof(done));
  std::vector<LinkRow> rows;
  const Result<bool> more =
      ParseLinkMessages(LinkMessage("eth0", 7) + LinkMessage("eth1", 8), rows);
  REQUIRE(more);
  CHECK(*more);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].name == "eth0");
  CHECK(rows[1].stats.rx_bytes == 8);
  const Result<bool> last = ParseLinkMessages(LinkMessage("lo", 1) + end, rows);
  REQUIRE(last);
  CHECK_FALSE(*last);
}

TEST_CASE("a link message cut anywhere is an error and reads nothing beyond", "[collectors]") {
  const std::string whole = LinkMessage("eth0", 7);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    CAPTURE(length);
    std::vector<LinkRow> rows;
    const std::vector<char> bytes(whole.begin(), whole.begin() + static_cast<long>(length));
    const auto got = ParseLinkMessages({bytes.data(), bytes.size()}, rows);
    CHECK_FALSE(got);
  }
}

TEST_CASE("netclass shows properties, and nothing for what the driver refuses", "[collectors]") {
  const Tree tree;
  const std::string eth0 = "sys/class/net/eth0/";
  tree.Write(eth0 + "address", "01:02:03:04:05:06\n");
  tree.Write(eth0 + "broadcast", "ff:ff:ff:ff:ff:ff\n");
  tree.Write(eth0 + "duplex", "full\n");
  tree.Write(eth0 + "ifalias", "\n");
  tree.Write(eth0 + "operstate", "up\n");
  tree.Write(eth0 + "carrier_changes", "2\n");
  tree.Write(eth0 + "flags", "0x1303\n");
  tree.Write(eth0 + "mtu", "1500\n");
  tree.Write(eth0 + "speed", "1000\n");
  tree.Write("sys/class/net/dummy0/operstate", "down\n");
  tree.Write("sys/class/net/dummy0/speed", "-1\n");
  tree.Write("sys/class/net/bonding_masters", "bond0\n");
  const Made netclass(NetclassSpec(), tree);
  const Collected got = netclass.Collect();
  REQUIRE(got.status);
  CHECK(
      got.Has("node_network_info{address=\"01:02:03:04:05:06\",broadcast=\"ff:ff:ff:ff:ff:ff\","
              "device=\"eth0\",duplex=\"full\",ifalias=\"\",operstate=\"up\"} 1"));
  CHECK(got.Has(R"(node_network_up{device="eth0"} 1)"));
  CHECK(got.Has(R"(node_network_up{device="dummy0"} 0)"));
  CHECK(got.Has(R"(node_network_flags{device="eth0"} 4867)"));
  CHECK(got.Has(R"(node_network_speed_bytes{device="eth0"} 1.25e+08)"));
  CHECK(got.Has(R"(node_network_speed_bytes{device="dummy0"} -125000)"));
  CHECK(got.Has("# TYPE node_network_carrier_changes_total counter"));
  CHECK(got.Has(R"(node_network_mtu_bytes{device="eth0"} 1500)"));
  CHECK_FALSE(got.Mentions("node_network_carrier{"));
  CHECK_FALSE(got.Mentions("bonding_masters"));

  tree.Write(eth0 + "operstate", "down\n");
  tree.Remove("sys/class/net/dummy0");
  const Collected later = netclass.Collect();
  CHECK(later.Mentions(R"(operstate="down")"));
  CHECK_FALSE(later.Mentions("dummy0"));
}

TEST_CASE("netclass leaves out ignored devices and invalid speeds", "[collectors]") {
  const Tree tree;
  tree.Write("sys/class/net/veth1/mtu", "1500\n");
  tree.Write("sys/class/net/eth0/speed", "-1\n");
  const Collected got = Made(NetclassSpec(), tree,
                             {{"ignored-devices", {"^veth"}}, {"ignore-invalid-speed", {"true"}}})
                            .Collect();
  CHECK_FALSE(got.Mentions("veth1"));
  CHECK_FALSE(got.Mentions("speed"));
  CHECK(got.Mentions("eth0"));
}

TEST_CASE("netstat shows chosen fields of all three files", "[collectors]") {
  const Tree tree;
  tree.Write("proc/net/netstat",
             "TcpExt: SyncookiesSent Other ListenDrops\nTcpExt: 1 2 3\n"
             "IpExt: InNoRoutes InOctets\nIpExt: 4 5\n");
  tree.Write("proc/net/snmp", "Tcp: MaxConn InErrs\nTcp: -1 6\n");
  tree.Write("proc/net/snmp6", "Ip6InReceives  7\nIp6InOctets \t 8\nUdpLite6InErrors x\n");
  const Made netstat(NetstatSpec(), tree);
  const Collected got = netstat.Collect();
  REQUIRE(got.status);
  CHECK(got.Has("node_netstat_TcpExt_SyncookiesSent 1"));
  CHECK(got.Has("node_netstat_TcpExt_ListenDrops 3"));
  CHECK(got.Has("node_netstat_IpExt_InOctets 5"));
  CHECK(got.Has("node_netstat_Tcp_InErrs 6"));
  CHECK(got.Has("node_netstat_Ip6_InOctets 8"));
  CHECK(got.Has("# HELP node_netstat_Ip6_InOctets Statistic Ip6InOctets."));
  CHECK(got.Has("# TYPE node_netstat_Ip6_InOctets untyped"));
  CHECK_FALSE(got.Mentions("Other"));
  CHECK_FALSE(got.Mentions("InReceives"));
  // The same with another set of columns, as after a change of kernel under a container.
  tree.Write("proc/net/snmp", "Tcp: InErrs CurrEstab\nTcp: 9 10\n");
  const Collected changed = netstat.Collect();
  CHECK(changed.Has("node_netstat_Tcp_InErrs 9"));
  CHECK(changed.Has("node_netstat_Tcp_CurrEstab 10"));
}

TEST_CASE("netstat lives without IPv6, and refuses names without numbers", "[collectors]") {
  const Tree tree;
  tree.Write("proc/net/netstat", "TcpExt: ListenDrops\nTcpExt: 1\n");
  tree.Write("proc/net/snmp", "Tcp: InErrs\nTcp: 2\n");
  CHECK(Made(NetstatSpec(), tree).Collect().status);
  for (const std::string_view bad : {"Tcp: InErrs\n", "Tcp: InErrs\nUdp: 1\n", "nothing\n\n"}) {
    CAPTURE(bad);
    tree.Write("proc/net/snmp", bad);
    CHECK(Made(NetstatSpec(), tree).Collect().status.error().kind() == ErrorKind::kInvalid);
  }
}

TEST_CASE("sockstat shows sockets per protocol and memory in bytes", "[collectors]") {
  const Tree tree;
  tree.Write("proc/net/sockstat",
             "sockets: used 229\nTCP: inuse 4 mem 2\nFRAG: inuse 0 memory 9\n");
  tree.Write("proc/net/sockstat6", "TCP6: inuse 17\n");
  const Collected got = Made(SockstatSpec(), tree).Collect();
  REQUIRE(got.status);
  CHECK(got.Has("node_sockstat_sockets_used 229"));
  CHECK(got.Has("# HELP node_sockstat_sockets_used Number of IPv4 sockets in use."));
  CHECK(got.Has("# HELP node_sockstat_TCP_inuse Number of TCP sockets in state inuse."));
  CHECK(got.Has("node_sockstat_TCP_inuse 4"));
  CHECK(got.Has("node_sockstat_TCP_mem_bytes " + std::to_string(2 * ::sysconf(_SC_PAGESIZE))));
  CHECK(got.Has("node_sockstat_FRAG_memory 9"));
  CHECK(got.Has("node_sockstat_TCP6_inuse 17"));
  tree.Remove("proc/net/sockstat6");
  CHECK(Made(SockstatSpec(), tree).Collect().status);
  tree.Write("proc/net/sockstat", "TCP inuse 4\n");
  CHECK_FALSE(Made(SockstatSpec(), tree).Collect().status);
}

TEST_CASE("conntrack adds up the processors, and has no data without the module", "[collectors]") {
  const Tree tree;
  const Made conntrack(ConntrackSpec(), tree);
  CHECK(conntrack.Collect().status.error().kind() == ErrorKind::kNotFound);
  tree.Write("proc/sys/net/netfilter/nf_conntrack_count", "123\n");
  tree.Write("proc/sys/net/netfilter/nf_conntrack_max", "65536\n");
  tree.Write("proc/net/stat/nf_conntrack",
             "entries  found new insert_failed drop search_restart\n"
             "00000021  00000003 0 00000001 0000000a 0\n"
             "00000021  00000002 0 00000000 00000001 0\n");
  const Collected got = conntrack.Collect();
  REQUIRE(got.status);
  CHECK(got.Has("node_nf_conntrack_entries 123"));
  CHECK(got.Has("node_nf_conntrack_entries_limit 65536"));
  CHECK(got.Has("node_nf_conntrack_stat_found 5"));
  CHECK(got.Has("node_nf_conntrack_stat_drop 11"));
  CHECK(got.Has("node_nf_conntrack_stat_insert_failed 1"));
  CHECK(got.Has("node_nf_conntrack_stat_ignore 0"));
}

}  // namespace
}  // namespace skep::exporter
