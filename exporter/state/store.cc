#include "exporter/state/store.h"

#include <mutex>
#include <optional>

#include "exporter/state/page.h"
#include "exporter/state/tables.h"
#include "exporter/state/unit.h"

namespace skep::state {
namespace {

using exposition::MetricType;

std::vector<std::string> NamesOf(const std::vector<Section*>& sections) {
  std::vector<std::string> names;
  for (const Section* section : sections) names.emplace_back(section->name());
  return names;
}

// Puts a unit back unless it was applied, also when the change throws.
class UnitGuard {
 public:
  explicit UnitGuard(Unit& unit) : unit_(&unit) {}
  UnitGuard(const UnitGuard&) = delete;
  UnitGuard& operator=(const UnitGuard&) = delete;
  ~UnitGuard() {
    if (unit_ != nullptr) unit_->Rollback();
  }
  void Release() { unit_ = nullptr; }

 private:
  Unit* unit_;
};

class StoreOfOneProcess final : public Store {
 public:
  StoreOfOneProcess(StoreOptions options, std::vector<Section*> sections, const Clock& clock,
                    Logger log)
      : options_(std::move(options)),
        clock_(clock),
        log_(std::move(log)),
        tables_({options_.max_series, options_.max_families, options_.reserved_prefixes}),
        unit_(tables_, DefineDropped(), NamesOf(sections)),
        sections_(std::move(sections)) {}

  Result<FamilyId> Define(FamilySpec spec) override {
    const std::lock_guard lock(mutex_);
    return tables_.Define(std::move(spec));
  }

  void Release(FamilyId family) override {
    const std::lock_guard lock(mutex_);
    tables_.Release(family);
  }

  Status Update(const std::function<Status(Changes& changes)>& change) override {
    const std::lock_guard lock(mutex_);
    unit_.Begin(SteadyMillis());
    UnitGuard guard(unit_);
    const Status collected = change(unit_);
    RETURN_IF_ERROR(collected);
    refused_ += unit_.refused();
    guard.Release();
    unit_.Apply();
    return {};
  }

  void WritePage(exposition::PageWriter& page) override {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = SteadyMillis();
    tables_.EraseExpired(now);
    for (const FamilyId id : tables_.Sorted()) WriteFamily(*tables_.Get(id), now, page, lines_);
  }

  void WriteOwn(exposition::PageWriter& page) override {
    const std::lock_guard lock(mutex_);
    page.Family("skep_exporter_state_series", "Series in the state, as a scrape counts them.",
                MetricType::kGauge);
    page.Sample(static_cast<double>(tables_.lines()));
    page.Family("skep_exporter_state_values_refused_total",
                "Changes dropped because they are wrong in themselves.", MetricType::kCounter);
    page.Sample({{"reason", "value"}}, static_cast<double>(refused_.values));
    page.Sample({{"reason", "labels"}}, static_cast<double>(refused_.labels));
    page.Sample({{"reason", "family"}}, static_cast<double>(refused_.families));
    page.Sample({{"reason", "section"}}, static_cast<double>(refused_.sections));
  }

 private:
  FamilyId DefineDropped() {
    FamilySpec spec;
    spec.name = kDroppedFamily;
    spec.help =
        "Changes that a cap on series put into the series \"other\", or that a cap refused, by "
        "metric.";
    spec.max_series = options_.max_families + 1;
    const FamilyId id = tables_.Define(std::move(spec)).value_or(0);
    tables_.Get(id)->is_exempt = true;
    return id;
  }

  std::int64_t SteadyMillis() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               clock_.SteadyNow().time_since_epoch())
        .count();
  }

  const StoreOptions options_;
  const Clock& clock_;
  const Logger log_;
  std::mutex mutex_;
  Tables tables_;                   // guarded by mutex_
  Unit unit_;                       // guarded by mutex_
  std::vector<Section*> sections_;  // guarded by mutex_
  std::string lines_;               // guarded by mutex_
  Unit::Refused refused_;           // guarded by mutex_; since the start
};

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(StoreOptions options, std::vector<Section*> sections,
                                           const Clock& clock, Logger log) {
  return std::unique_ptr<Store>(
      new StoreOfOneProcess(std::move(options), std::move(sections), clock, std::move(log)));
}

}  // namespace skep::state
