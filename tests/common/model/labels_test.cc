#include "common/model/labels.h"

#include <catch2/catch.hpp>

using skep::Fingerprint;
using skep::Labels;
using skep::LabelsBuilder;

TEST_CASE("Labels are sorted, distinct and without empty values", "[labels]") {
  const Labels labels{{"job", "a"}, {"__name__", "up"}, {"empty", ""}, {"job", "b"}};
  CHECK(labels.size() == 2);
  CHECK(labels.Get("job") == "b");
  CHECK(labels.Get("empty").empty());
  CHECK(labels.metric_name() == "up");
  CHECK(labels.ToString() == "up{job=\"b\"}");
  CHECK(Labels{}.ToString() == "{}");
  CHECK(Labels{{"a.b", "x\"y"}}.ToString() == "{\"a.b\"=\"x\\\"y\"}");
  CHECK(Labels{{"__name__", "a.b"}, {"c", "d"}}.ToString() == "{\"a.b\", c=\"d\"}");
}

TEST_CASE("Annotations keep empty values, builders drop them", "[labels]") {
  std::vector<skep::LabelView> pairs = {{"b", ""}, {"a", "1"}};
  const Labels kept = Labels::WithEmptyValues(pairs);
  CHECK(kept.size() == 2);
  CHECK(kept.ToString() == "{a=\"1\", b=\"\"}");
  CHECK_FALSE(kept.Has("b"));
  CHECK(LabelsBuilder(kept).Build() == Labels{{"a", "1"}});
  CHECK(kept != Labels{{"a", "1"}});
}

TEST_CASE("Label sets compare pair by pair", "[labels]") {
  const Labels a{{"a", "1"}};
  const Labels ab{{"a", "1"}, {"b", "1"}};
  const Labels a2{{"a", "2"}};
  CHECK(a < ab);
  CHECK(ab < a2);
  CHECK(a == Labels{{"a", "1"}});
  CHECK(a.Hash() == Labels{{"a", "1"}}.Hash());
  CHECK(a.Hash() != a2.Hash());
}

TEST_CASE("Long names and values survive", "[labels]") {
  const std::string name(300, 'n');
  const std::string value(20'000, 'v');
  const Labels labels{{name, value}, {"z", "1"}};
  CHECK(labels.Get(name) == value);
  CHECK(labels.Get("z") == "1");
  CHECK(labels.Get("y").empty());
}

TEST_CASE("LabelsBuilder sets, replaces and deletes", "[labels]") {
  LabelsBuilder builder(Labels{{"a", "1"}, {"c", "3"}});
  builder.Set("b", "2").Set("a", "9").Set("c", "").Delete("zz");
  CHECK(builder.Build() == Labels{{"a", "9"}, {"b", "2"}});
}

TEST_CASE("Fingerprints equal Alertmanager's", "[labels]") {
  // From the recorded notifications of a real Alertmanager.
  CHECK(Fingerprint(Labels{{"alertname", "Solo"}, {"n", "1"}, {"team", "all"}}) ==
        0x5b4dceaa7bccae50ULL);
  CHECK(Fingerprint(Labels{{"alertname", "Disk"}, {"disk", "sda"}, {"severity", "critical"}}) ==
        0xb9d35048cb68ac7eULL);
}

TEST_CASE("Names are judged by the old and the new rules", "[labels]") {
  CHECK(skep::IsLegacyMetricName("a:b_1"));
  CHECK_FALSE(skep::IsLegacyMetricName("1a"));
  CHECK_FALSE(skep::IsLegacyLabelName("a:b"));
  CHECK_FALSE(skep::IsLegacyLabelName(""));
  CHECK(skep::IsUtf8Name("my.metric/ä"));
  CHECK_FALSE(skep::IsUtf8Name(""));
  for (const std::string bad :
       {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc3", "a\x80"}) {
    CHECK_FALSE(skep::IsUtf8(bad));
  }
  CHECK(skep::IsUtf8("\xf4\x8f\xbf\xbf"));
}
