#include "evaluator/intake/receiver.h"

#include <catch2/catch.hpp>

#include "common/protobuf/snappy.h"
#include "evaluator/tsdb/head.h"
#include "tests/evaluator/intake/dump.h"
#include "tests/evaluator/intake/messages.h"
#include "tests/support/fake_watches.h"
#include "tests/support/recording_store.h"

namespace skep::intake::test {
namespace {

using Lines = std::vector<std::string>;

class FixedClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(1'000'000); }
  Steady SteadyNow() const override { return {}; }
};

struct World {
  FixedClock clock;
  instrument::Instruments instruments;
  tsdb::Head head{tsdb::HeadOptions{}};
  skep::test::FakeFeed feed;
  Receiver receiver{head, clock, instruments, &feed};

  net::HttpResponse Write(std::string body, net::Headers headers = {}) {
    net::HttpRequest request;
    request.method = "POST";
    request.body = std::move(body);
    request.headers = std::move(headers);
    return receiver.Write(request);
  }
  net::HttpResponse Import(std::string body, net::Parameters parameters = {}) {
    net::HttpRequest request;
    request.method = "POST";
    request.body = std::move(body);
    request.parameters = std::move(parameters);
    return receiver.Import(request);
  }
  std::string Page() const {
    std::string text;
    exposition::PageWriter page(exposition::Format::kText, text);
    instruments.Write(page);
    page.Finish();
    return text;
  }
};

std::string Packed(const std::vector<SeriesMessage>& all) {
  return protobuf::PackSnappy(Request(all));
}

const net::Headers kSent = {{"Content-Type", "application/x-protobuf"},
                            {"Content-Encoding", "snappy"},
                            {"X-Prometheus-Remote-Write-Version", "0.1.0"}};

}  // namespace

TEST_CASE("A write request is taken as a whole", "[intake]") {
  World world;
  const auto response = world.Write(
      Packed({{{{"__name__", "a"}}, {Point(1, 1000)}}, {{{"__name__", "b"}}, {Point(2, 1000)}}}),
      kSent);
  CHECK(response.status == 204);
  CHECK(response.body.empty());
  CHECK(Dump(world.head) == Lines{"a 1@1000", "b 2@1000"});
  CHECK(world.Page().find(R"(skep_evaluator_pushed_samples_total{protocol="remote_write"} 2)") !=
        std::string::npos);
}

TEST_CASE("Who wants to hear of a pushed series is told when it arrives", "[intake]") {
  World world;
  world.feed.Watch({"a", "b", "c"});
  // The clock stands at second 1000. A sample of a minute ago is news, one of ten minutes is not.
  REQUIRE(world
              .Write(Packed({{{{"__name__", "b"}}, {Point(1, 400'000), Point(2, 940'000)}},
                             {{{"__name__", "x"}}, {Point(2, 990'000)}},
                             {{{"__name__", "a"}}, {Point(1, 990'000), Point(2, 995'000)}},
                             {{{"__name__", "c"}}, {Point(2, 400'000)}}}))
              .status == 204);
  CHECK(world.feed.TakeTold() == "1000:ab ");
  REQUIRE(world.Import("c 1\nx 2\n").status == 204);
  CHECK(world.feed.TakeTold() == "1000:c ");
  REQUIRE(world.Import("x 3 1001000\n").status == 204);
  CHECK(world.feed.TakeTold().empty());
  CHECK(world.Write(Packed({{{{"__name__", "a"}}, {Point(7, 990'500)}}})).status == 400);
  CHECK(world.feed.TakeTold().empty());  // refused: nothing new to see
  CHECK(world.Write("hello").status == 400);
  CHECK(world.feed.TakeTold().empty());
  world.feed.watches = nullptr;
  CHECK(world.Import("a 1\n").status == 204);
}

TEST_CASE("What cannot be taken is told and counted, the rest stays", "[intake]") {
  World world;
  REQUIRE(world.Write(Packed({{{{"__name__", "a"}}, {Point(1, 2000)}}})).status == 204);
  const auto response =
      world.Write(Packed({{{{"__name__", "a"}}, {Point(1, 1000)}},
                          {{{"__name__", "b"}}, {Point(2, 1'000'000 + 600'001)}},
                          {{{"__name__", "c"}}, {Point(3, 1'000'000 + 600'000)}}}));
  CHECK(response.status == 400);
  CHECK(response.body ==
        "2 of 3 samples refused (1 out of order, 1 too new); the first: a at 1000 ms: out of "
        "order\n");
  CHECK(Dump(world.head) == Lines{"a 1@2000", "c 3@1600000"});
  CHECK(world.Page().find("skep_evaluator_pushed_samples_refused_total{protocol=\"remote_write\","
                          "reason=\"out_of_order\"} 1") != std::string::npos);
}

TEST_CASE("What is no write request takes nothing", "[intake]") {
  World world;
  const std::string good = Packed({{{{"__name__", "a"}}, {Point(1, 1000)}}});
  CHECK(world.Write("").status == 400);
  CHECK(world.Write("hello").status == 400);
  CHECK(world.Write(good.substr(0, good.size() - 1)).status == 400);
  // Four bytes of length, nearly 64 MB, and not what could become them.
  CHECK(world.Write("\xff\xff\xff\x1f" + good).body == "snappy: damaged\n");
  // Bytes that are missing in the middle.
  CHECK(world.Write(good.substr(0, 3) + good.substr(5)).body == "snappy: damaged\n");
  // A series that is whole before one that is not.
  std::string torn = Request({{{{"__name__", "a"}}, {Point(1, 1000)}}});
  torn += "\x0a\x7f";
  CHECK(world.Write(protobuf::PackSnappy(torn)).status == 400);
  CHECK(world.Write(good, {{"Content-Encoding", "gzip"}}).status == 415);
  CHECK(world.Write(good, {{"Content-Type", "application/json"}}).status == 415);
  CHECK(world
            .Write(good, {{"Content-Type",
                           "application/x-protobuf;proto=io.prometheus.write.v2.Request"}})
            .status == 415);
  CHECK(Dump(world.head).empty());
}

TEST_CASE("A length that nothing stands for takes no memory", "[intake]") {
  World world;
  CHECK(world.Write("\xff\xff\xff\xff\x0f").status == 413);
  CHECK(world
            .Write("\x80\x80\x80\x01"
                   "abc")
            .status == 400);
}

TEST_CASE("The store's failure is the sender's to repeat", "[intake]") {
  FixedClock clock;
  instrument::Instruments instruments;
  skep::test::RecordingStore store;
  store.FailCommits(true);
  Receiver receiver(store, clock, instruments);
  net::HttpRequest request;
  request.body = Packed({{{{"__name__", "a"}}, {Point(1, 1000)}}});
  CHECK(receiver.Write(request).status == 500);
}

TEST_CASE("Pages are imported with their parameters", "[intake]") {
  World world;
  CHECK(
      world.Import("a 1\nb 2 5000\n", {{"timestamp", "7000"}, {"extra_label", "job=old"}}).status ==
      204);
  CHECK(world.Import("c 1\n").status == 204);
  CHECK(Dump(world.head) ==
        Lines{R"(a{job="old"} 1@7000)", R"(b{job="old"} 2@5000)", "c 1@1000000"});
  CHECK(world.Import("a 1\n", {{"timestamp", "soon"}}).body ==
        "parameter timestamp: expected milliseconds, got \"soon\"\n");
  CHECK(world.Import("a 1\n", {{"extra_label", "job"}}).status == 400);
  CHECK(world.Import("a{ 1\n").status == 400);
}

}  // namespace skep::intake::test
