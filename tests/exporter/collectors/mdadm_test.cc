#include <catch2/catch.hpp>

#include "tests/exporter/collectors/tree.h"

using namespace skep;
using namespace skep::exporter;
using skep::test::Collect;
using skep::test::Collected;
using skep::test::Tree;

namespace {

Collected Read(std::string_view text) {
  Tree tree;
  tree.Write("proc/mdstat", text);
  return Collect(MakeMdadmCollector(tree.paths()));
}

}  // namespace

TEST_CASE("The state of an array, its disks and its progress are read", "[exporter]") {
  struct Case {
    std::string text;
    std::vector<std::string> lines;
  };
  const std::vector<Case> cases = {
      {"md127 : active raid1 sdi2[0] sdj2[1]\n      312319552 blocks [2/2] [UU]\n\n",
       {"node_md_blocks_synced{device=\"md127\"} 3.12319552e+08",
        "node_md_disks{device=\"md127\",state=\"active\"} 2",
        "node_md_state{device=\"md127\",state=\"active\"} 1",
        "node_md_state{device=\"md127\",state=\"resync\"} 0"}},
      {"md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]\n      1000 blocks [2/1] [U_]\n"
       "      [=>...]  recovery =  8.5% (85/1000) finish=17.0min speed=259783K/sec\n",
       {"node_md_blocks_synced{device=\"md6\"} 85",
        "node_md_disks{device=\"md6\",state=\"active\"} 1",
        "node_md_disks{device=\"md6\",state=\"failed\"} 1",
        "node_md_disks{device=\"md6\",state=\"spare\"} 1",
        "node_md_disks_required{device=\"md6\"} 2",
        "node_md_state{device=\"md6\",state=\"recovering\"} 1"}},
      {"md7 : active raid6 sdb1[0] sde1[3] sdd1[2]\n"
       "      78 blocks super 1.2 level 6, 512k chunk, algorithm 2 [4/3] [U_UU]\n"
       "      bitmap: 0/30 pages [0KB], 65536KB chunk\n",
       {"node_md_blocks_synced{device=\"md7\"} 78", "node_md_disks_required{device=\"md7\"} 4",
        "node_md_state{device=\"md7\",state=\"active\"} 1"}},
      {"md9 : active raid1 sdc2[2] sdd2[3]\n      523968 blocks super 1.2 [4/4] [UUUU]\n"
       "      resync=DELAYED\n",
       {"node_md_blocks_synced{device=\"md9\"} 0",
        "node_md_state{device=\"md9\",state=\"resync\"} 1"}},
      {"md10 : active raid0 sda1[0] sdb1[1]\n      314 blocks 64k chunks\n",
       {"node_md_disks_required{device=\"md10\"} 2"}},
      {"md219 : inactive sdb[2](S) sdc[1](S)\n      7932 blocks super external:imsm\n",
       {"node_md_state{device=\"md219\",state=\"inactive\"} 1",
        "node_md_disks{device=\"md219\",state=\"spare\"} 2"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    Collected got = Read("Personalities : [raid1]\n\n" + c.text + "\nunused devices: <none>\n");
    CHECK(got.status);
    for (const std::string& line : c.lines) {
      CAPTURE(line, got.page);
      CHECK(got.Has(line));
    }
  }
}

TEST_CASE("An array that makes no sense is an error and costs only itself", "[exporter]") {
  Collected got = Read(
      "md1 : active raid1 sda[0]\n      many blocks [2/2] [UU]\n\n"
      "md2 : active raid1 sda[0] sdb[1]\n      10 blocks [2/2] [UU]\n");
  CHECK(got.Has("node_md_blocks{device=\"md2\"} 10"));
  CHECK_FALSE(got.Mentions("md1\""));
  REQUIRE_FALSE(got.status);
  CHECK(got.status.error().kind() == ErrorKind::kCorrupt);
  CHECK(got.status.error().message().find("md1 : active") != std::string::npos);
}

TEST_CASE("No array at all is no error", "[exporter]") {
  Collected got = Read("Personalities : \nunused devices: <none>\n");
  CHECK(got.status);
  CHECK(got.page.empty());
}
