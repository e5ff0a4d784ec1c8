// Reads a metrics page line by line, without copies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/exposition/format.h"
#include "common/model/labels.h"

namespace skep::exposition {

enum class Entry : std::uint8_t {
  kSample,   // series(), value(), timestamp(), exemplar()
  kType,     // family(), type()
  kHelp,     // family(), help()
  kUnit,     // family(), unit()
  kEnd,      // the page is over and was whole
  kInvalid,  // error(); the page is over
};

struct ExemplarView {
  std::string_view labels;  // raw, with its braces: for ParseSeries
  double value = 0;
  std::optional<double> seconds;  // when it was
};

// What a parser is given.
enum class Extent : std::uint8_t {
  kPage,
  kPiece,  // whole lines, behind which more of the page come: its end cannot be among them
};

// Series bytes that probably come next, e.g. from the same place of the page before. In two parts,
// as a line mostly begins as the one before it: views of both save putting them together.
struct ExpectedSeries {
  std::string_view head, tail;
};

// Pulls entries off a page. Thread-compatible. All views point into the page, which must outlive
// the parser, or into the parser, where they are good until the next call of Next.
//
// Text 0.0.4 is read as Prometheus reads it, with any blanks between tokens, comments and empty
// lines; beyond that, a TYPE may name OpenMetrics's types (kube-state-metrics does). OpenMetrics is
// read to the letter of its grammar, but a comma behind the last label is let pass. What the rules
// of families forbid (a counter that is NaN, buckets in disorder, ...) is not looked for here but
// in validator.h: exporters err there, and nothing gets better by losing their whole page.
//
// Series bytes are only skimmed for their end; ParseSeries checks them. A caller that has seen the
// same bytes before (the scrape cache) saves that.
class PageParser {
 public:
  PageParser(std::string_view page, Format format, Extent extent = Extent::kPage)
      : format_(format), extent_(extent), at_(page.data()), end_(page.data() + page.size()) {}

  Entry Next() { return Next(ExpectedSeries()); }
  // Where the expected bytes come, their end needs not be searched; matched_expected() tells.
  Entry Next(const ExpectedSeries& expected);
  bool matched_expected() const { return matched_; }

  // The bytes of the sample's series as they stand on the page: `name{a="b"}`.
  std::string_view series() const { return series_; }
  double value() const { return value_; }
  // Nothing where the line has none. Beyond what milliseconds can say is cut.
  std::optional<Timestamp> timestamp() const {
    return has_timestamp_ ? std::optional<Timestamp>(timestamp_) : std::nullopt;
  }
  // The time stamp's text; the validator compares what milliseconds cannot.
  std::string_view timestamp_text() const { return timestamp_text_; }
  const std::optional<ExemplarView>& exemplar() const { return exemplar_; }

  // The family that a TYPE, HELP or UNIT line names, unquoted.
  std::string_view family() const { return family_; }
  // Of the last TYPE line, also while its samples pass by; kUnknown before the first.
  MetricType type() const { return type_; }
  // Escapes resolved.
  std::string_view help() const { return help_; }
  std::string_view unit() const { return help_; }

  // Of the present entry, from 1.
  int line() const { return line_; }
  // kInvalid with "line N: " before its message. Also for errors that the caller finds on the
  // present line, by giving a message.
  Error error() const { return Complain(error_); }
  Error Complain(std::string_view message) const;

 private:
  Entry Fail(std::string_view message);
  Entry NextText();
  Entry NextOpenMetrics();
  Entry Sample();
  Entry ValueAndRest();
  Entry RestOfSample();
  bool ReadPlainTimestamp();
  bool ReadExemplar();
  bool ReadTimestamp(std::string_view text);
  std::optional<Entry> TextComment();  // nothing: it was only a comment
  Entry OpenMetricsComment();
  Entry Metadata(std::string_view key, std::string_view text);
  bool ReadFamily();
  std::string_view TakeToken();
  std::string_view TakeLine();
  void SkipBlanks();
  bool EndOfLine();

  Format format_;
  Extent extent_;
  bool matched_ = false;
  bool has_timestamp_ = false;
  bool ended_ = false;  // # EOF was seen
  MetricType type_ = MetricType::kUnknown;
  int line_ = 0;
  const char* at_;
  const char* end_;
  double value_ = 0;
  Timestamp timestamp_;
  std::string_view series_;
  std::string_view timestamp_text_;
  std::string_view family_;
  std::string_view help_;
  std::optional<ExemplarView> exemplar_;
  std::string family_buffer_;
  std::string help_buffer_;
  std::string error_;
};

// The label pairs of series bytes, `__name__` among them, in the order written, with escapes
// resolved. `buffer` takes what had escapes; views point into `series` and `buffer`. Both outputs
// are overwritten. kInvalid says what is wrong, without line. Refused: bad grammar, a label twice,
// bytes that are not UTF-8, no name. `strict`: also a comma behind the last label.
struct ParseSeriesOptions {
  Format format = Format::kText;
  bool strict = false;
  bool needs_name = true;  // an exemplar's labels have none
};
Status ParseSeries(std::string_view series, const ParseSeriesOptions& options,
                   std::vector<LabelView>& labels, std::string& buffer);

// The label that a histogram's `le` or a summary's `quantile` becomes in Prometheus 3, whatever the
// page wrote: "1" and "1.00" are "1.0". Nothing where it is no number or already so.
std::optional<std::string> NormalizedBound(std::string_view value);

}  // namespace skep::exposition
