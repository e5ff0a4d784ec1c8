// One JSON store that its program rewrites in place: read when it has changed, read again when it
// was caught half written, and its last good value kept for a while.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/clock.h"
#include "common/base/file_stamp.h"
#include "common/base/time.h"
#include "exporter/stores/reading.h"
#include "exporter/stores/store_bytes.h"

namespace skep::stores {

// What one round of reading has in common.
struct Round {
  Timestamp now;
  Clock::Steady steady_now;
  Duration max_age{0};  // so long a value is used that cannot be read anew
  std::uint64_t max_bytes = 0;
  // Waits for a moment before a half-written file is read again. False: stop reading.
  std::function<bool(Duration)> pause;
  const Clock* clock = nullptr;
};

// A store that takes long to read is read less often: for one part in twenty of the time at most.
// Thread-compatible.
class ReadingPace {
 public:
  bool IsDue(Clock::Steady now) const { return now >= next_; }
  // Runs `read` and notes how long it took.
  template <typename Read>
  void Measure(const Clock& clock, const Read& read) {
    constexpr int kRest = 20;
    const Clock::Steady begin = clock.SteadyNow();
    read();
    last_ = clock.SteadyNow() - begin;
    next_ = begin + kRest * last_;
  }
  std::chrono::nanoseconds last() const { return last_; }

 private:
  Clock::Steady next_;
  std::chrono::nanoseconds last_{0};
};

// Thread-compatible.
template <typename T>
class StoreFile {
 public:
  using Parse = Reading<T> (*)(std::string_view bytes);

  // `part` names the store in messages: "agents". It must be a literal.
  StoreFile(std::string_view part, std::string path, Parse parse)
      : part_(part), path_(std::move(path)), parse_(parse) {}

  std::string_view part() const { return part_; }
  const std::string& path() const { return path_; }

  // Looks at the file. Nothing: there is a value, or there is no file and never was one; kMissing:
  // it went since the last round, and with it the value. Any other failure is told at each round
  // until it is mended.
  std::optional<ReadFailure> Refresh(const Round& round) {
    const FileStamp stamp = FileStamp::Of(path_);
    const bool changed = !seen_ || !stamp.SameAs(stamp_);
    if (changed && pace_.IsDue(round.steady_now)) {
      pace_.Measure(*round.clock, [&] { Read(stamp, round); });
    }
    if (failure_ == ReadFailure::kMissing)
      return std::exchange(was_there_, false) ? failure_ : std::nullopt;
    if (!failure_) read_at_ = round.steady_now;
    was_there_ = true;
    return failure_;
  }

  // The last good value unless it is too old; null where there is none.
  const T* value(const Round& round) const {
    const bool is_fresh = value_ && round.steady_now - read_at_ <= round.max_age;
    return is_fresh ? &*value_ : nullptr;
  }
  // Whether there is a file, readable or not.
  bool exists() const { return was_there_; }
  // Grows with each value that was read: whether it is another one than before.
  std::uint64_t generation() const { return generation_; }
  // How long the last reading took.
  std::chrono::nanoseconds cost() const { return pace_.last(); }
  // When the file of the value was written.
  std::optional<Timestamp> modified() const { return modified_; }

 private:
  void Read(const FileStamp& stamp, const Round& round) {
    constexpr int kTries = 5;
    Duration wait{2};
    seen_ = true;
    stamp_ = stamp;
    for (int i = 1; ReadOnce(round); ++i, wait *= 2) {
      if (i == kTries || !round.pause(wait)) return;
      stamp_ = FileStamp::Of(path_);
    }
  }

  // Whether it was caught half written.
  bool ReadOnce(const Round& round) {
    Reading<StoreBytes> bytes = ReadStoreBytes(path_, round.max_bytes);
    if (!bytes) {
      failure_ = bytes.failure();
      if (failure_ == ReadFailure::kMissing) value_.reset();
      return false;
    }
    Reading<T> value = parse_(bytes->bytes);
    if (value) {
      value_ = std::move(*value);
      modified_ = bytes->modified;
      failure_.reset();
      ++generation_;
      return false;
    }
    failure_ = value.failure();
    return failure_ == ReadFailure::kEmpty || failure_ == ReadFailure::kTruncated;
  }

  std::string_view part_;
  std::string path_;
  Parse parse_;
  ReadingPace pace_;
  std::uint64_t generation_ = 0;
  bool seen_ = false;
  bool was_there_ = false;
  FileStamp stamp_;
  std::optional<T> value_;
  std::optional<Timestamp> modified_;
  std::optional<ReadFailure> failure_;
  Clock::Steady read_at_;
};

}  // namespace skep::stores
