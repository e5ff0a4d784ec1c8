// What block devices read and wrote, and what udev knows of them.
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/number.h"
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/device_choice.h"
#include "exporter/collectors/disk_stats.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;
using exposition::PageWriter;
using exposition::RenderLabels;

// Sectors of /proc/diskstats have this size on every device.
constexpr double kSectorBytes = 512;
constexpr double kMilliseconds = 1e-3;

struct Column {
  std::size_t index;  // in DiskRow::values
  std::string_view family;
  std::string_view help;
  MetricType type = MetricType::kCounter;
  double factor = 1;
};

constexpr Column kColumns[] = {
    {14, "node_disk_discard_time_seconds_total",
     "This is the total number of seconds spent by all discards.", MetricType::kCounter,
     kMilliseconds},
    {13, "node_disk_discarded_sectors_total",
     "The total number of sectors discarded successfully."},
    {11, "node_disk_discards_completed_total",
     "The total number of discards completed successfully."},
    {12, "node_disk_discards_merged_total", "The total number of discards merged."},
    {16, "node_disk_flush_requests_time_seconds_total",
     "This is the total number of seconds spent by all flush requests.", MetricType::kCounter,
     kMilliseconds},
    {15, "node_disk_flush_requests_total",
     "The total number of flush requests completed successfully"},
    {8, "node_disk_io_now", "The number of I/Os currently in progress.", MetricType::kGauge},
    {9, "node_disk_io_time_seconds_total", "Total seconds spent doing I/Os.", MetricType::kCounter,
     kMilliseconds},
    {10, "node_disk_io_time_weighted_seconds_total", "The weighted # of seconds spent doing I/Os.",
     MetricType::kCounter, kMilliseconds},
    {2, "node_disk_read_bytes_total", "The total number of bytes read successfully.",
     MetricType::kCounter, kSectorBytes},
    {3, "node_disk_read_time_seconds_total", "The total number of seconds spent by all reads.",
     MetricType::kCounter, kMilliseconds},
    {0, "node_disk_reads_completed_total", "The total number of reads completed successfully."},
    {1, "node_disk_reads_merged_total", "The total number of reads merged."},
    {7, "node_disk_write_time_seconds_total",
     "This is the total number of seconds spent by all writes.", MetricType::kCounter,
     kMilliseconds},
    {4, "node_disk_writes_completed_total", "The total number of writes completed successfully."},
    {5, "node_disk_writes_merged_total", "The number of writes merged."},
    {6, "node_disk_written_bytes_total", "The total number of bytes written successfully.",
     MetricType::kCounter, kSectorBytes},
};

constexpr std::array<std::array<std::string_view, 3>, 3> kAta{{
    {"ID_ATA_ROTATION_RATE_RPM", "node_disk_ata_rotation_rate_rpm",
     "ATA disk rotation rate in RPMs (0 for SSDs)."},
    {"ID_ATA_WRITE_CACHE", "node_disk_ata_write_cache", "ATA disk has a write cache."},
    {"ID_ATA_WRITE_CACHE_ENABLED", "node_disk_ata_write_cache_enabled",
     "ATA disk has its write cache enabled."},
}};

// A device with everything that is worked out once: labels, and what udev said last.
class Disk {
 public:
  Disk(const Paths& paths, const DiskRow& row)
      : name_(row.device),
        major_(std::to_string(row.major)),
        minor_(std::to_string(row.minor)),
        labels_(RenderLabels({{"device", name_}})),
        udev_(paths.udev_data + "/b" + major_ + ":" + minor_, SourceFile::Keep::kReopen) {
    Describe({});
  }

  bool Is(const DiskRow& row) const {
    return name_ == row.device && major_ == std::to_string(row.major) &&
           minor_ == std::to_string(row.minor);
  }

  // Reads udev's data again (it is replaced when a file system is made or a disk is swapped). No
  // data is normal for virtual devices.
  void Refresh() {
    const Result<std::string_view> text = udev_.Read();
    const std::string_view now = text ? *text : std::string_view();
    if (now == udev_text_) return;
    udev_text_ = now;
    Describe(now);
  }

  const std::string& labels() const { return labels_; }
  const std::string& info() const { return info_; }
  const std::string& filesystem() const { return filesystem_; }        // "": none
  const std::string& device_mapper() const { return device_mapper_; }  // "": none
  const std::array<std::optional<double>, kAta.size()>& ata() const { return ata_; }

 private:
  void Describe(std::string_view udev) {
    const auto get = [udev](std::string_view key) { return UdevProperty(udev, key); };
    std::string_view serial = get("SCSI_IDENT_SERIAL");
    if (serial.empty()) serial = get("ID_SERIAL_SHORT");
    info_ = RenderLabels({{"device", name_},
                          {"major", major_},
                          {"minor", minor_},
                          {"model", get("ID_MODEL")},
                          {"path", get("ID_PATH")},
                          {"revision", get("ID_REVISION")},
                          {"serial", serial},
                          {"wwn", get("ID_WWN")}});
    filesystem_.clear();
    if (const auto type = get("ID_FS_TYPE"); !type.empty()) {
      filesystem_ = RenderLabels({{"device", name_},
                                  {"type", type},
                                  {"usage", get("ID_FS_USAGE")},
                                  {"uuid", get("ID_FS_UUID")},
                                  {"version", get("ID_FS_VERSION")}});
    }
    device_mapper_.clear();
    if (const auto name = get("DM_NAME"); !name.empty()) {
      device_mapper_ = RenderLabels({{"device", name_},
                                     {"lv_layer", get("DM_LV_LAYER")},
                                     {"lv_name", get("DM_LV_NAME")},
                                     {"name", name},
                                     {"uuid", get("DM_UUID")},
                                     {"vg_name", get("DM_VG_NAME")}});
    }
    const bool is_ata = !get("ID_ATA").empty();
    for (std::size_t i = 0; i < kAta.size(); ++i) {
      ata_[i] = is_ata ? ParseDouble(get(kAta[i][0])) : std::nullopt;
    }
  }

  std::string name_, major_, minor_;
  std::string labels_;
  SourceFile udev_;
  std::string udev_text_;
  std::string info_, filesystem_, device_mapper_;
  std::array<std::optional<double>, kAta.size()> ata_;
};

class DiskstatsCollector final : public Collector {
 public:
  DiskstatsCollector(const Paths& paths, DeviceFilter devices)
      : paths_(paths), devices_(std::move(devices)), file_(paths.Proc("diskstats")) {}

  std::string_view name() const override { return "diskstats"; }

  Status Collect(CollectContext& context) override {
    const Result<std::string_view> text = file_.Read();
    if (!text) return text.error();
    ParseDiskRows(*text, rows_);
    std::erase_if(rows_, [this](const DiskRow& row) { return !devices_.Keeps(row.device); });
    FollowDisks();
    WriteTexts(context.page);
    for (const Column& column : kColumns) WriteColumn(context.page, column);
    return {};
  }

 private:
  void FollowDisks() {
    bool same = rows_.size() == disks_.size();
    for (std::size_t i = 0; same && i < rows_.size(); ++i) same = disks_[i].Is(rows_[i]);
    if (!same) {
      disks_.clear();
      for (const DiskRow& row : rows_) disks_.emplace_back(paths_, row);
    }
    for (Disk& disk : disks_) disk.Refresh();
  }

  void WriteColumn(PageWriter& page, const Column& column) const {
    bool announced = false;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (column.index >= rows_[i].columns) continue;
      if (!std::exchange(announced, true)) page.Family(column.family, column.help, column.type);
      // Divided, since a product with 0.001 would print 0.43400000000000005.
      const auto value = static_cast<double>(rows_[i].values[column.index]);
      page.RenderedSample(disks_[i].labels(),
                          column.factor < 1 ? value / 1000 : value * column.factor);
    }
  }

  void WriteTexts(PageWriter& page) const {
    for (std::size_t i = 0; i < kAta.size(); ++i) {
      WriteFamily(
          page, kAta[i][1], kAta[i][2], [i](const Disk& disk) { return disk.ata()[i]; },
          [](const Disk& disk) -> auto& { return disk.labels(); });
    }
    const auto present = [](const std::string& text) {
      return text.empty() ? std::nullopt : std::optional<double>(1);
    };
    WriteFamily(
        page, "node_disk_device_mapper_info", "Info about disk device mapper.",
        [&](const Disk& disk) { return present(disk.device_mapper()); },
        [](const Disk& disk) -> auto& { return disk.device_mapper(); });
    WriteFamily(
        page, "node_disk_filesystem_info", "Info about disk filesystem.",
        [&](const Disk& disk) { return present(disk.filesystem()); },
        [](const Disk& disk) -> auto& { return disk.filesystem(); });
    WriteFamily(
        page, "node_disk_info", "Info of /sys/block/<block_device>.",
        [&](const Disk& disk) { return present(disk.info()); },
        [](const Disk& disk) -> auto& { return disk.info(); });
  }

  template <typename ValueOf, typename LabelsOf>
  void WriteFamily(PageWriter& page, std::string_view family, std::string_view help,
                   const ValueOf& value_of, const LabelsOf& labels_of) const {
    bool announced = false;
    for (const Disk& disk : disks_) {
      const std::optional<double> value = value_of(disk);
      if (!value) continue;
      if (!std::exchange(announced, true)) page.Family(family, help, MetricType::kGauge);
      page.RenderedSample(labels_of(disk), *value);
    }
  }

  const Paths& paths_;
  DeviceChoice devices_;
  SourceFile file_;
  std::vector<DiskRow> rows_;
  std::vector<Disk> disks_;  // as rows_
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  Result<DeviceFilter> devices = ReadDeviceFilter(setup.options);
  if (!devices) return devices.error();
  return std::unique_ptr<Collector>(
      std::make_unique<DiskstatsCollector>(setup.paths, std::move(*devices)));
}

}  // namespace

CollectorSpec DiskstatsSpec() {
  return {.name = "diskstats",
          .options = DeviceFilterOptions("diskstats",
                                         R"(^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$)"),
          .create = Create};
}

}  // namespace skep::exporter
