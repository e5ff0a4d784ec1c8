// Properties of network interfaces: state, addresses, speed, queue length.
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/number.h"
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/device_choice.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;
using exposition::PageWriter;

// Up to so many interfaces each attribute keeps a descriptor.
constexpr std::size_t kMostKeptDevices = 16;

struct Attribute {
  std::string_view file;
  std::string_view property;  // node_network_PROPERTY
};

constexpr std::array<Attribute, 17> kAttributes{{
    {"addr_assign_type", "address_assign_type"},
    {"carrier", "carrier"},
    {"carrier_changes", "carrier_changes_total"},
    {"carrier_down_count", "carrier_down_changes_total"},
    {"carrier_up_count", "carrier_up_changes_total"},
    {"dev_id", "device_id"},
    {"dormant", "dormant"},
    {"flags", "flags"},
    {"ifindex", "iface_id"},
    {"iflink", "iface_link"},
    {"link_mode", "iface_link_mode"},
    {"mtu", "mtu_bytes"},
    {"name_assign_type", "name_assign_type"},
    {"netdev_group", "net_dev_group"},
    {"type", "protocol_type"},
    {"speed", "speed_bytes"},
    {"tx_queue_len", "transmit_queue_length"},
}};
// node_network_info and node_network_up stand between these in alphabetical order; nothing depends
// on that, so they come first.
constexpr std::array<std::string_view, 5> kTexts{"address", "broadcast", "duplex", "ifalias",
                                                 "operstate"};
constexpr std::size_t kOperstate = 4;

// Attributes are decimal, or hexadecimal with 0x (dev_id, flags).
std::optional<double> ParseAttribute(std::string_view text) {
  std::uint64_t hex = 0;
  if (text.starts_with("0x")) {
    return ParseHex(text, hex) ? std::optional<double>(static_cast<double>(hex)) : std::nullopt;
  }
  const std::optional<std::int64_t> number = ParseInt(text);
  return number ? std::optional<double>(static_cast<double>(*number)) : std::nullopt;
}

// An interface with its files and with what was rendered from them last.
class Device {
 public:
  Device(std::string name, const std::string& folder, SourceFile::Keep keep)
      : name_(std::move(name)), labels_(exposition::RenderLabels({{"device", name_}})) {
    for (const Attribute& attribute : kAttributes) {
      files_.emplace_back(folder + "/" + std::string(attribute.file), keep);
    }
    for (const std::string_view text : kTexts) {
      files_.emplace_back(folder + "/" + std::string(text), keep);
    }
  }

  const std::string& labels() const { return labels_; }
  const std::string& info_labels() const { return info_labels_; }
  bool up() const { return texts_[kOperstate] == "up"; }
  const std::optional<double>& value(std::size_t attribute) const { return values_[attribute]; }

  // What a driver refuses to tell (EINVAL for the carrier of an interface that is down) is no
  // value.
  void Refresh() {
    for (std::size_t i = 0; i < kAttributes.size(); ++i) {
      const Result<std::string_view> text = files_[i].ReadAttribute();
      values_[i] = text ? ParseAttribute(Trim(*text)) : std::nullopt;
    }
    bool changed = info_labels_.empty();
    for (std::size_t i = 0; i < kTexts.size(); ++i) {
      const Result<std::string_view> text = files_[kAttributes.size() + i].ReadAttribute();
      const std::string_view now = text ? Trim(*text) : std::string_view();
      if (texts_[i] == now) continue;
      texts_[i] = now;
      changed = true;
    }
    if (!changed) return;
    info_labels_ = exposition::RenderLabels({{"address", texts_[0]},
                                             {"broadcast", texts_[1]},
                                             {"device", name_},
                                             {"duplex", texts_[2]},
                                             {"ifalias", texts_[3]},
                                             {"operstate", texts_[4]}});
  }

 private:
  std::string name_;
  std::string labels_;
  std::vector<SourceFile> files_;  // of kAttributes, then of kTexts
  std::array<std::optional<double>, kAttributes.size()> values_;
  std::array<std::string, kTexts.size()> texts_;
  std::string info_labels_;
};

class NetclassCollector final : public Collector {
 public:
  explicit NetclassCollector(const CollectorSetup& setup)
      : folder_(setup.paths.Sys("class/net")),
        devices_({std::nullopt, setup.options.Pattern("ignored-devices")}),
        ignore_invalid_speed_(setup.options.Flag("ignore-invalid-speed")) {
    for (const Attribute& attribute : kAttributes) {
      const std::string property(attribute.property);
      families_.emplace_back("node_network_" + property, "Network device property: " + property);
    }
  }

  std::string_view name() const override { return "netclass"; }

  Status Collect(CollectContext& context) override {
    Result<std::vector<std::string>> names = ListFolder(folder_);
    if (!names) return names.error();
    Follow(*names);
    for (Device& device : shown_) device.Refresh();
    if (shown_.empty()) return {};
    WriteInfo(context.page);
    for (std::size_t i = 0; i < kAttributes.size(); ++i) WriteAttribute(context.page, i);
    return {};
  }

 private:
  void Follow(std::vector<std::string>& names) {
    if (names == names_) return;
    names_.swap(names);
    shown_.clear();
    const auto keep =
        names_.size() <= kMostKeptDevices ? SourceFile::Keep::kOpen : SourceFile::Keep::kReopen;
    for (const std::string& name : names_) {
      const std::string folder = folder_ + "/" + name;
      // "bonding_masters" is a file beside the interfaces.
      if (devices_.Keeps(name) && IsFolder(folder)) shown_.emplace_back(name, folder, keep);
    }
  }

  void WriteInfo(PageWriter& page) const {
    page.Family("node_network_info",
                "Non-numeric data from /sys/class/net/<iface>, value is always 1.",
                MetricType::kGauge);
    for (const Device& device : shown_) page.RenderedSample(device.info_labels(), 1);
    page.Family("node_network_up", "Value is 1 if operstate is 'up', 0 otherwise.",
                MetricType::kGauge);
    for (const Device& device : shown_) page.RenderedSample(device.labels(), device.up() ? 1 : 0);
  }

  void WriteAttribute(PageWriter& page, std::size_t attribute) const {
    const auto& [family, help] = families_[attribute];
    const bool is_speed = kAttributes[attribute].file == "speed";
    const bool is_counter = kAttributes[attribute].property.ends_with("_total");
    bool announced = false;
    for (const Device& device : shown_) {
      const std::optional<double>& value = device.value(attribute);
      if (!value || (is_speed && ignore_invalid_speed_ && *value < 0)) continue;
      if (!std::exchange(announced, true)) {
        page.Family(family, help, is_counter ? MetricType::kCounter : MetricType::kGauge);
      }
      // Mbit/s to bytes per second; the -1 of an unknown speed goes the same way, as dashboards
      // know it.
      page.RenderedSample(device.labels(), is_speed ? *value * 1e6 / 8 : *value);
    }
  }

  const std::string folder_;
  DeviceChoice devices_;
  const bool ignore_invalid_speed_;
  std::vector<std::pair<std::string, std::string>> families_;  // name and help, as kAttributes
  std::vector<std::string> names_;
  std::vector<Device> shown_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<NetclassCollector>(setup));
}

}  // namespace

CollectorSpec NetclassSpec() {
  return {.name = "netclass",
          .options = {{"ignored-devices", OptionKind::kRegex, "^$",
                       "Regexp of net devices to ignore for netclass collector"},
                      {"ignore-invalid-speed", OptionKind::kFlag, "false",
                       "Ignore devices where the speed is invalid"}},
          .create = Create};
}

}  // namespace skep::exporter
