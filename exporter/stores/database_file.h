// One database of another program: asked when it or its log has changed, its last good answer kept
// for a while.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/file_stamp.h"
#include "exporter/stores/database.h"
#include "exporter/stores/store_file.h"

namespace skep::stores {

// Thread-compatible. Members as those of StoreFile.
template <typename T>
class DatabaseFile {
 public:
  using Ask = Reading<T> (*)(Database& database);

  DatabaseFile(std::string_view part, std::string path, Ask ask)
      : part_(part), path_(std::move(path)), ask_(ask) {}

  std::string_view part() const { return part_; }
  const std::string& path() const { return path_; }

  std::optional<ReadFailure> Refresh(const Round& round, const DatabaseOptions& options) {
    const FileStamps stamps({path_, path_ + "-wal"});
    const bool changed = !seen_ || !stamps.SameAs(stamps_);
    // What was busy a moment ago may not be now, though nothing was written since.
    const bool again = failure_ == ReadFailure::kLocked || failure_ == ReadFailure::kTimeout;
    if ((changed || again) && pace_.IsDue(round.steady_now)) {
      stamps_ = stamps;
      seen_ = true;
      pace_.Measure(*round.clock, [&] { Read(options, *round.clock); });
    }
    if (failure_ == ReadFailure::kMissing) {
      return std::exchange(was_there_, false) ? failure_ : std::nullopt;
    }
    if (!failure_) read_at_ = round.steady_now;
    was_there_ = true;
    return failure_;
  }

  const T* value(const Round& round) const {
    const bool is_fresh = value_ && round.steady_now - read_at_ <= round.max_age;
    return is_fresh ? &*value_ : nullptr;
  }
  bool exists() const { return was_there_; }
  std::chrono::nanoseconds cost() const { return pace_.last(); }

 private:
  void Read(const DatabaseOptions& options, const Clock& clock) {
    Reading<Database> database = Database::Open(path_, options, clock);
    Reading<T> value = database ? ask_(*database) : Reading<T>(database.failure());
    failure_.reset();
    if (!value) failure_ = value.failure();
    if (value) value_ = std::move(*value);
    if (failure_ == ReadFailure::kMissing) value_.reset();
  }

  std::string_view part_;
  std::string path_;
  Ask ask_;
  ReadingPace pace_;
  bool seen_ = false;
  bool was_there_ = false;
  FileStamps stamps_;
  std::optional<T> value_;
  std::optional<ReadFailure> failure_;
  Clock::Steady read_at_;
};

}  // namespace skep::stores
