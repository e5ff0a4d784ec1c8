#include "exporter/ingest/event_counter.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

namespace skep::ingest {
namespace {

constexpr std::size_t kMostLabels = 8;

std::uint8_t IndexOf(const KindSpec& kind, std::string_view field) {
  for (std::size_t i = 0; i < kind.fields.size(); ++i) {
    if (kind.fields[i].name == field) return static_cast<std::uint8_t>(i);
  }
  return 255;
}

// Families that others fill too; the names and labels are the same as theirs.
std::vector<state::FamilySpec> SharedFamilies(const EventCounter::Options& options) {
  const std::vector<std::pair<std::string, std::size_t>> caps = {{"service", 200}, {"route", 200}};
  return {
      {"errors_total",
       "Errors by class, and whether trying again may help.",
       exposition::MetricType::kCounter,
       {},
       2000,
       {"retryable"},
       {{"component", 100}, {"class", 200}}},
      {"http_requests_total",
       "Requests answered.",
       exposition::MetricType::kCounter,
       {},
       5000,
       {"method", "code"},
       caps},
      {"http_request_duration_seconds",
       "How long requests took.",
       exposition::MetricType::kHistogram,
       options.request_bounds,
       1000,
       {"method"},
       caps},
  };
}

std::vector<state::FamilySpec> AllFamilies(const EventCounter::Options& options) {
  std::vector<state::FamilySpec> all = EventFamilies();
  for (state::FamilySpec& spec : all) {
    for (auto& [label, values] : spec.max_values) {
      if (label == "page_group") values = options.max_page_groups;
    }
  }
  for (state::FamilySpec& spec : SharedFamilies(options)) all.push_back(std::move(spec));
  return all;
}

}  // namespace

// The fields of one event by their index.
struct EventCounter::Values {
  std::array<const FieldValue*, kMaxFields> fields{};

  const FieldValue* operator[](std::uint8_t index) const {
    return index == kNone ? nullptr : fields[index];
  }
};

Result<EventCounter> EventCounter::Define(state::Store& store, const Options& options) {
  EventCounter counter;
  for (state::FamilySpec& spec : AllFamilies(options)) {
    std::string name = spec.name;
    const Result<state::FamilyId> id = store.Define(std::move(spec));
    if (!id) return id.error().Wrap("events: " + name);
    counter.families_.emplace_back(std::move(name), *id);
  }
  std::sort(counter.families_.begin(), counter.families_.end());
  for (const KindSpec& kind : Kinds()) {
    std::vector<Effect>& effects = counter.effects_.emplace_back();
    for (const EffectSpec& spec : kind.effects) effects.push_back(counter.Compile(kind, spec));
  }
  counter.deployment_families_ = {counter.FamilyOf("deployment_info"),
                                  counter.FamilyOf("deployment_rollback_info"),
                                  counter.FamilyOf("deployment_timestamp_seconds"),
                                  counter.FamilyOf("deployment_ready_seconds")};
  counter.events_ = counter.FamilyOf("events_total");
  counter.outside_window_ = counter.FamilyOf("deployment_outside_window_total");
  counter.rollback_requested_ = counter.FamilyOf("rollback_requested");
  return counter;
}

// Who defines a family last says its caps. Bounds are those of the start: another shape is refused.
void EventCounter::ApplyCaps(state::Store& store, const Options& options) const {
  for (state::FamilySpec& spec : AllFamilies(options)) {
    const bool has_caps = !spec.max_values.empty();
    if (!has_caps) continue;
    if (const Result<state::FamilyId> id = store.Define(std::move(spec))) store.Release(*id);
  }
}

state::FamilyId EventCounter::FamilyOf(std::string_view name) const {
  const auto found = std::lower_bound(
      families_.begin(), families_.end(), name,
      [](const auto& family, std::string_view wanted) { return family.first < wanted; });
  assert(found != families_.end() && found->first == name);
  return found->second;
}

EventCounter::Effect EventCounter::Compile(const KindSpec& kind, const EffectSpec& spec) const {
  Effect effect{spec.op, FamilyOf(spec.family), kNone, kNone, kNone, kNone, spec.when, {}};
  effect.value = IndexOf(kind, spec.value);
  effect.when_field = IndexOf(kind, spec.when_field);
  if (spec.op == EffectOp::kShare) effect.rest = IndexOf(kind, spec.rest);
  if (spec.op == EffectOp::kSetIf) effect.when = spec.rest;
  if (spec.op == EffectOp::kObserve) effect.times = IndexOf(kind, "count");
  for (const LabelSpec& label : spec.labels) {
    effect.labels.push_back({label.name, IndexOf(kind, label.field), label.missing});
  }
  if (spec.op == EffectOp::kOneHot) effect.labels.push_back({spec.value, effect.value, ""});
  std::sort(effect.labels.begin(), effect.labels.end(),
            [](const Label& a, const Label& b) { return a.name < b.name; });
  assert(effect.labels.size() <= kMostLabels);
  return effect;
}

void EventCounter::Count(state::Changes& changes, const EventBatch& batch, const Event& event,
                         Timestamp at) const {
  Values values;
  for (const FieldValue& value : batch.ValuesOf(event)) values.fields[value.field] = &value;
  const auto kind = static_cast<std::size_t>(event.kind - Kinds().data());
  for (const Effect& effect : effects_[kind]) Apply(changes, *event.kind, effect, values, at);
}

void EventCounter::Apply(state::Changes& changes, const KindSpec& kind, const Effect& effect,
                         const Values& values, Timestamp at) const {
  if (effect.when_field != kNone) {
    const FieldValue* const when = values[effect.when_field];
    if (when == nullptr || (!effect.when.empty() && when->text != effect.when)) return;
  }
  const FieldValue* const value = values[effect.value];
  const bool needs_value = effect.op != EffectOp::kIncrease && effect.op != EffectOp::kSetTime;
  if (value == nullptr && needs_value) return;
  if (effect.op == EffectOp::kOneHot) return SetOneHot(changes, kind, effect, values);
  if (effect.op == EffectOp::kInfo) return SetInfo(changes, kind, effect, values);

  std::array<state::LabelView, kMostLabels> labels;
  std::size_t size = 0;
  for (const Label& label : effect.labels) {
    const FieldValue* const field = values[label.field];
    const std::string_view text = field == nullptr ? label.missing : field->text;
    if (!text.empty()) labels[size++] = {label.name, text};
  }
  const state::LabelsView view(labels.data(), size);
  switch (effect.op) {
    case EffectOp::kIncrease:
      return changes.Add(effect.family, view, value == nullptr ? 1 : value->number);
    case EffectOp::kAdd:
      return changes.Add(effect.family, view, value->number);
    case EffectOp::kSet:
      return changes.Set(effect.family, view, value->number);
    case EffectOp::kSetIf:
      return changes.Set(effect.family, view, value->text == effect.when ? 1 : 0);
    case EffectOp::kSetTime:
      return changes.Set(effect.family, view, ToSeconds(at));
    case EffectOp::kShare: {
      const FieldValue* const rest = values[effect.rest];
      const double whole = value->number + (rest == nullptr ? 0 : rest->number);
      if (whole > 0) changes.Set(effect.family, view, value->number / whole);
      return;
    }
    case EffectOp::kObserve: {
      const FieldValue* const times = values[effect.times];
      return changes.Observe(effect.family, view, value->number,
                             times == nullptr ? 1 : static_cast<std::uint64_t>(times->number));
    }
    case EffectOp::kOneHot:
    case EffectOp::kInfo:
      return;  // done above
  }
}

void EventCounter::SetOneHot(state::Changes& changes, const KindSpec& kind, const Effect& effect,
                             const Values& values) {
  for (const std::string_view choice : kind.fields[effect.value].choices) {
    std::array<state::LabelView, kMostLabels> labels;
    std::size_t size = 0;
    for (const Label& label : effect.labels) {
      const FieldValue* const field = values[label.field];
      std::string_view text = field == nullptr ? label.missing : field->text;
      if (label.field == effect.value) text = choice;
      if (!text.empty()) labels[size++] = {label.name, text};
    }
    const double on = values[effect.value]->text == choice ? 1 : 0;
    changes.Set(effect.family, state::LabelsView(labels.data(), size), on);
  }
}

// All combinations of the labels' values, counted like the digits of a number.
void EventCounter::SetInfo(state::Changes& changes, const KindSpec& kind, const Effect& effect,
                           const Values& values) {
  static constexpr std::array<std::string_view, 2> kBools = {"false", "true"};
  std::array<state::LabelView, kMostLabels> labels;
  std::array<std::size_t, kMostLabels> digits{};
  const std::size_t size = effect.labels.size();
  for (;;) {
    bool is_present = true;
    std::size_t carry = 1;
    for (std::size_t i = 0; i < size; ++i) {
      const Label& label = effect.labels[i];
      const FieldSpec& field = kind.fields[label.field];
      const std::span<const std::string_view> choices =
          field.type == FieldType::kBool ? std::span<const std::string_view>(kBools)
                                         : field.choices;
      const FieldValue* const value = values[label.field];
      labels[i] = {label.name, choices[digits[i]]};
      is_present =
          is_present && labels[i].second == (value == nullptr ? label.missing : value->text);
      digits[i] += carry;
      carry = digits[i] == choices.size() ? 1 : 0;
      if (carry == 1) digits[i] = 0;
    }
    const state::LabelsView view(labels.data(), size);
    if (is_present) {
      changes.Set(effect.family, view, 1);
    } else {
      changes.Remove(effect.family, view);
    }
    if (carry == 1) return;
  }
}

void EventCounter::CountKind(state::Changes& changes, const KindSpec& kind, double times) const {
  const std::array<state::LabelView, 1> labels{{{"kind", kind.name}}};
  changes.Add(events_, labels, times);
}

void EventCounter::CountOutsideWindow(state::Changes& changes, std::string_view service) const {
  const std::array<state::LabelView, 1> labels{{{"service", service}}};
  changes.Add(outside_window_, labels, 1);
}

void EventCounter::EndRollbackRequest(state::Changes& changes, std::string_view service) const {
  const std::array<state::LabelView, 1> labels{{{"service", service}}};
  changes.Set(rollback_requested_, labels, 0);
}

}  // namespace skep::ingest
