#include "exporter/state/tables.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/hash.h"
#include "common/base/quote.h"
#include "common/model/labels.h"
#include "exporter/state/label_text.h"

namespace skep::state {
namespace {

using exposition::MetricType;

constexpr std::string_view kOther = "other";
// Far above what caps lead to: numbers in a file beyond these are nonsense, and would cost memory.
constexpr SeriesId kMaxSeriesId = 4U << 20;
constexpr SeriesId kMaxSeriesGap = 256U << 10;
constexpr std::size_t kMaxBuckets = 32UL << 20;  // of all series of a family

Le LeOf(const Family& family) { return family.is_histogram() ? Le::kReserved : Le::kFree; }

Status CheckBounds(const FamilySpec& spec) {
  const bool histogram = spec.type == MetricType::kHistogram;
  if (!histogram && !spec.bounds.empty()) return Invalid("only a histogram has bounds");
  for (std::size_t i = 0; i < spec.bounds.size(); ++i) {
    if (!std::isfinite(spec.bounds[i])) return Invalid("a bound is not finite");
    if (i > 0 && spec.bounds[i] <= spec.bounds[i - 1]) return Invalid("bounds do not rise");
  }
  return {};
}

Status CheckType(const FamilySpec& spec) {
  switch (spec.type) {
    case MetricType::kCounter:
      if (!spec.name.ends_with("_total")) return Invalid("a counter's name ends with _total");
      return {};
    case MetricType::kGauge:
    case MetricType::kHistogram:
      return {};
    case MetricType::kUnknown:
    case MetricType::kGaugeHistogram:
    case MetricType::kSummary:
    case MetricType::kInfo:
    case MetricType::kStateset:
      break;
  }
  return Invalid("a family here is a counter, a gauge or a histogram");
}

// Names on the lines of the family, and the one in its metadata.
std::vector<std::string> NamesOf(const FamilySpec& spec) {
  switch (spec.type) {
    case MetricType::kCounter:
      return {spec.name, spec.name.substr(0, spec.name.size() - std::string_view("_total").size())};
    case MetricType::kHistogram:
      return {spec.name, spec.name + "_bucket", spec.name + "_sum", spec.name + "_count"};
    case MetricType::kUnknown:
    case MetricType::kGauge:
    case MetricType::kGaugeHistogram:
    case MetricType::kSummary:
    case MetricType::kInfo:
    case MetricType::kStateset:
      break;
  }
  return {spec.name};
}

bool IsClosed(const FamilySpec& spec, std::string_view label) {
  return std::ranges::find(spec.closed_labels, label) != spec.closed_labels.end();
}

}  // namespace

Tables::Tables(Limits limits) : limits_(std::move(limits)) {}

Status Tables::CheckName(const FamilySpec& spec) const {
  if (!IsLegacyMetricName(spec.name)) return Invalid("no name of a metric");
  for (const std::string& prefix : limits_.reserved_prefixes) {
    if (spec.name != kDroppedFamily && spec.name.starts_with(prefix))
      return Invalid("names with " + prefix + " are reserved");
  }
  RETURN_IF_ERROR(CheckType(spec));
  return CheckBounds(spec);
}

Status Tables::CheckClaims(const FamilySpec& spec) const {
  for (const std::string& name : NamesOf(spec)) {
    const auto taken = claims_.find(name);
    if (taken == claims_.end()) continue;
    const Family& family = *families_[taken->second];
    if (family.users == 0) continue;
    if (family.spec().name == spec.name)
      return Invalid("defined with another type or other bounds");
    return Invalid("would share the name " + name + " with " + family.spec().name);
  }
  return {};
}

Result<FamilyId> Tables::Define(FamilySpec spec) {
  const auto fail = [&spec](const Error& error) {
    return error.Wrap("metric " + Quote(spec.name));
  };
  if (const Status good = CheckName(spec); !good) return fail(good.error());
  if (!IsUtf8(spec.help)) spec.help = CleanValue(spec.help);
  const auto known = claims_.find(spec.name);
  if (known != claims_.end() && families_[known->second]->spec().name == spec.name &&
      families_[known->second]->HasShapeOf(spec)) {
    Family& family = *families_[known->second];
    family.Replace(std::move(spec));
    ++family.users;
    return known->second;
  }
  if (const Status free = CheckClaims(spec); !free) return fail(free.error());
  for (const std::string& name : NamesOf(spec)) {
    if (const auto old = claims_.find(name); old != claims_.end()) Drop(old->second);
  }
  if (!MakeRoom() && spec.name != kDroppedFamily) {
    return fail(Unavailable("there are " + std::to_string(limits_.max_families) +
                            " families already, which is the limit"));
  }
  const FamilyId id = FreeId();
  if (id == end_id()) families_.emplace_back();
  families_[id] = std::make_unique<Family>(std::move(spec));
  families_[id]->users = 1;
  Claim(id);
  return id;
}

// Families that only the file knows go first.
bool Tables::MakeRoom() {
  if (families() < limits_.max_families) return true;
  for (FamilyId id = 0; id < end_id(); ++id) {
    if (!families_[id] || families_[id]->users > 0) continue;
    Drop(id);
    return true;
  }
  return false;
}

void Tables::Release(FamilyId id) {
  if (Family* family = Get(id); family != nullptr && family->users > 0) --family->users;
}

void Tables::Claim(FamilyId id) {
  for (std::string& name : NamesOf(families_[id]->spec())) claims_.emplace(std::move(name), id);
}

// The number is free afterwards; the file learns of it with the family that takes it.
void Tables::Drop(FamilyId id) {
  lines_ -= families_[id]->size() * families_[id]->lines_per_series();
  std::erase_if(claims_, [id](const auto& claim) { return claim.second == id; });
  families_[id].reset();
}

FamilyId Tables::FreeId() const {
  const auto place = std::ranges::find_if(families_, [](const auto& f) { return f == nullptr; });
  return static_cast<FamilyId>(place - families_.begin());
}

std::size_t Tables::families() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(families_, [](const auto& family) { return family != nullptr; }));
}

void Tables::SetLabels(LabelsView labels) {
  RenderLabelText(labels, text_);
  hash_ = HashBytes(text_);
}

Place Tables::Locate(FamilyId id, LabelsView labels, std::int64_t now) {
  Family& family = *families_[id];
  SetLabels(labels);
  if (const auto found = family.Find(text_, hash_)) return {*found, true, false};
  return LocateNew(family, labels, now);
}

Place Tables::LocateNew(Family& family, LabelsView labels, std::int64_t now) {
  if (!AreGoodLabels(labels, LeOf(family))) return {};
  labels_.assign(labels.begin(), labels.end());
  cleaned_.clear();
  cleaned_.reserve(labels.size());  // views into it must stay
  for (auto& [name, value] : labels_) {
    if (!IsCleanValue(value)) value = cleaned_.emplace_back(CleanValue(value));
  }
  CapValues(family);
  SetLabels(labels_);
  const bool is_capped =
      !std::ranges::equal(labels_, labels, [](const LabelView& a, const LabelView& b) {
        return a.second == b.second || a.second != kOther;
      });
  Place place;
  if (const auto found = family.Find(text_, hash_)) {
    place = {*found, true, false};
  } else if (HasRoom(family, now)) {
    place = FindOrCreate(family, false);
  } else {
    CapSeries(family);
    place = FindOrCreate(family, true);
    place.is_capped = true;
  }
  place.is_capped |= is_capped;
  return place;
}

void Tables::CapValues(const Family& family) {
  for (const auto& [label, max] : family.spec().max_values) {
    for (auto& [name, value] : labels_) {
      if (name != label || value == kOther) continue;
      const LabelView alone{name, value};
      RenderLabelText(std::span(&alone, 1), text_);
      const std::string_view escaped =
          std::string_view(text_).substr(name.size() + 2, text_.size() - name.size() - 3);
      if (family.IsValueBeyondCap(name, escaped, max)) value = kOther;
    }
  }
}

void Tables::CapSeries(const Family& family) {
  for (auto& [name, value] : labels_) {
    if (!IsClosed(family.spec(), name)) value = kOther;
  }
  SetLabels(labels_);
  if (family.overflow_size() < kMaxOverflowSeries || family.Find(text_, hash_)) return;
  for (auto& [name, value] : labels_) value = kOther;
  SetLabels(labels_);
}

bool Tables::HasRoom(Family& family, std::int64_t now) {
  if (family.is_exempt) return true;
  const auto has_room = [this, &family] {
    return !family.is_full() && lines_ + family.lines_per_series() <= limits_.max_series;
  };
  if (has_room()) return true;
  lines_ -= family.EraseExpired(now) * family.lines_per_series();
  return has_room();
}

Place Tables::FindOrCreate(Family& family, bool is_overflow) {
  if (const auto found = family.Find(text_, hash_)) return {*found, true, false};
  const SeriesId series = family.Create(text_, hash_);
  lines_ += family.lines_per_series();
  if (is_overflow) family.MarkOverflow(series);
  return {series, true, false};
}

std::optional<SeriesId> Tables::Find(FamilyId id, LabelsView labels) {
  SetLabels(labels);
  return families_[id]->Find(text_, hash_);
}

void Tables::Erase(FamilyId id, SeriesId series) {
  families_[id]->Erase(series);
  lines_ -= families_[id]->lines_per_series();
}

void Tables::EraseExpired(std::int64_t now) {
  for (const auto& family : families_) {
    if (family) lines_ -= family->EraseExpired(now) * family->lines_per_series();
  }
}

Status Tables::RestoreFamily(FamilyId id, FamilySpec spec) {
  if (!IsLegacyMetricName(spec.name) || !CheckType(spec) || !CheckBounds(spec)) {
    return Corrupt("a family that cannot be");
  }
  if (!IsUtf8(spec.help)) spec.help = CleanValue(spec.help);
  if (Family* known = Get(id); known != nullptr) {
    if (known->spec().name == spec.name && known->HasShapeOf(spec)) {
      known->Replace(std::move(spec));
      known->is_in_file = true;
      return {};
    }
    Drop(id);
  }
  // Of a name that another number has, the later one counts.
  for (const std::string& name : NamesOf(spec)) {
    if (const auto old = claims_.find(name); old != claims_.end()) Drop(old->second);
  }
  if (id >= families_.size()) families_.resize(id + 1UL);
  families_[id] = std::make_unique<Family>(std::move(spec));
  families_[id]->is_in_file = true;
  Claim(id);
  return {};
}

Status Tables::RestoreSeries(FamilyId id, SeriesId series, std::string_view text) {
  Family* family = Get(id);
  if (family == nullptr) return Corrupt("a series of an unknown family");
  if (series > kMaxSeriesId || series > family->end_id() + kMaxSeriesGap ||
      (series + 1UL) * family->lines_per_series() > kMaxBuckets) {
    return Corrupt("the number of a series is too large");
  }
  if (!IsGoodLabelText(text, LeOf(*family))) {
    return Corrupt("the labels of a series are none");
  }
  const std::uint64_t hash = HashBytes(text);
  if (family->Has(series)) Erase(id, series);
  // The same labels under another number: that one expired, and this one was made anew.
  if (const auto old = family->Find(text, hash)) Erase(id, *old);
  family->CreateAt(series, text, hash);
  family->at(series).is_born = true;
  lines_ += family->lines_per_series();
  return {};
}

std::vector<FamilyId> Tables::Sorted() const {
  std::vector<FamilyId> ids;
  for (FamilyId id = 0; id < end_id(); ++id) {
    if (families_[id] && families_[id]->size() > 0) ids.push_back(id);
  }
  std::ranges::sort(ids, {},
                    [this](FamilyId id) { return std::string_view(families_[id]->spec().name); });
  return ids;
}

}  // namespace skep::state
