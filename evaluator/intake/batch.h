// One request's samples on their way into the store, and what became of each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "evaluator/intake/commit_note.h"
#include "evaluator/storage/appender.h"

namespace skep::intake {

enum class Refusal : std::uint8_t {
  kDuplicate,      // same time, other value
  kOutOfOrder,     // older than the newest of its series
  kTooOld,         // older than what is kept
  kTooNew,         // further ahead than may be
  kLimitExceeded,  // no room for another series
  kLabels,         // a label set that is none: no name, a label twice, not UTF-8
  kHistogram,      // buckets that do not fit together
  kSyntax,         // a line that is none
};
inline constexpr std::size_t kRefusals = 8;
// "duplicate", "out_of_order", ...: for metrics. Words for people: "out of order".
std::string_view RefusalName(Refusal refusal);

// A series for a message to people: one whose labels are a megabyte is not repeated whole.
std::string ShortText(const Labels& labels);

// Thread-compatible. What is refused costs itself alone: the others are committed.
class Batch {
 public:
  // Samples after `newest` are refused as kTooNew, at the latest those after the year 9999; those
  // before our era as kTooOld. `store` outlives the batch. `note` is told when it is committed.
  Batch(storage::Appendable& store, Timestamp newest, CommitNote note = {});

  // `ref`: see Appender.
  void Append(storage::SeriesRef& ref, const Labels& labels, Sample sample);
  // The same by the number alone, for whoever has not read the labels. Nothing was done where they
  // are needed: the series is not known, somebody listens, the time cannot be. What is not accepted
  // has to be handed to Count.
  std::optional<storage::AppendOutcome> AppendKnown(storage::SeriesRef ref, Sample sample);
  // The same for series that each have a sample of this time. False: they have to be handed over
  // one by one. Adds to `exceptions` what was not accepted; see Appender.
  bool AppendRun(Timestamp time, std::span<const storage::KnownSample> run,
                 std::vector<storage::RunException>& exceptions);
  void Count(storage::AppendOutcome outcome, const Labels& labels, Timestamp time);
  void AppendHistogram(storage::SeriesRef& ref, const Labels& labels, const FullSample& sample);
  // `count` samples were lost; `what` names the first of them and what is wrong with it.
  void Refuse(Refusal refusal, std::string_view what, std::size_t count = 1);

  // Makes what was appended so far durable and visible, and goes on. kIo and others as
  // Appender::Commit: nothing of it was taken, and nothing may be appended any more.
  Status CommitPart();
  // The same at the end: nothing may be appended afterwards.
  Status Commit();

  std::size_t accepted() const { return accepted_; }
  // Of the accepted ones.
  std::size_t committed() const { return committed_; }
  std::size_t refused() const;
  std::size_t refused(Refusal refusal) const { return refused_[static_cast<std::size_t>(refusal)]; }
  // "3 of 10 samples refused (2 out of order, 1 labels); the first: ...". "" where none is.
  std::string Complaint() const;

 private:
  bool IsPossible(Timestamp time) const;
  // Where the time cannot be, the sample is refused.
  bool IsTimely(const Labels& labels, Timestamp time);
  void RefuseAt(Refusal refusal, const Labels& labels, Timestamp time);

  storage::Appendable& store_;
  std::unique_ptr<storage::Appender> appender_;
  Timestamp newest_;
  CommitNote note_;
  std::size_t accepted_ = 0;
  std::size_t committed_ = 0;
  std::array<std::size_t, kRefusals> refused_{};
  std::string first_;  // what was refused first
};

}  // namespace skep::intake
