#include "exporter/state/page.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/number.h"

namespace skep::state {
namespace {

// So much is made in one place that stays in the processor's cache before the page gets it.
constexpr std::size_t kPieceBytes = 32UL << 10;

char* Append(char* at, std::string_view bytes) {
  std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

// What one kind of line has beside the labels of the series and the value.
struct Frame {
  std::string name;   // with its suffix
  std::string label;  // `le="0.5"` of a bucket, else ""
};

class Lines {
 public:
  Lines(const Family& family, exposition::PageWriter& page, std::string& buffer)
      : family_(family), page_(page), buffer_(buffer) {
    if (buffer_.size() < kPieceBytes) buffer_.resize(kPieceBytes);
    const std::string& name = family.spec().name;
    if (!family.is_histogram()) {
      frames_.push_back({name, ""});
    } else {
      for (const double bound : family.spec().bounds) AddBucket(name, bound);
      AddBucket(name, HUGE_VAL);
      frames_.push_back({name + "_sum", ""});
      frames_.push_back({name + "_count", ""});
    }
    for (const Frame& frame : frames_) {
      longest_ += frame.name.size() + frame.label.size() + kMaxNumberBytes + 4;
    }
  }

  void Write(SeriesId id) {
    const Series& series = family_.at(id);
    const std::size_t bound = longest_ + frames_.size() * series.text.size();
    if (used_ + bound > buffer_.size()) Flush();
    if (bound > buffer_.size()) buffer_.resize(bound);
    char* at = buffer_.data() + used_;
    at = family_.is_histogram() ? Histogram(at, series, family_.counts(id))
                                : Sample(at, frames_[0], series.text, series.value);
    used_ = static_cast<std::size_t>(at - buffer_.data());
  }

  void Flush() {
    page_.PreparedLines(std::string_view(buffer_.data(), used_));
    used_ = 0;
  }

 private:
  void AddBucket(const std::string& name, double bound) {
    frames_.push_back({name + "_bucket", "le=\"" + FormatDouble(bound) + "\""});
  }

  static char* Sample(char* at, const Frame& frame, std::string_view labels, double value) {
    at = Append(at, frame.name);
    if (!labels.empty() || !frame.label.empty()) {
      *at++ = '{';
      at = Append(at, labels);
      if (!labels.empty() && !frame.label.empty()) *at++ = ',';
      at = Append(at, frame.label);
      *at++ = '}';
    }
    *at++ = ' ';
    at = WriteNumber(at, value);
    *at++ = '\n';
    return at;
  }

  char* Histogram(char* at, const Series& series, std::span<const std::uint64_t> counts) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      sum += counts[i];
      at = Sample(at, frames_[i], series.text, static_cast<double>(sum));
    }
    at = Sample(at, frames_[counts.size()], series.text, series.value);
    return Sample(at, frames_[counts.size() + 1], series.text, static_cast<double>(sum));
  }

  const Family& family_;
  exposition::PageWriter& page_;
  std::string& buffer_;
  std::vector<Frame> frames_;
  std::size_t longest_ = 0;  // all lines of a series, without its labels
  std::size_t used_ = 0;
};

bool IsShown(const Family& family, SeriesId id, std::int64_t now) {
  const Series& series = family.at(id);
  return series.exists && series.is_born && !family.IsExpired(series, now);
}

}  // namespace

char* WriteNumber(char* at, double value) {
  // Below 2^53 all integers are exact.
  if (std::fabs(value) < 9007199254740992.0) {
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value) {
      return std::to_chars(at, at + kMaxNumberBytes, whole).ptr;
    }
  }
  if (std::isnan(value)) return Append(at, "NaN");
  if (std::isinf(value)) return Append(at, value > 0 ? "+Inf" : "-Inf");
  return std::to_chars(at, at + kMaxNumberBytes, value).ptr;
}

void WriteFamily(const Family& family, std::int64_t now, exposition::PageWriter& page,
                 std::string& lines) {
  SeriesId id = 0;
  while (id < family.end_id() && !IsShown(family, id, now)) ++id;
  if (id == family.end_id()) return;
  page.Family(family.spec().name, family.spec().help, family.spec().type);
  Lines writer(family, page, lines);
  for (; id < family.end_id(); ++id) {
    if (IsShown(family, id, now)) writer.Write(id);
  }
  writer.Flush();
}

}  // namespace skep::state
