// What spans of one tool call say before the call's own span has come, which may be a request
// later.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace skep::ingest {

// Used inside Store::Update only, in units: Begin, any of the others, Commit once the unit is in
// the file. What was not committed is undone by the next Begin, so that a request that failed and
// comes again finds all as it was. Bounded: forgotten all at once when there are too many.
class ToolSpans {
 public:
  struct Execution {
    bool ok = true;
    std::optional<double> seconds;
  };

  void Begin();
  void Commit() { undo_.clear(); }

  // Keys are hashes: of session and call, and of the id of the call's own span.
  void NoteExecution(std::uint64_t call, const Execution& execution);
  std::optional<Execution> TakeExecution(std::uint64_t call);
  // That somebody did not allow the call.
  void NoteRefused(std::uint64_t span);
  bool TakeRefused(std::uint64_t span);

 private:
  enum class Table : std::uint8_t { kExecutions, kRefused };
  using Entries = std::unordered_map<std::uint64_t, Execution>;
  struct Undo {
    Table table;
    std::uint64_t key;
    std::optional<Execution> before;  // nothing: there was none
  };

  Entries& Of(Table table) { return table == Table::kExecutions ? executions_ : refused_; }
  void Set(Table table, std::uint64_t key, const std::optional<Execution>& value);
  void Change(Table table, std::uint64_t key, const std::optional<Execution>& value);

  Entries executions_;
  Entries refused_;  // keys only
  std::vector<Undo> undo_;
};

}  // namespace skep::ingest
