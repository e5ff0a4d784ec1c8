// Names that pushed metrics may not have, since other parts of the exporter make these families:
// what two count into one series means neither.
#pragma once

#include <string_view>

namespace skep::ingest {

// Whether `name`, as on the page (a counter with its _total), is or may become a family of the
// exporter's own: of swarms, logs, deployments, collectors, or of Prometheus itself. What people
// say of their business (active_users, revenue_usd_total) may come as events or over OTLP. Names
// that only a user's own configuration makes are told apart by the store.
bool IsTakenName(std::string_view name);

}  // namespace skep::ingest
