#include "evaluator/intake/import.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/exposition/parser.h"
#include "common/model/sample.h"
#include "evaluator/intake/label_set.h"
#include "evaluator/intake/page_series.h"

namespace skep::intake {
namespace {

using exposition::Entry;
using exposition::PageParser;

// In one commit.
constexpr std::size_t kPartSamples = 8192;

class Importer {
 public:
  Importer(const ImportOptions& options, Batch& batch) : options_(options), batch_(batch) {}

  // Reads up to the end or the first line that is none. False there.
  Result<bool> Read(PageParser& parser, std::size_t lines_before);

 private:
  struct Series {
    Labels labels;
    storage::SeriesRef ref = 0;
  };

  Series* Find(const PageParser& parser, std::size_t lines_before);
  Result<Labels> MakeLabels(std::string_view series);

  Status CommitSome();

  const ImportOptions& options_;
  Batch& batch_;
  PageSeries<Series> known_;
  std::vector<LabelView> pairs_;
  std::string buffer_;
};

std::string AtLine(std::size_t line, std::string_view message) {
  return "line " + std::to_string(line) + ": " + std::string(message);
}

Result<Labels> Importer::MakeLabels(std::string_view series) {
  exposition::ParseSeriesOptions parse;
  parse.format = options_.format;
  RETURN_IF_ERROR(exposition::ParseSeries(series, parse, pairs_, buffer_));
  for (const LabelView& extra : options_.extra_labels) {
    std::erase_if(pairs_, [&](const LabelView& pair) { return pair.name == extra.name; });
    pairs_.push_back(extra);
  }
  return MakeSeriesLabels(pairs_);
}

Importer::Series* Importer::Find(const PageParser& parser, std::size_t lines_before) {
  if (Series* const known = known_.Find(parser)) return known;
  Result<Labels> labels = MakeLabels(parser.series());
  if (labels) return &known_.Add(parser.series(), Series{*std::move(labels)});
  batch_.Refuse(Refusal::kLabels, AtLine(lines_before + static_cast<std::size_t>(parser.line()),
                                         labels.error().message()));
  return nullptr;
}

Status Importer::CommitSome() {
  if (batch_.accepted() - batch_.committed() < kPartSamples) return {};
  return batch_.CommitPart();
}

Result<bool> Importer::Read(PageParser& parser, std::size_t lines_before) {
  while (true) {
    const Entry entry = parser.Next(known_.expected());
    if (entry == Entry::kEnd) return true;
    if (entry == Entry::kInvalid) return false;
    if (entry != Entry::kSample) continue;
    Series* const series = Find(parser, lines_before);
    if (series == nullptr) continue;
    batch_.Append(series->ref, series->labels,
                  {parser.timestamp().value_or(options_.time), parser.value()});
    RETURN_IF_ERROR(CommitSome());
  }
}

// What stands behind the first `lines` lines.
std::string_view SkipLines(std::string_view page, std::size_t lines) {
  for (; lines > 0; --lines) {
    const std::size_t end = page.find('\n');
    if (end == std::string_view::npos) return {};
    page.remove_prefix(end + 1);
  }
  return page;
}

}  // namespace

Status ImportPage(std::string_view page, const ImportOptions& options, Batch& batch) {
  Importer importer(options, batch);
  std::size_t lines_before = 0;
  while (!page.empty()) {
    PageParser parser(page, options.format);
    const Result<bool> whole = importer.Read(parser, lines_before);
    if (!whole) return whole.error();
    if (*whole) break;
    const std::size_t line = std::max<std::size_t>(1, static_cast<std::size_t>(parser.line()));
    const std::string message = parser.error().message();
    // Behind "line N: ", which counts from where the parser began.
    batch.Refuse(Refusal::kSyntax,
                 AtLine(lines_before + line, message.substr(message.find(": ") + 2)));
    page = SkipLines(page, line);
    lines_before += line;
  }
  return batch.Commit();
}

}  // namespace skep::intake
