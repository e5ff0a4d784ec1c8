// What several queries that are asked at the same time have in common: the rules of a group read
// the same series again and again, and decoding them is most of what they cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/time.h"
#include "common/model/histogram.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

// The value of a part at one time, good beyond the query that computed it. Immutable.
struct SharedVector {
  std::size_t samples_read = 0;  // QueryStats, of whoever would have computed it
  std::vector<Row> rows;         // their selector is not set
  std::vector<double> values;
  std::vector<HistogramPtr> histograms;  // one for each row, or none at all
  bool distinct_without_name = false;
  std::uint64_t generation = 0;  // of the slots of the rows
  // Keep the labels of the rows.
  std::vector<std::shared_ptr<storage::SeriesSet>> sets;
};

// A part is a selector, or a function of nothing but a range of one, that is evaluated at the time
// of the query. Parts over the same range are computed together: its samples are read once.
// Thread-safe once all is added.
class SharedParts {
 public:
  // A number for each selector of an expression. Equal parts are one where the numbers are equal,
  // too: it tells apart what is asked before and after a write that the selector sees.
  using EpochOf = std::function<std::size_t(const promql::VectorSelector&)>;

  struct Reading;
  struct Part {
    Reading* reading = nullptr;
    const promql::Call* call = nullptr;                   // null: the selector itself
    const promql::VectorSelector* selector = nullptr;     // of the first query that has the part
    std::size_t users = 0;                                // places in the queries
    std::size_t left = 0;                                 // of them, in this round
    std::shared_ptr<const SharedVector> value = nullptr;  // null: not computed, or all had it
  };
  // The parts that look at the same samples. The mutex is held while they are computed: who wants
  // one of them meanwhile waits.
  struct Reading {
    std::mutex mutex;
    std::map<std::string, Part> parts;  // by function
    std::optional<Timestamp> time;      // that the values are of
    std::size_t users = 0;
  };

  // Finds the parts of `expr`, which outlives this. Requires: no query has run.
  void Add(const promql::Expr& expr, const EpochOf& epoch);

  // The part that `node` is. Null: nobody else has it.
  Part* Find(const promql::Expr& node) const;
  // Lets go of the values that somebody did not come for. Requires: no query runs.
  void EndRound();

 private:
  void AddPartsOf(const promql::Expr& expr, const EpochOf& epoch);
  void AddPart(const promql::Expr& node, const promql::VectorSelector& selector,
               const promql::Expr& samples, const EpochOf& epoch);

  std::map<std::string, std::unique_ptr<Reading>> readings_;
  std::unordered_map<const promql::Expr*, Part*> by_node_;
};

}  // namespace skep::engine
