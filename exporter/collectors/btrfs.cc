// Btrfs file systems: allocation from /sys/fs/btrfs/UUID, devices by ioctl on a mount point where
// that is allowed.
#include <fcntl.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include "common/base/file.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

constexpr double kSectorBytes = 512;  // in sysfs, whatever the device has

std::string FormatUuid(const std::uint8_t* bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < BTRFS_UUID_SIZE; ++i) {
    out.push_back(kDigits[bytes[i] >> 4]);
    out.push_back(kDigits[bytes[i] & 15]);
  }
  return out;
}

std::string WithoutDashes(std::string uuid) {
  std::erase(uuid, '-');
  return uuid;
}

struct Device {
  std::string name;
  std::string uuid;
  std::uint64_t total_bytes = 0;
  std::uint64_t used_bytes = 0;
  std::array<std::uint64_t, BTRFS_DEV_STAT_VALUES_MAX> errors{};
};

// In the order of the kernel's enum btrfs_dev_stat_values.
constexpr std::array<std::string_view, BTRFS_DEV_STAT_VALUES_MAX> kErrorTypes = {
    "write", "read", "flush", "corruption", "generation"};

// Numbers of devices have gaps: nothing for those.
std::optional<Device> AskDevice(int file, std::uint64_t id) {
  btrfs_ioctl_dev_info_args info{};
  info.devid = id;
  if (::ioctl(file, BTRFS_IOC_DEV_INFO, &info) != 0) return std::nullopt;
  btrfs_ioctl_get_dev_stats stats{};
  stats.devid = id;
  stats.nr_items = BTRFS_DEV_STAT_VALUES_MAX;
  if (::ioctl(file, BTRFS_IOC_GET_DEV_STATS, &stats) != 0) return std::nullopt;
  Device device;
  std::string_view path(reinterpret_cast<const char*>(info.path),
                        ::strnlen(reinterpret_cast<const char*>(info.path), sizeof info.path));
  device.name = ValidUtf8(path.substr(path.rfind('/') + 1));
  device.uuid = FormatUuid(info.uuid);
  device.total_bytes = info.total_bytes;
  device.used_bytes = info.bytes_used;
  for (std::size_t i = 0; i < device.errors.size(); ++i) device.errors[i] = stats.values[i];
  return device;
}

// Of each file system, by UUID without dashes.
using DevicesByUuid = std::map<std::string, std::vector<Device>>;

void AskMountPoint(const std::string& path, DevicesByUuid& devices) {
  int file = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  btrfs_ioctl_fs_info_args info{};
  if (::ioctl(file, BTRFS_IOC_FS_INFO, &info) == 0) {
    std::vector<Device>& found = devices[FormatUuid(info.fsid)];
    for (std::uint64_t id = 0; id <= info.max_id && found.size() < info.num_devices; ++id) {
      if (std::optional<Device> device = AskDevice(file, id)) found.push_back(std::move(*device));
    }
  }
  ::close(file);
}

// Mount tables write blanks as \040.
std::string UnescapeMount(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool octal = text[i] == '\\' && i + 3 < text.size();
    if (!octal) {
      out.push_back(text[i]);
      continue;
    }
    int value = 0;
    for (std::size_t k = 1; k <= 3; ++k) value = value * 8 + (text[i + k] - '0');
    out.push_back(static_cast<char>(value));
    i += 3;
  }
  return out;
}

// One mount point of each device is enough.
DevicesByUuid AskAll(const Paths& paths) {
  DevicesByUuid devices;
  Result<std::string> mounts = ReadFile(paths.Proc("1/mounts"));
  if (!mounts) mounts = ReadFile(paths.Proc("mounts"));
  if (!mounts) return devices;
  std::map<std::string, bool, std::less<>> seen;
  std::string_view rest = *mounts;
  while (std::optional<std::string_view> line = NextLine(rest)) {
    std::string_view device = NextField(*line);
    std::string_view point = NextField(*line);
    if (NextField(*line) != "btrfs" || seen.count(device) > 0) continue;
    seen.emplace(device, true);
    AskMountPoint(paths.rootfs + "/" + UnescapeMount(point), devices);
  }
  return devices;
}

// How many bytes of disk one byte of data takes.
double AllocationRatio(std::string_view layout, std::size_t devices) {
  auto count = static_cast<double>(devices);
  if (layout == "single" || layout == "raid0") return 1;
  if (layout == "dup" || layout == "raid1" || layout == "raid10") return 2;
  if (layout == "raid5") return count / (count - 1);
  if (layout == "raid6") return count / (count - 2);
  return 0;
}

class FileSystem {
 public:
  FileSystem(FamilySet& families, std::string folder, std::string uuid)
      : families_(families), folder_(std::move(folder)), uuid_(std::move(uuid)) {}

  void Add(const DevicesByUuid& asked) {
    std::string label = ValidUtf8(ReadText(folder_ + "/label").value_or(""));
    Gauge("info", "Filesystem information", {{"label", label}, {"uuid", uuid_}}, 1);
    Gauge("global_rsv_size_bytes", "Size of global reserve.", {{"uuid", uuid_}},
          Number(folder_ + "/allocation/global_rsv_size"));
    std::vector<std::string> devices = ListFolderOrNone(folder_ + "/devices");
    for (std::string_view kind : {"data", "metadata", "system"}) AddKind(kind, devices.size());
    auto at = asked.find(WithoutDashes(uuid_));
    if (at == asked.end() || at->second.empty()) {
      for (const std::string& device : devices) {
        Gauge("device_size_bytes", "Size of a device that is part of the filesystem.",
              {{"device", device}, {"uuid", uuid_}},
              kSectorBytes * Number(folder_ + "/devices/" + device + "/size"));
      }
      return;
    }
    for (const Device& device : at->second) AddDevice(device);
  }

 private:
  static double Number(const std::string& path) {
    return static_cast<double>(ReadUint(path).value_or(0));
  }

  void Gauge(std::string_view name, std::string_view help, LabelPairs labels, double value) {
    families_.Add("node_btrfs_" + std::string(name), help, MetricType::kGauge, labels, value);
  }

  void AddKind(std::string_view kind, std::size_t devices) {
    std::string folder = folder_ + "/allocation/" + std::string(kind);
    Gauge("reserved_bytes", "Amount of space reserved for a data type",
          {{"block_group_type", kind}, {"uuid", uuid_}}, Number(folder + "/bytes_reserved"));
    for (const std::string& mode : ListFolderOrNone(folder)) {
      std::string layout = folder + "/" + mode;
      if (!IsFolder(layout)) continue;
      LabelPairs labels = {{"block_group_type", kind}, {"mode", mode}, {"uuid", uuid_}};
      Gauge("used_bytes", "Amount of used space by a layout/data type", labels,
            Number(layout + "/used_bytes"));
      Gauge("size_bytes", "Amount of space allocated for a layout/data type", labels,
            Number(layout + "/total_bytes"));
      Gauge("allocation_ratio", "Data allocation ratio for a layout/data type", labels,
            AllocationRatio(mode, devices));
    }
  }

  void AddDevice(const Device& device) {
    LabelPairs labels = {{"btrfs_dev_uuid", device.uuid}, {"device", device.name}, {"uuid", uuid_}};
    Gauge("device_size_bytes", "Size of a device that is part of the filesystem.", labels,
          static_cast<double>(device.total_bytes));
    Gauge("device_unused_bytes", "Unused bytes unused on a device that is part of the filesystem.",
          labels, static_cast<double>(device.total_bytes - device.used_bytes));
    for (std::size_t i = 0; i < kErrorTypes.size(); ++i) {
      families_.Add("node_btrfs_device_errors_total", "Errors reported for the device",
                    MetricType::kCounter,
                    {{"btrfs_dev_uuid", device.uuid},
                     {"device", device.name},
                     {"type", kErrorTypes[i]},
                     {"uuid", uuid_}},
                    static_cast<double>(device.errors[i]));
    }
  }

  FamilySet& families_;
  std::string folder_;
  std::string uuid_;
};

}  // namespace

CollectorPtr MakeBtrfsCollector(const Paths& paths) {
  return MakeFunctionCollector("btrfs", [paths](CollectContext& context) -> Status {
    std::string root = paths.Sys("fs/btrfs");
    FamilySet families;
    std::optional<DevicesByUuid> asked;
    for (const std::string& name : ListFolderOrNone(root)) {
      // Beside the file systems, named by UUID, stands "features".
      if (name.find('-') == std::string::npos) continue;
      if (!asked) asked = AskAll(paths);
      std::string folder = root + "/" + name;
      std::string uuid = ReadText(folder + "/metadata_uuid").value_or("");
      FileSystem(families, folder, uuid.empty() ? name : uuid).Add(*asked);
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
