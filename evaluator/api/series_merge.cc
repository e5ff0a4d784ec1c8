#include "evaluator/api/series_merge.h"

#include <utility>

namespace skep::api {

void SeriesMerge::Add(std::unique_ptr<storage::SeriesSet> set) {
  const bool ended = !set->Next();
  parts_.push_back({std::move(set), ended});
}

const Labels* SeriesMerge::Next() {
  const Labels* least = nullptr;
  for (const Part& part : parts_) {
    if (part.ended) continue;
    if (least == nullptr || part.set->labels() < *least) least = &part.set->labels();
  }
  if (least == nullptr) return nullptr;
  for (Part& part : parts_) {
    if (!part.ended && part.set->labels() == *least) part.ended = !part.set->Next();
  }
  return least;
}

std::vector<std::string> SeriesMerge::Warnings() const {
  std::vector<std::string> all;
  for (const Part& part : parts_) {
    for (std::string& warning : part.set->Warnings()) all.push_back(std::move(warning));
  }
  return all;
}

}  // namespace skep::api
