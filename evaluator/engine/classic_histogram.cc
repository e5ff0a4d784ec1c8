#include "evaluator/engine/classic_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "evaluator/engine/histogram_function.h"
#include "evaluator/engine/histogram_remarks.h"
#include "evaluator/engine/label_key.h"

namespace skep::engine {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::string_view kLe = "le";

void AddUpEqualBounds(std::vector<Bucket>& buckets) {
  std::size_t last = 0;
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].upper_bound == buckets[last].upper_bound) {
      buckets[last].count += buckets[i].count;
    } else {
      buckets[++last] = buckets[i];
    }
  }
  buckets.resize(last + 1);
}

// Equal but for what adding floats in another order makes.
bool NearlyEqual(double a, double b) {
  constexpr double kTolerance = 1e-12;
  constexpr double kSmallest = std::numeric_limits<double>::min();
  const double sum = std::fabs(a) + std::fabs(b);
  const double difference = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < kSmallest) return difference < kTolerance * kSmallest;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kTolerance;
}

// Counts must not fall from bucket to bucket: a search runs over them.
Annotations::Monotonicity LiftFalling(std::vector<Bucket>& buckets) {
  Annotations::Monotonicity forced{.lowest_bucket = kInf, .highest_bucket = -kInf};
  double before = buckets[0].count;
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    const double count = buckets[i].count;
    if (count == before) continue;
    if (NearlyEqual(before, count)) {
      buckets[i].count = before;
    } else if (count < before) {
      buckets[i].count = before;
      forced.lowest_bucket = std::min(forced.lowest_bucket, buckets[i].upper_bound);
      forced.highest_bucket = std::max(forced.highest_bucket, buckets[i].upper_bound);
      forced.largest_fall = std::max(forced.largest_fall, before - count);
    } else {
      before = count;
    }
  }
  return forced;
}

double InterpolateQuantile(double q, const std::vector<Bucket>& buckets) {
  double rank = q * buckets.back().count;
  const auto end = buckets.end() - 1;  // the last bucket is where all the others are not
  const auto at = std::find_if(buckets.begin(), end,
                               [rank](const Bucket& bucket) { return bucket.count >= rank; });
  if (at == end) return buckets[buckets.size() - 2].upper_bound;
  if (at == buckets.begin() && at->upper_bound <= 0) return at->upper_bound;
  double start = 0;
  double count = at->count;
  if (at != buckets.begin()) {
    start = (at - 1)->upper_bound;
    count -= (at - 1)->count;
    rank -= (at - 1)->count;
  }
  return start + (at->upper_bound - start) * (rank / count);
}

// How many observations lie below a value, found bucket by bucket.
class RankFinder {
 public:
  explicit RankFinder(double value) : value_(value) {}

  bool found() const { return found_; }
  void Look(double low, const Bucket& bucket, double below) {
    if (found_) return;
    if (low >= value_) {
      Set(below);
    } else if (bucket.upper_bound > value_) {
      Set(std::isinf(low)
              ? bucket.count
              : below + (bucket.count - below) * (value_ - low) / (bucket.upper_bound - low));
    }
  }
  double rank(double total) const { return !found_ || rank_ > total ? total : rank_; }

 private:
  void Set(double rank) {
    rank_ = rank;
    found_ = true;
  }

  const double value_;
  double rank_ = 0;
  bool found_ = false;
};

// The buckets of one histogram: rows of the input by rising bound.
struct Classic {
  const Labels* labels = nullptr;  // without `le`
  bool drop_name = false;
  std::vector<std::pair<double, std::size_t>> rows;
};

class ClassicHistograms {
 public:
  // Bad bucket labels are warned about and left out.
  ClassicHistograms(QueryContext& context, Table& table, promql::PosRange place)
      : table_(table), index_(LabelChoice::AllBut({std::string(kLe)})) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table.has_histograms() && !table.HasFloats(i)) continue;
      const bool settled = !table.row(i).drop_name || context.delayed_name_removal();
      if (!settled) context.Settle(table.row(i));
      AddRow(context, i, place);
    }
    for (Classic& histogram : histograms_) {
      std::stable_sort(histogram.rows.begin(), histogram.rows.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
    }
  }

  const std::vector<Classic>& all() const { return histograms_; }

  // The number of the one with exactly these labels.
  std::optional<std::size_t> Find(const Labels& labels) const {
    const auto number = index_.Find(labels);
    return number && *histograms_[*number].labels == labels ? number : std::nullopt;
  }

  // The buckets that are present at `step`, by rising bound. Reuses `out`.
  void At(const Classic& histogram, std::size_t step, std::vector<Bucket>& out) const {
    out.clear();
    for (const auto& [bound, row] : histogram.rows) {
      const double count = table_.values(row)[step];
      if (IsPresent(count)) out.push_back({bound, count});
    }
  }

 private:
  void AddRow(QueryContext& context, std::size_t i, promql::PosRange place) {
    const Row& row = table_.row(i);
    const std::string_view le = row.labels->Get(kLe);
    const std::optional<double> bound = ParseDouble(le);
    if (!bound) {
      std::string text = "bucket label \"le\" is missing or has a malformed value of " + Quote(le);
      if (context.delayed_name_removal() && !row.labels->metric_name().empty()) {
        text += " for metric name " + Quote(row.labels->metric_name());
      }
      context.annotations.Warn(text, place);
      return;
    }
    const std::size_t number = index_.Add(*row.labels);
    if (number == histograms_.size()) {
      histograms_.push_back({context.Own(index_.choice().Pick(*row.labels)), true, {}});
    }
    histograms_[number].rows.emplace_back(*bound, i);
  }

  Table& table_;
  LabelIndex index_;
  std::vector<Classic> histograms_;
};

void FillQuantiles(QueryContext& context, const Steps& steps, const Column& q,
                   const ClassicHistograms& histograms, const Classic& histogram,
                   promql::PosRange place, double* out) {
  std::vector<Bucket> buckets;
  for (std::size_t s = 0; s < steps.count; ++s) {
    histograms.At(histogram, s, buckets);
    if (buckets.empty()) continue;
    Annotations::Monotonicity forced;
    out[s] = BucketQuantile(q[s], buckets, forced);
    if (forced.largest_fall > 0) {
      const std::string_view name =
          context.delayed_name_removal() ? histogram.labels->metric_name() : std::string_view();
      context.annotations.ForcedMonotonicity(name, place, steps.At(s), forced);
    }
  }
}

// "1.0" rather than "1".
std::string OpenMetricsText(double value) {
  std::string text = FormatDouble(value);
  if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

bool SameValue(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// What native histograms come to, beside the classic ones of the same table.
class Natives {
 public:
  Natives(QueryContext& context, Table& table, const ClassicHistograms& classics,
          promql::PosRange place)
      : context_(context), table_(table), classics_(classics), place_(place) {}

  // Adds a row for each: f(histogram, step, remarks) at its steps. Where a classic one of the same
  // labels is present, neither has a result; those stand in `out` from row `first` on.
  // `label` = `text` is added to the labels, if `label` is not empty.
  template <typename F>
  void AddRows(Table& out, std::size_t first, const std::string& label, const std::string& text,
               F f) const {
    for (std::size_t i = 0; i < table_.size(); ++i) {
      const HistogramPtr* const row = table_.histograms(i);
      if (row == nullptr) continue;
      context_.Settle(table_.row(i));
      const Labels& labels = *table_.row(i).labels;
      const HistogramRemarker remarks(context_, labels.metric_name(), place_);
      const auto classic = classics_.Find(labels);
      out.Add({Relabelled(labels, label, text), true});
      const std::size_t to = out.size() - 1;
      for (std::size_t s = 0; s < out.steps(); ++s) {
        if (row[s] == nullptr) continue;
        if (classic && IsPresent(out.values(first + *classic)[s])) {
          remarks.MixOfClassic();
          out.values(first + *classic)[s] = kAbsent;
        } else {
          out.values(to)[s] = f(*row[s], s, remarks);
        }
      }
    }
  }

 private:
  const Labels* Relabelled(const Labels& labels, const std::string& label,
                           const std::string& text) const {
    if (label.empty()) return &labels;
    LabelsBuilder builder(labels);
    builder.Set(label, text);
    return context_.Own(builder.Build());
  }

  QueryContext& context_;
  Table& table_;
  const ClassicHistograms& classics_;
  const promql::PosRange place_;
};

double NativeQuantile(double q, const Histogram& histogram, const HistogramRemarker& remarks) {
  const HistogramNumber quantile = HistogramQuantileOf(q, histogram);
  if (quantile.nan_observations) remarks.NaNInQuantile(std::isnan(quantile.value));
  return quantile.value;
}

Result<Table> Finish(QueryContext& context, Table table) {
  table.RemoveEmpty();
  RETURN_IF_ERROR(context.MergeAfterDrop(table));
  return table;
}

}  // namespace

double BucketQuantile(double q, std::vector<Bucket>& buckets, Annotations::Monotonicity& forced) {
  if (std::isnan(q)) return kNormalNaN;
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  if (buckets.empty() || buckets.back().upper_bound != kInf) return kNormalNaN;
  AddUpEqualBounds(buckets);
  forced = LiftFalling(buckets);
  if (buckets.size() < 2 || buckets.back().count == 0) return kNormalNaN;
  return InterpolateQuantile(q, buckets);
}

double BucketFraction(double lower, double upper, std::vector<Bucket>& buckets) {
  if (buckets.empty() || buckets.back().upper_bound != kInf) return kNormalNaN;
  AddUpEqualBounds(buckets);
  const double total = buckets.back().count;
  if (total == 0 || std::isnan(lower) || std::isnan(upper)) return kNormalNaN;
  if (lower >= upper) return 0;
  RankFinder low(lower);
  RankFinder high(upper);
  double bound = buckets[0].upper_bound > 0 ? 0 : -kInf;
  double below = 0;
  for (const Bucket& bucket : buckets) {
    low.Look(bound, bucket, below);
    high.Look(bound, bucket, below);
    if (low.found() && high.found()) break;
    bound = bucket.upper_bound;
    below = bucket.count;
  }
  return (high.rank(total) - low.rank(total)) / total;
}

Result<Table> HistogramQuantile(QueryContext& context, const Steps& steps, const Column& q,
                                Table table, promql::PosRange place) {
  const ClassicHistograms histograms(context, table, place);
  Table out(context.budget, steps.count);
  out.Reserve(histograms.all().size());
  for (const Classic& histogram : histograms.all()) {
    RETURN_IF_ERROR(context.Check());
    FillQuantiles(context, steps, q, histograms, histogram, place,
                  out.Add({histogram.labels, histogram.drop_name}));
  }
  Natives(context, table, histograms, place)
      .AddRows(out, 0, "", "",
               [&q](const Histogram& h, std::size_t s, const HistogramRemarker& remarks) {
                 return NativeQuantile(q[s], h, remarks);
               });
  return Finish(context, std::move(out));
}

Result<Table> HistogramFraction(QueryContext& context, const Column& lower, const Column& upper,
                                Table table, promql::PosRange place) {
  const ClassicHistograms histograms(context, table, place);
  Table out(context.budget, table.steps());
  std::vector<Bucket> buckets;
  for (const Classic& histogram : histograms.all()) {
    RETURN_IF_ERROR(context.Check());
    double* column = out.Add({histogram.labels, histogram.drop_name});
    for (std::size_t s = 0; s < table.steps(); ++s) {
      histograms.At(histogram, s, buckets);
      if (!buckets.empty()) column[s] = BucketFraction(lower[s], upper[s], buckets);
    }
  }
  Natives(context, table, histograms, place)
      .AddRows(out, 0, "", "",
               [&](const Histogram& h, std::size_t s, const HistogramRemarker& remarks) {
                 const HistogramNumber part = HistogramFractionOf(lower[s], upper[s], h);
                 if (part.nan_observations) remarks.NaNInFraction();
                 return part.value;
               });
  return Finish(context, std::move(out));
}

void WarnBadQuantiles(QueryContext& context, const Column& q, promql::PosRange place) {
  for (const double value : q) {
    if (value >= 0 && value <= 1) continue;
    context.annotations.Warn("quantile value should be between 0 and 1, got " + FormatDouble(value),
                             place);
  }
}

Result<Table> HistogramQuantiles(QueryContext& context, const Steps& steps,
                                 const std::string& label, const std::vector<Column>& qs,
                                 Table table, promql::PosRange place) {
  const ClassicHistograms histograms(context, table, place);
  const Natives natives(context, table, histograms, place);
  Table out(context.budget, steps.count);
  for (const Column& q : qs) {
    // A quantile that changes from step to step is another series for each of its values.
    std::map<std::string, double> values;
    for (const double value : q) values.emplace(OpenMetricsText(value), value);
    for (const auto& [text, value] : values) {
      const std::size_t first = out.size();
      for (const Classic& histogram : histograms.all()) {
        RETURN_IF_ERROR(context.Check());
        LabelsBuilder labels(*histogram.labels);
        labels.Set(label, text);
        double* column = out.Add({context.Own(labels.Build()), histogram.drop_name});
        FillQuantiles(context, steps, Column(steps.count, value), histograms, histogram, place,
                      column);
        for (std::size_t s = 0; s < steps.count; ++s) {
          if (!SameValue(q[s], value)) column[s] = kAbsent;
        }
      }
      natives.AddRows(out, first, label, text,
                      [&](const Histogram& h, std::size_t s, const HistogramRemarker& remarks) {
                        return SameValue(q[s], value) ? NativeQuantile(value, h, remarks) : kAbsent;
                      });
    }
  }
  return Finish(context, std::move(out));
}

}  // namespace skep::engine
