// The collectors diskstats and filesystem over fixture trees.
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/disk_stats.h"
#include "exporter/collectors/mount_table.h"
#include "exporter/collectors/statfs_guard.h"
#include "tests/exporter/collectors/made.h"

namespace skep::exporter {
namespace {

using test::Collected;
using test::Made;
using test::Tree;

constexpr std::string_view kDiskstats =
    "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n"
    " 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"
    "   8       0 sda 21 22 23 24 25 26 27 28 29 30 31\n"
    "   8       1 sda1 21 22 23 24 25 26 27 28 29 30 31\n";

TEST_CASE("diskstats shows bytes and seconds, and the columns that a device has", "[collectors]") {
  const Tree tree;
  tree.Write("proc/diskstats", kDiskstats);
  const Collected got = Made(DiskstatsSpec(), tree).Collect();
  REQUIRE(got.status);
  const std::pair<std::string, std::string> expected[] = {
      {"reads_completed_total", "1"},
      {"reads_merged_total", "2"},
      {"read_bytes_total", "1536"},
      {"read_time_seconds_total", "0.004"},
      {"writes_completed_total", "5"},
      {"writes_merged_total", "6"},
      {"written_bytes_total", "3584"},
      {"write_time_seconds_total", "0.008"},
      {"io_now", "9"},
      {"io_time_seconds_total", "0.01"},
      {"io_time_weighted_seconds_total", "0.011"},
      {"discards_completed_total", "12"},
      {"discards_merged_total", "13"},
      {"discarded_sectors_total", "14"},
      {"discard_time_seconds_total", "0.015"},
      {"flush_requests_total", "16"},
      {"flush_requests_time_seconds_total", "0.017"},
  };
  for (const auto& [name, value] : expected) {
    CAPTURE(name);
    CHECK(got.Has("node_disk_" + name + "{device=\"vda\"} " + value));
  }
  CHECK(got.Has(R"(node_disk_io_now{device="sda"} 29)"));
  CHECK_FALSE(got.Mentions("discards_completed_total{device=\"sda\"}"));
  CHECK_FALSE(got.Mentions("loop0"));
  CHECK_FALSE(got.Mentions("sda1"));
  CHECK(
      got.Has("node_disk_info{device=\"vda\",major=\"254\",minor=\"0\",model=\"\",path=\"\","
              "revision=\"\",serial=\"\",wwn=\"\"} 1"));
}

TEST_CASE("diskstats tells what udev knows, and notices when that changes", "[collectors]") {
  const Tree tree;
  tree.Write("proc/diskstats", kDiskstats);
  tree.Write("udev/b8:0",
             "N:sda\nE:ID_MODEL=SAMSUNG\nE:ID_SERIAL_SHORT=short\nE:ID_PATH=pci-0\n"
             "E:ID_FS_TYPE=ext4\nE:ID_FS_UUID=u1\nE:DM_NAME=vg-lv\nE:DM_UUID=LVM-1\n"
             "E:ID_ATA=1\nE:ID_ATA_WRITE_CACHE=1\nE:ID_ATA_ROTATION_RATE_RPM=7200\n");
  const Made disks(DiskstatsSpec(), tree);
  const Collected got = disks.Collect();
  CHECK(
      got.Has("node_disk_info{device=\"sda\",major=\"8\",minor=\"0\",model=\"SAMSUNG\","
              "path=\"pci-0\",revision=\"\",serial=\"short\",wwn=\"\"} 1"));
  CHECK(
      got.Has("node_disk_filesystem_info{device=\"sda\",type=\"ext4\",usage=\"\",uuid=\"u1\","
              "version=\"\"} 1"));
  CHECK(
      got.Has("node_disk_device_mapper_info{device=\"sda\",lv_layer=\"\",lv_name=\"\","
              "name=\"vg-lv\",uuid=\"LVM-1\",vg_name=\"\"} 1"));
  CHECK(got.Has(R"(node_disk_ata_write_cache{device="sda"} 1)"));
  CHECK(got.Has(R"(node_disk_ata_rotation_rate_rpm{device="sda"} 7200)"));
  CHECK_FALSE(got.Mentions("write_cache_enabled"));
  tree.Write("udev/b8:0", "E:SCSI_IDENT_SERIAL=label\nE:ID_SERIAL_SHORT=short\n");
  const Collected swapped = disks.Collect();
  CHECK(swapped.Mentions(R"(serial="label")"));
  CHECK_FALSE(swapped.Mentions("filesystem_info"));
  CHECK_FALSE(swapped.Mentions("ata"));
}

TEST_CASE("disk lines that are cut are left out", "[collectors]") {
  std::vector<DiskRow> rows;
  ParseDiskRows("8 0 sda 1 2 3 4\n8 x sdb 1\n\n8 16 sdc 1 2 3 4 5 6 7 8 9 10 11 12", rows);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].device == "sdc");
  CHECK(rows[0].columns == 12);
  CHECK(UdevProperty("E:ID_MODEL_ENC=no\nE:ID_MODEL=yes\nE:ID_MOD", "ID_MODEL") == "yes");
  CHECK(UdevProperty("I:ID_MODEL=no\n", "ID_MODEL").empty());
}

TEST_CASE("filesystem shows space where it can and an error where it cannot", "[collectors]") {
  const Tree tree;
  const Made::Options everything = {{"mount-points-exclude", {""}}, {"fs-types-exclude", {""}}};
  tree.Folder("root/data dir");
  tree.Write("proc/1/mounts", "/dev/a " + tree.File("root") +
                                  "/data\\040dir ext4 ro,relatime 0 0\n" + "/dev/b " +
                                  tree.File("root") + "/gone xfs rw 0 0\n" + "/dev/a " +
                                  tree.File("root") + "/data\\040dir ext4 rw 0 0\n");
  const Collected got = Made(FilesystemSpec(), tree, everything).Collect();
  REQUIRE(got.status);
  const std::string data = R"({device="/dev/a",fstype="ext4",mountpoint="/data dir"} )";
  CHECK(got.Has("node_filesystem_device_error" + data + "0"));
  CHECK(got.Has("node_filesystem_readonly" + data + "1"));
  CHECK(got.Mentions("\nnode_filesystem_size_bytes" + data));
  CHECK(got.Mentions("\nnode_filesystem_avail_bytes" + data));
  CHECK(got.Mentions("\nnode_filesystem_files_free" + data));
  const std::string gone = R"({device="/dev/b",fstype="xfs",mountpoint="/gone"} )";
  CHECK(got.Has("node_filesystem_device_error" + gone + "1"));
  CHECK_FALSE(got.Mentions("size_bytes" + gone));
  // One sample for the one that is mounted twice.
  const std::string line = "\nnode_filesystem_readonly" + data;
  CHECK(got.page.find(line) == got.page.rfind(line));
}

TEST_CASE("filesystem leaves out excluded mount points and types", "[collectors]") {
  const Tree tree;
  tree.Write("proc/self/mounts", "a " + tree.File("root") + "/run/x tmpfs rw 0 0\nb " +
                                     tree.File("root") + "/p proc rw 0 0\nc " + tree.File("root") +
                                     "/runner ext4 rw 0 0\n");
  const Collected got = Made(FilesystemSpec(), tree).Collect();
  REQUIRE(got.status);
  CHECK_FALSE(got.Mentions("/run/x"));
  CHECK_FALSE(got.Mentions(R"("proc")"));
  CHECK(got.Mentions(R"(mountpoint="/runner")"));
}

TEST_CASE("a mount table with a malformed line is an error as a whole", "[collectors]") {
  CHECK_FALSE(ParseMounts("a / ext4 rw 0 0\nb /x ext4\n"));
  CHECK_FALSE(ParseMounts("\n"));
  const auto mounts = ParseMounts("a\\040b /c\\134d\\011\\9 ext4 rw,ro 0 0");
  REQUIRE(mounts);
  CHECK(mounts->at(0) == Mount{"a b", "/c\\d\t\\9", "ext4", true});
  CHECK_FALSE(ParseMounts("a / ext4 noro,errors=remount-ro 0 0")->at(0).readonly);
}

// A file system that does not answer until it is let go.
std::mutex hang_mutex;
std::condition_variable hang_changed;
bool hang = true;  // guarded by hang_mutex

int AskHanging(const char* path, struct statvfs* out) {
  out->f_blocks = 7;
  if (std::string_view(path) != "/stuck") return 0;
  std::unique_lock lock(hang_mutex);
  hang_changed.wait(lock, [] { return !hang; });
  errno = ESTALE;
  return -1;
}

TEST_CASE("a mount that hangs costs only itself, until it answers again", "[collectors]") {
  const auto forever = std::chrono::steady_clock::time_point::max();
  StatfsGuard guard(std::chrono::milliseconds(1), AskHanging);
  const auto first = guard.Ask({"/stuck"}, forever);
  CHECK(first.at(0).error == ETIMEDOUT);
  CHECK(guard.stuck() == 1);
  CHECK(guard.Ask({"/stuck"}, forever).at(0).error == ETIMEDOUT);
  CHECK(guard.stuck() == 1);  // not one thread more
  {
    const std::lock_guard lock(hang_mutex);
    hang = false;
  }
  hang_changed.notify_all();
  // The answer comes when its thread runs; until then the path stays stuck.
  StatfsGuard patient(std::chrono::hours(1), AskHanging);
  const auto answers = patient.Ask({"/fine", "/stuck", "/other"}, forever);
  CHECK(answers.at(0).error == 0);
  CHECK(answers.at(0).space.f_blocks == 7);
  CHECK(answers.at(1).error == ESTALE);
  CHECK(answers.at(2).error == 0);
  while (guard.stuck() != 0) (void)guard.Ask({}, forever);
  CHECK(patient.stuck() == 0);
}

}  // namespace
}  // namespace skep::exporter
