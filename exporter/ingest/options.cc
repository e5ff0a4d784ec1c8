#include "exporter/ingest/options.h"

#include <utility>

namespace skep::ingest {
namespace {

template <typename T>
void Keep(yaml::MapReader& map, Result<T> part, T& out) {
  if (part) {
    out = std::move(*part);
  } else {
    map.Fail(part.error());
  }
}

}  // namespace

Result<IngestOptions> ReadOptions(const yaml::Node& node) {
  IngestOptions options;
  yaml::MapReader map(node);
  Keep(map, ReadAccessOptions(map), options.access);
  Keep(map, ReadOtlpOptions(map.Take("otlp")), options.otlp);
  Keep(map, ReadEventOptions(map.Take("events"), map.Take("beacons")), options.events);
  Keep(map, ReadHookOptions(map.Take("hooks")), options.hooks);
  Keep(map, ReadSessionOptions(map.Take("sessions")), options.sessions);
  RETURN_IF_ERROR(map.Finish("ingest"));
  return options;
}

}  // namespace skep::ingest
