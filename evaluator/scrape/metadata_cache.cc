#include "evaluator/scrape/metadata_cache.h"

#include <map>
#include <utility>

namespace skep::scrape {

using exposition::Entry;

void MetadataCache::Add(const exposition::PageParser& parser, Entry entry) {
  const std::string_view text = entry == Entry::kType ? std::string_view{} : parser.help();
  const exposition::MetricType type =
      entry == Entry::kType ? parser.type() : exposition::MetricType::kUnknown;
  if (at_ < lines_.size()) {
    const Line& line = lines_[at_];
    if (line.kind == entry && line.type == type && line.family == parser.family() &&
        line.text == text) {
      ++at_;
      return;
    }
    lines_.resize(at_);
  }
  changed_ = true;
  lines_.push_back({entry, std::string(parser.family()), std::string(text), type});
  ++at_;
}

void MetadataCache::FinishPage() {
  if (!changed_ && at_ == lines_.size()) return;
  lines_.resize(at_);
  std::map<std::string_view, MetricMetadata> families;
  for (const Line& line : lines_) {
    MetricMetadata& family = families[line.family];
    family.family = line.family;
    if (line.kind == Entry::kType) family.type = line.type;
    if (line.kind == Entry::kHelp) family.help = line.text;
    if (line.kind == Entry::kUnit) family.unit = line.text;
  }
  auto table = std::make_shared<MetadataTable>();
  table->reserve(families.size());
  for (auto& [name, family] : families) table->push_back(std::move(family));
  table_ = std::move(table);
  changed_ = false;
}

void MetadataCache::Clear() { *this = MetadataCache(); }

}  // namespace skep::scrape
