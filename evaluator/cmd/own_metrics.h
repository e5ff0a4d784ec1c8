// The evaluator's metrics about itself that are read when the page is asked for, and those of its
// web server.
#pragma once

#include <string_view>

#include "common/base/clock.h"
#include "common/exposition/writer.h"
#include "common/instrument/instruments.h"
#include "common/net/http_server.h"
#include "evaluator/cmd/configurator.h"
#include "evaluator/notifier/notifier.h"
#include "evaluator/receivers/alertmanager.h"
#include "evaluator/tsdb/store.h"

namespace skep::evaluator {

void WriteConfigMetrics(exposition::PageWriter& page, const Configurator::Status& status);
void WriteNotifierMetrics(exposition::PageWriter& page, const notifier::Notifier::Status& status,
                          const std::vector<receivers::AlertmanagerCounts>& alertmanagers,
                          std::size_t queue_capacity);
// Bytes that others than the store keep, to know its series again: who brings samples, and who
// asks.
struct CacheBytes {
  std::size_t scrapes = 0;
  std::size_t pushes = 0;
  std::size_t rule_plans = 0;   // rulequery::EngineQueryRunner::PlanBytes
  std::size_t query_plans = 0;  // api::Api::plan_bytes
};
void WriteMemoryMetrics(exposition::PageWriter& page, const tsdb::HeadMemory& memory,
                        const CacheBytes& caches);
void WriteStoreMetrics(exposition::PageWriter& page, const tsdb::Store& store);

// `handler` with its requests counted by status and its time measured, under the name `route`.
// `instruments` and `clock` outlive it.
net::HttpHandler Measured(std::string_view route, net::HttpHandler handler,
                          instrument::Instruments& instruments, const Clock& clock);

}  // namespace skep::evaluator
