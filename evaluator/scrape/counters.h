// What the scraping side counts about itself.
#pragma once

#include "common/instrument/instruments.h"
#include "evaluator/scrape/page_ingester.h"

namespace skep::scrape {

struct Counters {
  explicit Counters(instrument::Instruments& instruments);

  // Adds up what one page brought.
  void Count(const IngestResult& result) const;

  instrument::Counter scrapes, failed, skipped, body_limit, target_limit, discovery_failures;
  instrument::Histogram ingest_seconds;

 private:
  instrument::Counter samples_, duplicates_, out_of_order_, out_of_bounds_, over_store_limit_,
      sample_limit_, commit_failures_;
};

}  // namespace skep::scrape
