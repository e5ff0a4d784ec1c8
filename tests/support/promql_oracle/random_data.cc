#include "tests/support/promql_oracle/random_data.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "tests/support/promql_oracle/random.h"
#include "tests/support/promql_oracle/random_histogram.h"

namespace skep::oracle {
namespace {

constexpr Duration kInterval = std::chrono::seconds(15);

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  DataSet Make() {
    for (const char* job : {"a", "b"}) {
      for (const char* inst : {"1", "2", "3"}) AddInstance(job, inst);
      for (const char* le : {"0.1", "0.5", "1", "1.0", "+Inf"}) AddBucket(job, le);
      Add({{"__name__", "info"}, {"job", job}, {"team", random_.Of({"x", "y"})}},
          [] { return 1.0; });
    }
    AddBucket("c", "0.5");
    AddBucket("c", "2");  // no +Inf
    AddBucket("d", "many");
    for (const char* le : {"-1", "0", "2", "+Inf"}) AddBucket("e", le);
    AddNearlyEqualBuckets();
    Add({{"__name__", "gauge"}, {"job", "c"}, {"extra", "e"}}, Gauge());
    for (const char* inst : {"1", "2"}) {
      Add({{"__name__", "big"}, {"inst", inst}}, Around(1e12));
      Add({{"__name__", "tiny"}, {"inst", inst}}, Around(1e-9));
      Add({{"__name__", "huge"}, {"inst", inst}}, Around(1.5e308));
      Add({{"__name__", "odd"}, {"inst", inst}}, Odd());
    }
    AddHistograms();
    std::sort(data_.begin(), data_.end(),
              [](const Series& a, const Series& b) { return a.labels < b.labels; });
    return std::move(data_);
  }

 private:
  using Values = std::function<double()>;
  using LabelList = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  using Kind = RandomHistogram::Kind;

  void AddInstance(const char* job, const char* inst) {
    Add({{"__name__", "req_total"}, {"job", job}, {"inst", inst}}, Counter());
    Add({{"__name__", "gauge"}, {"job", job}, {"inst", inst}}, Gauge());
    Add({{"__name__", "temp"}, {"job", job}, {"inst", inst}},
        [this] { return static_cast<double>(random_.Between(-2, 3)); });
  }

  void AddHistograms() {
    for (const char* job : {"a", "b"}) {
      for (const char* inst : {"1", "2"}) {
        AddNatives({{"__name__", "nh"}, {"job", job}, {"inst", inst}}, Kind::kCounter);
      }
      AddNatives({{"__name__", "nhg"}, {"job", job}}, Kind::kGauge);
      AddNatives({{"__name__", "nhcb"}, {"job", job}}, Kind::kCustomCounter);
      // Of one name with classic buckets: the classic ones say so by their label alone.
      AddNatives({{"__name__", "lat_bucket"}, {"job", job}}, Kind::kCounter);
    }
    for (const char* inst : {"1", "2", "3"}) {
      RandomHistogram next(random_, Kind::kAny);
      AddSeries({{"__name__", "mixed"}, {"inst", inst}}, [this, next]() mutable {
        if (random_.OneIn(3)) return Quantity{static_cast<double>(random_.Between(0, 9)), nullptr};
        return Quantity{0, std::make_shared<const Native>(next.Next())};
      });
    }
  }

  void AddBucket(const char* job, const char* le) {
    Add({{"__name__", "lat_bucket"}, {"job", job}, {"le", le}}, Counter());
  }

  // Apart by what rounding makes, or by a little more.
  void AddNearlyEqualBuckets() {
    for (const char* le : {"1", "2", "4", "+Inf"}) {
      const double factor = 1 + static_cast<double>(random_.Between(-3, 3)) * 1e-12;
      Add({{"__name__", "lat_bucket"}, {"job", "f"}, {"le", le}}, [factor] { return 7 * factor; });
    }
  }

  Values Counter() {
    double value = random_.OneIn(2) ? 0 : static_cast<double>(random_.Below(1000));
    return [this, value]() mutable {
      if (random_.OneIn(40)) value *= random_.OneIn(2) ? 0 : 0.5;
      if (!random_.OneIn(4)) value += static_cast<double>(random_.Below(80)) / 8;
      return value;
    };
  }

  Values Gauge() {
    return [this] {
      if (random_.OneIn(60)) return std::numeric_limits<double>::quiet_NaN();
      if (random_.OneIn(60)) return std::copysign(HUGE_VAL, random_.Fraction() - 0.5);
      if (random_.OneIn(20)) return random_.OneIn(2) ? 0.0 : -0.0;
      return (random_.Fraction() - 0.4) * 200;
    };
  }

  // What arithmetic has rules of its own for, often several times running.
  Values Odd() {
    double value = 0;
    return [this, value]() mutable {
      constexpr double kInf = std::numeric_limits<double>::infinity();
      constexpr double kValues[] = {-kInf, kInf, std::numeric_limits<double>::quiet_NaN(),
                                    -1,    0,    1};
      if (random_.OneIn(2)) value = random_.Of(kValues);
      return value;
    };
  }

  Values Around(double size) {
    return [this, size] { return (random_.Fraction() - 0.2) * size; };
  }

  // Lives for the whole time, or begins late, or ends early. What follows a gap or an end may be
  // announced by a marker.
  void AddSeries(LabelList labels, const std::function<Quantity()>& next) {
    Series series{Labels(labels), {}};
    const std::int64_t from = random_.OneIn(4) ? random_.Between(0, 80) : 0;
    const std::int64_t to = random_.OneIn(4) ? random_.Between(40, 119) : 119;
    const std::int64_t jitter = random_.OneIn(3) ? 0 : random_.OneIn(2) ? 300 : 7000;
    const Duration offset{random_.OneIn(3) ? 0 : random_.Between(0, 14'000)};
    std::int64_t gap = 0;
    for (std::int64_t i = from; i <= to; ++i) {
      const Duration late{jitter == 0 ? 0 : random_.Between(0, jitter)};
      const Timestamp time = kDataStart + offset + i * kInterval + late;
      const bool breaks = gap == 0 && (random_.OneIn(40) || (i == to && to < 119));
      if (breaks) {
        gap = random_.Between(1, 35);
        if (random_.OneIn(2)) series.samples.push_back({time, kStaleNaN});
      } else if (gap > 0) {
        --gap;
      } else {
        const Quantity quantity = next();
        if (quantity.native != nullptr) series.natives.push_back({time, quantity.native});
        if (quantity.native == nullptr) series.samples.push_back({time, quantity.number});
      }
    }
    if (!series.empty()) data_.push_back(std::move(series));
  }

  void Add(LabelList labels, const Values& next) {
    AddSeries(labels, [&next] { return Quantity{next(), nullptr}; });
  }

  void AddNatives(LabelList labels, Kind kind) {
    RandomHistogram next(random_, kind);
    AddSeries(labels, [&next] { return Quantity{0, std::make_shared<const Native>(next.Next())}; });
  }

  Random random_;
  DataSet data_;
};

}  // namespace

DataSet RandomData(std::uint64_t seed) { return Maker(seed).Make(); }

}  // namespace skep::oracle
