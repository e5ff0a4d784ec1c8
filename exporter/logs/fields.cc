#include "exporter/logs/fields.h"

#include <optional>
#include <utility>

#include "exporter/logs/request_line.h"
#include "exporter/logs/text_number.h"

namespace skep::logs {
namespace {

struct Known {
  std::string_view name;
  FieldKind kind;
  double scale = 1;
};

// Names of nginx's and Apache's JSON, Caddy, Traefik, pino, ECS, OpenTelemetry's conventions, and
// of many small loggers. A bare "duration" has no unit that one could know.
constexpr Known kWellKnown[] = {
    {"method", FieldKind::kMethod},
    {"request_method", FieldKind::kMethod},
    {"http_method", FieldKind::kMethod},
    {"verb", FieldKind::kMethod},
    {"req.method", FieldKind::kMethod},
    {"request.method", FieldKind::kMethod},
    {"http.method", FieldKind::kMethod},
    {"http.request.method", FieldKind::kMethod},
    {"RequestMethod", FieldKind::kMethod},
    {"path", FieldKind::kPath},
    {"uri", FieldKind::kPath},
    {"url", FieldKind::kPath},
    {"request_uri", FieldKind::kPath},
    {"req.url", FieldKind::kPath},
    {"request.uri", FieldKind::kPath},
    {"http.target", FieldKind::kPath},
    {"http.route", FieldKind::kPath},
    {"url.path", FieldKind::kPath},
    {"RequestPath", FieldKind::kPath},
    {"request", FieldKind::kRequest},
    {"status", FieldKind::kStatus},
    {"status_code", FieldKind::kStatus},
    {"statusCode", FieldKind::kStatus},
    {"http_status", FieldKind::kStatus},
    {"res.statusCode", FieldKind::kStatus},
    {"http.status_code", FieldKind::kStatus},
    {"http.response.status_code", FieldKind::kStatus},
    {"DownstreamStatus", FieldKind::kStatus},
    {"request_time", FieldKind::kDuration, 1},
    {"duration_seconds", FieldKind::kDuration, 1},
    {"duration_s", FieldKind::kDuration, 1},
    {"latency_seconds", FieldKind::kDuration, 1},
    {"duration_ms", FieldKind::kDuration, 1e-3},
    {"durationMs", FieldKind::kDuration, 1e-3},
    {"latency_ms", FieldKind::kDuration, 1e-3},
    {"elapsed_ms", FieldKind::kDuration, 1e-3},
    {"took_ms", FieldKind::kDuration, 1e-3},
    {"response_time_ms", FieldKind::kDuration, 1e-3},
    {"responseTime", FieldKind::kDuration, 1e-3},
    {"duration_us", FieldKind::kDuration, 1e-6},
    {"duration_ns", FieldKind::kDuration, 1e-9},
    {"event.duration", FieldKind::kDuration, 1e-9},
    {"Duration", FieldKind::kDuration, 1e-9},
    {"duration", FieldKind::kDuration, 0},
    {"latency", FieldKind::kDuration, 0},
    {"elapsed", FieldKind::kDuration, 0},
    {"took", FieldKind::kDuration, 0},
    {"upstream_response_time", FieldKind::kUpstream},
    {"bytes", FieldKind::kBytes},
    {"bytes_sent", FieldKind::kBytes},
    {"body_bytes_sent", FieldKind::kBytes},
    {"size", FieldKind::kBytes},
    {"http.response.body.bytes", FieldKind::kBytes},
    {"DownstreamContentSize", FieldKind::kBytes},
    {"level", FieldKind::kLevel},
    {"lvl", FieldKind::kLevel},
    {"severity", FieldKind::kLevel},
    {"levelname", FieldKind::kLevel},
    {"log.level", FieldKind::kLevel},
    {"msg", FieldKind::kMessage},
    {"message", FieldKind::kMessage},
    {"body", FieldKind::kMessage},
};

constexpr std::pair<std::string_view, FieldKind> kKeys[] = {
    {"method", FieldKind::kMethod},     {"path", FieldKind::kPath},
    {"request", FieldKind::kRequest},   {"status", FieldKind::kStatus},
    {"duration", FieldKind::kDuration}, {"upstream", FieldKind::kUpstream},
    {"bytes", FieldKind::kBytes},       {"level", FieldKind::kLevel},
    {"message", FieldKind::kMessage},
};

// "12ms", "1.5s", "300µs", or a bare number in `scale`.
double SecondsOf(std::string_view text, double scale) {
  const std::optional<double> value = TakeDecimal(text);
  if (!value) return -1;
  if (text.empty()) return scale > 0 ? *value * scale : -1;
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"s", 1},     {"ms", 1e-3}, {"us", 1e-6},  {"\xc2\xb5s", 1e-6}, {"\xce\xbcs", 1e-6},
      {"ns", 1e-9}, {"m", 60},    {" ms", 1e-3}, {" s", 1},
  };
  for (const auto& [unit, factor] : kUnits) {
    if (text == unit) return *value * factor;
  }
  return -1;
}

void AssignValue(const FieldUse& use, std::string_view value, ParsedLine& out) {
  switch (use.kind) {
    case FieldKind::kMethod:
      out.method = value;
      break;
    case FieldKind::kPath:
      out.path = value;
      break;
    case FieldKind::kRequest:
      SplitRequestLine(value, out);
      break;
    case FieldKind::kStatus:
      out.status = ParseHttpStatus(value);
      break;
    case FieldKind::kDuration:
      out.duration_seconds = SecondsOf(value, use.scale);
      break;
    case FieldKind::kUpstream:
      out.upstream_seconds = SecondsOf(value, 1);
      break;
    case FieldKind::kBytes:
      out.bytes = ParseDecimal(value).value_or(-1);
      break;
    case FieldKind::kLevel:
      out.level = value;
      break;
    case FieldKind::kMessage:
      out.message = value;
      break;
  }
}

// Whether the value could be used, so that a later field of the same kind need not be looked at.
bool IsFilled(FieldKind kind, const ParsedLine& line) {
  switch (kind) {
    case FieldKind::kMethod:
      return !line.method.empty();
    case FieldKind::kPath:
    case FieldKind::kRequest:
      return !line.path.empty();
    case FieldKind::kStatus:
      return line.status != 0;
    case FieldKind::kDuration:
      return line.duration_seconds >= 0;
    case FieldKind::kUpstream:
      return line.upstream_seconds >= 0;
    case FieldKind::kBytes:
      return line.bytes >= 0;
    case FieldKind::kLevel:
      return !line.level.empty();
    case FieldKind::kMessage:
      return !line.message.empty();
  }
  return false;
}

}  // namespace

void FieldTable::Add(std::string_view name, FieldUse use) {
  uses_[std::string(name)] = use;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos;
       dot = name.find('.', dot + 1)) {
    parents_[std::string(name.substr(0, dot))] = true;
  }
}

Result<FieldTable> FieldTable::Create(const FieldNames& fields) {
  FieldTable table;
  for (const Known& known : kWellKnown) {
    const double scale = known.scale == 0 ? fields.duration_scale : known.scale;
    table.Add(known.name, {known.kind, scale, false});
  }
  for (const auto& [key, name] : fields.names) {
    const FieldUse* use = nullptr;
    FieldUse chosen;
    for (const auto& [word, kind] : kKeys) {
      if (word != key) continue;
      chosen = {kind, 1, true};
      if (kind == FieldKind::kDuration) chosen.scale = fields.duration_scale;
      use = &chosen;
    }
    if (use == nullptr) {
      return Invalid("unknown field \"" + key +
                     "\": expected method, path, request, status, duration, upstream, bytes, "
                     "level or message");
    }
    // Its unit stays known where the name has one: duration_ms.
    const FieldUse* known = table.Find(name);
    if (known != nullptr && known->kind == chosen.kind && chosen.scale == 0) {
      chosen.scale = known->scale;
    }
    table.Add(name, chosen);
  }
  return table;
}

FieldTable FieldTable::ForGroups(double duration_scale) {
  FieldTable table;
  for (const auto& [word, kind] : kKeys) {
    table.Add(word, {kind, kind == FieldKind::kDuration ? duration_scale : 1, false});
  }
  table.Add("duration_ms", {FieldKind::kDuration, 1e-3, false});
  table.Add("duration_us", {FieldKind::kDuration, 1e-6, false});
  table.Add("duration_seconds", {FieldKind::kDuration, 1, false});
  return table;
}

const FieldUse* FieldTable::Find(std::string_view name) const {
  const auto found = uses_.find(name);
  return found == uses_.end() ? nullptr : &found->second;
}

bool FieldTable::IsParent(std::string_view name) const {
  return parents_.find(name) != parents_.end();
}

void AssignField(const FieldUse& use, std::string_view value, FieldsSeen& seen, ParsedLine& out) {
  const auto bit = 1U << static_cast<unsigned>(use.kind);
  if ((seen.chosen & bit) != 0) return;
  if (!use.chosen && (seen.any & bit) != 0) return;
  AssignValue(use, value, out);
  if (!IsFilled(use.kind, out)) return;
  seen.any |= bit;
  if (use.chosen) seen.chosen |= bit;
}

void FinishFields(const FieldsSeen& seen, ParsedLine& out) {
  constexpr auto kBit = [](FieldKind kind) { return 1U << static_cast<unsigned>(kind); };
  const auto request =
      kBit(FieldKind::kMethod) | kBit(FieldKind::kPath) | kBit(FieldKind::kRequest);
  if ((seen.any & request) == 0) out.status = 0;
}

}  // namespace skep::logs
