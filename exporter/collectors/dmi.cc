// What the firmware says of the machine: maker, model, serial numbers.
#include <array>

#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

struct Field {
  std::string_view label;
  std::string_view file;
};

constexpr std::array<Field, 20> kFields = {{
    {"bios_date", "bios_date"},
    {"bios_release", "bios_release"},
    {"bios_vendor", "bios_vendor"},
    {"bios_version", "bios_version"},
    {"board_asset_tag", "board_asset_tag"},
    {"board_name", "board_name"},
    {"board_serial", "board_serial"},
    {"board_vendor", "board_vendor"},
    {"board_version", "board_version"},
    {"chassis_asset_tag", "chassis_asset_tag"},
    {"chassis_serial", "chassis_serial"},
    {"chassis_vendor", "chassis_vendor"},
    {"chassis_version", "chassis_version"},
    {"product_family", "product_family"},
    {"product_name", "product_name"},
    {"product_serial", "product_serial"},
    {"product_sku", "product_sku"},
    {"product_uuid", "product_uuid"},
    {"product_version", "product_version"},
    {"system_vendor", "sys_vendor"},
}};

// Serial numbers are readable for root only: what cannot be read has no label.
std::string ReadLabels(const std::string& folder) {
  std::string labels;
  for (const Field& field : kFields) {
    std::optional<std::string> value = ReadText(folder + "/" + std::string(field.file));
    if (value) exposition::AppendRenderedLabel(labels, field.label, ValidUtf8(*value));
  }
  return labels;
}

}  // namespace

CollectorPtr MakeDmiCollector(const Paths& paths) {
  std::string folder = paths.Sys("class/dmi/id");
  // Nothing of it changes before the next boot: read once.
  auto labels = std::make_shared<std::optional<std::string>>();
  return MakeFunctionCollector("dmi", [folder, labels](CollectContext& context) -> Status {
    if (!*labels) *labels = ReadLabels(folder);
    if ((*labels)->empty()) return NotFound("the firmware tells nothing by DMI");
    context.page.Family(
        "node_dmi_info",
        "A metric with a constant '1' value labeled by bios_date, bios_release, bios_vendor, "
        "bios_version, board_asset_tag, board_name, board_serial, board_vendor, board_version, "
        "chassis_asset_tag, chassis_serial, chassis_vendor, chassis_version, product_family, "
        "product_name, product_serial, product_sku, product_uuid, product_version, system_vendor "
        "if provided by DMI.",
        MetricType::kGauge);
    context.page.RenderedSample(**labels, 1);
    return {};
  });
}

}  // namespace skep::exporter
