#include "evaluator/cmd/store_alert.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

namespace skep::evaluator {
namespace {

using std::chrono::seconds;

class Sink final : public rules::AlertSink {
 public:
  void Send(std::vector<Alert> alerts) override {
    sent.insert(sent.end(), alerts.begin(), alerts.end());
  }
  std::vector<Alert> sent;
};

const Timestamp kBegin = FromMillis(1'000'000'000);

}  // namespace

TEST_CASE("A store that cannot write raises an alert of its own", "[cmd]") {
  Sink sink;
  StoreAlert alert(sink, "http://here:7538");
  const auto look = [&](int at, const char* problem) { alert.Look(problem, kBegin + seconds(at)); };
  look(0, "");
  CHECK(sink.sent.empty());
  look(1, "no room");
  REQUIRE(sink.sent.size() == 1);
  CHECK(sink.sent[0].labels.Get("alertname") == "SkepStoreCannotWrite");
  CHECK(sink.sent[0].labels.Get("severity") == "critical");
  CHECK(sink.sent[0].annotations.Get("description") == "Samples are not kept: no room");
  CHECK(sink.sent[0].annotations.Get("runbook_url") ==
        "http://here:7538/runbooks#SkepStoreCannotWrite");
  CHECK(sink.sent[0].starts_at == kBegin + seconds(1));
  CHECK_FALSE(sink.sent[0].ResolvedAt(kBegin + seconds(200)));
  // It comes and goes: one alert, told once a minute.
  for (int at = 2; at <= 121; ++at) look(at, at % 2 == 0 ? "" : "no room");
  REQUIRE(sink.sent.size() == 3);
  CHECK(sink.sent[2].starts_at == kBegin + seconds(1));
  for (int at = 122; at <= 180; ++at) look(at, "");
  CHECK(sink.sent.size() == 3);
  look(181, "");
  REQUIRE(sink.sent.size() == 4);
  CHECK(sink.sent[3].ends_at == kBegin + seconds(181));
  CHECK(sink.sent[3].starts_at == kBegin + seconds(1));
  for (int at = 182; at < 3000; ++at) look(at, "");
  CHECK(sink.sent.size() == 19);  // once a minute for a quarter of an hour more
  look(3000, "no room");
  REQUIRE(sink.sent.size() == 20);
  CHECK(sink.sent[19].starts_at == kBegin + seconds(3000));
}

}  // namespace skep::evaluator
