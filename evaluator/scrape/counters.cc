#include "evaluator/scrape/counters.h"

#include <string>

namespace skep::scrape {
namespace {

instrument::Counter Add(instrument::Instruments& instruments, std::string_view name,
                        std::string_view help) {
  return instruments.AddCounter("skep_evaluator_" + std::string(name), help);
}

}  // namespace

Counters::Counters(instrument::Instruments& i)
    : scrapes(Add(i, "scrapes_total", "Scrapes tried.")),
      failed(Add(i, "scrapes_failed_total", "Scrapes after which the target counted as down.")),
      skipped(Add(i, "scrapes_skipped_total",
                  "Scrapes that were due while the one before was still under way.")),
      body_limit(Add(i, "scrapes_exceeded_body_size_limit_total",
                     "Scrapes that failed by body_size_limit.")),
      target_limit(Add(i, "scrape_pool_exceeded_target_limit_total",
                       "Times that a job had more targets than its target_limit.")),
      discovery_failures(Add(i, "file_discovery_failures_total",
                             "Discovery files that could not be read or understood.")),
      ingest_seconds(i.AddHistogram("skep_evaluator_scrape_ingest_duration_seconds",
                                    "Time to parse one page and store its samples.",
                                    {0.0001, 0.001, 0.01, 0.1, 1, 10})),
      samples_(Add(i, "scrape_samples_total", "Samples on scraped pages.")),
      duplicates_(Add(i, "scrape_samples_duplicate_total",
                      "Samples refused because the series has one at that time.")),
      out_of_order_(Add(i, "scrape_samples_out_of_order_total",
                        "Samples refused because the series has a newer one.")),
      out_of_bounds_(Add(i, "scrape_samples_out_of_bounds_total",
                         "Samples refused because they are too old or too far ahead.")),
      over_store_limit_(Add(i, "scrape_samples_over_store_limit_total",
                            "Samples refused because the store may not take another series.")),
      sample_limit_(
          Add(i, "scrapes_exceeded_sample_limit_total", "Scrapes that failed by sample_limit.")),
      commit_failures_(Add(i, "scrape_commit_failures_total", "Scrapes that were not stored.")) {}

void Counters::Count(const IngestResult& result) const {
  scrapes.Increment();
  if (!result.status) failed.Increment();
  if (!result.commit) commit_failures_.Increment();
  if (result.sample_limit_hit) sample_limit_.Increment();
  const auto add = [](const instrument::Counter& counter, std::uint64_t count) {
    if (count != 0) counter.Increment(static_cast<double>(count));
  };
  add(samples_, result.samples);
  add(duplicates_, result.duplicates);
  add(out_of_order_, result.out_of_order);
  add(out_of_bounds_, result.out_of_bounds);
  add(over_store_limit_, result.over_store_limit);
}

}  // namespace skep::scrape
