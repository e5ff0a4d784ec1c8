// Bonded interfaces and how many of their links are up.
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

struct Links {
  int configured = 0;
  int up = 0;
};

// Old kernels name the link slave_NAME, newer ones lower_NAME.
bool IsUp(const std::string& master, std::string_view link) {
  for (std::string_view prefix : {"/lower_", "/slave_"}) {
    std::string path = master + std::string(prefix) + std::string(link);
    if (auto state = ReadText(path + "/bonding_slave/mii_status")) return *state == "up";
  }
  return false;
}

Links CountLinks(const std::string& master) {
  Links links;
  std::string names = ReadText(master + "/bonding/slaves").value_or("");
  std::string_view rest = names;
  for (std::string_view link = NextField(rest); !link.empty(); link = NextField(rest)) {
    ++links.configured;
    if (IsUp(master, link)) ++links.up;
  }
  return links;
}

}  // namespace

CollectorPtr MakeBondingCollector(const Paths& paths) {
  std::string net = paths.Sys("class/net");
  return MakeFunctionCollector("bonding", [net](CollectContext& context) -> Status {
    std::optional<std::string> masters = ReadText(net + "/bonding_masters");
    if (!masters) return NotFound("no bonding on this machine");
    FamilySet families;
    std::string_view rest = *masters;
    for (std::string_view name = NextField(rest); !name.empty(); name = NextField(rest)) {
      Links links = CountLinks(net + "/" + std::string(name));
      families.Add("node_bonding_slaves", "Number of configured slaves per bonding interface.",
                   MetricType::kGauge, {{"master", name}}, links.configured);
      families.Add("node_bonding_active", "Number of active slaves per bonding interface.",
                   MetricType::kGauge, {{"master", name}}, links.up);
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
