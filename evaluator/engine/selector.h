// Selectors turned into columns, and into the runs of samples that range functions slide over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/plan.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

// What a selector's column holds.
enum class SelectorValue : std::uint8_t {
  kSample,     // the newest sample's value within the lookback
  kTimestamp,  // its time in seconds
  kStart,      // when the counter began that it belongs to, in seconds; 0 where it does not say
};

// Whether all series that the matchers accept have one name, which they say.
bool FixesName(const std::vector<Matcher>& matchers);

// An instant selector at every step. The selector is resolved and each series read once.
Result<Table> SelectVector(QueryContext& context, const promql::VectorSelector& selector,
                           const Steps& steps, SelectorValue what = SelectorValue::kSample);

// The same over plain matchers, looked at as `reference` says; values are the samples' times in
// milliseconds, as info() compares them. Histograms are left as they are.
Result<Table> SelectTimes(QueryContext& context, const std::vector<Matcher>& matchers,
                          const Steps& steps, const Reference& reference);

// Which samples a range function sees at each step: those in (end - range, end].
struct RangeSpec {
  std::int64_t range_ms = 0;
  std::int64_t offset_ms = 0;
  std::optional<std::int64_t> fixed;  // `@`
  // Samples before (and, for smoothed, behind) the range that are handed along, in milliseconds.
  std::int64_t reach_back_ms = 0;
  std::int64_t reach_ahead_ms = 0;
  bool anchored = false;
  bool smoothed = false;
  bool summarized = false;  // samples may come as what runs of them come to
  promql::PosRange position;

  std::int64_t End(std::int64_t step_time) const { return fixed.value_or(step_time) - offset_ms; }
};

// One series of a range vector: its samples for all steps, without staleness markers. There are
// runs (summaries) only where the spec allows them, the series has no histogram, and each run lies
// wholly in or wholly outside of every step's range.
struct RangeSeries : storage::SummarizedSamples {
  Row row;
};

// The series of a range vector one after another, so that one buffer serves all.
class RangeSource {
 public:
  virtual ~RangeSource() = default;
  // Fills `out`, reusing its memory. False at the end.
  virtual Result<bool> Next(RangeSeries& out) = 0;
  // See Table::distinct_without_name.
  virtual bool distinct_without_name() const = 0;
};

// How a range function wants its samples.
enum class RangeDetail : std::uint8_t { kSamples, kSummaries };

// `detail` kSummaries: they will do, and are taken where they pay.
RangeSpec SpecOf(const QueryContext& context, const promql::MatrixSelector& selector,
                 RangeDetail detail);
RangeSpec SpecOf(const QueryContext& context, const promql::Subquery& subquery);

Result<std::unique_ptr<RangeSource>> SelectRange(QueryContext& context,
                                                 const promql::MatrixSelector& selector,
                                                 const Steps& steps, const RangeSpec& spec);
// `table` is the subquery's inner expression at `inner`.
std::unique_ptr<RangeSource> RangeOver(Table table, const Steps& inner);

// The steps at which a subquery's inner expression is evaluated; none where it is shorter than its
// step.
std::optional<Steps> InnerSteps(const QueryContext& context, const promql::Subquery& subquery,
                                const Steps& steps, const RangeSpec& spec);

}  // namespace skep::engine
