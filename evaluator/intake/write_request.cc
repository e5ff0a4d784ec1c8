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
  explicit SeriesReader(Batch& batch) : batch_(batch) {}

  Status Read(std::string_view message);

 private:
  struct Point {
    std::int64_t millis = 0;
    double value = 0;
  };

  bool ReadLabel(std::string_view message);
  bool ReadPoint(std::string_view message);
  void Append();
  void AppendHistogram(HistogramMessage& message, const Labels& labels);

  Batch& batch_;
  std::vector<LabelView> pairs_;
  std::vector<Point> points_;
  std::vector<HistogramMessage> histograms_;
  storage::SeriesRef ref_ = 0;
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

Status SeriesReader::Read(std::string_view message) {
  pairs_.clear();
  points_.clear();
  histograms_.clear();
  ref_ = 0;
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.tag() == Tag(1, WireType::kBytes)) {
      if (!ReadLabel(reader.bytes())) return Broken("label");
    } else if (reader.tag() == Tag(2, WireType::kBytes)) {
      if (!ReadPoint(reader.bytes())) return Broken("sample");
    } else if (reader.tag() == Tag(4, WireType::kBytes)) {
      std::optional<HistogramMessage> histogram = ReadHistogramMessage(reader.bytes());
      if (!histogram) return Broken("histogram");
      histograms_.push_back(*std::move(histogram));
    }
  }
  if (!reader.ok()) return Broken("series");
  Append();
  return {};
}

void SeriesReader::Append() {
  const Result<Labels> labels = MakeSeriesLabels(pairs_);
  if (!labels) {
    batch_.Refuse(Refusal::kLabels, labels.error().message(), points_.size() + histograms_.size());
    return;
  }
  for (const Point& point : points_) {
    batch_.Append(ref_, *labels, {FromMillis(point.millis), point.value});
  }
  for (HistogramMessage& histogram : histograms_) AppendHistogram(histogram, *labels);
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

Status ReadWriteRequest(std::string_view message, Batch& batch) {
  SeriesReader series(batch);
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.tag() == Tag(1, WireType::kBytes)) RETURN_IF_ERROR(series.Read(reader.bytes()));
  }
  if (!reader.ok()) return Broken("request");
  return {};
}

}  // namespace skep::intake
