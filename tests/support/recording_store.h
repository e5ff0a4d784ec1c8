// A store that keeps what was committed, in plain text and in order: for tests of what is appended.
#pragma once

#include <bit>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/number.h"
#include "evaluator/storage/appender.h"

namespace skep::test {

// Thread-safe. Judges samples as a store without out-of-order window does, also within a batch.
class RecordingStore final : public storage::Appendable {
 public:
  std::unique_ptr<storage::Appender> NewAppender() override {
    return std::make_unique<Batch>(*this);
  }

  // `name{a="b"} value @time` of every committed sample, batches apart; "stale" for markers.
  std::vector<std::vector<std::string>> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  std::vector<std::string> LastBatch() const {
    const std::lock_guard lock(mutex_);
    return batches_.empty() ? std::vector<std::string>() : batches_.back();
  }
  // The newest value of a series, "stale", or "none".
  std::string Newest(const std::string& series) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [ref, state] : series_) {
      if (state.name == series) return Text(state.value);
    }
    return "none";
  }
  // Waits until `done(*this)`, looked at after each commit. False: not within `most`.
  template <typename Predicate>
  bool WaitFor(Predicate done, std::chrono::seconds most = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + most;
    while (!done(*this)) {
      std::unique_lock lock(mutex_);
      if (committed_.wait_until(lock, deadline) == std::cv_status::timeout) return done(*this);
    }
    return true;
  }
  // From now on series that do not exist yet are refused.
  void RefuseNewSeries() {
    const std::lock_guard lock(mutex_);
    refuse_new_ = true;
  }
  // As retention does: no series is known any more.
  void ForgetSeries() {
    const std::lock_guard lock(mutex_);
    series_.clear();
    refs_.clear();
  }
  // Commits fail with this.
  void FailCommits(bool fail) {
    const std::lock_guard lock(mutex_);
    fail_commits_ = fail;
  }
  // How often a series was looked up by labels because its number was not known.
  std::uint64_t lookups() const {
    const std::lock_guard lock(mutex_);
    return lookups_;
  }

 private:
  struct Series {
    std::string name;
    Timestamp time = kMinTimestamp;
    double value = 0;
  };

  static std::string Text(double value) {
    return IsStaleNaN(value) ? "stale" : FormatDouble(value);
  }

  class Batch final : public storage::Appender {
   public:
    explicit Batch(RecordingStore& store) : store_(store) {}

    storage::AppendOutcome Append(storage::SeriesRef& ref, const Labels& labels,
                                  Sample sample) override {
      const std::lock_guard lock(store_.mutex_);
      if (ref == 0 || !store_.series_.contains(ref)) {
        ++store_.lookups_;
        ref = store_.Find(labels);
      }
      if (ref == 0) return storage::AppendOutcome::kLimitExceeded;
      return Offer(ref, sample);
    }

    std::optional<storage::AppendOutcome> AppendKnown(storage::SeriesRef ref,
                                                      Sample sample) override {
      const std::lock_guard lock(store_.mutex_);
      if (!store_.series_.contains(ref)) return std::nullopt;
      return Offer(ref, sample);
    }

    storage::AppendOutcome AppendFull(storage::SeriesRef& ref, const Labels& labels,
                                      const FullSample& sample) override {
      if (sample.histogram == nullptr) return Append(ref, labels, {sample.time, sample.value});
      const std::lock_guard lock(store_.mutex_);
      lines_.push_back(labels.ToString() + " " + FormatHistogram(*sample.histogram) + " @" +
                       std::to_string(ToMillis(sample.time)));
      return storage::AppendOutcome::kAccepted;
    }

    Status Commit() override {
      const std::lock_guard lock(store_.mutex_);
      if (store_.fail_commits_) return Error(ErrorKind::kIo, "no space left");
      for (auto& [ref, series] : newest_) store_.series_[ref] = series;
      store_.batches_.push_back(lines_);
      store_.committed_.notify_all();
      return {};
    }

   private:
    // Under the lock.
    storage::AppendOutcome Offer(storage::SeriesRef ref, Sample sample) {
      const auto pending = newest_.find(ref);
      const Series& series = pending == newest_.end() ? store_.series_[ref] : pending->second;
      if (sample.time < series.time) return storage::AppendOutcome::kOutOfOrder;
      if (sample.time == series.time) {
        const bool equal = std::bit_cast<std::uint64_t>(sample.value) ==
                           std::bit_cast<std::uint64_t>(series.value);
        return equal ? storage::AppendOutcome::kAccepted : storage::AppendOutcome::kDuplicate;
      }
      const std::string name = series.name;
      newest_[ref] = {name, sample.time, sample.value};
      lines_.push_back(name + " " + Text(sample.value) + " @" +
                       std::to_string(ToMillis(sample.time)));
      return storage::AppendOutcome::kAccepted;
    }

    RecordingStore& store_;
    std::map<storage::SeriesRef, Series> newest_;
    std::vector<std::string> lines_;
  };

  storage::SeriesRef Find(const Labels& labels) {
    const std::string name = labels.ToString();
    const auto at = refs_.find(name);
    if (at != refs_.end()) return at->second;
    if (refuse_new_) return 0;
    const storage::SeriesRef ref = ++last_ref_;  // never used twice
    refs_.emplace(name, ref);
    series_[ref].name = name;
    return ref;
  }

  mutable std::mutex mutex_;
  std::condition_variable committed_;
  std::map<std::string, storage::SeriesRef> refs_;  // guarded by mutex_, as all below
  std::map<storage::SeriesRef, Series> series_;
  storage::SeriesRef last_ref_ = 0;
  std::vector<std::vector<std::string>> batches_;
  std::uint64_t lookups_ = 0;
  bool refuse_new_ = false;
  bool fail_commits_ = false;
};

}  // namespace skep::test
