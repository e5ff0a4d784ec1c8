// Text of /proc and messages of the routing socket, by the first byte.
#include <cstdint>
#include <string_view>
#include <vector>

#include "exporter/collectors/cpu_info.h"
#include "exporter/collectors/disk_stats.h"
#include "exporter/collectors/kernel_stat.h"
#include "exporter/collectors/link_dump.h"
#include "exporter/collectors/mount_table.h"
#include "exporter/collectors/net_dev.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skep::exporter;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<CpuRow> cpus;
  std::vector<DiskRow> disks;
  std::vector<LinkRow> links;
  SystemCounters counters;
  switch (data[0]) {
    case 's':
      ParseCpuRows(text, cpus);
      (void)ParseSystemCounters(text, counters);
      break;
    case 'c':
      (void)ParseCpuInfo(text);
      break;
    case 'd':
      ParseDiskRows(text, disks);
      (void)UdevProperty(text, "ID_MODEL");
      break;
    case 'm':
      (void)ParseMounts(text);
      break;
    case 'n':
      (void)ParseNetDev(text, links);
      break;
    default:
      (void)ParseLinkMessages(text, links);
  }
  return 0;
}
