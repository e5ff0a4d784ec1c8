#include "evaluator/transfer/page_import.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/exposition/parser.h"
#include "evaluator/intake/label_set.h"
#include "evaluator/intake/page_series.h"
#include "evaluator/transfer/sample_sorter.h"
#include "evaluator/transfer/text_source.h"

namespace skep::transfer {
namespace {

using exposition::Entry;
using exposition::Extent;
using exposition::Format;
using exposition::PageParser;

constexpr std::string_view kEof = "# EOF";
// The year 9999: who has times beyond it gave milliseconds where seconds are expected.
constexpr Timestamp kNewest = FromMillis(253'402'300'799'999);
constexpr Timestamp kOldest = FromMillis(-62'167'219'200'000);  // the year 0
constexpr std::size_t kMaxKnownBytes = 64UL << 20;              // of series' texts

bool EndsWithEof(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  const std::size_t line = text.rfind('\n');
  return text.substr(line == std::string_view::npos ? 0 : line + 1) == kEof;
}

Format FormatOf(std::string_view end) {
  return EndsWithEof(end) ? Format::kOpenMetrics : Format::kText;
}

// The end of the text tells; pressed text is read to it.
Result<Format> RecogniseFormat(const std::string& path, const tsdb::MappedFilePtr& file) {
  TextSource source(path, file);
  if (!source.is_pressed()) return FormatOf(file->bytes());
  Format format = Format::kText;
  while (!source.done()) {
    const Result<std::string_view> piece = source.Next();
    if (!piece) {
      return Error(piece.error().kind(),
                   piece.error().message() +
                       "; the end would have told the format: give --format with --keep-going, and "
                       "what stands before the damage comes in");
    }
    if (!piece->empty()) format = FormatOf(*piece);
  }
  return format;
}

// What stands behind the first `lines` lines.
std::string_view SkipLines(std::string_view text, std::size_t lines) {
  for (; lines > 0; --lines) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text;
}

class PageImport {
 public:
  PageImport(const std::string& path, Format format, ImportRun& run)
      : path_(path),
        format_(format),
        run_(run),
        sorter_(run.blocks(), run.options().sorter_bytes) {}

  // Whole lines; `extent` is kPage for the last ones.
  Status Read(std::string_view text, Extent extent);
  Status Finish() { return sorter_.Finish(); }

 private:
  Status ReadUpToDamage(PageParser& parser, bool& damaged);
  Status ReadSample(const PageParser& parser);
  Result<SampleSorter::Series*> Find(const PageParser& parser);
  void ForgetWhatIsGone();
  Status Damaged(const PageParser& parser, std::string_view message);

  const std::string& path_;
  const Format format_;
  ImportRun& run_;
  SampleSorter sorter_;
  std::size_t lines_before_ = 0;  // in the file, before the text that is being parsed
  intake::PageSeries<SampleSorter::Series*> known_;  // as long as the sorter has them
  std::uint64_t generation_ = 0;                     // of the sorter
  std::vector<LabelView> pairs_;
  std::string buffer_;
};

Status PageImport::Damaged(const PageParser& parser, std::string_view message) {
  const std::size_t line =
      lines_before_ + std::max<std::size_t>(1, static_cast<std::size_t>(parser.line()));
  return run_.Damaged(
      Invalid(path_ + ": line " + std::to_string(line) + ": " + std::string(message)));
}

void PageImport::ForgetWhatIsGone() {
  if (generation_ == sorter_.generation() && known_.text_bytes() <= kMaxKnownBytes) return;
  known_.Clear();
  generation_ = sorter_.generation();
}

Result<SampleSorter::Series*> PageImport::Find(const PageParser& parser) {
  if (SampleSorter::Series** const known = known_.Find(parser)) return *known;
  exposition::ParseSeriesOptions options;
  options.format = format_;
  RETURN_IF_ERROR(exposition::ParseSeries(parser.series(), options, pairs_, buffer_));
  const Result<Labels> labels = intake::MakeSeriesLabels(pairs_);
  if (!labels) return labels.error();
  return known_.Add(parser.series(), &sorter_.Find(*labels));
}

Status PageImport::ReadSample(const PageParser& parser) {
  const std::optional<Timestamp> time = parser.timestamp();
  if (!time) return Damaged(parser, "a sample without a time stamp");
  if (*time < kOldest) return Damaged(parser, "a time stamp before the year 0");
  if (*time > kNewest) {
    return Damaged(parser,
                   "a time stamp after the year 9999: OpenMetrics has seconds, Prometheus's text "
                   "milliseconds");
  }
  const Result<SampleSorter::Series*> series = Find(parser);
  if (!series) return Damaged(parser, series.error().message());
  run_.AddSample(*time);
  return sorter_.Add(**series, {*time, parser.value()});
}

Status PageImport::ReadUpToDamage(PageParser& parser, bool& damaged) {
  while (true) {
    ForgetWhatIsGone();
    const Entry entry = parser.Next(known_.expected());
    if (entry == Entry::kEnd) return {};
    if (entry == Entry::kSample) RETURN_IF_ERROR(ReadSample(parser));
    if (entry != Entry::kInvalid) continue;
    damaged = true;
    const std::string message = parser.error().message();
    return Damaged(parser, message.substr(message.find(": ") + 2));  // behind its own "line N: "
  }
}

Status PageImport::Read(std::string_view text, Extent extent) {
  while (!text.empty()) {
    PageParser parser(text, format_, extent);
    bool damaged = false;
    RETURN_IF_ERROR(ReadUpToDamage(parser, damaged));
    // A page that lacks its end is read to it: nothing stands behind.
    const auto lines = std::max<std::size_t>(1, static_cast<std::size_t>(parser.line()));
    text = damaged ? SkipLines(text, lines) : std::string_view();
    lines_before_ += lines;
  }
  return {};
}

}  // namespace

Status ImportPage(const std::string& path, ImportRun& run) {
  const Result<tsdb::MappedFilePtr> file = run.blocks().OpenInput(path);
  if (!file) return file.error();
  const std::optional<Format> given = run.options().format;
  const Result<Format> format = given ? Result<Format>(*given) : RecogniseFormat(path, *file);
  if (!format) return run.Damaged(format.error());
  TextSource source(path, *file);
  PageImport import(path, *format, run);
  while (!source.done()) {
    const Result<std::string_view> piece = source.Next();
    if (!piece) {
      RETURN_IF_ERROR(run.Damaged(piece.error()));
      break;
    }
    RETURN_IF_ERROR(import.Read(*piece, source.done() ? Extent::kPage : Extent::kPiece));
    run.Tell(path, static_cast<double>(source.read_bytes()) /
                       static_cast<double>(std::max<std::uint64_t>(1, source.size_bytes())));
  }
  return import.Finish();
}

}  // namespace skep::transfer
