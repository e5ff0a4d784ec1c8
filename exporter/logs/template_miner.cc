#include "exporter/logs/template_miner.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace skep::logs {

TemplateMiner::TemplateMiner(const TemplateOptions& options, std::string source,
                             TemplateSection& section)
    : options_(options),
      source_(std::move(source)),
      section_(section),
      set_(options.max_templates) {}

void TemplateMiner::Reset() {
  times_ = section_.Of(source_);
  set_ = TemplateSet(options_.max_templates);
  for (auto& [number, value] : times_.templates) set_.Put(number, std::move(value));
  times_.templates.clear();
  times_changed_ = false;
}

bool TemplateMiner::Learn(std::string_view text, Timestamp now) {
  if (!options_.enabled) return false;
  if (!times_.begin) {
    times_.begin = now;
    times_.learned = std::min(times_.learned, now + options_.learning);
    times_changed_ = true;
  }
  tokens_.clear();
  AppendTokens(text, tokens_);
  if (tokens_.empty()) return false;
  switch (set_.Learn(tokens_, now)) {
    case TemplateSet::Sight::kKnown:
      return false;
    case TemplateSet::Sight::kFull:
      ++overflow_;
      return false;
    case TemplateSet::Sight::kNew:
      break;
  }
  if (now < times_.learned) return false;
  set_.SetCounted(set_.last());
  return true;
}

std::size_t TemplateMiner::ApplyDeployment(Timestamp at) {
  if (!options_.enabled || at <= times_.deployment) return 0;
  times_.deployment = at;
  times_changed_ = true;
  // What is known says nothing about a time before its beginning.
  if (!times_.begin || at < *times_.begin) return 0;
  times_.learned = std::min(times_.learned, at);
  std::vector<std::uint32_t> fresh;
  for (const auto& [number, value] : set_.all()) {
    if (value.first_seen >= at && !value.counted) fresh.push_back(number);
  }
  for (const std::uint32_t number : fresh) set_.SetCounted(number);
  return fresh.size();
}

void TemplateMiner::Write(state::Changes& changes) {
  const TemplateSet::Changes changed = set_.TakeChanges();
  for (const std::uint32_t number : changed.removed) section_.Remove(changes, source_, number);
  for (const std::uint32_t number : changed.put) {
    section_.Put(changes, source_, number, set_.all().at(number));
  }
  if (times_changed_) section_.PutTimes(changes, source_, times_);
}

std::optional<std::size_t> TemplateMiner::SinceDeployment() const {
  if (times_.deployment == kMinTimestamp) return std::nullopt;
  return static_cast<std::size_t>(std::count_if(
      set_.all().begin(), set_.all().end(),
      [&](const auto& entry) { return entry.second.first_seen >= times_.deployment; }));
}

}  // namespace skep::logs
