// Samples for random expressions.
#pragma once

#include <cstdint>

#include "tests/support/promql_oracle/values.h"

namespace skep::oracle {

// Half an hour of about eighty series from here on; a sample every 15 seconds or so.
constexpr Timestamp kDataStart = FromMillis(1'700'000'000'000);
constexpr Timestamp kDataEnd = kDataStart + std::chrono::minutes(30);

// req_total{job,inst}    counters that fall now and then
// gauge{job,inst}        any values; NaN and infinities now and then
// temp{job,inst}         small whole numbers, many of them equal
// big, tiny{inst}        around 1e12 and 1e-9
// huge{inst}             near the largest number there is
// odd{inst}              NaN, infinities, -1, 0, 1
// lat_bucket{job,le}     classic histograms; one lacks its highest bucket, one has a bad `le`, one
//                        bounds below zero, one counts that differ by rounding
// info{job,team}         1
// nh{job,inst}           native histograms: counters with exponential buckets
// nhg{job}               gauges of them; nhcb{job}: counters with custom buckets
// mixed{inst}            floats and histograms of all kinds
// lat_bucket{job}        native ones, of one name with the classic buckets
// All with gaps, staleness markers, jitter (some lie exactly on a 15 s grid), beginnings and ends.
DataSet RandomData(std::uint64_t seed);

}  // namespace skep::oracle
