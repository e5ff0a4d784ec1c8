#include "evaluator/intake/commit_note.h"

#include <algorithm>

namespace skep::intake {

void CommitNote::Look(const Labels& labels) {
  found_.clear();
  watches_->Find(labels, found_);
  for (const std::uint32_t watch : found_) {
    const auto at = std::lower_bound(concerned_.begin(), concerned_.end(), watch);
    if (at == concerned_.end() || *at != watch) concerned_.insert(at, watch);
  }
}

void CommitNote::Tell() {
  if (concerned_.empty()) return;
  watches_->Tell(concerned_, arrival_);
  concerned_.clear();
}

}  // namespace skep::intake
