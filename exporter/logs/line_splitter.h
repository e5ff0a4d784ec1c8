// Bytes of a log cut into lines, or into records of several lines.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "exporter/logs/line_sink.h"
#include "exporter/logs/options.h"

namespace skep::logs {

// Where cutting stands between two calls; part of a bookmark.
struct SplitState {
  bool skips_line = false;    // within a line that is too long
  bool skips_record = false;  // within a record that was too long and is told already
  bool operator==(const SplitState&) const = default;
};

// What to do with what has no end yet.
enum class AtEnd : std::uint8_t {
  kWait,    // more may come
  kRecord,  // nothing came for a while: whole lines make their record
  kAll,     // nothing will come any more: half a line is a line
};

// Immutable.
class LineSplitter {
 public:
  LineSplitter(std::size_t max_line_bytes, std::optional<MultilineOptions> multiline);

  // Hands lines of `data` to `sink` until it is full, and returns how many bytes are done with:
  // what remains is half a line or a record that may go on. An end of CR LF is taken off; bytes of
  // 0 before a line (what a truncated file of a careless writer has) and empty lines are passed
  // over. Requires: `data` begins where a line does, but for state.skips_line.
  std::size_t Split(std::string_view data, AtEnd at_end, SplitState& state, LineSink& sink) const;

  // A buffer of so many bytes is enough for whatever Split leaves.
  std::size_t buffer_bytes() const;

 private:
  std::size_t SplitLines(std::string_view data, AtEnd at_end, SplitState& state,
                         LineSink& sink) const;
  std::size_t SplitRecords(std::string_view data, AtEnd at_end, SplitState& state,
                           LineSink& sink) const;
  bool Continues(std::string_view line) const;

  std::size_t max_line_bytes_;
  std::optional<MultilineOptions> multiline_;
};

}  // namespace skep::logs
