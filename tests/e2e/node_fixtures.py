"""A machine that has one of everything: procfs and sysfs trees for collectors whose hardware the
machine under test lacks. node_exporter and skep-exporter read the same tree, so what node_exporter
says of it is what is expected, and no expected output has to be kept."""

import os


def write(root, path, text):
    """Writes one file; kernel files end in a newline."""
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") or text == "" else text + "\n")


def write_all(root, folder, values):
    for name, value in values.items():
        write(root, f"{folder}/{name}", str(value))


def network(proc, sys):
    write(proc, "net/arp", """IP address       HW type     Flags       HW address            Mask     Device
192.168.1.1      0x1         0x2         52:54:00:00:00:01     *        eth0
192.168.1.2      0x1         0x2         52:54:00:00:00:02     *        eth0
10.0.0.2         0x1         0x0         00:00:00:00:00:00     *        br-4f1
""")
    header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
    write(proc, "net/udp", header +
          "    0: 00000000:0016 00000000:0000 0A 00000015:00000000 00:00000000 00000000     0        0 2740 1 ffff88003d3af3c0 0\n"
          "    1: 00000000:0017 00000000:0000 0A 00000100:0000000F 00:00000000 00000000     0        0 2741 1 ffff88003d3af3c0 0\n")
    write(proc, "net/udp6", header +
          " 1315: 00000000000000000000000000000000:14EB 00000000000000000000000000000000:0000 07 00000000:0000001A 00:00000000 00000000   981        0 21040 2 0000000013726323 0\n")
    write(proc, "net/ip_vs_stats", """   Total Incoming Outgoing         Incoming         Outgoing
   Conns  Packets  Packets            Bytes            Bytes
 16AA370 E33656E5        0     51D8C8883AB3        0

 Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s
       4    1FB3C        0          1282A8F                0
""")
    write(proc, "net/ip_vs", """IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0A80016:0CEA wlc
  -> C0A85216:0CEA      Tunnel  100    248        2
  -> C0A85318:0CEA      Tunnel  100    248        2
TCP  [26D0:5ABC:DEF0:0000:0000:0000:0000:000A]:01BB wlc
  -> [26D0:5ABC:DEF0:0000:0000:0000:0000:000B]:01BB      Route   1    7        0
UDP  C0A80037:0035 rr
  -> C0A83215:0035      Masq    3      1        9
FWM  10001000 wlc
  -> C0A8321A:0CEA      Route   0      0        4
  -> C0A83215:0CEA      Tunnel  0      0        5
""")
    write(sys, "class/net/bonding_masters", "bond0 dmz int")
    for master, slaves in {"bond0": {}, "dmz": {"eth0": "up", "eth4": "up"},
                           "int": {"eth5": "down", "eth1": "up"}}.items():
        write(sys, f"class/net/{master}/bonding/slaves", " ".join(slaves))
        for slave, state in slaves.items():
            prefix = "slave" if slave == "eth5" else "lower"  # older kernels say slave
            write(sys, f"class/net/{master}/{prefix}_{slave}/bonding_slave/mii_status", state)


def nfs(proc):
    write(proc, "net/rpc/nfs", "net 70 69 45 2\nrpc 1218785755 374636 1218815394\n"
          "proc2 18 " + " ".join(str(100 + i) for i in range(18)) + "\n"
          "proc3 22 " + " ".join(str(200 + i) for i in range(22)) + "\n"
          "proc4 61 " + " ".join(str(400 + i) for i in range(61)) + "\n")
    write(proc, "net/rpc/nfsd", "rc 0 6 18622\nfh 7 0 0 0 0\nio 157286400 72864\nth 8 0 0.000\n"
          "ra 32 0 0 0 0 0 0 0 0 0 0 3\nnet 972 55 917 1\nrpc 18628 3 1 2 5\n"
          "proc2 18 " + " ".join(str(2 + i) for i in range(18)) + "\n"
          "proc3 22 " + " ".join(str(30 + i) for i in range(22)) + "\n"
          "proc4 2 2 10853\n"
          "proc4ops 72 " + " ".join(str(500 + i) for i in range(72)) + "\n")


def storage(proc, sys):
    write(proc, "mdstat", """Personalities : [linear] [multipath] [raid0] [raid1] [raid6] [raid5] [raid4] [raid10]

md3 : active raid6 sda1[8] sdh1[7] sdg1[6] sdf1[5] sde1[11] sdd1[3] sdc1[10] sdb1[9] sdd1[10](S) sdd2[11](S)
      5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/8] [UUUUUUUU]

md127 : active raid1 sdi2[0] sdj2[1]
      312319552 blocks [2/2] [UU]

md8 : active raid1 sdb1[1] sda1[0] sdc1[2](S) sde1[3](S)
      195310144 blocks [2/2] [UU]
      [=>...................]  resync =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec

md201 : active raid1 sda3[0] sdb3[1]
      1993728 blocks super 1.2 [2/2] [UU]
      [=>...................]  check = 5.7% (114176/1993728) finish=0.2min speed=114176K/sec

md7 : active raid6 sdb1[0] sde1[3] sdd1[2] sdc1[1](F)
      7813735424 blocks super 1.2 level 6, 512k chunk, algorithm 2 [4/3] [U_UU]
      bitmap: 0/30 pages [0KB], 65536KB chunk

md9 : active raid1 sdc2[2] sdd2[3] sdb2[1] sda2[0] sde[4](F) sdf[5](F) sdg[6](S)
      523968 blocks super 1.2 [4/4] [UUUU]
      resync=DELAYED

md10 : active raid0 sda1[0] sdb1[1]
      314159265 blocks 64k chunks

md11 : active (auto-read-only) raid1 sdb2[0] sdc2[1] sdc3[2](F) hda[4](S) ssdc2[3](S)
      4190208 blocks super 1.2 [2/2] [UU]
      resync=PENDING

md12 : active raid0 sdc2[0] sdd2[1]
      3886394368 blocks super 1.2 512k chunks

md126 : active raid0 sdb[1] sdc[0]
      1855870976 blocks super external:/md127/0 128k chunks

md219 : inactive sdb[2](S) sdc[1](S) sda[0](S)
      7932 blocks super external:imsm

md00 : active raid0 xvdb[0]
      4186624 blocks super 1.2 256k chunks

md120 : active linear sda1[1] sdb1[0]
      2095104 blocks super 1.2 0k rounding

md101 : active (read-only) raid0 sdb[2] sdd[1] sdc[0]
      322560 blocks super 1.2 512k chunks

md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]
      195310144 blocks [2/1] [U_]
      [=>...................]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec

unused devices: <none>
""")
    write(sys, "fs/xfs/sda1/stats/stats", """extent_alloc 1 2 3 4
abt 5 6 7 8
blk_map 9 10 11 12 13 14 15
bmbt 16 17 18 19
dir 20 21 22 23
trans 4 40 0
ig 1 2 3 4 5 6 7
log 8 31 0 8 9
push_ail 945 0 134 15 0 3 0 456 0 0
xstrat 1 0
rw 28 29
attr 10 0 0 0
icluster 4 8 8
vnodes 92 30 31 32 33 34 35 36
buf 2666 7122 202 2570 21 29 4 0 4
abtb2 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
xpc 399724544 92823103 86219234
debug 0
""")
    uuid = "0abb23a9-579b-43e6-ad30-227ef47fcb9d"
    base = f"fs/btrfs/{uuid}"
    write_all(sys, base, {"label": "fixture", "metadata_uuid": uuid, "nodesize": 16384,
                          "sectorsize": 4096, "clone_alignment": 4096, "quota_override": 0,
                          "features/extended_iref": 1, "features/big_metadata": 1,
                          "allocation/global_rsv_reserved": 16777216,
                          "allocation/global_rsv_size": 16777216})
    for kind, layout, total in (("data", "raid0", 2147483648), ("metadata", "raid1", 1073741824),
                                ("system", "raid1", 8388608)):
        write_all(sys, f"{base}/allocation/{kind}", {
            "bytes_may_use": 0, "bytes_pinned": 0, "bytes_readonly": 131072, "bytes_reserved": 42,
            "bytes_used": 808189952, "disk_total": total, "disk_used": 808189952, "flags": 1,
            "total_bytes": total, "total_bytes_pinned": 0,
            f"{layout}/total_bytes": total, f"{layout}/used_bytes": 808189952})
    for kind, layout in (("data", "raid5"), ("metadata", "raid6"), ("data", "single"),
                         ("data", "raid1c3")):
        write_all(sys, f"{base}/allocation/{kind}/{layout}", {"total_bytes": 7, "used_bytes": 5})
    for device, sectors in (("loop25", 20971520), ("loop26", 20971521), ("loop27", 7)):
        write(sys, f"{base}/devices/{device}/size", str(sectors))
    bcache(sys)
    write_all(sys, "class/nvme/nvme0", {"firmware_rev": "1B2QEXP7",
                                        "model": "Samsung SSD 970 PRO 512GB",
                                        "serial": "S680HF8N190894I", "state": "live"})
    for tape in ("st0", "st12", "nst0"):
        write_all(sys, f"class/scsi_tape/{tape}/stats", {
            "in_flight": 1, "io_ns": 9247011087720, "other_cnt": 1409, "read_byte_cnt": 979383912,
            "read_cnt": 3741, "read_ns": 33788355744, "resid_cnt": 19,
            "write_byte_cnt": 1496246784000, "write_cnt": 53772916, "write_ns": 5233597394395})


def bcache(sys):
    base = "fs/bcache/deaddd54-c735-46d5-868e-f331c5fd7c74"
    period = {"bypassed": 0, "cache_bypass_hits": 11, "cache_bypass_misses": 12, "cache_hits": 546,
              "cache_miss_collisions": 3, "cache_misses": 4, "cache_readaheads": 5}
    write_all(sys, base, {"average_key_size": 7, "btree_cache_size": "1.2M",
                          "cache_available_percent": 100, "congested": 0, "root_usage_percent": 2,
                          "tree_depth": 1, "internal/active_journal_entries": 1,
                          "internal/btree_nodes": 33, "internal/btree_read_average_duration_us": 1305,
                          "internal/cache_read_races": 6})
    for folder in ("stats_five_minute", "stats_total"):
        write_all(sys, f"{base}/{folder}", period)
        write_all(sys, f"{base}/bdev0/{folder}", {**period, "bypassed": "3.10k"})
    write(sys, f"{base}/bdev0/dirty_data", "4.9G")
    write(sys, f"{base}/bdev0/writeback_rate_debug", """rate:		1.1M/sec
dirty:		20.4G
target:		20.4G
proportional:	427.5k
integral:	790.0k
change:		321.5k/sec
next io:	17ms
""")
    write_all(sys, f"{base}/cache0", {"io_errors": 2, "metadata_written": "512", "written": "6.6k",
                                      "priority_stats": "Unused:\t\t99%\nMetadata:\t5%\nAverage:\t10473\n"})


def hardware(sys):
    write_all(sys, "class/dmi/id", {
        "bios_date": "04/12/2021", "bios_release": "2.2", "bios_vendor": "Dell Inc.",
        "bios_version": "2.2.4", "board_name": "07PXPY", "board_serial": ".7N62AI2.GRTCL6944100GP.",
        "board_vendor": "Dell Inc.", "board_version": "A01", "board_asset_tag": "",
        "chassis_asset_tag": "", "chassis_serial": "7N62AI2", "chassis_type": 23,
        "chassis_vendor": "Dell Inc.", "chassis_version": "", "modalias": "dmi:bvn",
        "product_family": "PowerEdge", "product_name": "PowerEdge R6515",
        "product_serial": "7N62AI2", "product_sku": "SKU=NotProvided;ModelName=PowerEdge \"R6515\"",
        "product_uuid": "83340ca8-cb49-4474-8c29-d2088ca84dd9", "product_version": "",
        "sys_vendor": "Dell Inc."})
    for controller, rows in ((0, (0, 1)), (1, ())):
        base = f"devices/system/edac/mc/mc{controller}"
        write_all(sys, base, {"ce_count": 1 + controller, "ce_noinfo_count": 2, "ue_count": 5,
                              "ue_noinfo_count": 6})
        for row in rows:
            write_all(sys, f"{base}/csrow{row}", {"ce_count": 3 + row, "ue_count": 4 + row})
    for host, counter in (("host0", "0x5"), ("host1", "0xffffffffffffffff")):
        base = f"class/fc_host/{host}"
        write_all(sys, base, {
            "dev_loss_tmo": 30, "fabric_name": "0x0", "node_name": "0x2000e0071bce95f2",
            "port_id": "0x000002", "port_name": "0x1000e0071bce95f2", "port_state": "Online",
            "port_type": "Point-To-Point (direct nport connection)", "speed": "16 Gbit",
            "supported_classes": "Class 3", "supported_speeds": "4 Gbit, 8 Gbit, 16 Gbit",
            "symbolic_name": "Emulex SN1100E2P FV12.4.270.3"})
        names = ("dumped_frames error_frames fcp_packet_aborts invalid_crc_count "
                 "invalid_tx_word_count link_failure_count loss_of_signal_count loss_of_sync_count "
                 "nos_count rx_frames rx_words seconds_since_last_reset tx_frames tx_words").split()
        write_all(sys, f"{base}/statistics", {name: counter for name in names})
        write(sys, f"{base}/statistics/tx_frames", "0x7")
    infiniband(sys)
    power(sys)
    sensors(sys)


def infiniband(sys):
    plain = ("excessive_buffer_overrun_errors link_downed link_error_recovery "
             "local_link_integrity_errors multicast_rcv_packets multicast_xmit_packets "
             "port_rcv_constraint_errors port_rcv_data port_rcv_discards port_rcv_errors "
             "port_rcv_packets port_rcv_remote_physical_errors port_rcv_switch_relay_errors "
             "port_xmit_constraint_errors port_xmit_data port_xmit_discards port_xmit_packets "
             "port_xmit_wait symbol_error unicast_rcv_packets unicast_xmit_packets VL15_dropped").split()
    legacy = ("port_multicast_rcv_packets port_multicast_xmit_packets port_rcv_data_64 "
              "port_rcv_packets_64 port_unicast_rcv_packets port_unicast_xmit_packets "
              "port_xmit_data_64 port_xmit_packets_64").split()
    for device, ports in (("mlx4_0", (1, 2)), ("i40iw0", (1,))):
        base = f"class/infiniband/{device}"
        write_all(sys, base, {"board_id": "SM_1141000001000", "fw_ver": "2.31.5050",
                              "hca_type": "MT4099"})
        for port in ports:
            write_all(sys, f"{base}/ports/{port}", {
                "state": "4: ACTIVE", "phys_state": "5: LinkUp", "rate": "40 Gb/sec (4X QDR)"})
            if device == "i40iw0":
                write_all(sys, f"{base}/ports/{port}/counters",
                          {name: "N/A (no PMA)" for name in plain})
                write(sys, f"{base}/ports/{port}/rate", "2.5 Gb/sec (1X SDR)")
                continue
            write_all(sys, f"{base}/ports/{port}/counters",
                      {name: 1000 * port + i for i, name in enumerate(plain)})
            write_all(sys, f"{base}/ports/{port}/counters_ext",
                      {name: 5000 * port + i for i, name in enumerate(legacy)})


def power(sys):
    write_all(sys, "class/power_supply/AC", {"type": "Mains", "online": 0})
    write_all(sys, "class/power_supply/BAT0", {
        "alarm": 2503000, "capacity": 81, "capacity_level": "Normal", "charge_start_threshold": 95,
        "cycle_count": 19, "energy_full": 50060000, "energy_full_design": 47520000,
        "energy_now": 49450000, "manufacturer": "LGC", "model_name": "LNV-45N1",
        "power_now": 4830000, "present": 1, "serial_number": 38109, "status": "Discharging",
        "technology": "Li-ion", "type": "Battery", "voltage_min_design": 10800000,
        "voltage_now": 12229000, "temp": 421, "temp_alert_max": 600, "time_to_empty_now": 1234,
        "current_now": 1000000, "charge_now": 3000000, "charge_full": 4000000})
    for zone, name, energy in (("intel-rapl:0", "package-0", 240422366267),
                               ("intel-rapl:0:0", "core", 118821284256),
                               ("intel-rapl:1", "package-1", 250422366267),
                               ("intel-rapl:0:1", "dram", 5), ("intel-rapl:1:0", "dram", 6),
                               ("intel-rapl-mmio:0", "package-10", 36852)):
        write_all(sys, f"class/powercap/{zone}", {"name": name, "energy_uj": energy,
                                                  "max_energy_range_uj": 262143328850})
    os.makedirs(os.path.join(sys, "class/powercap/intel-rapl"), exist_ok=True)
    for zone, kind, celsius in ((0, "bcm2835_thermal", 49925), (1, "acpitz", -44000)):
        write_all(sys, f"class/thermal/thermal_zone{zone}",
                  {"type": kind, "temp": celsius, "policy": "step_wise", "mode": "enabled"})
    write_all(sys, "class/thermal/thermal_zone2", {"type": "off", "temp": 1, "policy": "step_wise",
                                                   "mode": "disabled"})
    write_all(sys, "class/thermal/cooling_device0",
              {"type": "Processor", "cur_state": 0, "max_state": 50})
    write_all(sys, "class/thermal/cooling_device1",
              {"type": "intel_powerclamp", "cur_state": -1, "max_state": 27})


def sensors(sys):
    device = "devices/platform/coretemp.0"
    write_all(sys, f"{device}/hwmon/hwmon0", {
        "name": "coretemp", "temp1_input": 55000, "temp1_label": "Physical id 0",
        "temp1_max": 84000, "temp1_crit": 100000, "temp1_crit_alarm": 0, "temp2_input": 54000,
        "temp2_label": "Core 0", "temp3_input": 52000, "temp3_label": "Core 1", "temp3_alarm": 1})
    os.symlink("../../../coretemp.0", os.path.join(sys, f"{device}/hwmon/hwmon0/device"))
    other = "devices/platform/nct6775.656"
    write_all(sys, f"{other}/hwmon/hwmon1", {
        "name": "nct6779", "in0_input": 792, "in0_min": 0, "in0_max": 1744, "in0_alarm": 1,
        "in0_beep": 0, "in1_input": 1024, "fan1_input": 1098, "fan1_min": 0, "fan1_pulses": 2,
        "fan1_alarm": 0, "fan2_target": 27000, "fan2_tolerance": 0, "pwm1": 134, "pwm1_enable": 2,
        "pwm1_mode": 1, "temp1_input": 27000, "temp1_type": 4, "temp1_max_hyst": 75000,
        "curr1_input": 1500, "curr1_max": 2000, "power1_average": 12500000,
        "power1_accuracy": "1.5%", "power2_accuracy": 500000, "power1_average_interval": 1000,
        "power1_input": 4000000, "energy1_input": 123000000, "humidity1_input": 43000,
        "intrusion0_alarm": 1, "intrusion0_beep": 0, "beep_enable": 1, "vrm": 91,
        "update_interval": 1000, "cpu0_vid": 1100, "temp9_label": "alone", "fan3_input": "n/a",
        "fan4": 7, "fan4_input": 8, "uevent": "x"})
    os.symlink("../../../nct6775.656", os.path.join(sys, f"{other}/hwmon/hwmon1/device"))
    applesmc = "devices/platform/applesmc.768"
    write_all(sys, applesmc, {"fan1_label": "Left side  ", "fan1_input": 2004, "fan1_max": 6156,
                              "fan1_manual": 0, "uevent": "x"})
    write_all(sys, f"{applesmc}/hwmon/hwmon2", {"uevent": "y"})
    os.symlink("../../../applesmc.768", os.path.join(sys, f"{applesmc}/hwmon/hwmon2/device"))
    virtual = "devices/virtual/hwmon/hwmon3"
    write_all(sys, virtual, {"temp1_input": 100000})
    os.makedirs(os.path.join(sys, "class/hwmon"), exist_ok=True)
    for index, target in enumerate((f"{device}/hwmon/hwmon0", f"{other}/hwmon/hwmon1",
                                    f"{applesmc}/hwmon/hwmon2", virtual)):
        os.symlink(f"../../{target}", os.path.join(sys, f"class/hwmon/hwmon{index}"))


def zfs(proc):
    base = "spl/kstat/zfs"
    head = "5 1 0x01 91 4368 5266997922 97951858082072\nname                            type data\n"
    write(proc, f"{base}/arcstats", head + "hits                            4    8772612\n"
          "misses                          4    604635\narc_meta_min                    4    16777216\n"
          "memory_available_bytes          3    -922337\nl2_size                         3    17\n")
    write(proc, f"{base}/zil", head + "zil_commit_count                4    10\n")
    write(proc, f"{base}/dbufstats", head + "dbuf-cache_count                4    27\n")
    write(proc, f"{base}/fm", head + "erpt-dropped                    4    18\n")
    write(proc, f"{base}/abdstats", head + "linear_data_size                4    223232\n")
    for pool in ("pool1", "poolz1"):
        write(proc, f"{base}/{pool}/io", "12 3 0x00 1 80 79205351707403 395818011156865\n"
              "nread    nwritten reads    writes   wtime    wlentime wupdate  rtime    rlentime rupdate  wcnt     rcnt\n"
              "1884160  3206144  22       132      7155162  104112268 79210489694949 24168078 104112268 79210489849220 0        0\n")
        write(proc, f"{base}/{pool}/objset-1", "23 1 0x01 7 2160 221578688875 6665999035587\n"
              "name                            type data\n"
              f"dataset_name                    7    {pool}\nwrites                          4    4\n"
              "nwritten                        4    12302\nnunlinks                        4    3\n")
        write(proc, f"{base}/{pool}/state", "ONLINE" if pool == "pool1" else "DEGRADED")


def make(root):
    """Writes the trees below `root`; gives (procfs, sysfs, textfile folder)."""
    proc, sys = os.path.join(root, "proc"), os.path.join(root, "sys")
    textfile = os.path.join(root, "textfile")
    network(proc, sys)
    nfs(proc)
    storage(proc, sys)
    hardware(sys)
    zfs(proc)
    write(proc, "schedstat", """version 15
timestamp 15819019232
cpu0 498494191 0 3533438552 2553969831 3853684107 2465731542 2045936778163039 343796328169361 4767485306
domain0 00000000,00000003 212499247 210112015 1861015 1860405436
cpu1 518377256 0 4155211005 2778589869 10466382 2867629021 1904686152592476 364107263788241 5145567945
""")
    write_all(proc, "sys/kernel/random", {"entropy_avail": 1337, "poolsize": 4096})
    textfiles(textfile)
    return proc, sys, textfile


def textfiles(folder):
    write(folder, "a.prom", "# HELP script_runs_total Runs of it.\n# TYPE script_runs_total counter\n"
          "script_runs_total{script=\"a\"} 5\nscript_runs_total{script=\"b\",host=\"x\\\\y\"} 1.5e+06\n"
          "no_help_no_type 7\n# TYPE some_gauge gauge\nsome_gauge NaN\n")
    write(folder, "hist.prom", "# TYPE job_seconds histogram\n"
          "job_seconds_bucket{job=\"x\",le=\"0.5\"} 1\njob_seconds_bucket{job=\"x\",le=\"1\"} 2\n"
          "job_seconds_bucket{job=\"x\",le=\"+Inf\"} 3\njob_seconds_sum{job=\"x\"} 4.25\n"
          "job_seconds_count{job=\"x\"} 3\n# HELP lat Latency\n# TYPE lat summary\n"
          "lat{quantile=\"0.5\"} 1\nlat{quantile=\"0.99\"} 2\nlat_sum 10\nlat_count 5\n")
    write(folder, "stamped.prom", "with_stamp 1 1500000000000\n")
    write(folder, "broken.prom", "this is { not a metric\n")
    write(folder, "ignored.txt", "ignored 1\n")
    os.utime(os.path.join(folder, "a.prom"), (1700000000, 1700000000))
    os.utime(os.path.join(folder, "hist.prom"), (1700000001, 1700000001))
