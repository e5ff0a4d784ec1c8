#include "evaluator/intake/batch.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace skep::intake {
namespace {

using storage::AppendOutcome;

constexpr std::size_t kMaxSeriesText = 500;
// 0001-01-01 and 9999-12-31: what is outside is a mistake, and arithmetic need not think of it.
constexpr Timestamp kOldest = FromMillis(-62'135'596'800'000);
constexpr Timestamp kNewest = FromMillis(253'402'300'799'999);

std::string Words(Refusal refusal) {
  std::string words(RefusalName(refusal));
  for (char& c : words) c = c == '_' ? ' ' : c;
  return words;
}

}  // namespace

std::string_view RefusalName(Refusal refusal) {
  switch (refusal) {
    case Refusal::kDuplicate:
      return "duplicate";
    case Refusal::kOutOfOrder:
      return "out_of_order";
    case Refusal::kTooOld:
      return "too_old";
    case Refusal::kTooNew:
      return "too_new";
    case Refusal::kLimitExceeded:
      return "series_limit";
    case Refusal::kLabels:
      return "labels";
    case Refusal::kHistogram:
      return "histogram";
    case Refusal::kSyntax:
      return "syntax";
  }
  return "";
}

std::string ShortText(const Labels& labels) {
  std::string text = labels.ToString();
  if (text.size() <= kMaxSeriesText) return text;
  std::size_t end = kMaxSeriesText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

Batch::Batch(storage::Appendable& store, Timestamp newest, CommitNote note)
    : store_(store),
      appender_(store.NewAppender()),
      newest_(std::min(newest, kNewest)),
      note_(std::move(note)) {}

bool Batch::IsPossible(Timestamp time) const { return time >= kOldest && time <= newest_; }

bool Batch::IsTimely(const Labels& labels, Timestamp time) {
  if (time > newest_) RefuseAt(Refusal::kTooNew, labels, time);
  if (time < kOldest) RefuseAt(Refusal::kTooOld, labels, time);
  return IsPossible(time);
}

std::optional<AppendOutcome> Batch::AppendKnown(storage::SeriesRef ref, Sample sample) {
  if (note_.NeedsLabels(sample.time) || !IsPossible(sample.time)) return std::nullopt;
  const std::optional<AppendOutcome> outcome = appender_->AppendKnown(ref, sample);
  if (outcome == AppendOutcome::kAccepted) ++accepted_;
  return outcome;
}

bool Batch::AppendRun(Timestamp time, std::span<const storage::KnownSample> run,
                      std::vector<storage::RunException>& exceptions) {
  if (note_.NeedsLabels(time) || !IsPossible(time)) return false;
  const std::size_t before = exceptions.size();
  appender_->AppendRun(time, run, exceptions);
  accepted_ += run.size() - (exceptions.size() - before);
  return true;
}

void Batch::Append(storage::SeriesRef& ref, const Labels& labels, Sample sample) {
  if (!IsTimely(labels, sample.time)) return;
  Count(appender_->Append(ref, labels, sample), labels, sample.time);
}

void Batch::AppendHistogram(storage::SeriesRef& ref, const Labels& labels,
                            const FullSample& sample) {
  if (!IsTimely(labels, sample.time)) return;
  Count(appender_->AppendFull(ref, labels, sample), labels, sample.time);
}

void Batch::Count(AppendOutcome outcome, const Labels& labels, Timestamp time) {
  switch (outcome) {
    case AppendOutcome::kAccepted:
      ++accepted_;
      return note_.Add(labels, time);
    case AppendOutcome::kDuplicate:
      return RefuseAt(Refusal::kDuplicate, labels, time);
    case AppendOutcome::kOutOfOrder:
      return RefuseAt(Refusal::kOutOfOrder, labels, time);
    case AppendOutcome::kTooOld:
      return RefuseAt(Refusal::kTooOld, labels, time);
    case AppendOutcome::kLimitExceeded:
      return RefuseAt(Refusal::kLimitExceeded, labels, time);
  }
}

void Batch::RefuseAt(Refusal refusal, const Labels& labels, Timestamp time) {
  if (!first_.empty()) return Refuse(refusal, "");
  Refuse(refusal,
         ShortText(labels) + " at " + std::to_string(ToMillis(time)) + " ms: " + Words(refusal));
}

void Batch::Refuse(Refusal refusal, std::string_view what, std::size_t count) {
  refused_[static_cast<std::size_t>(refusal)] += count;
  if (first_.empty()) first_ = what;
}

Status Batch::Commit() {
  RETURN_IF_ERROR(appender_->Commit());
  committed_ = accepted_;
  note_.Tell();
  return {};
}

Status Batch::CommitPart() {
  RETURN_IF_ERROR(Commit());
  appender_ = store_.NewAppender();
  return {};
}

std::size_t Batch::refused() const {
  return std::accumulate(refused_.begin(), refused_.end(), std::size_t{0});
}

std::string Batch::Complaint() const {
  const std::size_t all = refused();
  if (all == 0) return "";
  std::string text =
      std::to_string(all) + " of " + std::to_string(all + accepted_) + " samples refused (";
  std::string_view comma;
  for (std::size_t i = 0; i < kRefusals; ++i) {
    if (refused_[i] == 0) continue;
    text += comma;
    text += std::to_string(refused_[i]) + " " + Words(static_cast<Refusal>(i));
    comma = ", ";
  }
  return text + "); the first: " + first_;
}

}  // namespace skep::intake
