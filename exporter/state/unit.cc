#include "exporter/state/unit.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace skep::state {

using exposition::MetricType;

namespace {

// From here on a page, whose numbers are doubles, would not show one more.
constexpr std::uint64_t kMaxCount = std::uint64_t{1} << 53;

bool HasRoom(std::uint64_t present, std::uint64_t more) {
  return more <= kMaxCount && present <= kMaxCount - more;
}

bool IsTooMuch(const Family& family, double value) {
  return std::abs(value) > family.spec().max_change;
}

}  // namespace

Unit::Refused& Unit::Refused::operator+=(const Refused& other) {
  values += other.values;
  labels += other.labels;
  families += other.families;
  sections += other.sections;
  return *this;
}

Unit::Unit(Tables& tables, FamilyId dropped, std::vector<std::string> section_names)
    : tables_(tables), dropped_(dropped), section_names_(std::move(section_names)) {}

void Unit::Begin(std::int64_t now) {
  Clear();
  now_ = now;
  first_capped_ = tables_.end_id();
}

void Unit::Clear() {
  touched_.clear();
  counts_.clear();
  records_.clear();
  bytes_.clear();
  callbacks_.clear();
  refused_ = {};
}

Family* Unit::Check(FamilyId family, bool wants_histogram) {
  Family* found = tables_.Get(family);
  if (found != nullptr && found->is_histogram() == wants_histogram) return found;
  ++refused_.families;
  return nullptr;
}

void Unit::Add(FamilyId family, LabelsView labels, double value) {
  const Family* const known = Check(family, false);
  if (known == nullptr) return;
  const bool is_counter = known->spec().type == MetricType::kCounter;
  if (!std::isfinite(value) || (is_counter && value < 0) || IsTooMuch(*known, value)) {
    ++refused_.values;
    return;
  }
  if (Touched* touched = Touch(family, labels)) AddTo(*touched, value);
}

void Unit::Set(FamilyId family, LabelsView labels, double value) {
  const Family* const known = Check(family, false);
  if (known == nullptr) return;
  if (known->spec().type == MetricType::kCounter) {
    ++refused_.families;
    return;
  }
  if (Touched* touched = Touch(family, labels)) touched->value = value;
}

void Unit::Observe(FamilyId family, LabelsView labels, double value, std::uint64_t times) {
  const Family* const known = Check(family, true);
  if (known == nullptr) return;
  const double sum = value * static_cast<double>(times);
  if (!std::isfinite(sum) || IsTooMuch(*known, value) || times > kMaxCount) {
    ++refused_.values;
    return;
  }
  const auto& bounds = known->spec().bounds;
  const auto bucket =
      static_cast<std::size_t>(std::ranges::lower_bound(bounds, value) - bounds.begin());
  Touched* const touched = Touch(family, labels);
  if (touched == nullptr || times == 0) return;
  std::uint64_t& count = counts_[touched->counts + bucket];
  if (!HasRoom(count, times)) {
    ++refused_.values;
    return;
  }
  if (AddTo(*touched, sum)) count += times;
}

void Unit::AddBuckets(FamilyId family, LabelsView labels, std::span<const std::uint64_t> counts,
                      double sum) {
  const Family* const known = Check(family, true);
  if (known == nullptr) return;
  if (!std::isfinite(sum) || counts.size() != known->buckets() ||
      std::ranges::any_of(counts, [](std::uint64_t count) { return count > kMaxCount; })) {
    ++refused_.values;
    return;
  }
  Touched* const touched = Touch(family, labels);
  if (touched == nullptr) return;
  const std::span present = std::span(counts_).subspan(touched->counts, counts.size());
  if (!std::ranges::equal(present, counts, HasRoom)) {
    ++refused_.values;
    return;
  }
  if (!AddTo(*touched, sum)) return;
  for (std::size_t i = 0; i < counts.size(); ++i) present[i] += counts[i];
}

bool Unit::AddTo(Touched& touched, double value) {
  const double sum = touched.value + value;
  if (!std::isfinite(sum) && std::isfinite(touched.value)) {
    ++refused_.values;
    return false;
  }
  touched.value = sum;
  return true;
}

void Unit::Remove(FamilyId family, LabelsView labels) {
  if (tables_.Get(family) == nullptr) {
    ++refused_.families;
    return;
  }
  const auto series = tables_.Find(family, labels);
  if (!series) return;
  Touched* const touched = TouchAt(family, *series);
  touched->is_removed = true;
}

void Unit::Record(std::string_view section, std::string_view bytes) {
  const auto place = std::ranges::find(section_names_, section);
  if (place == section_names_.end()) {
    ++refused_.sections;
    return;
  }
  records_.push_back(
      {static_cast<std::size_t>(place - section_names_.begin()), bytes_.size(), bytes.size()});
  bytes_.append(bytes);
}

void Unit::OnCommitted(std::function<void()> apply) { callbacks_.push_back(std::move(apply)); }

Unit::Touched* Unit::Touch(FamilyId family, LabelsView labels) {
  const Place place = tables_.Locate(family, labels, now_);
  if (!place.is_good) {
    ++refused_.labels;
    return nullptr;
  }
  // Before the entry is looked up: counting adds one and may move them.
  if (place.is_capped) CountCapped(family);
  Touched* const touched = TouchAt(family, place.series);
  if (touched->is_removed) {
    touched->is_removed = false;
    touched->is_anew = true;
    touched->value = 0;
    if (tables_.Get(family)->is_histogram()) {
      const std::size_t size = tables_.Get(family)->buckets();
      std::fill_n(counts_.begin() + static_cast<std::ptrdiff_t>(touched->counts), size, 0);
    }
  }
  return touched;
}

void Unit::CountCapped(FamilyId family) {
  if (first_capped_ == tables_.end_id()) first_capped_ = family;
  const LabelView label{"metric", tables_.Get(family)->spec().name};
  const Place place = tables_.Locate(dropped_, std::span(&label, 1), now_);
  TouchAt(dropped_, place.series)->value += 1;
}

Unit::Touched* Unit::TouchAt(FamilyId family, SeriesId series) {
  const std::uint32_t entry = tables_.Get(family)->at(series).touched;
  return entry != 0 ? &touched_[entry - 1] : &Enter(family, series);
}

// What expired but still stands in the tables begins anew, as if it had been erased.
Unit::Touched& Unit::Enter(FamilyId family, SeriesId id) {
  Family& owner = *tables_.Get(family);
  Series& series = owner.at(id);
  const bool is_anew = series.is_born && owner.IsExpired(series, now_);
  Touched touched{family, id, false, is_anew, is_anew ? 0 : series.value, counts_.size()};
  if (owner.is_histogram()) {
    const std::span<const std::uint64_t> present = owner.counts(id);
    counts_.insert(counts_.end(), present.begin(), present.end());
    if (is_anew)
      std::fill(counts_.end() - static_cast<std::ptrdiff_t>(present.size()), counts_.end(), 0);
  }
  touched_.push_back(touched);
  series.touched = static_cast<std::uint32_t>(touched_.size());
  return touched_.back();
}

std::span<const std::uint64_t> Unit::counts(const Touched& touched) const {
  return std::span(counts_).subspan(touched.counts, tables_.Get(touched.family)->buckets());
}

void Unit::Apply() {
  for (const Touched& touched : touched_) ApplyOne(touched);
  for (const auto& callback : callbacks_) callback();
}

void Unit::ApplyOne(const Touched& touched) {
  Family& family = *tables_.Get(touched.family);
  if (touched.is_removed) return tables_.Erase(touched.family, touched.series);
  Series& series = family.at(touched.series);
  series.touched = 0;
  series.is_born = true;
  series.changed = now_;
  series.value = touched.value;
  if (family.is_histogram())
    std::ranges::copy(counts(touched), family.counts(touched.series).begin());
}

void Unit::Rollback() {
  for (const Touched& touched : touched_) {
    Series& series = tables_.Get(touched.family)->at(touched.series);
    series.touched = 0;
    if (!series.is_born) tables_.Erase(touched.family, touched.series);
  }
  Clear();
}

}  // namespace skep::state
