// Every collector against every damage of every file that it reads.
#include <catch2/catch.hpp>
#include <set>

#include "common/exposition/parser.h"
#include "common/exposition/validator.h"
#include "exporter/collectors/cgroup.h"
#include "exporter/collectors/process_group.h"
#include "exporter/collectors/textfile.h"
#include "tests/exporter/collectors/tree.h"

using namespace skep;
using namespace skep::exporter;
using skep::test::Collect;
using skep::test::Collected;
using skep::test::Tree;

namespace {

const std::vector<std::pair<std::string, std::string>> kFiles = {
    {"proc/net/arp", "IP address\n192.168.1.1 0x1 0x2 52:54:00:00:00:01 * eth0\n"},
    {"proc/net/udp", "titles\n 0: 0:0 0:0 0A 00000015:00000000 00:0\n"},
    {"proc/net/ip_vs_stats", "a\nb\n 16AA370 E33656E5 0 51D8C8883AB3 0\n"},
    {"proc/net/ip_vs", "TCP C0A80016:0CEA wlc\n -> C0A85216:0CEA Tunnel 100 248 2\n"},
    {"proc/net/rpc/nfs", "net 70 69 45 2\nrpc 5 6 7\nproc4 3 10 11 12\n"},
    {"proc/net/rpc/nfsd", "rc 0 6 18622\nth 8 0 0.0\nproc4ops 3 1 2 3\n"},
    {"proc/mdstat",
     "md6 : active raid1 sdb2[2](F) sda2[0]\n 1000 blocks [2/1] [U_]\n"
     " [=>..] recovery = 8.5% (85/1000) finish=1min\n"},
    {"proc/schedstat", "version 15\ncpu0 1 0 2 3 4 5 6 7 8\n"},
    {"proc/sys/kernel/random/entropy_avail", "256\n"},
    {"proc/sys/kernel/random/poolsize", "256\n"},
    {"proc/spl/kstat/zfs/arcstats", "x\nname type data\nhits 4 5\n"},
    {"proc/spl/kstat/zfs/tank/io", "x\nnread nwritten\n1 2\n"},
    {"proc/spl/kstat/zfs/tank/objset-1", "name type data\ndataset_name 7 tank\nwrites 4 4\n"},
    {"proc/spl/kstat/zfs/tank/state", "ONLINE\n"},
    {"proc/uptime", "1000.00 900.00\n"},
    {"proc/stat", "btime 1700000000\n"},
    {"proc/10/stat", "10 (a) S 1 1 1 0 -1 41 0 0 0 0 5 6 0 0 20 0 3 0 100 10 10 184 1\n"},
    {"proc/10/cmdline", "a"},
    {"proc/10/limits", "Max open files 8 16 files\n"},
    {"proc/10/io", "read_bytes: 1\nwrite_bytes: 2\n"},
    {"sys/class/net/bonding_masters", "bond0\n"},
    {"sys/class/net/bond0/bonding/slaves", "eth0\n"},
    {"sys/class/net/bond0/lower_eth0/bonding_slave/mii_status", "up\n"},
    {"sys/class/dmi/id/bios_vendor", "Dell\n"},
    {"sys/class/fc_host/host0/speed", "16 Gbit\n"},
    {"sys/class/fc_host/host0/statistics/rx_frames", "0x5\n"},
    {"sys/class/hwmon/hwmon0/name", "chip\n"},
    {"sys/class/hwmon/hwmon0/temp1_input", "1000\n"},
    {"sys/class/hwmon/hwmon0/temp1_label", "Core 0\n"},
    {"sys/class/infiniband/mlx4_0/fw_ver", "2.31\n"},
    {"sys/class/infiniband/mlx4_0/ports/1/state", "4: ACTIVE\n"},
    {"sys/class/infiniband/mlx4_0/ports/1/rate", "40 Gb/sec\n"},
    {"sys/class/infiniband/mlx4_0/ports/1/counters/port_rcv_data", "7\n"},
    {"sys/class/nvme/nvme0/model", "Samsung\n"},
    {"sys/class/power_supply/BAT0/capacity", "81\n"},
    {"sys/class/power_supply/BAT0/type", "Battery\n"},
    {"sys/class/powercap/intel-rapl:0/name", "package-0\n"},
    {"sys/class/powercap/intel-rapl:0/energy_uj", "5\n"},
    {"sys/class/scsi_tape/st0/stats/read_ns", "5\n"},
    {"sys/class/thermal/thermal_zone0/type", "acpitz\n"},
    {"sys/class/thermal/thermal_zone0/temp", "5\n"},
    {"sys/devices/system/edac/mc/mc0/ce_count", "5\n"},
    {"sys/fs/bcache/a-b/btree_cache_size", "1.2M\n"},
    {"sys/fs/bcache/a-b/bdev0/writeback_rate_debug", "rate:\t1.1M/sec\n"},
    {"sys/fs/bcache/a-b/cache0/priority_stats", "Unused:\t99%\n"},
    {"sys/fs/btrfs/a-b/label", "data\n"},
    {"sys/fs/btrfs/a-b/devices/sda/size", "5\n"},
    {"sys/fs/btrfs/a-b/allocation/data/raid5/used_bytes", "5\n"},
    {"sys/fs/xfs/sda1/stats/stats", "rw 28 29\n"},
    {"sys/fs/selinux/enforce", "1\n"},
    {"sys/fs/selinux/avc/cache_stats", "lookups hits\n1 2\n"},
    {"sys/fs/selinux/avc/hash_stats", "buckets used: 283/512\n"},
    {"sys/fs/cgroup/cgroup.controllers", "cpu\n"},
    {"sys/fs/cgroup/a/cpu.stat", "usage_usec 5\n"},
    {"sys/fs/cgroup/a/cpu.max", "1 2\n"},
    {"sys/fs/cgroup/a/memory.current", "5\n"},
    {"sys/fs/cgroup/a/io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4\n"},
    {"sys/fs/cgroup/a/io.pressure", "some avg10=0.00 total=5\n"},
    {"text/a.prom", "# TYPE a counter\na{b=\"c\"} 1\n"},
};

std::vector<CollectorPtr> MakeAll(const Tree& tree) {
  Paths p = tree.paths();
  ProcessGroup group;
  group.name = "a";
  group.cmdline = Regex::Create(".*").value();
  TextfileOptions textfile;
  textfile.folders = {tree.File("text")};
  std::vector<CollectorPtr> all;
  all.push_back(MakeArpCollector(p));
  all.push_back(MakeBcacheCollector(p, true));
  all.push_back(MakeBondingCollector(p));
  all.push_back(MakeBtrfsCollector(p));
  all.push_back(MakeCgroupCollector(p));
  all.push_back(MakeDmiCollector(p));
  all.push_back(MakeEdacCollector(p));
  all.push_back(MakeEntropyCollector(p));
  all.push_back(MakeFibreChannelCollector(p));
  all.push_back(MakeHwmonCollector(p));
  all.push_back(MakeInfinibandCollector(p));
  all.push_back(std::move(MakeIpvsCollector(p).value()));
  all.push_back(MakeMdadmCollector(p));
  all.push_back(MakeNfsCollector(p));
  all.push_back(MakeNfsdCollector(p));
  all.push_back(MakeNvmeCollector(p));
  all.push_back(MakePowerSupplyCollector(p));
  all.push_back(MakeProcessGroupCollector(p, {group}));
  all.push_back(MakeRaplCollector(p));
  all.push_back(MakeSchedstatCollector(p));
  all.push_back(MakeSelinuxCollector(p));
  all.push_back(MakeTapestatsCollector(p));
  all.push_back(MakeTextfileCollector(textfile, Logger::Silent()));
  all.push_back(MakeThermalZoneCollector(p));
  all.push_back(MakeUdpQueuesCollector(p));
  all.push_back(MakeXfsCollector(p));
  all.push_back(MakeZfsCollector(p));
  return all;
}

// "" where a scraper would take the page: it parses, and no series stands there twice.
std::string Complaint(const std::string& page) {
  exposition::PageParser parser(page, exposition::Format::kText);
  std::set<std::string> series;
  for (;;) {
    exposition::Entry entry = parser.Next();
    if (entry == exposition::Entry::kInvalid) return parser.error().message();
    if (entry == exposition::Entry::kEnd) return "";
    if (entry != exposition::Entry::kSample) continue;
    if (!IsUtf8(parser.series())) return "not UTF-8: " + std::string(parser.series());
    if (!series.insert(std::string(parser.series())).second) {
      return "twice: " + std::string(parser.series());
    }
  }
}

std::vector<std::string> Damages(const std::string& whole) {
  std::vector<std::string> damages = {"",
                                      "\n",
                                      whole.substr(0, whole.size() / 2),
                                      whole.substr(0, whole.size() - 2),
                                      "99999999999999999999999999\n",
                                      "-1\n",
                                      std::string(64, '\0'),
                                      "\xff\xfe{}\"=\\\n\xff",
                                      "a:b/c[d](e) [ ( / : =\n",
                                      std::string(9000, 'x')};
  damages.push_back(whole + whole);
  return damages;
}

}  // namespace

TEST_CASE("The whole tree gives a good page in which every file counts", "[exporter]") {
  Tree tree;
  for (const auto& [name, text] : kFiles) tree.Write(name, text);
  for (const CollectorPtr& collector : MakeAll(tree)) {
    CAPTURE(collector->name());
    Collected got = Collect(collector);
    CHECK((got.status || got.status.error().kind() == ErrorKind::kNotFound));
    CHECK_FALSE(got.page.empty());
    CHECK(Complaint(got.page) == "");
    std::string page;
    exposition::PageWriter writer(exposition::Format::kOpenMetrics, page);
    CollectContext context{writer, std::chrono::steady_clock::time_point::max()};
    (void)collector->Collect(context);  // judged above
    writer.Finish();
    Status valid = exposition::ValidateOpenMetrics(page);
    CHECK((valid ? "" : valid.error().message()) == "");
  }
}

TEST_CASE("No damage of a file spoils the page or ends the program", "[exporter]") {
  Tree tree;
  for (const auto& [name, text] : kFiles) tree.Write(name, text);
  for (const auto& [name, text] : kFiles) {
    for (const std::string& damage : Damages(text)) {
      CAPTURE(name, damage);
      tree.Write(name, damage);
      std::string page;
      for (const CollectorPtr& collector : MakeAll(tree)) page += Collect(collector).page;
      CHECK(Complaint(page) == "");
    }
    tree.Write(name, text);
  }
}
