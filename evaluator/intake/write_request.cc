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

class SeriesReader {
 public:
  SeriesReader(SeriesRefs& refs, Batch& batch) : refs_(refs), batch_(batch) {}

  Status Read(std::string_view message);

 private:
  struct Point {
    std::int64_t millis = 0;
    double value = 0;

    Sample ToSample() const { return {FromMillis(millis), value}; }
  };

  // The bytes of all labels, tags and lengths included, where they come first; else "".
  Result<std::string_view> ReadPoints(std::string_view message);
  Status ReadLabels(std::string_view message);
  bool ReadLabel(std::string_view message);
  bool ReadPoint(std::string_view message);
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
  storage::SeriesRef ref_ = 0;
  std::optional<storage::AppendOutcome> refused_;  // by AppendKnown
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
  pairs_.clear();
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

Result<std::string_view> SeriesReader::ReadPoints(std::string_view message) {
  points_.clear();
  histograms_.clear();
  std::string_view name;
  bool is_name_first = true, is_behind = false;
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.tag() == Tag(1, WireType::kBytes)) {
      const char* const end = reader.bytes().data() + reader.bytes().size();
      name = message.substr(0, static_cast<std::size_t>(end - message.data()));
      is_name_first = !is_behind;
      continue;
    }
    is_behind = true;
    if (reader.tag() == Tag(2, WireType::kBytes)) {
      if (!ReadPoint(reader.bytes())) return Broken("sample");
    } else if (reader.tag() == Tag(4, WireType::kBytes)) {
      std::optional<HistogramMessage> histogram = ReadHistogramMessage(reader.bytes());
      if (!histogram) return Broken("histogram");
      histograms_.push_back(*std::move(histogram));
    }
  }
  if (!reader.ok()) return Broken("series");
  return is_name_first ? name : std::string_view();
}

Status SeriesReader::Read(std::string_view message) {
  const Result<std::string_view> name = ReadPoints(message);
  if (!name) return name.error();
  const Hash128 hash = Hash128Of(*name);
  const storage::SeriesRef known = name->empty() ? 0 : refs_.Find(hash);
  ref_ = known;
  // What the store takes by the number alone; with the others begins the long way.
  const std::size_t taken = AppendKnown();
  if (known != 0 && taken == points_.size() && histograms_.empty()) return {};
  RETURN_IF_ERROR(ReadLabels(message));
  const Result<Labels> labels = MakeSeriesLabels(pairs_);
  if (!labels) {
    batch_.Refuse(Refusal::kLabels, labels.error().message(), points_.size() + histograms_.size());
    return {};
  }
  Append(taken, *labels);
  if (ref_ != 0 && ref_ != known && !name->empty()) refs_.Remember(hash, ref_);
  return {};
}

std::size_t SeriesReader::AppendKnown() {
  refused_.reset();
  std::size_t taken = 0;
  for (; ref_ != 0 && taken < points_.size(); ++taken) {
    const auto outcome = batch_.AppendKnown(ref_, points_[taken].ToSample());
    if (outcome == storage::AppendOutcome::kAccepted) continue;
    refused_ = outcome;
    break;
  }
  return taken;
}

void SeriesReader::Append(std::size_t first, const Labels& labels) {
  if (refused_) batch_.Count(*refused_, labels, points_[first++].ToSample().time);
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
  SeriesReader series(refs, batch);
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.tag() == Tag(1, WireType::kBytes)) RETURN_IF_ERROR(series.Read(reader.bytes()));
  }
  if (!reader.ok()) return Broken("request");
  return {};
}

}  // namespace skep::intake
