// A series beside a plain list of what was appended, over many sealed chunks.
#include "evaluator/tsdb/series.h"

#include <bit>
#include <catch2/catch.hpp>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace skep::tsdb {
namespace {

struct Release {
  void operator()(Series* series) const { series->RemoveUser(); }
};
using OwnedSeries = std::unique_ptr<Series, Release>;

OwnedSeries NewSeries() { return OwnedSeries(Series::New({}, /*hash=*/1, /*number=*/7)); }

struct Appended {
  Sample sample;
  CommitNumber commit = 0;
};

// Appends of commits that each bring some samples, and the commits readers may still stand at.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {}

  std::uint64_t Pick(std::uint64_t n) { return random_() % n; }

  // A reader is left at each commit.
  void Append(Series& series, int commits) {
    for (int i = 0; i < commits; ++i) {
      readers_.push_back(commit_++);
      for (std::uint64_t n = 1 + Pick(5); n > 0; --n) AppendOne(series);
    }
  }

  void Check(const Series& series, CommitNumber snapshot, storage::TimeRange range) const {
    storage::SampleColumns out;
    REQUIRE(series.Read(snapshot, range, out));
    std::size_t at = 0;
    for (const auto& [sample, commit] : all_) {
      if (commit > snapshot || sample.time < range.min || sample.time > range.max) continue;
      REQUIRE(at < out.size());
      REQUIRE(out.times[at] == sample.time);
      REQUIRE(std::bit_cast<std::uint64_t>(out.values[at]) ==
              std::bit_cast<std::uint64_t>(sample.value));
      ++at;
    }
    CHECK(at == out.size());
    CHECK(out.times.size() == out.values.size());
  }

  storage::TimeRange SomeRange() {
    const Timestamp from = all_[Pick(all_.size())].sample.time;
    return {from, from + Duration(Pick(2'000'000))};
  }

  // As DropBefore leaves them: from the first sample of `series` on.
  void CutTo(const Series& series) {
    const Timestamp first = series.min_time();
    std::erase_if(all_, [first](const Appended& one) { return one.sample.time < first; });
  }

  CommitNumber commit() const { return commit_; }
  const std::vector<Appended>& all() const { return all_; }

 private:
  void AppendOne(Series& series) {
    // Now and then a gap that ends a chunk by its span.
    time_ += Pick(300) == 0 ? 9'000'000 : 5000 + static_cast<std::int64_t>(Pick(3));
    const double value =
        Pick(40) == 0 ? std::bit_cast<double>(random_()) : static_cast<double>(Pick(1000)) / 10;
    series.Append({FromMillis(time_), value}, commit_, readers_);
    all_.push_back({{FromMillis(time_), value}, commit_});
  }

  std::mt19937_64 random_;
  std::vector<Appended> all_;
  std::vector<CommitNumber> readers_;
  std::int64_t time_ = 1'700'000'000'000;
  CommitNumber commit_ = 0;
};

TEST_CASE("Readers of each commit see its samples, in sealed chunks too", "[tsdb]") {
  Model model(21);
  const OwnedSeries series = NewSeries();
  model.Append(*series, 300);
  REQUIRE(series->chunks() > 5);
  CHECK(series->samples() == model.all().size());
  for (CommitNumber snapshot = 0; snapshot <= model.commit(); ++snapshot) {
    model.Check(*series, snapshot, {});
    model.Check(*series, snapshot, model.SomeRange());
  }
}

TEST_CASE("A series keeps at most one count for each snapshot that lives", "[tsdb]") {
  std::mt19937_64 random(25);
  const OwnedSeries series = NewSeries();
  std::map<CommitNumber, std::size_t> living;  // and how many samples it sees
  std::size_t samples = 0;
  for (CommitNumber commit = 1; commit <= 5000; ++commit) {
    if (random() % 10 == 0) living[commit - 1] = samples;
    while (living.size() > 20) living.erase(std::next(living.begin(), random() % 21));
    std::vector<CommitNumber> snapshots;
    for (const auto& [snapshot, seen] : living) snapshots.push_back(snapshot);
    if (random() % 3 == 0) continue;  // a commit without the series
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
      series->Append({FromMillis(static_cast<std::int64_t>(++samples)), 1}, commit, snapshots);
    }
    for (const auto& [snapshot, seen] : living) {
      storage::SampleColumns out;
      REQUIRE(series->Read(snapshot, {}, out));
      REQUIRE(out.size() == seen);
    }
  }
  HeadMemory memory;
  series->AddMemory(memory);
  CHECK(memory.rare > 0);
  CHECK(memory.rare < 1000);
}

TEST_CASE("Full runs are joined, up to a count and a span", "[tsdb]") {
  for (const int seconds : {1, 60, 600}) {
    const OwnedSeries series = NewSeries();
    for (int i = 0; i < 4000; ++i) {
      series->Append({FromMillis(i * 1000LL * seconds), 1.0 * i}, /*commit=*/1, {});
    }
    const std::size_t joined = seconds == 1 ? 480 : seconds == 60 ? 120 : 12;
    CAPTURE(seconds, series->chunks());
    CHECK(series->chunks() >= 4000 / (joined + 1));
    CHECK(series->chunks() <= 4000 / joined + 9);
    series->DropBefore(FromMillis(3000 * 1000LL * seconds));
    const std::int64_t oldest = 3000 - static_cast<std::int64_t>(joined) - 1;
    CHECK(series->min_time() >= FromMillis(oldest * 1000 * seconds));
  }
}

TEST_CASE("Retention takes whole chunks from a series and leaves the rest readable", "[tsdb]") {
  Model model(22);
  const OwnedSeries series = NewSeries();
  for (int turn = 0; turn < 15; ++turn) {
    model.Append(*series, 60);
    const std::size_t before = model.all().size();
    const Timestamp time = model.all()[model.Pick(before)].sample.time;
    series->DropBefore(time);
    CHECK(series->min_time() <= time);
    model.CutTo(*series);
    CHECK(series->samples() == model.all().size());
    for (int look = 0; look < 20; ++look) {
      const CommitNumber snapshot = model.Pick(model.commit() + 1);
      model.Check(*series, snapshot, {});
      model.Check(*series, snapshot, model.SomeRange());
    }
  }
}

TEST_CASE("A series goes on after a restart as if there was none", "[tsdb]") {
  Model model(23);
  OwnedSeries series = NewSeries();
  for (int turn = 0; turn < 20; ++turn) {
    model.Append(*series, 1 + static_cast<int>(model.Pick(60)));
    ByteWriter bytes;
    series->Save(bytes);
    OwnedSeries restored = NewSeries();
    ByteReader reader(bytes.view());
    REQUIRE(restored->Restore(reader));
    CHECK(reader.done());
    CHECK(restored->last_time() == series->last_time());
    CHECK(restored->samples() == series->samples());
    CHECK(restored->chunk_bytes() == series->chunk_bytes());
    series = std::move(restored);
    model.Check(*series, model.commit(), {});
    model.Check(*series, model.commit(), model.SomeRange());
  }
}

TEST_CASE(
    "A series whose bytes are spoilt has no samples, or readable ones, or says that it has not",
    "[tsdb]") {
  Model model(24);
  const OwnedSeries series = NewSeries();
  model.Append(*series, 120);
  ByteWriter bytes;
  series->Save(bytes);
  const std::string good(bytes.view());
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    const OwnedSeries other = NewSeries();
    ByteReader reader(std::string_view(good).substr(0, cut));
    CHECK_FALSE(other->Restore(reader));
    CHECK(other->empty());
  }
  for (int spoil = 0; spoil < 2000; ++spoil) {
    std::string spoilt = good;
    spoilt[model.Pick(spoilt.size())] = static_cast<char>(model.Pick(256));
    const OwnedSeries other = NewSeries();
    ByteReader reader(spoilt);
    if (!other->Restore(reader)) {
      CHECK(other->empty());
      continue;
    }
    storage::SampleColumns out;
    if (other->Read(0, {}, out)) CHECK(out.size() == other->samples());
    CHECK(out.times.size() == out.values.size());
  }
}

}  // namespace
}  // namespace skep::tsdb
