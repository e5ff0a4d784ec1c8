#include "evaluator/intake/import.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "common/exposition/parser.h"
#include "common/model/sample.h"
#include "evaluator/intake/label_set.h"

namespace skep::intake {
namespace {

using exposition::Entry;
using exposition::PageParser;

class Importer {
 public:
  Importer(const ImportOptions& options, Batch& batch) : options_(options), batch_(batch) {}

  // Reads up to the end or the first line that is none. False there.
  bool Read(PageParser& parser, std::size_t lines_before);

 private:
  struct Series {
    Labels labels;
    storage::SeriesRef ref = 0;
  };

  Series* Find(const PageParser& parser, std::size_t lines_before);
  Result<Labels> MakeLabels(std::string_view series);

  const ImportOptions& options_;
  Batch& batch_;
  // A page of history has the same series bytes in many lines. Keys point into the page.
  std::unordered_map<std::string_view, Series> known_;
  std::string_view last_bytes_;
  Series* last_ = nullptr;
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
  const std::string_view bytes = parser.series();
  if (last_ != nullptr && bytes == last_bytes_) return last_;
  auto known = known_.find(bytes);
  if (known == known_.end()) {
    Result<Labels> labels = MakeLabels(bytes);
    if (!labels) {
      batch_.Refuse(Refusal::kLabels, AtLine(lines_before + static_cast<std::size_t>(parser.line()),
                                             labels.error().message()));
      return nullptr;
    }
    known = known_.try_emplace(bytes, Series{*std::move(labels)}).first;
  }
  last_bytes_ = bytes;
  last_ = &known->second;
  return last_;
}

bool Importer::Read(PageParser& parser, std::size_t lines_before) {
  while (true) {
    const Entry entry = parser.Next({{}, last_bytes_});
    if (entry == Entry::kEnd) return true;
    if (entry == Entry::kInvalid) return false;
    if (entry != Entry::kSample) continue;
    Series* const series = Find(parser, lines_before);
    if (series == nullptr) continue;
    batch_.Append(series->ref, series->labels,
                  {parser.timestamp().value_or(options_.time), parser.value()});
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

void ImportPage(std::string_view page, const ImportOptions& options, Batch& batch) {
  Importer importer(options, batch);
  std::size_t lines_before = 0;
  while (!page.empty()) {
    PageParser parser(page, options.format);
    if (importer.Read(parser, lines_before)) return;
    const std::size_t line = std::max<std::size_t>(1, static_cast<std::size_t>(parser.line()));
    const std::string message = parser.error().message();
    // Behind "line N: ", which counts from where the parser began.
    batch.Refuse(Refusal::kSyntax,
                 AtLine(lines_before + line, message.substr(message.find(": ") + 2)));
    page = SkipLines(page, line);
    lines_before += line;
  }
}

}  // namespace skep::intake
