#include "evaluator/cmd/own_metrics.h"

#include <string>

namespace skep::evaluator {
namespace {

using exposition::MetricType;
using exposition::PageWriter;
using notifier::FailureReason;
using receivers::AlertmanagerCounts;

double Number(std::uint64_t count) { return static_cast<double>(count); }

void WriteOutlets(PageWriter& page, const std::vector<notifier::Notifier::OutletStatus>& outlets) {
  page.Family("skep_evaluator_notifications_total",
              "Tries to hand a notification to a receiver, by outcome.", MetricType::kCounter);
  for (const auto& [integration, counts] : outlets) {
    for (const auto& [outcome, value] :
         {std::pair{"accepted", counts.accepted}, std::pair{"failed", counts.failed_tries}}) {
      page.Sample({{"receiver", integration.receiver},
                   {"integration", integration.id},
                   {"outcome", outcome}},
                  Number(value));
    }
  }
  page.Family("skep_evaluator_notification_tries_seconds_total",
              "Time spent in tries to hand a notification to a receiver.", MetricType::kCounter);
  for (const auto& [integration, counts] : outlets) {
    page.Sample({{"receiver", integration.receiver}, {"integration", integration.id}},
                counts.tries_seconds);
  }
  page.Family("skep_evaluator_notifications_waiting",
              "Notifications waiting for their first or next try.", MetricType::kGauge);
  for (const auto& [integration, counts] : outlets) {
    page.Sample({{"receiver", integration.receiver}, {"integration", integration.id}},
                Number(counts.waiting));
  }
}

void WriteDropped(PageWriter& page, const std::vector<notifier::Notifier::OutletStatus>& outlets,
                  const std::vector<AlertmanagerCounts>& alertmanagers) {
  page.Family("skep_evaluator_notifications_dropped_total",
              "Notifications given up because the receiver refused them or the time for tries was "
              "over; for Alertmanagers: alerts that did not reach them.",
              MetricType::kCounter);
  for (const auto& [integration, counts] : outlets) {
    for (int i = 0; i < notifier::kFailureReasons; ++i) {
      page.Sample({{"receiver", integration.receiver},
                   {"integration", integration.id},
                   {"reason", FailureReasonName(static_cast<FailureReason>(i))}},
                  Number(counts.failed[static_cast<std::size_t>(i)]));
    }
  }
  for (const AlertmanagerCounts& each : alertmanagers) {
    page.Sample({{"receiver", "alertmanager"}, {"integration", each.url}, {"reason", "other"}},
                Number(each.dropped));
  }
}

void WriteAlertmanagers(PageWriter& page, const std::vector<AlertmanagerCounts>& alertmanagers,
                        std::size_t queue_capacity) {
  page.Family("skep_evaluator_alertmanagers_discovered", "Alertmanagers that alerts are posted to.",
              MetricType::kGauge);
  page.Sample(Number(alertmanagers.size()));
  page.Family("skep_evaluator_alertmanager_queue_capacity",
              "Most alerts that wait for one Alertmanager.", MetricType::kGauge);
  page.Sample(Number(queue_capacity));
  const auto family = [&](std::string_view name, std::string_view help, MetricType type,
                          auto value) {
    page.Family(name, help, type);
    for (const AlertmanagerCounts& each : alertmanagers) {
      page.Sample({{"alertmanager", each.url}}, value(each));
    }
  };
  using Counts = AlertmanagerCounts;
  family("skep_evaluator_alertmanager_alerts_sent_total", "Alerts posted, well or not.",
         MetricType::kCounter, [](const Counts& c) { return Number(c.sent); });
  family("skep_evaluator_alertmanager_alerts_failed_total", "Alerts in posts that failed.",
         MetricType::kCounter, [](const Counts& c) { return Number(c.errors); });
  family("skep_evaluator_alertmanager_queue_length", "Alerts waiting to be posted.",
         MetricType::kGauge, [](const Counts& c) { return Number(c.queue_length); });
  family("skep_evaluator_alertmanager_posts_total", "Posts made.", MetricType::kCounter,
         [](const Counts& c) { return Number(c.posts); });
  family("skep_evaluator_alertmanager_posts_seconds_total", "Time spent in posts.",
         MetricType::kCounter, [](const Counts& c) { return c.post_seconds; });
}

}  // namespace

void WriteConfigMetrics(PageWriter& page, const Configurator::Status& status) {
  page.Family("skep_evaluator_config_last_reload_successful",
              "Whether the last try to load the configuration succeeded.", MetricType::kGauge);
  page.Sample(status.successful ? 1 : 0);
  page.Family("skep_evaluator_config_last_reload_success_timestamp_seconds",
              "When the configuration in force was loaded.", MetricType::kGauge);
  page.Sample(ToSeconds(status.last_success));
  page.Family("skep_evaluator_config_ignored",
              "Parts of the configuration left out because they are not supported "
              "(--config.ignore-unsupported).",
              MetricType::kGauge);
  // The same thing may be left out at several places: one series each time it differs.
  std::string before;
  for (const scrape::LeftOut& each : status.left_out) {
    if (each.reason == before) continue;
    before = each.reason;
    page.Sample({{"what", each.what}, {"reason", each.reason}}, 1);
  }
}

void WriteNotifierMetrics(PageWriter& page, const notifier::Notifier::Status& status,
                          const std::vector<AlertmanagerCounts>& alertmanagers,
                          std::size_t queue_capacity) {
  page.Family("skep_evaluator_notifier_groups", "Groups of alerts that are held.",
              MetricType::kGauge);
  page.Sample(Number(status.groups));
  page.Family("skep_evaluator_notifier_alerts", "Alerts that are held.", MetricType::kGauge);
  page.Sample(Number(status.alerts));
  WriteOutlets(page, status.outlets);
  WriteDropped(page, status.outlets, alertmanagers);
  WriteAlertmanagers(page, alertmanagers, queue_capacity);
}

namespace {

void WriteNumber(PageWriter& page, MetricType type, std::string_view name, std::string_view help,
                 double value) {
  page.Family(name, help, type);
  page.Sample(value);
}

void WriteHeadMetrics(PageWriter& page, const tsdb::Head& head) {
  const tsdb::HeadCounters counters = head.counters();
  WriteNumber(page, MetricType::kGauge, "skep_evaluator_head_series", "Series in memory.",
              Number(head.series_count()));
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    WriteNumber(page, MetricType::kCounter, name, help, Number(value));
  };
  counter("skep_evaluator_head_series_created_total", "Series created.", counters.series_created);
  counter("skep_evaluator_head_series_removed_total", "Series removed.", counters.series_removed);
  counter("skep_evaluator_head_samples_appended_total", "Samples appended.",
          counters.samples_appended);
  page.Family("skep_evaluator_head_samples_refused_total", "Samples refused, by reason.",
              MetricType::kCounter);
  page.Sample({{"reason", "out_of_order"}}, Number(counters.samples_out_of_order));
  page.Sample({{"reason", "duplicate"}}, Number(counters.samples_duplicate));
  page.Sample({{"reason", "too_old"}}, Number(counters.samples_too_old));
  page.Sample({{"reason", "series_limit"}}, Number(counters.series_refused));
  counter("skep_evaluator_head_samples_late_total", "Samples out of order that were taken.",
          counters.samples_late);
}

void WriteLogMetrics(PageWriter& page, const tsdb::StoreStatus& status) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    WriteNumber(page, MetricType::kCounter, name, help, Number(value));
  };
  const auto gauge = [&](std::string_view name, std::string_view help, double value) {
    WriteNumber(page, MetricType::kGauge, name, help, value);
  };
  counter("skep_evaluator_wal_records_total", "Batches in the write-ahead log.",
          status.wal.records);
  counter("skep_evaluator_wal_written_bytes_total", "Bytes written to the log.", status.wal.bytes);
  counter("skep_evaluator_wal_failed_appends_total",
          "Batches that were refused because the log could not be written.",
          status.wal.failed_appends);
  counter("skep_evaluator_wal_syncs_total", "Times the log was brought to the disk.",
          status.wal.syncs);
  counter("skep_evaluator_wal_failed_syncs_total", "Times the disk did not take it.",
          status.wal.failed_syncs);
  gauge("skep_evaluator_wal_unsynced_bytes", "Bytes of the log that a power cut could lose now.",
        Number(status.wal_unsynced_bytes));
  counter("skep_evaluator_checkpoints_total", "Checkpoints written.", status.checkpoints);
  counter("skep_evaluator_failed_checkpoints_total", "Checkpoints that could not be written.",
          status.failed_checkpoints);
  gauge("skep_evaluator_checkpoint_bytes", "Size of the newest checkpoint.",
        Number(status.checkpoint_bytes));
  gauge("skep_evaluator_store_healthy",
        "1 while batches, syncs, checkpoints and blocks can be written, else 0.",
        status.problem.empty() ? 1 : 0);
}

void WriteBlockMetrics(PageWriter& page, const tsdb::StoreStatus& status) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    WriteNumber(page, MetricType::kCounter, name, help, Number(value));
  };
  const auto gauge = [&](std::string_view name, std::string_view help, double value) {
    WriteNumber(page, MetricType::kGauge, name, help, value);
  };
  const tsdb::UpkeepCounters& upkeep = status.upkeep;
  gauge("skep_evaluator_blocks", "Blocks on disk.", Number(status.blocks));
  gauge("skep_evaluator_block_bytes", "Size of the blocks on disk.", Number(status.block_bytes));
  gauge("skep_evaluator_block_samples", "Samples in blocks.", Number(status.block_samples));
  gauge("skep_evaluator_damaged_blocks",
        "Blocks that are damaged: left out since the start, or read beside the damage.",
        Number(status.damaged_blocks));
  if (status.oldest) {
    gauge("skep_evaluator_oldest_sample_timestamp_seconds", "Time of the oldest sample in a block.",
          ToSeconds(*status.oldest));
  }
  counter("skep_evaluator_flushes_total", "Times that samples went from memory into blocks.",
          upkeep.flushes);
  counter("skep_evaluator_flushed_samples_total", "Samples that went into blocks.",
          upkeep.flushed_samples);
  counter("skep_evaluator_merges_total", "Merges of blocks.", upkeep.merges);
  counter("skep_evaluator_merged_blocks_total", "Blocks that were merged.", upkeep.merged_blocks);
  counter("skep_evaluator_adopted_blocks_total", "Blocks that were taken from the inbox.",
          upkeep.adopted_blocks);
  counter("skep_evaluator_refused_blocks_total", "Blocks in the inbox that were refused.",
          upkeep.refused_blocks);
  counter("skep_evaluator_dropped_blocks_total", "Blocks that retention dropped.",
          upkeep.dropped_blocks);
  counter("skep_evaluator_reader_expiries_total",
          "Times that queries were failed for reading so long that memory could not wait.",
          upkeep.expiries);
  counter("skep_evaluator_failed_block_rounds_total",
          "Times that blocks could not be written, merged or dropped.", upkeep.failures);
}

void WriteReplayMetrics(PageWriter& page, const tsdb::StoreStatus& status) {
  const auto gauge = [&](std::string_view name, std::string_view help, double value) {
    WriteNumber(page, MetricType::kGauge, name, help, value);
  };
  gauge("skep_evaluator_wal_replay_seconds", "Time that reading the log took at the start.",
        ToSeconds(status.replay_time));
  gauge("skep_evaluator_wal_replay_samples", "Samples that the log had at the start.",
        Number(status.replayed_samples));
  gauge("skep_evaluator_wal_replay_problems", "Parts of the log that could not be read then.",
        Number(status.replay.problem_count));
}

}  // namespace

void WriteMemoryMetrics(PageWriter& page, const tsdb::HeadMemory& memory,
                        const CacheBytes& caches) {
  page.Family(
      "skep_evaluator_store_memory_bytes",
      "Memory of the newest samples and of what finds them, by part; looked at once a minute.",
      MetricType::kGauge);
  const auto part = [&page](std::string_view name, std::uint64_t bytes) {
    page.Sample({{"part", name}}, Number(bytes));
  };
  part("labels", memory.labels);
  part("index", memory.index);
  part("series", memory.series);
  part("open_runs", memory.open_runs);
  part("sealed_chunks", memory.sealed_chunks);
  part("rare", memory.rare);
  part("kept_selects", memory.kept_selects);
  part("rule_plans", caches.rule_plans);
  part("query_plans", caches.query_plans);
  part("scrape_caches", caches.scrapes);
  part("push_caches", caches.pushes);
}

void WriteStoreMetrics(PageWriter& page, const tsdb::Store& store) {
  WriteHeadMetrics(page, store.head());
  const tsdb::StoreStatus status = store.status();
  WriteLogMetrics(page, status);
  WriteBlockMetrics(page, status);
  WriteReplayMetrics(page, status);
}

net::HttpHandler Measured(std::string_view route, net::HttpHandler handler,
                          instrument::Instruments& instruments, const Clock& clock) {
  const instrument::Histogram duration =
      instruments.AddHistogram("skep_evaluator_http_request_duration_seconds",
                               "Time to answer a request, streaming left out.",
                               instrument::LatencyBounds(), {{"handler", route}});
  return [name = std::string(route), handler = std::move(handler), duration, &instruments,
          &clock](const net::HttpRequest& request) {
    const Clock::Steady begin = clock.SteadyNow();
    net::HttpResponse response = handler(request);
    duration.Observe(clock.SteadyNow() - begin);
    instruments
        .AddCounter("skep_evaluator_http_requests_total", "Requests answered, by route and status.",
                    {{"handler", name}, {"code", std::to_string(response.status)}})
        .Increment();
    return response;
  };
}

}  // namespace skep::evaluator
