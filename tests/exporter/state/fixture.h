// What the tests of the store share: a clock that is set by hand, and pages as text.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "exporter/state/store.h"

namespace skep::state::test {

// Thread-safe.
class HandClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(1'800'000'000'000 + wall_ms.load()); }
  Steady SteadyNow() const override { return Steady{std::chrono::milliseconds(steady_ms.load())}; }
  void Advance(std::chrono::milliseconds by) {
    wall_ms += by.count();
    steady_ms += by.count();
  }

  std::atomic<std::int64_t> wall_ms{0};
  std::atomic<std::int64_t> steady_ms{5000};
};

inline std::string Page(Store& store, exposition::Format format = exposition::Format::kText) {
  std::string text;
  exposition::PageWriter page(format, text);
  store.WritePage(page);
  page.Finish();
  return text;
}

inline std::string OwnPage(Store& store) {
  std::string text;
  exposition::PageWriter page(exposition::Format::kText, text);
  store.WriteOwn(page);
  return text;
}

// The page's lines without metadata.
inline std::vector<std::string> Samples(Store& store) {
  std::vector<std::string> lines;
  const std::string text = Page(store);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (text[at] != '#') lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

inline FamilySpec Counter(std::string name) {
  return {.name = std::move(name), .help = "Things counted."};
}
inline FamilySpec Gauge(std::string name) {
  return {
      .name = std::move(name), .help = "Things there are.", .type = exposition::MetricType::kGauge};
}
inline FamilySpec Histogram(std::string name, std::vector<double> bounds) {
  return {.name = std::move(name),
          .help = "Things measured.",
          .type = exposition::MetricType::kHistogram,
          .bounds = std::move(bounds)};
}

inline void Add(Store& store, FamilyId family, std::vector<LabelView> labels, double value) {
  const Status done = store.Update([&](Changes& changes) -> Status {
    changes.Add(family, labels, value);
    return {};
  });
  if (!done) throw std::runtime_error(done.error().message());
}
inline void Set(Store& store, FamilyId family, std::vector<LabelView> labels, double value) {
  const Status done = store.Update([&](Changes& changes) -> Status {
    changes.Set(family, labels, value);
    return {};
  });
  if (!done) throw std::runtime_error(done.error().message());
}

}  // namespace skep::state::test
