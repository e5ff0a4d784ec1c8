// HELP, TYPE and UNIT of one target, kept from page to page.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/exposition/parser.h"
#include "evaluator/scrape/status.h"

namespace skep::scrape {

// Thread-compatible; the tables that it hands out are immutable and may be read by anyone. The
// lines of a page are compared with those of the last one in order: a page that says nothing new
// costs no allocation.
class MetadataCache {
 public:
  void StartPage() { at_ = 0; }
  // The parser's present HELP, TYPE or UNIT.
  void Add(const exposition::PageParser& parser, exposition::Entry entry);
  // The page was good: its lines are the ones in force.
  void FinishPage();
  void Clear();

  // Never null.
  const std::shared_ptr<const MetadataTable>& table() const { return table_; }

 private:
  struct Line {
    exposition::Entry kind;
    std::string family;
    std::string text;  // of HELP and UNIT
    exposition::MetricType type;
  };

  std::vector<Line> lines_;
  std::size_t at_ = 0;
  bool changed_ = false;
  std::shared_ptr<const MetadataTable> table_ = std::make_shared<MetadataTable>();
};

}  // namespace skep::scrape
