// The configuration of events and beacons.
#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "exporter/ingest/event_ingest.h"

namespace skep::ingest {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

// "https://app.example:8443": what browsers send.
bool IsOrigin(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view host = text.substr(scheme.size());
    return !host.empty() && host.find_first_of("/ ?#@*,") == std::string_view::npos &&
           std::none_of(host.begin(), host.end(),
                        [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; });
  }
  return false;
}

void ReadOrigins(yaml::MapReader& map, std::vector<std::string>& out) {
  for (const yaml::Node& item : map.Take("origins").items()) {
    const Result<std::string> origin = item.AsString();
    if (origin && IsOrigin(*origin)) {
      out.push_back(*origin);
    } else {
      map.Fail(item.Complain(
          "expected an origin as browsers send it: scheme and host, \"https://app.example\""));
    }
  }
}

std::optional<std::chrono::minutes> ParseClock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const std::optional<std::uint64_t> hours = ParseUint(text.substr(0, 2));
  const std::optional<std::uint64_t> minutes = ParseUint(text.substr(3));
  if (!hours || !minutes || *minutes > 59 || *hours * 60 + *minutes > 24UL * 60)
    return std::nullopt;
  return std::chrono::minutes(*hours * 60 + *minutes);
}

void ReadClock(yaml::MapReader& map, std::string_view key, std::chrono::minutes& out) {
  const yaml::Node node = map.Take(key);
  if (node.IsNull()) return;
  const Result<std::string> text = node.AsString();
  const std::optional<std::chrono::minutes> time = text ? ParseClock(*text) : std::nullopt;
  if (!time) return map.Fail(node.Complain("expected a time of day, \"09:00\" to \"24:00\""));
  out = *time;
}

Result<EventOptions::Window> ReadWindow(const yaml::Node& node) {
  EventOptions::Window window;
  yaml::MapReader map(node);
  const yaml::Node days = map.Take("days");
  if (days.IsNull()) window.days.fill(true);
  for (const yaml::Node& day : days.items()) {
    const auto found = std::find(kDays.begin(), kDays.end(), day.text());
    if (found == kDays.end()) return day.Complain("expected sun, mon, tue, wed, thu, fri or sat");
    window.days[static_cast<std::size_t>(found - kDays.begin())] = true;
  }
  ReadClock(map, "from", window.from);
  ReadClock(map, "to", window.to);
  RETURN_IF_ERROR(map.Finish("deployment window"));
  if (window.from >= window.to) return node.Complain("from must be before to");
  if (std::none_of(window.days.begin(), window.days.end(), [](bool day) { return day; })) {
    return node.Complain("days is empty");
  }
  return window;
}

void ReadSize(yaml::MapReader& map, std::string_view key, std::size_t most, std::size_t& out) {
  const yaml::Node node = map.Take(key);
  if (node.IsNull()) return;
  const Result<std::int64_t> value = node.AsInt();
  if (!value || *value < 1 || static_cast<std::size_t>(*value) > most) {
    return map.Fail(node.Complain("expected a number from 1 to " + std::to_string(most)));
  }
  out = static_cast<std::size_t>(*value);
}

}  // namespace

Result<EventOptions> ReadEventOptions(const yaml::Node& events, const yaml::Node& beacons) {
  EventOptions options;
  yaml::MapReader map(events);
  ReadSize(map, "max_measures", 2000, options.max_measures);
  ReadOrigins(map, options.origins);
  for (const yaml::Node& item : map.Take("deployment_windows").items()) {
    Result<EventOptions::Window> window = ReadWindow(item);
    if (!window) return window.error();
    options.deployment_windows.push_back(*window);
  }
  RETURN_IF_ERROR(map.Finish("events"));
  yaml::MapReader web(beacons);
  ReadOrigins(web, options.beacon_origins);
  ReadSize(web, "max_page_groups", 1000, options.max_page_groups);
  std::size_t per_second = static_cast<std::size_t>(options.max_beacons_per_second);
  ReadSize(web, "max_per_second", 100'000, per_second);
  options.max_beacons_per_second = static_cast<double>(per_second);
  RETURN_IF_ERROR(web.Finish("beacons"));
  return options;
}

}  // namespace skep::ingest
