// Several selections as one list of label sets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/model/labels.h"
#include "evaluator/storage/querier.h"

namespace skep::api {

// Walks selections side by side, each in rising order, and gives what they have in common once.
// Thread-compatible.
class SeriesMerge {
 public:
  void Add(std::unique_ptr<storage::SeriesSet> set);

  // The next label set in rising order, null at the end. Valid until the merge is destroyed.
  const Labels* Next();
  // Of all selections.
  std::vector<std::string> Warnings() const;

 private:
  struct Part {
    std::unique_ptr<storage::SeriesSet> set;
    bool ended = false;
  };

  std::vector<Part> parts_;  // each stands at the series that it gives next
};

}  // namespace skep::api
