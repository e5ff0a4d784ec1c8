#include "exporter/ingest/otlp_families.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>

#include "common/base/hash.h"
#include "common/protobuf/message.h"
#include "exporter/ingest/otlp_buckets.h"
#include "exporter/ingest/otlp_names.h"
#include "exporter/ingest/taken_names.h"

namespace skep::ingest {
namespace {

using exposition::MetricType;
using protobuf::Tag;
using protobuf::WireType;

// Names that lead to the same families (with other units) are not endless.
constexpr std::size_t kMaxResolved = 20'000;
constexpr std::size_t kMaxHelp = 200;
constexpr std::size_t kMaxName = 200;

MetricFamily::Kind KindOf(const Metric& metric) {
  switch (metric.kind) {
    case MetricKind::kSum:
      return metric.monotonic ? MetricFamily::Kind::kCounter : MetricFamily::Kind::kUpDown;
    case MetricKind::kHistogram:
    case MetricKind::kExponentialHistogram:
      return MetricFamily::Kind::kHistogram;
    case MetricKind::kGauge:
    case MetricKind::kSummary:
    case MetricKind::kNone:
      return MetricFamily::Kind::kGauge;
  }
  return MetricFamily::Kind::kGauge;
}

std::string_view KindName(MetricFamily::Kind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"a counter", "a gauge", "an up-down counter",
                                                      "a histogram"};
  return kNames[static_cast<std::size_t>(kind)];
}

MetricType TypeOf(MetricFamily::Kind kind) {
  if (kind == MetricFamily::Kind::kCounter) return MetricType::kCounter;
  return kind == MetricFamily::Kind::kHistogram ? MetricType::kHistogram : MetricType::kGauge;
}

// What the sender says of the instrument, as one line.
std::string HelpOf(const Metric& metric) {
  std::string help(metric.description.substr(0, kMaxHelp));
  std::replace_if(
      help.begin(), help.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  if (help.find_first_not_of(' ') != std::string::npos) return help;
  return "Received over OTLP as " + std::string(metric.name.substr(0, kMaxHelp)) + ".";
}

std::uint64_t HashOfBounds(const std::vector<double>& bounds) {
  std::uint64_t hash = bounds.size();
  for (const double bound : bounds) hash = MixHash(hash, std::bit_cast<std::uint64_t>(bound));
  return hash;
}

// Bounds for exponential histograms of a unit: seconds as configured, milliseconds the same times
// 1000, all else (things, tokens, bytes) powers of four.
std::vector<double> ExponentialBounds(const OtlpOptions& options, std::string_view unit) {
  if (unit.empty() || unit == "s") return options.exponential_buckets;
  if (unit != "ms") return {PowersOfFour().begin(), PowersOfFour().end()};
  std::vector<double> bounds = options.exponential_buckets;
  for (double& bound : bounds) bound *= 1000;
  return bounds;
}

std::string KeyOf(const Metric& metric) {
  std::string key(metric.name);
  key.push_back('\0');
  key.append(metric.unit);
  key.push_back('\0');
  key.push_back(static_cast<char>('0' + static_cast<int>(metric.kind)));
  key.push_back(metric.monotonic ? '1' : '0');
  return key;
}

}  // namespace

// ---- the file ----

std::string OtlpFamilies::Encode(const Known& known) {
  std::string record;
  protobuf::MessageWriter writer(record);
  writer.Bytes(1, known.family.name).Bytes(2, known.help);
  writer.Varint(3, static_cast<std::uint64_t>(known.family.kind));
  if (!known.family.bounds.empty()) writer.PackedDouble(4, known.family.bounds);
  writer.Bytes(5, known.metric_name);
  return record;
}

Status OtlpFamilies::Restore(std::string_view record) {
  Known known;
  bool ok = true;
  bool is_forgotten = false;
  protobuf::MessageReader reader(record);
  while (reader.Next()) {
    if (reader.tag() == Tag(1, WireType::kBytes)) known.family.name = reader.bytes();
    if (reader.tag() == Tag(2, WireType::kBytes)) known.help = reader.bytes();
    if (reader.tag() == Tag(3, WireType::kVarint)) {
      ok = ok && reader.varint() <= 3;
      known.family.kind = static_cast<MetricFamily::Kind>(reader.varint() & 3);
    }
    if (reader.tag() == Tag(4, WireType::kBytes)) {
      ok = protobuf::AppendPackedDouble(reader.bytes(), known.family.bounds) && ok;
    }
    if (reader.tag() == Tag(5, WireType::kBytes)) known.metric_name = reader.bytes();
    if (reader.tag() == Tag(6, WireType::kVarint)) is_forgotten = reader.varint() != 0;
  }
  if (!reader.ok() || !ok || known.family.name.empty() || !AreGoodBounds(known.family.bounds)) {
    return Corrupt("otlp_families: no family");
  }
  if (is_forgotten) {
    saved_.erase(known.family.name);
    return {};
  }
  known.family.bounds_hash = HashOfBounds(known.family.bounds);
  saved_[known.family.name] = std::move(known);
  return {};
}

void OtlpFamilies::Save(const std::function<void(std::string_view record)>& write) const {
  for (const auto& [name, known] : saved_) write(Encode(known));
}

// A metric may have been forgotten and have come back since the last unit.
void OtlpFamilies::Record(state::Changes& changes) {
  const std::lock_guard lock(mutex_);
  for (const std::string& name : forgotten_) RecordForgotten(changes, name);
  for (const std::string& name : new_) RecordNew(changes, name);
}

void OtlpFamilies::RecordForgotten(state::Changes& changes, const std::string& name) {
  std::string record;
  protobuf::MessageWriter(record).Bytes(1, name).Varint(6, 1);
  changes.Record(this->name(), record);
  changes.OnCommitted([this, name] {
    saved_.erase(name);
    const std::lock_guard again(mutex_);
    std::erase(forgotten_, name);
  });
}

void OtlpFamilies::RecordNew(state::Changes& changes, const std::string& name) {
  const auto found = known_.find(name);
  if (found == known_.end()) return;
  changes.Record(this->name(), Encode(*found->second));
  changes.OnCommitted([this, known = *found->second] {
    saved_[known.family.name] = known;
    const std::lock_guard again(mutex_);
    std::erase(new_, known.family.name);
  });
}

// ---- definitions ----

Result<state::FamilyId> OtlpFamilies::Define(const Known& known) {
  state::FamilySpec spec;
  spec.name = known.family.name;
  spec.help = known.help;
  spec.type = TypeOf(known.family.kind);
  spec.bounds = known.family.bounds;
  spec.max_series = options_.max_series_per_metric;
  if (known.family.kind == MetricFamily::Kind::kGauge) spec.expiry = options_.gauge_expiry;
  return store_->Define(std::move(spec));
}

void OtlpFamilies::Start(const OtlpOptions& options, state::Store& store, const Clock& clock,
                         Logger log) {
  options_ = options;
  store_ = &store;
  clock_ = &clock;
  log_ = std::move(log);
  for (const auto& [name, saved] : saved_) {
    if (HasOtherBounds(saved)) continue;  // defined anew when the metric comes
    auto known = std::make_unique<Known>(saved);
    const Result<state::FamilyId> id = Define(*known);
    if (!id) {
      log_.Warn("a family of the state file cannot be defined",
                {{"metric", name}, {"err", id.error()}});
      continue;
    }
    known->family.id = *id;
    known->last_point = Now();
    known_.emplace(name, std::move(known));
  }
}

bool OtlpFamilies::IsFull() const {
  const std::lock_guard lock(mutex_);
  return known_.size() >= options_.max_metrics;
}

std::uint64_t OtlpFamilies::forgotten() const {
  const std::lock_guard lock(mutex_);
  return forgotten_count_;
}

void OtlpFamilies::ForgetSilent() {
  // The store is not called under our lock: Record takes that one within the store's.
  for (const state::FamilyId family : TakeSilent()) store_->Release(family);
}

std::vector<state::FamilyId> OtlpFamilies::TakeSilent() {
  const std::int64_t before = Now() - options_.metric_expiry.count();
  std::vector<state::FamilyId> silent;
  const std::lock_guard lock(mutex_);
  for (auto entry = known_.begin(); entry != known_.end();) {
    if (entry->second->last_point > before) {
      ++entry;
      continue;
    }
    silent.push_back(entry->second->family.id);
    std::erase(new_, entry->first);
    forgotten_.push_back(entry->first);
    ++forgotten_count_;
    entry = known_.erase(entry);
    resolved_.clear();
  }
  return silent;
}

void OtlpFamilies::Apply(const OtlpOptions& options) {
  options_ = options;
  resolved_.clear();
  for (auto entry = known_.begin(); entry != known_.end();) {
    const Known& known = *entry->second;
    const bool is_kept = !HasOtherBounds(known);
    // Its caps may be others.
    const Result<state::FamilyId> again = is_kept ? Define(known) : Result<state::FamilyId>(0);
    if (again) store_->Release(known.family.id);
    entry = is_kept ? std::next(entry) : known_.erase(entry);
  }
}

bool OtlpFamilies::HasOtherBounds(const Known& known) const {
  const std::vector<double>* const bounds = ConfiguredBounds(known.metric_name);
  return known.family.kind == MetricFamily::Kind::kHistogram && bounds != nullptr &&
         *bounds != known.family.bounds;
}

const std::vector<double>* OtlpFamilies::ConfiguredBounds(std::string_view metric_name) const {
  for (const auto& [name, bounds] : options_.buckets) {
    if (name == metric_name) return &bounds;
  }
  return nullptr;
}

std::vector<double> OtlpFamilies::BoundsOf(const Metric& metric, const HistogramData& first) const {
  if (const std::vector<double>* configured = ConfiguredBounds(metric.name)) return *configured;
  const std::span<const double> recommended = RecommendedBounds(metric.name);
  if (metric.kind == MetricKind::kExponentialHistogram) {
    if (recommended.empty()) return ExponentialBounds(options_, metric.unit);
    return {recommended.begin(), recommended.end()};
  }
  if (!recommended.empty() && IsSubset(recommended, first.bounds)) {
    return {recommended.begin(), recommended.end()};
  }
  return {first.bounds.begin(), first.bounds.end()};
}

Result<const MetricFamily*> OtlpFamilies::Resolve(const Metric& metric,
                                                  const HistogramData* first) {
  std::string key = KeyOf(metric);
  const std::int64_t now = Now();
  {
    const std::lock_guard lock(mutex_);
    const auto found = resolved_.find(key);
    if (found != resolved_.end()) {
      found->second->last_point = now;
      return &found->second->family;
    }
  }
  // Why not is not remembered: the next sender's buckets may be good.
  const Result<Known*> made = Make(metric, first);
  if (!made) return made.error();
  const std::lock_guard lock(mutex_);
  (*made)->last_point = now;
  if (resolved_.size() >= kMaxResolved) resolved_.clear();
  resolved_.insert_or_assign(std::move(key), *made);
  return &(*made)->family;
}

Result<OtlpFamilies::Known*> OtlpFamilies::Make(const Metric& metric, const HistogramData* first) {
  Known known;
  known.family.name = PrometheusMetricName(metric);
  known.family.kind = KindOf(metric);
  if (known.family.name.empty()) return Invalid("the metric has no name");
  if (known.family.name.size() > kMaxName) return Invalid("the name is longer than 200 bytes");
  if (IsTakenName(known.family.name)) return Invalid("the name is one of our own metrics");
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(known.family.name);
    if (found != known_.end()) {
      const MetricFamily::Kind kind = found->second->family.kind;
      if (kind == known.family.kind) return found->second.get();
      return Invalid("the metric came first as " + std::string(KindName(kind)));
    }
    if (known_.size() >= options_.max_metrics) {
      return Unavailable("more than " + std::to_string(options_.max_metrics) + " metrics");
    }
  }
  known.help = HelpOf(metric);
  known.metric_name = metric.name;
  if (first != nullptr) {
    known.family.bounds = BoundsOf(metric, *first);
    if (!AreGoodBounds(known.family.bounds)) return Invalid("bounds do not rise");
    known.family.bounds_hash = HashOfBounds(known.family.bounds);
  }
  return DefineNew(std::move(known));
}

Result<OtlpFamilies::Known*> OtlpFamilies::DefineNew(Known known) {
  const Result<state::FamilyId> id = Define(known);
  if (!id) return id.error();
  known.family.id = *id;
  const std::string name = known.family.name;
  std::unique_lock lock(mutex_);
  const auto [entry, added] = known_.try_emplace(name, nullptr);
  if (added) {
    entry->second = std::make_unique<Known>(std::move(known));
    new_.push_back(name);
  }
  Known* const stays = entry->second.get();
  lock.unlock();
  // Another thread was first: ours is one Define too many.
  if (!added) store_->Release(*id);
  return stays;
}

const MetricFamily* OtlpFamilies::Find(std::string_view family_name) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(family_name);
  return found == known_.end() ? nullptr : &found->second->family;
}

}  // namespace skep::ingest
