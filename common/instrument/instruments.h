// Our own metrics: named counters, gauges and histograms, and their page.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/exposition/writer.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace skep::instrument {

using exposition::LabelPairs;

// Handles are cheap to copy and good as long as their Instruments live. Thread-safe.
class Counter {
 public:
  Counter() = default;  // counts nothing: for parts that run without metrics
  void Increment(double by = 1) const;
  double value() const;

 private:
  friend class Instruments;
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  prometheus::Counter* counter_ = nullptr;
};

class Gauge {
 public:
  Gauge() = default;
  void Set(double value) const;
  void Add(double by) const;
  double value() const;

 private:
  friend class Instruments;
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  prometheus::Gauge* gauge_ = nullptr;
};

class Histogram {
 public:
  Histogram() = default;
  void Observe(double value) const;
  // In seconds.
  void Observe(std::chrono::steady_clock::duration value) const;

 private:
  friend class Instruments;
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  prometheus::Histogram* histogram_ = nullptr;
};

// Thread-safe. Passed by reference to whoever has something to count; no global.
//
// The same name and labels give the same instrument, whoever asks; HELP is the first one's. One
// name for two kinds is a bug and throws std::invalid_argument.
class Instruments {
 public:
  Instruments();
  ~Instruments();
  Instruments(const Instruments&) = delete;
  Instruments& operator=(const Instruments&) = delete;

  // `name` ends with _total.
  Counter AddCounter(std::string_view name, std::string_view help, LabelPairs labels = {});
  Gauge AddGauge(std::string_view name, std::string_view help, LabelPairs labels = {});
  // `bounds`: upper bounds, rising, without +Inf.
  Histogram AddHistogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                         LabelPairs labels = {});

  // Take the series off the page; the handle and its copies must not be used afterwards.
  void RemoveCounter(std::string_view name, LabelPairs labels);
  void RemoveGauge(std::string_view name, LabelPairs labels);
  void RemoveHistogram(std::string_view name, LabelPairs labels);

  // Called at each page, behind the instruments, in the order added: for values that are read
  // rather than counted. Writes whole families of names that nobody else writes. What it captures
  // must outlive the Instruments. Must not call back into them.
  void AddSource(std::function<void(exposition::PageWriter& page)> source);

  // All families by name, then the sources. Does not Finish the page.
  void Write(exposition::PageWriter& page) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// 5 ms to 10 s, as most latencies of ours need it.
std::vector<double> LatencyBounds();

}  // namespace skep::instrument
