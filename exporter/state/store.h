// What the exporter knows by itself and may not lose: counters, gauges and histograms that were
// counted up from logs, events and pushes, beside whatever their sources need to go on after a
// restart (log offsets, ids already seen). All of it changes in units that are in the state file
// before anybody is told of them or sees them on a page.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/exposition/format.h"
#include "common/exposition/writer.h"

namespace skep::state {

// One family of metrics. Immutable once defined.
struct FamilySpec {
  std::string name = {};  // counters with their _total
  std::string help = {};
  exposition::MetricType type = exposition::MetricType::kCounter;  // or kGauge, kHistogram
  std::vector<double> bounds = {};  // of a histogram: upper bounds, rising, without +Inf
  // Once it has so many series, a new one is counted in the series whose open labels are "other".
  std::size_t max_series = 1000;
  // Labels whose values are a small set by nature (outcome, status): they keep their value when the
  // others become "other".
  std::vector<std::string> closed_labels = {};
  // So many values of one label, "other" not counted; a further one becomes "other". Labels not
  // named: no bound but the family's. What caps change is counted on the page, by family:
  // swarm_series_dropped_total{metric}.
  std::vector<std::pair<std::string, std::size_t>> max_values = {};
  // Add and Observe take no more at once: a broken sender's number would hide for ever what others
  // add to it.
  double max_change = std::numeric_limits<double>::infinity();
  // A series that did not change for so long leaves the page; 0: never. For gauges whose sender may
  // be gone.
  std::chrono::milliseconds expiry{0};
};

// Of one store; valid as long as the store.
using FamilyId = std::uint32_t;

// Sorted by name, no name twice, no empty value; names as [a-zA-Z_][a-zA-Z0-9_]*. Others are
// dropped and counted. In values, bytes that are no UTF-8 become U+FFFD, and 1,024 bytes are kept.
// Views need to live for the call only.
using LabelView = std::pair<std::string_view, std::string_view>;
using LabelsView = std::span<const LabelView>;

// Collects what one unit changes. Passed by Store::Update, valid inside it.
class Changes {
 public:
  virtual ~Changes() = default;

  // Each names the series by family and labels and makes it if it is new. Dropped and
  // counted (skep_exporter_state_values_refused_total) is a `value` that is not finite, is below 0
  // for a counter, is beyond the family's max_change, or with which the sum would not be finite or
  // a bucket would count more than 2^53: neither would ever come back from there.
  virtual void Add(FamilyId family, LabelsView labels, double value) = 0;  // counter, gauge
  virtual void Set(FamilyId family, LabelsView labels, double value) = 0;  // gauge; any value
  virtual void Observe(FamilyId family, LabelsView labels, double value,
                       std::uint64_t times = 1) = 0;  // histogram
  // Adds a whole histogram: `counts` of each bucket by itself (not cumulated), one more than the
  // family has bounds; the last is above all bounds.
  virtual void AddBuckets(FamilyId family, LabelsView labels, std::span<const std::uint64_t> counts,
                          double sum) = 0;
  // The series leaves the page; a later change makes it anew, from 0.
  virtual void Remove(FamilyId family, LabelsView labels) = 0;

  // How many of the changes above this unit has dropped so far.
  virtual std::uint64_t refused_changes() const = 0;

  // Something of a Section's own, given back to it by Restore. A section that Open was not told of:
  // dropped and counted.
  virtual void Record(std::string_view section, std::string_view bytes) = 0;

  // Runs after the unit is in the file, under the store's lock: where the owner of a section
  // changes its memory. Must not fail.
  virtual void OnCommitted(std::function<void()> apply) = 0;
};

// State that is no metric. Its memory is guarded by the store's lock: read inside Update, changed
// inside OnCommitted only.
class Section {
 public:
  virtual ~Section() = default;
  // Stable for ever: "log_offsets". In it the state file knows the section.
  virtual std::string_view name() const = 0;
  // A record as it was given to Changes::Record or written by Save; in that order. An error costs
  // this record only and is counted and logged.
  virtual Status Restore(std::string_view record) = 0;
  // Writes all there is as records, for a new state file. Under the store's lock: no I/O.
  virtual void Save(const std::function<void(std::string_view record)>& write) const = 0;
};

struct StoreOptions {
  // A folder of our own, made if missing. "": nothing survives the process.
  std::string path = {};
  // Of all families together, as a scrape counts them (a histogram is its buckets and two more);
  // beyond it new ones are in "other".
  std::size_t max_series = 100'000;
  std::size_t max_families = 2'000;
  // The file is written anew when it has grown past the last snapshot by so much.
  std::size_t checkpoint_bytes = 16UL << 20;
  // Names that no family may have or begin with, since other parts of the page have them.
  std::vector<std::string> reserved_prefixes = {"node_", "skep_exporter_", "process_", "cgroup_"};
};

// Thread-safe.
class Store {
 public:
  // Reads what `path` has. Sections are known from the start: records of a section that is not in
  // `sections` are kept and written on, so that a module that is off for a while loses nothing.
  // They must outlive the store. kUnavailable: another process has the folder; kIo: it cannot be
  // read or made. Damage is no error: what stands before it counts, the rest is set aside as
  // *.damaged, counted and logged.
  static Result<std::unique_ptr<Store>> Open(StoreOptions options, std::vector<Section*> sections,
                                             const Clock& clock, Logger log);
  virtual ~Store() = default;

  // Families are defined at every start, also those that the file knows. Several may define the
  // same one and get the same number; help and caps of the last count. kInvalid: the name is
  // malformed or reserved, a counter's lacks its _total, or somebody has defined it with another
  // type or other bounds, or a family whose lines would have the same names (`x` and `x_count` of a
  // histogram). Beyond max_families it is kUnavailable, unless a family that nobody has defined can
  // go. A family in the file that nobody has defined is kept and shown; one of another shape takes
  // its place. Not inside Update.
  virtual Result<FamilyId> Define(FamilySpec spec) = 0;

  // Takes one Define back (a reload changed the bounds): with the last of them the family is as one
  // that only the file knows. The number must not be used again.
  virtual void Release(FamilyId family) = 0;

  // Runs `change` under the store's lock (it must not call the store), puts what it collected into
  // the file, then into the page, then runs its OnCommitted. An error of `change` is returned and
  // nothing of the unit happens. kIo: the file could not be written (a full disk): nothing
  // happened, the caller tells its client to come again, or reads the same lines again. With a
  // path, done means: survives kill -9; a power cut may take the last second.
  virtual Status Update(const std::function<Status(Changes& changes)>& change) = 0;

  // All families, in order of their names, from prepared labels.
  virtual void WritePage(exposition::PageWriter& page) = 0;
  // skep_exporter_state_*: series and families with their limits, changes refused, and of the file
  // its size, failures, damage and last sync.
  virtual void WriteOwn(exposition::PageWriter& page) = 0;
};

}  // namespace skep::state
