// Counts that a part keeps itself, as families of a metrics page.
#pragma once

#include <string>
#include <string_view>

#include "common/exposition/writer.h"

namespace skep::instrument {

// Writes `counts`, a list of things with name, help, reason and value whose equal names follow each
// other (net::HttpServer::Counts::List). What is named `_total` is a counter, all else a gauge;
// where there is a reason, it is the label of that name. `prefix` is the program's:
// "skep_exporter_".
template <typename List>
void WriteCounts(exposition::PageWriter& page, std::string_view prefix, const List& counts) {
  std::string_view before;
  for (const auto& each : counts) {
    if (each.name != before) {
      page.Family(std::string(prefix) + std::string(each.name), each.help,
                  each.name.ends_with("_total") ? exposition::MetricType::kCounter
                                                : exposition::MetricType::kGauge);
    }
    before = each.name;
    const auto value = static_cast<double>(each.value);
    if (each.reason.empty()) {
      page.Sample(value);
    } else {
      page.Sample({{"reason", each.reason}}, value);
    }
  }
}

}  // namespace skep::instrument
