#include "evaluator/intake/write_request.h"

#include <optional>
#include <utility>
#include <vector>

#include "common/model/sample.h"
#include "common/protobuf/message.h"
#include "evaluator/intake/histogram_message.h"
#include "evaluator/intake/label_set.h"

namespace skep::intake {
namespace {

using protobuf::MessageReader;
using protobuf::Tag;
using protobuf::WireType;

// Field numbers are those of Prometheus's types.proto and remote.proto.

Error Broken(std::string_view message) {
  return Invalid("write request: " + std::string(message) + ": not a message");
}

// Samples that are offered to the store together.
constexpr std::size_t kMostOfARun = 128;

// One series of a message.
struct SeriesBytes {
  // All labels with their tags and lengths, where they come first, as with every sender we know.
  std::string_view name;
  std::string_view rest;
};

SeriesBytes Split(std::string_view message) {
  const char* end = message.data();
  MessageReader reader(message);
  while (reader.Next() && reader.tag() == Tag(1, WireType::kBytes)) {
    end = reader.bytes().data() + reader.bytes().size();
  }
  const auto size = static_cast<std::size_t>(end - message.data());
  return {message.substr(0, size), message.substr(size)};
}

// Reads series after series.
class SeriesReader {
 public:
  SeriesReader(SeriesRefs& refs, Batch& batch) : refs_(refs), batch_(batch) {}

  // `known` is the store's number of those labels, or 0. The bytes have to stay until Finish.
  Status Read(const SeriesBytes& series, const Hash128& name, storage::SeriesRef known);
  // Hands over what still waits.
  Status Finish() { return OfferRun(); }

 private:
  struct Point {
    std::int64_t millis = 0;
    double value = 0;

    Sample ToSample() const { return {FromMillis(millis), value}; }
  };
  // A series whose sample waits in the run.
  struct Waiting {
    SeriesBytes series;
    Hash128 name;
  };

  Status ReadPoints(std::string_view message);
  bool ReadPoint(std::string_view message);
  Status ReadLabels(std::string_view message);
  bool ReadLabel(std::string_view message);
  Status Join(const Waiting& waiting, storage::SeriesRef known, Point point);
  Status OfferRun();
  Status ReadAgain(const Waiting& waiting, storage::SeriesRef known);
  // What ReadPoints read.
  Status Take(const Waiting& waiting, storage::SeriesRef known);
  // How many points were taken; the store may have refused the next one.
  std::size_t AppendKnown();
  // The points from `first` on, and the histograms.
  void Append(std::size_t first, const Labels& labels);
  void AppendHistogram(HistogramMessage& message, const Labels& labels);

  SeriesRefs& refs_;
  Batch& batch_;
  std::vector<LabelView> pairs_;
  std::vector<Point> points_;
  std::vector<HistogramMessage> histograms_;
  bool has_more_labels_ = false;  // behind a sample
  storage::SeriesRef ref_ = 0;
  std::optional<storage::AppendOutcome> refused_;  // the first point not yet taken
  // Series in a row that are known and have one sample each, all of one time, as a sender's scrape
  // has them.
  std::int64_t run_millis_ = 0;
  std::vector<storage::KnownSample> run_;
  std::vector<Waiting> waiting_;  // of run_
  std::vector<storage::RunException> exceptions_;
};

bool SeriesReader::ReadLabel(std::string_view message) {
  LabelView label;
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.tag() == Tag(1, WireType::kBytes)) label.name = reader.bytes();
    if (reader.tag() == Tag(2, WireType::kBytes)) label.value = reader.bytes();
  }
  pairs_.push_back(label);
  return reader.ok();
}

Status SeriesReader::ReadLabels(std::string_view message) {
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.tag() != Tag(1, WireType::kBytes)) continue;
    if (!ReadLabel(reader.bytes())) return Broken("label");
  }
  return {};
}

bool SeriesReader::ReadPoint(std::string_view message) {
  Point point;
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.tag() == Tag(1, WireType::kFixed64)) point.value = reader.AsDouble();
    if (reader.tag() == Tag(2, WireType::kVarint)) point.millis = reader.AsInt64();
  }
  points_.push_back(point);
  return reader.ok();
}

Status SeriesReader::ReadPoints(std::string_view message) {
  points_.clear();
  histograms_.clear();
  has_more_labels_ = false;
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.tag() == Tag(1, WireType::kBytes)) {
      has_more_labels_ = true;
    } else if (reader.tag() == Tag(2, WireType::kBytes)) {
      if (!ReadPoint(reader.bytes())) return Broken("sample");
    } else if (reader.tag() == Tag(4, WireType::kBytes)) {
      std::optional<HistogramMessage> histogram = ReadHistogramMessage(reader.bytes());
      if (!histogram) return Broken("histogram");
      histograms_.push_back(*std::move(histogram));
    } else if (const std::uint32_t field = reader.tag() >> 3; field <= 2 || field == 4) {
      return Broken("series");
    }
  }
  return reader.ok() ? Status() : Broken("series");
}

Status SeriesReader::Read(const SeriesBytes& series, const Hash128& name,
                          storage::SeriesRef known) {
  RETURN_IF_ERROR(ReadPoints(series.rest));
  const bool joins = known != 0 && points_.size() == 1 && histograms_.empty() && !has_more_labels_;
  if (joins) return Join({series, name}, known, points_.front());
  if (run_.empty()) return Take({series, name}, known);
  RETURN_IF_ERROR(OfferRun());
  return ReadAgain({series, name}, known);  // what was read may be that of another one by now
}

Status SeriesReader::Join(const Waiting& waiting, storage::SeriesRef known, Point point) {
  if (!run_.empty() && (run_.size() == kMostOfARun || point.millis != run_millis_)) {
    RETURN_IF_ERROR(OfferRun());
  }
  run_millis_ = point.millis;
  run_.push_back({known, point.value});
  waiting_.push_back(waiting);
  return {};
}

Status SeriesReader::OfferRun() {
  if (run_.empty()) return {};
  exceptions_.clear();
  refused_.reset();
  if (batch_.AppendRun(FromMillis(run_millis_), run_, exceptions_)) {
    for (const storage::RunException& exception : exceptions_) {
      refused_ = exception.outcome;
      const storage::SeriesRef known = refused_ ? run_[exception.index].ref : 0;
      RETURN_IF_ERROR(ReadAgain(waiting_[exception.index], known));
    }
  } else {
    for (std::size_t i = 0; i < run_.size(); ++i) {
      RETURN_IF_ERROR(ReadAgain(waiting_[i], run_[i].ref));
    }
  }
  run_.clear();
  waiting_.clear();
  return {};
}

Status SeriesReader::ReadAgain(const Waiting& waiting, storage::SeriesRef known) {
  RETURN_IF_ERROR(ReadPoints(waiting.series.rest));
  return Take(waiting, known);
}

Status SeriesReader::Take(const Waiting& waiting, storage::SeriesRef known) {
  ref_ = has_more_labels_ ? 0 : known;
  const std::size_t taken = AppendKnown();
  if (ref_ != 0 && taken == points_.size() && histograms_.empty()) return {};
  pairs_.clear();
  RETURN_IF_ERROR(ReadLabels(waiting.series.name));
  RETURN_IF_ERROR(ReadLabels(waiting.series.rest));
  const Result<Labels> labels = MakeSeriesLabels(pairs_);
  if (!labels) {
    refused_.reset();
    batch_.Refuse(Refusal::kLabels, labels.error().message(), points_.size() + histograms_.size());
    return {};
  }
  Append(taken, *labels);
  if (ref_ != 0 && ref_ != known && !has_more_labels_) refs_.Remember(waiting.name, ref_);
  return {};
}

std::size_t SeriesReader::AppendKnown() {
  std::size_t taken = 0;
  for (; ref_ != 0 && !refused_ && taken < points_.size(); ++taken) {
    const auto outcome = batch_.AppendKnown(ref_, points_[taken].ToSample());
    if (outcome == storage::AppendOutcome::kAccepted) continue;
    refused_ = outcome;
    break;
  }
  return taken;
}

void SeriesReader::Append(std::size_t first, const Labels& labels) {
  if (refused_) batch_.Count(*refused_, labels, points_[first++].ToSample().time);
  refused_.reset();
  for (; first < points_.size(); ++first) {
    batch_.Append(ref_, labels, points_[first].ToSample());
  }
  for (HistogramMessage& histogram : histograms_) AppendHistogram(histogram, labels);
}

void SeriesReader::AppendHistogram(HistogramMessage& message, const Labels& labels) {
  if (!message.problem.empty()) {
    batch_.Refuse(Refusal::kHistogram, ShortText(labels) + ": " + std::string(message.problem));
  } else if (message.histogram == nullptr) {
    batch_.Append(ref_, labels, {message.time, kStaleNaN});
  } else {
    batch_.AppendHistogram(ref_, labels,
                           {.time = message.time, .histogram = std::move(message.histogram)});
  }
}

}  // namespace

Status ReadWriteRequest(std::string_view message, SeriesRefs& refs, Batch& batch) {
  std::vector<SeriesBytes> all;
  std::vector<Hash128> names;
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.tag() >> 3 != 1) continue;
    if (reader.tag() != Tag(1, WireType::kBytes)) return Broken("series");
    names.push_back(Hash128Of(all.emplace_back(Split(reader.bytes())).name));
  }
  if (!reader.ok()) return Broken("request");
  std::vector<storage::SeriesRef> known;
  refs.Find(names, known);
  SeriesReader series(refs, batch);
  for (std::size_t i = 0; i < all.size(); ++i) {
    RETURN_IF_ERROR(series.Read(all[i], names[i], known[i]));
  }
  return series.Finish();
}

}  // namespace skep::intake
