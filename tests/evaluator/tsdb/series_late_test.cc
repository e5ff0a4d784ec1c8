// What a series forgets exactly, takes late and hides, beside a plain list of its samples.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "evaluator/tsdb/series.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

struct Release {
  void operator()(Series* series) const { series->RemoveUser(); }
};
using OwnedSeries = std::unique_ptr<Series, Release>;

OwnedSeries NewSeries() { return OwnedSeries(Series::New({}, /*hash=*/1, /*number=*/7)); }

HistogramPtr SomeHistogram(double sum) {
  auto histogram = std::make_shared<Histogram>();
  histogram->schema = 0;
  histogram->count = 3;
  histogram->sum = sum;
  return histogram;
}

// The value of a float, or the sum of a histogram behind an 'h'.
std::string TextOf(const FullSample& sample) {
  if (sample.histogram != nullptr) return "h" + std::to_string(sample.histogram->sum);
  return std::to_string(sample.value) + "@" + std::to_string(ToMillis(sample.start));
}

struct Known {
  FullSample sample;
  CommitNumber commit = 0;
};

// In order and late samples apart, as the series tells them apart.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {}

  std::uint64_t Pick(std::uint64_t n) { return random_() % n; }
  Timestamp SomeTime() {
    return FromMillis(static_cast<std::int64_t>(Pick(static_cast<std::uint64_t>(time_) + 1)));
  }

  void Append(Series& series) {
    time_ += 1 + static_cast<std::int64_t>(Pick(20));
    const FullSample sample = Sample(FromMillis(time_));
    for (CommitNumber one = readers_.size(); one <= commit_; ++one) readers_.push_back(one);
    series.AppendFull(sample, ++commit_, readers_);
    in_order_[time_] = {sample, commit_};
  }
  void AppendLate(Series& series) {
    const FullSample sample = Sample(SomeTime());
    const bool is_new = !late_.contains(ToMillis(sample.time));
    REQUIRE(series.AppendLate(sample, ++commit_) == is_new);
    if (is_new) late_[ToMillis(sample.time)] = {sample, commit_};
  }
  void DropThrough(Series& series) {
    const Timestamp time = SomeTime();
    series.DropThrough(time);
    std::erase_if(in_order_, [&](const auto& one) { return one.first <= ToMillis(time); });
  }
  void DropLate(Series& series) {
    const Timestamp time = SomeTime();
    const CommitNumber newest = Pick(commit_ + 1);
    series.DropLate(time, newest);
    std::erase_if(late_, [&](const auto& one) {
      return one.first < ToMillis(time) && one.second.commit <= newest;
    });
  }
  void Delete(Series& series) {
    const Timestamp first = SomeTime();
    const Timestamp last = first + Duration(Pick(60));
    series.Delete({first, last});
    const auto is_hidden = [&](const auto& one) {
      return ToMillis(first) <= one.first && one.first <= ToMillis(last);
    };
    std::erase_if(in_order_, is_hidden);
    std::erase_if(late_, is_hidden);
  }

  void Check(const Series& series, CommitNumber snapshot, storage::TimeRange range) const {
    storage::SampleColumns out;
    REQUIRE(series.Read(snapshot, range, out));
    std::map<std::int64_t, std::string> got;
    for (std::size_t i = 0; i < out.size(); ++i) {
      got[ToMillis(out.times[i])] =
          TextOf({.time = out.times[i],
                  .value = out.values[i],
                  .start = out.starts.empty() ? kNoStart : out.starts[i]});
    }
    CHECK(std::ranges::is_sorted(out.times));
    CHECK(std::ranges::is_sorted(out.histograms.times));
    for (std::size_t i = 0; i < out.histograms.size(); ++i) {
      got[ToMillis(out.histograms.times[i])] =
          TextOf({.time = out.histograms.times[i], .histogram = out.histograms.values[i]});
    }
    REQUIRE(got.size() == out.size() + out.histograms.size());
    const std::map<std::int64_t, std::string> wanted = Wanted(snapshot, range);
    for (const auto& [time, text] : wanted) {
      CAPTURE(time, text, snapshot);
      REQUIRE(got.contains(time));
      REQUIRE(got.at(time) == text);
    }
    REQUIRE(got.size() == wanted.size());
  }
  CommitNumber commit() const { return commit_; }

 private:
  FullSample Sample(Timestamp time) {
    const auto value = static_cast<double>(Pick(1000));
    if (Pick(10) == 0) return {.time = time, .histogram = SomeHistogram(value)};
    return {.time = time, .value = value, .start = Pick(10) == 0 ? FromMillis(5) : kNoStart};
  }
  std::map<std::int64_t, std::string> Wanted(CommitNumber snapshot,
                                             storage::TimeRange range) const {
    std::map<std::int64_t, std::string> wanted;
    for (const auto* samples : {&in_order_, &late_}) {
      for (const auto& [millis, known] : *samples) {
        const Timestamp time = FromMillis(millis);
        if (known.commit > snapshot || time < range.min || time > range.max) continue;
        wanted[millis] = TextOf(known.sample);
      }
    }
    return wanted;
  }
  std::mt19937_64 random_;
  std::int64_t time_ = 0;
  CommitNumber commit_ = 0;
  std::vector<CommitNumber> readers_;  // one at each commit
  std::map<std::int64_t, Known> in_order_, late_;
};

void Step(Model& model, Series& series) {
  switch (model.Pick(40)) {
    case 0:
      return model.DropThrough(series);
    case 1:
      return model.DropLate(series);
    case 2:
      return model.Delete(series);
    case 3:
    case 4:
      return model.AppendLate(series);
    default:
      return model.Append(series);
  }
}

TEST_CASE("A series forgets, hides and takes late samples as a plain list does") {
  for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(test::Many(20)); ++seed) {
    CAPTURE(seed);
    Model model(seed);
    const OwnedSeries series = NewSeries();
    for (int i = 0; i < 300; ++i) {
      Step(model, *series);
      const Timestamp first = model.SomeTime();
      model.Check(*series, model.commit(), {first, first + Duration(model.Pick(400))});
      model.Check(*series, model.Pick(model.commit() + 1), {});
    }
  }
}

TEST_CASE("What a series forgot, hid and took late is the same after a restart") {
  Model model(99);
  const OwnedSeries series = NewSeries();
  for (int i = 0; i < 400; ++i) Step(model, *series);
  ByteWriter bytes;
  series->Save(bytes);
  const OwnedSeries restored = NewSeries();
  ByteReader reader(bytes.view());
  REQUIRE(restored->Restore(reader));
  CHECK(reader.done());
  model.Check(*restored, model.commit(), {});
  // Cut at every byte it is refused, and takes nothing else with it.
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    const OwnedSeries cut = NewSeries();
    ByteReader part(bytes.view().substr(0, size));
    REQUIRE_FALSE(cut->Restore(part));
    REQUIRE(cut->empty());
  }
}

TEST_CASE("A series of which all is forgotten takes samples of any time") {
  const OwnedSeries series = NewSeries();
  series->Append({FromMillis(1000), 1}, 1, {});
  series->DropThrough(FromMillis(1000));
  REQUIRE(series->empty());
  series->Append({FromMillis(500), 2}, 2, {});
  storage::SampleColumns out;
  REQUIRE(series->Read(2, {}, out));
  CHECK(out.values == std::vector<double>{2});
}

}  // namespace
}  // namespace skep::tsdb
