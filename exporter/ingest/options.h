// `ingest:` of the exporter's configuration, put together from what each endpoint reads itself.
#pragma once

#include "common/base/result.h"
#include "common/yaml/node.h"
#include "exporter/ingest/access.h"
#include "exporter/ingest/claude_code_hooks.h"
#include "exporter/ingest/event_ingest.h"
#include "exporter/ingest/otlp_options.h"

namespace skep::ingest {

//   ingest:
//     bearer_token_file: ...   # access.h
//     max_body: 4MiB
//     otlp: {...}              # otlp_options.h
//     events: {...}            # event_ingest.h
//     beacons: {...}
//     hooks: {...}             # claude_code_hooks.h
//     sessions: {...}
struct IngestOptions {
  AccessOptions access;
  OtlpOptions otlp;
  EventOptions events;
  HookOptions hooks;
  swarm::SessionOptions sessions;
};

// A null node: the defaults. Reads the token file, so that a missing one is an error of the
// configuration.
Result<IngestOptions> ReadOptions(const yaml::Node& node);

}  // namespace skep::ingest
