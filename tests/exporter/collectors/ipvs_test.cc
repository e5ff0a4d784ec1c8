#include <catch2/catch.hpp>

#include "tests/exporter/collectors/tree.h"

using namespace skep;
using namespace skep::exporter;
using skep::test::Collect;
using skep::test::Collected;
using skep::test::Tree;

namespace {

constexpr std::string_view kStats =
    "   Total Incoming Outgoing         Incoming         Outgoing\n"
    "   Conns  Packets  Packets            Bytes            Bytes\n"
    " 16AA370 E33656E5        0     51D8C8883AB3        0\n\n";

constexpr std::string_view kTable =
    "IP Virtual Server version 1.2.1 (size=4096)\n"
    "Prot LocalAddress:Port Scheduler Flags\n"
    "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
    "TCP  C0A80016:0CEA wlc\n"
    "  -> C0A85216:0CEA      Tunnel  100    248        2\n"
    "  -> C0A85318:0CEA      Tunnel  50     2          3\n"
    "TCP  [2620:0000:0000:0000:0000:0000:0000:000A]:01BB wlc\n"
    "  -> [2620:0000:0000:0000:0000:0000:0000:000B]:01BB  Route   1    7        0\n"
    "FWM  10001000 wlc\n"
    "  -> C0A8321A:0CEA      Route   0      0        4\n"
    "  -> garbage            Route   0      0        4\n";

}  // namespace

TEST_CASE("Backends are told by address, port, protocol and mark", "[exporter]") {
  Tree tree;
  tree.Write("proc/net/ip_vs_stats", kStats);
  tree.Write("proc/net/ip_vs", kTable);
  Collected got = Collect(MakeIpvsCollector(tree.paths()).value());
  CHECK(got.status);
  CHECK(got.Has("node_ipvs_connections_total 2.3765872e+07"));
  CHECK(
      got.Has("node_ipvs_backend_connections_active{local_address=\"192.168.0.22\",local_port="
              "\"3306\",remote_address=\"192.168.82.22\",remote_port=\"3306\",proto=\"TCP\","
              "local_mark=\"\"} 248"));
  CHECK(
      got.Has("node_ipvs_backend_weight{local_address=\"2620::a\",local_port=\"443\","
              "remote_address=\"2620::b\",remote_port=\"443\",proto=\"TCP\",local_mark=\"\"} 1"));
  CHECK(
      got.Has("node_ipvs_backend_connections_inactive{local_address=\"\",local_port=\"0\","
              "remote_address=\"192.168.50.26\",remote_port=\"3306\",proto=\"FWM\",local_mark="
              "\"10001000\"} 4"));
}

TEST_CASE("Backends that agree in the labels asked for are added up", "[exporter]") {
  Tree tree;
  tree.Write("proc/net/ip_vs_stats", kStats);
  tree.Write("proc/net/ip_vs", kTable);
  Collected got = Collect(MakeIpvsCollector(tree.paths(), "local_port,proto").value());
  CHECK(got.Has("node_ipvs_backend_connections_active{local_port=\"3306\",proto=\"TCP\"} 250"));
  CHECK(got.Has("node_ipvs_backend_weight{local_port=\"3306\",proto=\"TCP\"} 150"));
}

TEST_CASE("A label of backends that does not exist is refused by name", "[exporter]") {
  Result<CollectorPtr> made = MakeIpvsCollector(Paths(), "local_port,nonsense");
  REQUIRE_FALSE(made);
  CHECK(made.error().kind() == ErrorKind::kInvalid);
  CHECK(made.error().message().find("\"nonsense\"") != std::string::npos);
}

TEST_CASE("Totals that are cut short are an error", "[exporter]") {
  Tree tree;
  tree.Write("proc/net/ip_vs_stats", "a\nb\n 16AA370 E336\n");
  Collected got = Collect(MakeIpvsCollector(tree.paths()).value());
  REQUIRE_FALSE(got.status);
  CHECK(got.status.error().kind() == ErrorKind::kCorrupt);
}
