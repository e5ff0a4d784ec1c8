// What lines have changed since the last unit of the store: cheap to add to, written at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporter/logs/families.h"
#include "exporter/state/store.h"

namespace skep::logs {

using OwnedLabels = std::vector<std::pair<std::string, std::string>>;

// Thread-compatible. Series are made once and then named by number.
class Tally {
 public:
  using Id = std::uint32_t;

  // `labels` in any order; a value may not be empty. Without a family nothing is ever written.
  Id MakeCounter(MaybeFamily family, OwnedLabels labels);
  // `bounds` must outlive the tally.
  Id MakeHistogram(MaybeFamily family, OwnedLabels labels, const std::vector<double>& bounds);

  void Count(Id counter, double value = 1) {
    Counter& c = counters_[counter];
    if (value == 0) return;  // 0 is what says that nobody has touched it
    if (c.value == 0) touched_counters_.push_back(counter);
    c.value += value;
  }
  void Observe(Id histogram, double value);

  // Series whose labels come from lines: made on the way, forgotten with each Clear.
  void CountLoose(state::FamilyId family, OwnedLabels labels, double value);
  void ObserveLoose(state::FamilyId family, OwnedLabels labels, const std::vector<double>& bounds,
                    double value);
  std::size_t loose() const { return loose_.size(); }

  // How many series were made by MakeCounter and MakeHistogram.
  std::size_t size() const { return counters_.size() + histograms_.size(); }

  bool empty() const {
    return touched_counters_.empty() && touched_histograms_.empty() && loose_.empty();
  }
  void Write(state::Changes& changes) const;
  void Clear();

 private:
  struct Series {
    MaybeFamily family;
    OwnedLabels labels;
  };
  struct Counter {
    Series series;
    double value = 0;
  };
  struct Histogram {
    Series series;
    const std::vector<double>* bounds = nullptr;
    std::vector<std::uint64_t> counts;
    std::uint64_t count = 0;
    double sum = 0;
  };
  struct Loose {
    state::FamilyId family = 0;
    OwnedLabels labels;
    double value = 0;     // of a counter
    Histogram histogram;  // bounds is null for a counter
  };

  static void AddTo(Histogram& histogram, double value);
  Loose& FindLoose(state::FamilyId family, OwnedLabels labels);

  std::vector<Counter> counters_;
  std::vector<Histogram> histograms_;
  std::vector<Id> touched_counters_;
  std::vector<Id> touched_histograms_;
  std::unordered_map<std::string, Loose> loose_;
};

}  // namespace skep::logs
