// Which family of the Store an OTLP metric is passed through to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "exporter/ingest/otlp_model.h"
#include "exporter/ingest/otlp_options.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// Immutable.
struct MetricFamily {
  enum class Kind : std::uint8_t { kCounter, kGauge, kUpDown, kHistogram };

  std::string name;
  Kind kind = Kind::kGauge;
  std::vector<double> bounds;
  std::uint64_t bounds_hash = 0;
  state::FamilyId id = 0;
};

// Remembers in the state file what it has defined: a histogram keeps the bounds that it was first
// seen with. Thread-safe but for Start, Apply and ForgetSilent, during which nothing else is
// called.
class OtlpFamilies final : public state::Section {
 public:
  // ---- Section ----
  std::string_view name() const override { return "otlp_families"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

  // Defines what the file knows. `store`, `clock` and `log` stay in use.
  void Start(const OtlpOptions& options, state::Store& store, const Clock& clock, Logger log);
  void Apply(const OtlpOptions& options);

  // Whether a new metric finds no place.
  bool IsFull() const;
  // Forgets metrics without points for metric_expiry. Their series stay on the page until the store
  // needs the room; one that comes back goes on there.
  void ForgetSilent();
  std::uint64_t forgotten() const;

  // The family of `metric`, defined if it is new; lives until Apply or ForgetSilent. `first`: its
  // first point's buckets where it is a histogram, which give a new family its bounds. Not inside
  // Update. kInvalid: the name cannot be, or is that of a metric of another kind; kUnavailable:
  // there are max_metrics.
  Result<const MetricFamily*> Resolve(const Metric& metric, const HistogramData* first);

  // The family with the name, or null.
  const MetricFamily* Find(std::string_view family_name) const;

  // Puts what is new or forgotten into a unit.
  void Record(state::Changes& changes);

 private:
  struct Known {
    MetricFamily family;
    std::string metric_name;  // in OTLP
    std::string help;
    std::int64_t last_point = 0;  // ms since 1970; guarded by mutex_ in known_
  };
  Result<Known*> Make(const Metric& metric, const HistogramData* first);
  Result<Known*> DefineNew(Known known);
  Result<state::FamilyId> Define(const Known& known);
  std::vector<double> BoundsOf(const Metric& metric, const HistogramData& first) const;
  // The bounds that the configuration gives the metric; null: none.
  const std::vector<double>* ConfiguredBounds(std::string_view metric_name) const;
  // Whether the configuration has come to give it bounds that it has not.
  bool HasOtherBounds(const Known& known) const;
  std::int64_t Now() const { return ToMillis(clock_->Now()); }
  void RecordNew(state::Changes& changes, const std::string& name);
  std::vector<state::FamilyId> TakeSilent();
  void RecordForgotten(state::Changes& changes, const std::string& name);
  static std::string Encode(const Known& known);

  OtlpOptions options_;
  state::Store* store_ = nullptr;
  const Clock* clock_ = nullptr;
  Logger log_ = Logger::Silent();

  // Guarded by the store's lock.
  std::map<std::string, Known, std::less<>> saved_;

  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Known>, std::less<>> known_;  // guarded by mutex_
  // Guarded by mutex_; by OTLP name, unit and kind.
  std::unordered_map<std::string, Known*> resolved_;
  std::vector<std::string> new_;        // guarded by mutex_; names not in the file
  std::vector<std::string> forgotten_;  // guarded by mutex_; names still in the file
  std::uint64_t forgotten_count_ = 0;   // guarded by mutex_
};

}  // namespace skep::ingest
