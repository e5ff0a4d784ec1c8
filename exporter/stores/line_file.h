// New lines of a file that others append to, rotate, and now and then rewrite in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "exporter/stores/reading.h"

namespace skep::stores {

// How far a file was read. A value.
struct LineCursor {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  // 0: the file did not exist
  std::uint64_t offset = 0;
  std::uint64_t last_line_hash = 0;  // of the last line before `offset`
  std::int64_t last_millis = 0;      // the newest time seen in a line
  bool operator==(const LineCursor&) const = default;

  // One line of text, and back. kCorrupt: it is no such line.
  std::string Format() const;
  static Result<LineCursor> Parse(std::string_view text);
};

struct LineBatch {
  std::vector<std::string> lines;  // whole ones, without their ends
  LineCursor next;                 // behind them
  bool complete = true;            // false: there is more than the bound allows, come again
};

struct LineFileOptions {
  std::size_t max_bytes = 4UL << 20;       // of one batch
  std::size_t max_line_bytes = 1UL << 20;  // a longer line is passed over
  // Names behind the file's own that rotation gives to older ones: ".1".
  std::string rotated_suffix = ".1";
  // The time of a line. After a rewrite in which the last line cannot be found again, only lines
  // newer than the cursor's time count, so that none counts twice.
  std::function<std::optional<Timestamp>(std::string_view line)> time_of;
};

// Lines behind `cursor`. Without a cursor the file is new to us: what is in it is history, and the
// answer is its end without lines. A half line at the end stays for the next time.
//
// Where the file is not the one of the cursor any more, the rest of the old one is read from
// PATH.1 first. Where it is, but the last line is not where it was, the file was rewritten in
// place: reading goes on behind that line, wherever it stands now.
// kMissing: there is no such file; the caller keeps a cursor with inode 0, so that what comes
// later counts from its beginning.
Reading<LineBatch> ReadNewLines(const std::string& path, const std::optional<LineCursor>& cursor,
                                const LineFileOptions& options);

}  // namespace skep::stores
