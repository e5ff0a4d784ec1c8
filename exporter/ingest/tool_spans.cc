#include "exporter/ingest/tool_spans.h"

#include <cstddef>

namespace skep::ingest {
namespace {

// About 60 bytes each.
constexpr std::size_t kMaxEntries = 4'096;

}  // namespace

void ToolSpans::Begin() {
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
    Set(undo->table, undo->key, undo->before);
  }
  undo_.clear();
  if (executions_.size() > kMaxEntries) executions_.clear();
  if (refused_.size() > kMaxEntries) refused_.clear();
}

void ToolSpans::Set(Table table, std::uint64_t key, const std::optional<Execution>& value) {
  if (value) {
    Of(table)[key] = *value;
  } else {
    Of(table).erase(key);
  }
}

void ToolSpans::Change(Table table, std::uint64_t key, const std::optional<Execution>& value) {
  const auto found = Of(table).find(key);
  undo_.push_back(
      {table, key, found == Of(table).end() ? std::nullopt : std::optional(found->second)});
  Set(table, key, value);
}

void ToolSpans::NoteExecution(std::uint64_t call, const Execution& execution) {
  Change(Table::kExecutions, call, execution);
}

std::optional<ToolSpans::Execution> ToolSpans::TakeExecution(std::uint64_t call) {
  const auto found = executions_.find(call);
  if (found == executions_.end()) return std::nullopt;
  const Execution execution = found->second;
  Change(Table::kExecutions, call, std::nullopt);
  return execution;
}

void ToolSpans::NoteRefused(std::uint64_t span) { Change(Table::kRefused, span, Execution{}); }

bool ToolSpans::TakeRefused(std::uint64_t span) {
  if (!refused_.contains(span)) return false;
  Change(Table::kRefused, span, std::nullopt);
  return true;
}

}  // namespace skep::ingest
