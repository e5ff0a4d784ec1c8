#include <catch2/catch.hpp>

#include "exporter/collectors/device_collectors.h"
#include "exporter/collectors/family_set.h"
#include "tests/exporter/collectors/tree.h"

using namespace skep;
using namespace skep::exporter;
using skep::test::Collect;
using skep::test::Collected;
using skep::test::Tree;

TEST_CASE("A collector whose source the machine lacks says not found and writes nothing",
          "[exporter]") {
  Tree tree;
  Paths paths = tree.paths();
  CollectorPtr ipvs = std::move(MakeIpvsCollector(paths).value());
  std::vector<CollectorPtr> collectors;
  collectors.push_back(MakeBondingCollector(paths));
  collectors.push_back(MakeDmiCollector(paths));
  collectors.push_back(MakeFibreChannelCollector(paths));
  collectors.push_back(MakeHwmonCollector(paths));
  collectors.push_back(MakeInfinibandCollector(paths));
  collectors.push_back(std::move(ipvs));
  collectors.push_back(MakeMdadmCollector(paths));
  collectors.push_back(MakeNfsCollector(paths));
  collectors.push_back(MakeNfsdCollector(paths));
  collectors.push_back(MakeNvmeCollector(paths));
  collectors.push_back(MakePowerSupplyCollector(paths));
  collectors.push_back(MakeRaplCollector(paths));
  collectors.push_back(MakeSchedstatCollector(paths));
  collectors.push_back(MakeTapestatsCollector(paths));
  collectors.push_back(MakeUdpQueuesCollector(paths));
  collectors.push_back(MakeZfsCollector(paths));
  for (const CollectorPtr& collector : collectors) {
    CAPTURE(collector->name());
    Collected got = Collect(collector);
    REQUIRE_FALSE(got.status);
    CHECK(got.status.error().kind() == ErrorKind::kNotFound);
    CHECK(got.page.empty());
  }
}

TEST_CASE("A collector that counts what may be none succeeds without devices", "[exporter]") {
  Tree tree;
  Paths paths = tree.paths();
  std::vector<CollectorPtr> collectors;
  collectors.push_back(MakeBcacheCollector(paths));
  collectors.push_back(MakeBtrfsCollector(paths));
  collectors.push_back(MakeEdacCollector(paths));
  collectors.push_back(MakeThermalZoneCollector(paths));
  collectors.push_back(MakeXfsCollector(paths));
  for (const CollectorPtr& collector : collectors) {
    CAPTURE(collector->name());
    Collected got = Collect(collector);
    CHECK(got.status);
    CHECK(got.page.empty());
  }
}

TEST_CASE("Bytes that are no UTF-8 become one replacement character each run", "[exporter]") {
  CHECK(ValidUtf8("Läuft") == "Läuft");
  CHECK(ValidUtf8("a\xff\xfe"
                  "b\xff") ==
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd");
  CHECK(ValidUtf8("\xc3") == "\xef\xbf\xbd");
}

TEST_CASE("A family set sorts families and samples and drops a series given twice", "[exporter]") {
  FamilySet families;
  families.Add("b", "second", MetricType::kCounter, {{"x", "2"}}, 2);
  families.Add("a", "first", MetricType::kGauge, {}, 1);
  families.Add("b", "ignored", MetricType::kGauge, {{"x", "1"}}, 3);
  families.Add("b", "ignored", MetricType::kGauge, {{"x", "2"}}, 4);
  std::string page;
  exposition::PageWriter writer(exposition::Format::kText, page);
  families.Write(writer);
  CHECK(page ==
        "# HELP a first\n# TYPE a gauge\na 1\n"
        "# HELP b second\n# TYPE b counter\nb{x=\"1\"} 3\nb{x=\"2\"} 2\n");
  CHECK(families.empty());
}

TEST_CASE("Neighbours are counted by interface, and filters leave interfaces out", "[exporter]") {
  Tree tree;
  tree.Write("proc/net/arp",
             "IP address  HW type  Flags  HW address  Mask  Device\n"
             "192.168.1.1  0x1  0x2  52:54:00:00:00:01  *  eth0\n"
             "192.168.1.2  0x1  0x2  52:54:00:00:00:02  *  eth0\n"
             "10.0.0.2     0x1  0x0  00:00:00:00:00:00  *  br-4f1\n");
  Collected all = Collect(MakeArpCollector(tree.paths()));
  CHECK(all.Has("node_arp_entries{device=\"eth0\"} 2"));
  CHECK(all.Has("node_arp_entries{device=\"br-4f1\"} 1"));
  Collected some =
      Collect(MakeArpCollector(tree.paths(), {std::nullopt, Regex::Create("^br").value()}));
  CHECK(some.Has("node_arp_entries{device=\"eth0\"} 2"));
  CHECK_FALSE(some.Mentions("br-4f1"));
}

TEST_CASE("Links of a bond are up under both names that kernels give them", "[exporter]") {
  Tree tree;
  tree.Write("sys/class/net/bonding_masters", "bond0 empty\n");
  tree.Write("sys/class/net/bond0/bonding/slaves", "eth0 eth1 eth2\n");
  tree.Write("sys/class/net/bond0/lower_eth0/bonding_slave/mii_status", "up\n");
  tree.Write("sys/class/net/bond0/slave_eth1/bonding_slave/mii_status", "up\n");
  tree.Write("sys/class/net/bond0/lower_eth2/bonding_slave/mii_status", "down\n");
  Collected got = Collect(MakeBondingCollector(tree.paths()));
  CHECK(got.Has("node_bonding_slaves{master=\"bond0\"} 3"));
  CHECK(got.Has("node_bonding_active{master=\"bond0\"} 2"));
  CHECK(got.Has("node_bonding_slaves{master=\"empty\"} 0"));
}

TEST_CASE("Firmware strings are labels, junk bytes and quotes included", "[exporter]") {
  Tree tree;
  tree.Write("sys/class/dmi/id/bios_vendor", "Dell \"Inc\"\n");
  tree.Write("sys/class/dmi/id/sys_vendor", "\xff\n");
  Collected got = Collect(MakeDmiCollector(tree.paths()));
  CHECK(
      got.Has("node_dmi_info{bios_vendor=\"Dell \\\"Inc\\\"\",system_vendor=\"\xef\xbf\xbd\"} 1"));
}

TEST_CASE("Memory errors are told by controller and row", "[exporter]") {
  Tree tree;
  tree.Write("sys/devices/system/edac/mc/mc0/ce_count", "1\n");
  tree.Write("sys/devices/system/edac/mc/mc0/ce_noinfo_count", "2\n");
  tree.Write("sys/devices/system/edac/mc/mc0/ue_count", "\n");  // an answer that is none
  tree.Write("sys/devices/system/edac/mc/mc0/csrow7/ue_count", "4\n");
  tree.Write("sys/devices/system/edac/mc/power/ce_count", "9\n");
  Collected got = Collect(MakeEdacCollector(tree.paths()));
  CHECK(got.Has("node_edac_correctable_errors_total{controller=\"0\"} 1"));
  CHECK(got.Has("node_edac_csrow_correctable_errors_total{controller=\"0\",csrow=\"unknown\"} 2"));
  CHECK(got.Has("node_edac_csrow_uncorrectable_errors_total{controller=\"0\",csrow=\"7\"} 4"));
  CHECK_FALSE(got.Mentions("node_edac_uncorrectable_errors_total"));
  CHECK_FALSE(got.Mentions(" 9\n"));
}

TEST_CASE("Half of the entropy files gives half of the metrics and an error", "[exporter]") {
  Tree tree;
  tree.Write("proc/sys/kernel/random/entropy_avail", "256\n");
  Collected got = Collect(MakeEntropyCollector(tree.paths()));
  CHECK(got.Has("node_entropy_available_bits 256"));
  REQUIRE_FALSE(got.status);
  CHECK(got.status.error().kind() == ErrorKind::kIo);
}

TEST_CASE("A Fibre Channel counter of all ones is not counted by the adapter", "[exporter]") {
  Tree tree;
  tree.Write("sys/class/fc_host/host0/speed", "16 Gbit\n");
  tree.Write("sys/class/fc_host/host0/port_name", "0x1000e0071bce95f2\n");
  tree.Write("sys/class/fc_host/host0/statistics/rx_frames", "0xffffffffffffffff\n");
  tree.Write("sys/class/fc_host/host0/statistics/tx_frames", "0x1f\n");
  Collected got = Collect(MakeFibreChannelCollector(tree.paths()));
  CHECK(got.Mentions("port_name=\"1000e0071bce95f2\""));
  CHECK(got.Has("node_fibrechannel_tx_frames_total{fc_host=\"host0\"} 31"));
  CHECK_FALSE(got.Mentions("rx_frames"));
}

TEST_CASE("InfiniBand data counts four lanes, and what is not available is absent", "[exporter]") {
  Tree tree;
  std::string port = "sys/class/infiniband/mlx4_0/ports/1/";
  tree.Write(port + "state", "4: ACTIVE\n");
  tree.Write(port + "rate", "2.5 Gb/sec (1X SDR)\n");
  tree.Write(port + "counters/port_rcv_data", "1000\n");
  tree.Write(port + "counters/port_rcv_packets", "N/A (no PMA)\n");
  Collected got = Collect(MakeInfinibandCollector(tree.paths()));
  CHECK(got.Has("node_infiniband_state_id{device=\"mlx4_0\",port=\"1\"} 4"));
  CHECK(got.Has("node_infiniband_rate_bytes_per_second{device=\"mlx4_0\",port=\"1\"} 3.125e+08"));
  CHECK(
      got.Has("node_infiniband_port_data_received_bytes_total{device=\"mlx4_0\",port=\"1\"} 4000"));
  CHECK_FALSE(got.Mentions("port_packets_received"));
}

TEST_CASE("NFS versions with fewer procedures show the rest as zero, cut lines not at all",
          "[exporter]") {
  Tree tree;
  tree.Write("proc/net/rpc/nfs", "net 70 69 45 2\nrpc 5 6 7\nproc4 3 10 11 12\nproc3 22 1 2\n");
  Collected got = Collect(MakeNfsCollector(tree.paths()));
  CHECK(got.Has("node_nfs_packets_total{protocol=\"tcp\"} 45"));
  CHECK(got.Has("node_nfs_requests_total{method=\"Write\",proto=\"4\"} 12"));
  CHECK(got.Has("node_nfs_requests_total{method=\"Clone\",proto=\"4\"} 0"));
  CHECK_FALSE(got.Mentions("proto=\"3\""));
}

TEST_CASE("NFS server operations stand under their own numbers", "[exporter]") {
  Tree tree;
  std::string operations = "proc4ops 40";
  for (int i = 0; i < 40; ++i) operations += " " + std::to_string(100 + i);
  tree.Write("proc/net/rpc/nfsd",
             "th 8 0 0.000\nio 1 2\nunheard_of 3\n" + operations + "\nra 32 0 0 0\n");
  Collected got = Collect(MakeNfsdCollector(tree.paths()));
  CHECK(got.Has("node_nfsd_server_threads 8"));
  CHECK(got.Has("node_nfsd_requests_total{method=\"Verify\",proto=\"4\"} 137"));
  CHECK(got.Has("node_nfsd_requests_total{method=\"Write\",proto=\"4\"} 138"));
  CHECK(got.Has("node_nfsd_requests_total{method=\"RelLockOwner\",proto=\"4\"} 139"));
  CHECK_FALSE(got.Mentions("read_ahead"));  // of twelve numbers four are there
}

TEST_CASE("Batteries are told in volts, amperes and degrees; ignored ones are not", "[exporter]") {
  Tree tree;
  tree.Write("sys/class/power_supply/BAT0/voltage_now", "12229000\n");
  tree.Write("sys/class/power_supply/BAT0/temp", "421\n");
  tree.Write("sys/class/power_supply/BAT0/capacity", "81\n");
  tree.Write("sys/class/power_supply/BAT0/type", "Battery\n");
  tree.Write("sys/class/power_supply/AC/online", "1\n");
  Collected got = Collect(MakePowerSupplyCollector(tree.paths(), Regex::Create("^AC$").value()));
  CHECK(got.Has("node_power_supply_voltage_volt{power_supply=\"BAT0\"} 12.229"));
  CHECK(got.Has("node_power_supply_temp_celsius{power_supply=\"BAT0\"} 42.1"));
  CHECK(got.Has("node_power_supply_capacity{power_supply=\"BAT0\"} 81"));
  CHECK(got.Has("node_power_supply_info{power_supply=\"BAT0\",type=\"Battery\"} 1"));
  CHECK_FALSE(got.Mentions("AC"));
}

TEST_CASE("Energy zones carry the index of their name, or are counted", "[exporter]") {
  Tree tree;
  auto zone = [&](const std::string& file, const std::string& name, const std::string& energy) {
    tree.Write("sys/class/powercap/" + file + "/name", name + "\n");
    tree.Write("sys/class/powercap/" + file + "/energy_uj", energy + "\n");
  };
  zone("intel-rapl:0", "package-3", "2500000");
  zone("intel-rapl:0:1", "dram", "5000000");
  zone("intel-rapl:1:0", "dram", "6000000");
  std::string root = tree.File("sys/class/powercap/");
  Collected got = Collect(MakeRaplCollector(tree.paths()));
  CHECK(
      got.Has("node_rapl_package_joules_total{index=\"3\",path=\"" + root + "intel-rapl:0\"} 2.5"));
  CHECK(got.Has("node_rapl_dram_joules_total{index=\"0\",path=\"" + root + "intel-rapl:0:1\"} 5"));
  CHECK(got.Has("node_rapl_dram_joules_total{index=\"1\",path=\"" + root + "intel-rapl:1:0\"} 6"));
  Collected labelled = Collect(MakeRaplCollector(tree.paths(), true));
  CHECK(labelled.Has("node_rapl_joules_total{index=\"3\",path=\"" + root +
                     "intel-rapl:0\",rapl_zone=\"package\"} 2.5"));
}

TEST_CASE("Scheduler times are read from the last three numbers of a processor", "[exporter]") {
  Tree tree;
  tree.Write("proc/schedstat",
             "version 15\ncpu0 1 0 2 3 4 5 2000000000 3000000000 7\n"
             "domain0 00 9 9 9 9 9 9 9 9 9\ncpu1 1 0 2 3 4 5 20");
  Collected got = Collect(MakeSchedstatCollector(tree.paths()));
  CHECK(got.Has("node_schedstat_running_seconds_total{cpu=\"0\"} 2"));
  CHECK(got.Has("node_schedstat_waiting_seconds_total{cpu=\"0\"} 3"));
  CHECK(got.Has("node_schedstat_timeslices_total{cpu=\"0\"} 7"));
  CHECK_FALSE(got.Mentions("cpu=\"1\""));
}

TEST_CASE("SELinux without a policy is not enabled; with one its cache is summed", "[exporter]") {
  Tree tree;
  CHECK(Collect(MakeSelinuxCollector(tree.paths())).Has("node_selinux_enabled 0"));
  tree.Write("sys/fs/selinux/enforce", "1");
  tree.Write("proc/self/attr/current", std::string("kernel\0", 7));
  CHECK(Collect(MakeSelinuxCollector(tree.paths())).Has("node_selinux_enabled 0"));
  tree.Write("proc/self/attr/current", "unconfined_u:unconfined_r:unconfined_t:s0");
  tree.Write("root/etc/selinux/config", "# SELINUX=disabled\nSELINUX=permissive\n");
  tree.Write("sys/fs/selinux/avc/cache_stats",
             "lookups hits misses allocations reclaims frees\n10 9 1 2 3 4\n5 4 1 0 0 0\n");
  tree.Write("sys/fs/selinux/avc/hash_stats",
             "entries: 503\nbuckets used: 283/512\nlongest chain: 7\n");
  tree.Write("sys/fs/selinux/avc/cache_threshold", "512");
  Collected got = Collect(MakeSelinuxCollector(tree.paths()));
  CHECK(got.status);
  CHECK(got.Has("node_selinux_enabled 1"));
  CHECK(got.Has("node_selinux_config_mode 0"));
  CHECK(got.Has("node_selinux_current_mode 1"));
  CHECK(got.Has("node_selinux_avc_lookups_total 15"));
  CHECK(got.Has("node_selinux_avc_hash_buckets_available 512"));
  CHECK(got.Has("node_selinux_avc_hash_buckets_used 283"));
  CHECK(got.Has("node_selinux_avc_threshold 512"));
}

TEST_CASE("Tape drives are told once, not in each of their modes", "[exporter]") {
  Tree tree;
  for (std::string name : {"st0", "nst0", "st0a"}) {
    tree.Write("sys/class/scsi_tape/" + name + "/stats/read_ns", "2500000000\n");
  }
  Collected got = Collect(MakeTapestatsCollector(tree.paths()));
  CHECK(got.page ==
        "# HELP node_tape_read_time_seconds_total The amount of time spent waiting for read "
        "requests to complete.\n# TYPE node_tape_read_time_seconds_total counter\n"
        "node_tape_read_time_seconds_total{device=\"st0\"} 2.5\n");
}

TEST_CASE("A sensor that does not answer costs only its own zone", "[exporter]") {
  Tree tree;
  tree.Write("sys/class/thermal/thermal_zone0/type", "acpitz\n");
  tree.Write("sys/class/thermal/thermal_zone0/temp", "-44500\n");
  tree.Write("sys/class/thermal/thermal_zone1/type", "asleep\n");
  tree.Write("sys/class/thermal/cooling_device3/type", "Fan\n");
  tree.Write("sys/class/thermal/cooling_device3/cur_state", "1\n");
  tree.Write("sys/class/thermal/cooling_device3/max_state", "4\n");
  Collected got = Collect(MakeThermalZoneCollector(tree.paths()));
  CHECK(got.status);
  CHECK(got.Has("node_thermal_zone_temp{type=\"acpitz\",zone=\"0\"} -44.5"));
  CHECK(got.Has("node_cooling_device_max_state{name=\"3\",type=\"Fan\"} 4"));
  CHECK_FALSE(got.Mentions("asleep"));
}

TEST_CASE("UDP queues add up hexadecimal bytes, torn lines left out", "[exporter]") {
  Tree tree;
  tree.Write("proc/net/udp",
             "  sl  local_address rem_address   st tx_queue rx_queue\n"
             "    0: 00000000:0016 00000000:0000 0A 00000015:00000000 00:0\n"
             "    1: 00000000:0017 00000000:0000 0A 00000100:0000000F 00:0\n"
             "    2: 00000000:0018 00000000:0000 0A 000");
  Collected got = Collect(MakeUdpQueuesCollector(tree.paths()));
  CHECK(got.Has("node_udp_queues{ip=\"v4\",queue=\"tx\"} 277"));
  CHECK(got.Has("node_udp_queues{ip=\"v4\",queue=\"rx\"} 15"));
  CHECK_FALSE(got.Mentions("v6"));
}

TEST_CASE("XFS counts calls in the kernel's order, writes first", "[exporter]") {
  Tree tree;
  tree.Write("sys/fs/xfs/sda1/stats/stats", "rw 28 29\nextent_alloc 1 2\nxpc x\n");
  tree.Write("sys/fs/xfs/stats/stats", "rw 1 1\n");
  Collected got = Collect(MakeXfsCollector(tree.paths()));
  CHECK(got.Has("node_xfs_write_calls_total{device=\"sda1\"} 28"));
  CHECK(got.Has("node_xfs_read_calls_total{device=\"sda1\"} 29"));
  CHECK(got.Has("node_xfs_extent_allocation_blocks_allocated_total{device=\"sda1\"} 2"));
  CHECK_FALSE(got.Mentions("extents_freed"));
  CHECK_FALSE(got.Mentions("device=\"stats\""));
}

TEST_CASE("Sizes that bcache prints for people are read back", "[exporter]") {
  Tree tree;
  std::string set = "sys/fs/bcache/deaddd54-c735/";
  tree.Write(set + "btree_cache_size", "1.2M\n");
  tree.Write(set + "internal/btree_read_average_duration_us", "1305\n");
  tree.Write(set + "bdev0/dirty_data", "3.10k\n");
  tree.Write(set + "bdev0/writeback_rate_debug", "rate:\t\t1.1M/sec\nchange:\t\t-1.5k/sec\n");
  tree.Write(set + "cache0/priority_stats", "Unused:\t\t99%\n");
  Collected got = Collect(MakeBcacheCollector(tree.paths()));
  CHECK(got.Has("node_bcache_btree_cache_size_bytes{uuid=\"deaddd54-c735\"} 1.253376e+06"));
  CHECK(
      got.Has("node_bcache_btree_read_average_duration_seconds{uuid=\"deaddd54-c735\"} "
              "1.305e-06"));
  CHECK(
      got.Has("node_bcache_dirty_data_bytes{backing_device=\"bdev0\",uuid=\"deaddd54-c735\"} "
              "4072"));
  CHECK(
      got.Has("node_bcache_writeback_change{backing_device=\"bdev0\",uuid=\"deaddd54-c735\"} "
              "-1524"));
  CHECK_FALSE(got.Mentions("priority_stats"));
  CHECK(Collect(MakeBcacheCollector(tree.paths(), true))
            .Has("node_bcache_priority_stats_unused_percent{cache_device=\"cache0\",uuid="
                 "\"deaddd54-c735\"} 99"));
}

TEST_CASE("Btrfs ratios follow the layout and the number of devices", "[exporter]") {
  Tree tree;
  std::string base = "sys/fs/btrfs/0abb23a9-579b/";
  tree.Write(base + "label", "data\n");
  for (std::string device : {"sda", "sdb", "sdc"})
    tree.Write(base + "devices/" + device + "/size", "2\n");
  tree.Write(base + "allocation/data/raid5/used_bytes", "5\n");
  tree.Write(base + "allocation/metadata/raid1/used_bytes", "6\n");
  Collected got = Collect(MakeBtrfsCollector(tree.paths()));
  CHECK(got.Has("node_btrfs_info{label=\"data\",uuid=\"0abb23a9-579b\"} 1"));
  CHECK(got.Has("node_btrfs_device_size_bytes{device=\"sdc\",uuid=\"0abb23a9-579b\"} 1024"));
  CHECK(
      got.Has("node_btrfs_allocation_ratio{block_group_type=\"data\",mode=\"raid5\",uuid="
              "\"0abb23a9-579b\"} 1.5"));
  CHECK(
      got.Has("node_btrfs_used_bytes{block_group_type=\"metadata\",mode=\"raid1\",uuid="
              "\"0abb23a9-579b\"} 6"));
}

TEST_CASE("ZFS statistics are named after their file, pools and data sets labelled", "[exporter]") {
  Tree tree;
  std::string base = "proc/spl/kstat/zfs/";
  std::string head = "5 1 0x01 91\nname type data\n";
  tree.Write(base + "fm", head + "erpt-dropped 4 18\nsigned 3 -5\n");
  tree.Write(base + "tank/io", "12 3\nnread nwritten\n10 20\n");
  tree.Write(base + "tank/objset-0x36", head + "dataset_name 7 tank/home\nwrites 4 4\n");
  tree.Write(base + "tank/state", "DEGRADED\n");
  Collected got = Collect(MakeZfsCollector(tree.paths()));
  CHECK(got.Has("# HELP node_zfs_fm_erpt_dropped kstat.zfs.misc.fm.erpt-dropped"));
  CHECK(got.Has("node_zfs_fm_erpt_dropped 18"));
  CHECK_FALSE(got.Mentions("signed"));
  CHECK(got.Has("node_zfs_zpool_nwritten{zpool=\"tank\"} 20"));
  CHECK(got.Has("node_zfs_zpool_dataset_writes{dataset=\"tank/home\",zpool=\"tank\"} 4"));
  CHECK(got.Has("node_zfs_zpool_state{state=\"degraded\",zpool=\"tank\"} 1"));
  CHECK(got.Has("node_zfs_zpool_state{state=\"online\",zpool=\"tank\"} 0"));
}
