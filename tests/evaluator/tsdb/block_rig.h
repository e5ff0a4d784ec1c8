// Series of every kind for the tests of blocks, written to a disk in memory and compared bit by
// bit.
#pragma once

#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "common/model/sample.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/block_writer.h"
#include "tests/support/memory_disk.h"

namespace skep::tsdb {

using SeriesMap = std::map<Labels, storage::SampleColumns>;

inline bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}

// Starts that nobody gave may be absent or told as such.
inline bool SameStarts(const std::vector<Timestamp>& a, const std::vector<Timestamp>& b,
                       std::size_t samples) {
  for (std::size_t i = 0; i < samples; ++i) {
    if ((a.empty() ? kNoStart : a[i]) != (b.empty() ? kNoStart : b[i])) return false;
  }
  return true;
}

inline bool SameSamples(const storage::SampleColumns& a, const storage::SampleColumns& b) {
  const auto same = [](const HistogramPtr& x, const HistogramPtr& y) {
    return x->reset_hint == y->reset_hint && SameHistogram(*x, *y);
  };
  const auto& x = a.histograms;
  const auto& y = b.histograms;
  return a.times == b.times && SameBits(a.values, b.values) &&
         SameStarts(a.starts, b.starts, a.size()) && x.times == y.times &&
         std::equal(x.values.begin(), x.values.end(), y.values.begin(), y.values.end(), same) &&
         SameStarts(x.starts, y.starts, x.size());
}

// Those of `range`, by looking at each.
inline storage::SampleColumns Within(const storage::SampleColumns& from, storage::TimeRange range) {
  storage::SampleColumns out;
  const auto in = [&](Timestamp time) { return time >= range.min && time <= range.max; };
  for (std::size_t i = 0; i < from.times.size(); ++i) {
    if (!in(from.times[i])) continue;
    out.times.push_back(from.times[i]);
    out.values.push_back(from.values[i]);
    if (!from.starts.empty()) out.starts.push_back(from.starts[i]);
  }
  const auto& histograms = from.histograms;
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    if (!in(histograms.times[i])) continue;
    out.histograms.times.push_back(histograms.times[i]);
    out.histograms.values.push_back(histograms.values[i]);
    if (!histograms.starts.empty()) out.histograms.starts.push_back(histograms.starts[i]);
  }
  return out;
}

// Makes series of targets that are scraped at the same times, and some that are not.
class RandomSeries {
 public:
  explicit RandomSeries(std::uint64_t seed) : random_(seed) {}

  static constexpr std::int64_t kBegin = 1'700'006'400'000;  // on the grid of 2 hours

  std::uint64_t Pick(std::uint64_t n) { return random_() % n; }

  SeriesMap Make(std::size_t count, std::size_t most_samples) {
    SeriesMap out;
    while (out.size() < count) {
      const Labels labels = MakeLabels(out.size());
      out[labels] = MakeSamples(1 + Pick(most_samples));
    }
    return out;
  }

  Labels MakeLabels(std::size_t i) {
    LabelsBuilder builder;
    builder.Set("__name__", "metric_" + std::to_string(Pick(7)));
    builder.Set("instance", "host-" + std::to_string(Pick(4)) + ":9100");
    if (Pick(2)) builder.Set("mode", Pick(2) ? "idle" : "system");
    if (Pick(3) == 0) builder.Set("Zone", std::string(Pick(40), 'z') + "\xc3\xa9");
    builder.Set("id", std::to_string(i));
    return builder.Build();
  }

  storage::SampleColumns MakeSamples(std::size_t count) {
    storage::SampleColumns out;
    const std::uint64_t kind = Pick(8);
    const bool with_starts = Pick(4) == 0;
    std::int64_t time = kBegin + static_cast<std::int64_t>(Pick(3)) * 15'000;
    const bool jitter = Pick(3) == 0;
    auto histogram = std::make_shared<Histogram>();
    double total = 0;
    for (std::size_t i = 0; i < count; ++i) {
      time += 15'000 + (jitter ? static_cast<std::int64_t>(Pick(5)) : 0);
      if (Pick(200) == 0) time += static_cast<std::int64_t>(Pick(1'000'000));
      const Timestamp start =
          Pick(10) == 0 ? kNoStart : FromMillis(kBegin + static_cast<std::int64_t>(i / 50));
      if (kind == 6 || (kind == 7 && i / 20 % 2 == 0)) {
        histogram = Observed(*histogram);
        out.histograms.times.push_back(FromMillis(time));
        out.histograms.values.push_back(histogram);
        if (with_starts) out.histograms.starts.push_back(start);
      } else {
        total = Value(kind, total);
        out.times.push_back(FromMillis(time));
        out.values.push_back(Pick(60) == 0 ? (Pick(2) ? kStaleNaN : kNormalNaN) : total);
        if (with_starts) out.starts.push_back(start);
      }
    }
    return out;
  }

 private:
  std::shared_ptr<Histogram> Observed(const Histogram& before) {
    auto after = std::make_shared<Histogram>(before);
    if (after->positive.empty() || Pick(30) == 0) {
      after->positive = {};
      for (int i = 0; i < 5; ++i) after->positive.Append(2 * i + static_cast<int>(Pick(2)), 0);
    }
    after->positive.counts[Pick(5)] += 1;
    after->count += 1;
    after->sum += 0.25;
    return after;
  }

  double Value(std::uint64_t kind, double before) {
    switch (kind) {
      case 0:
        return 4;
      case 1:
        return Pick(100) == 0 ? 0 : before + static_cast<double>(Pick(50));
      case 2:
        return static_cast<double>(Pick(1000)) / 100;
      case 3:
        return static_cast<double>(random_()) / 0x1p64;
      default:
        return before + static_cast<double>(Pick(20) == 0);
    }
  }

  std::mt19937_64 random_;
};

// Writes the series as the block `path`; checks nothing but success.
inline BlockMeta WriteBlock(Disk& disk, const std::string& path, const SeriesMap& series) {
  auto writer = BlockWriter::Create(disk, path).value();
  for (const auto& [labels, samples] : series) {
    const Status added = writer->Add(labels, samples);
    if (!added) throw std::runtime_error(added.error().message());
  }
  return writer->Finish().value();
}

// All that is in the block.
inline SeriesMap ReadBlock(const Block& block) {
  SeriesMap out;
  for (std::uint32_t series = 0; series < block.series_count(); ++series) {
    storage::SampleColumns samples;
    const Status read = block.ReadSamples(series, {}, samples);
    if (!read) throw std::runtime_error(read.error().message());
    out[block.LabelsOf(series).value()] = std::move(samples);
  }
  return out;
}

inline bool SameSeries(const SeriesMap& a, const SeriesMap& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && SameSamples(x.second, y.second);
  });
}

}  // namespace skep::tsdb
