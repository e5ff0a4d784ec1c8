// What rules count of themselves.
#pragma once

#include <string>

#include "common/instrument/instruments.h"
#include "evaluator/rules/timetable.h"

namespace skep::rules {

// Of one group. Without Instruments: counts nothing. Thread-safe.
struct GroupMetrics {
  GroupMetrics() = default;
  GroupMetrics(instrument::Instruments& instruments, const std::string& rule_group);
  // Takes the group's series off the page; no GroupMetrics of that name may be used afterwards.
  static void Remove(instrument::Instruments& instruments, const std::string& rule_group);

  const instrument::Counter& Rounds(RoundCause cause) const {
    return cause == RoundCause::kScrape ? scrape_rounds : interval_rounds;
  }

  instrument::Counter evaluations, failures, iterations, iterations_missed, interval_rounds,
      scrape_rounds;
  instrument::Gauge interval, last_duration, last_rule_duration_sum, last_evaluation,
      last_restore_duration, rules, samples;
  // Of all groups together.
  instrument::Histogram rule_duration, group_duration;
};

// From the commit of a scrape to the end of the round that it caused, of all groups together.
instrument::Histogram AddScrapeDelay(instrument::Instruments& instruments);

}  // namespace skep::rules
