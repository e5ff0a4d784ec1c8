#include "evaluator/intake/write_request.h"

#include <catch2/catch.hpp>

#include "common/model/sample.h"
#include "evaluator/tsdb/head.h"
#include "tests/evaluator/intake/dump.h"
#include "tests/evaluator/intake/messages.h"

namespace skep::intake::test {
namespace {

using Lines = std::vector<std::string>;

struct Received {
  Lines series;
  std::string complaint;
};

Received Receive(const std::vector<SeriesMessage>& all) {
  tsdb::Head head({});
  SeriesRefs refs;
  Batch batch(head, kMaxTimestamp);
  REQUIRE(ReadWriteRequest(Request(all), refs, batch));
  REQUIRE(batch.Commit());
  return {Dump(head), batch.Complaint()};
}

// 1 zero, 1 and 2 in the first two buckets, 4 in the fourth.
std::string IntegerHistogram() {
  std::string out;
  MessageWriter(out)
      .Varint(1, 8)
      .Double(3, 12.5)
      .Sint(4, 0)
      .Double(5, 0.5)
      .Varint(6, 1)
      .Bytes(11, Span(1, 2))
      .Bytes(11, Span(1, 1))
      .PackedVarint(12, {Zigzag(1), Zigzag(1), Zigzag(2)})
      .Varint(15, 1000);
  return out;
}

std::string CustomHistogram(const std::vector<double>& bounds) {
  std::string out;
  MessageWriter(out)
      .Double(2, 3)
      .Double(3, 2)
      .Sint(4, -53)
      .Bytes(11, Span(0, 2))
      .PackedDouble(13, {1, 2})
      .Varint(15, 2000)
      .PackedDouble(16, bounds);
  return out;
}

}  // namespace

TEST_CASE("Series of a write request are stored", "[intake]") {
  const Received got = Receive(
      {{{{"__name__", "a"}, {"job", "x"}, {"none", ""}}, {Point(1.5, 1000), Point(2, 2000)}},
       {{{"__name__", "b"}}, {Point(kStaleNaN, 1000)}}});
  CHECK(got.series == Lines{R"(a{job="x"} 1.5@1000 2@2000)", "b stale@1000"});
  CHECK(got.complaint.empty());
}

TEST_CASE("Labels need not be in order", "[intake]") {
  CHECK(Receive({{{{"z", "1"}, {"__name__", "a"}}, {Point(1, 1000)}}}).series ==
        Lines{R"(a{z="1"} 1@1000)"});
}

TEST_CASE("Histograms with differences, counts and bounds of their own are stored", "[intake]") {
  const Received got = Receive({{{{"__name__", "h"}}, {}, {IntegerHistogram()}},
                                {{{"__name__", "n"}}, {}, {CustomHistogram({1, 5})}}});
  CHECK(got.complaint.empty());
  CHECK(got.series == Lines{"h {count:8, sum:12.5, [-0.5,0.5]:1, (1,2]:1, (2,4]:2, (8,16]:4}@1000",
                            "n {count:3, sum:2, [-Inf,1]:1, (1,5]:2}@2000"});
}

TEST_CASE("A histogram whose sum is the marker ends the series", "[intake]") {
  std::string stale;
  MessageWriter(stale).Double(3, kStaleNaN).Varint(15, 3000);
  CHECK(Receive({{{{"__name__", "h"}}, {}, {IntegerHistogram(), stale}}}).series ==
        Lines{"h stale@3000 {count:8, sum:12.5, [-0.5,0.5]:1, (1,2]:1, (2,4]:2, (8,16]:4}@1000"});
}

TEST_CASE("Numbers of a histogram that do not fit cost it alone", "[intake]") {
  const auto complaint = [](const auto& write) {
    std::string histogram;
    MessageWriter writer(histogram);
    write(writer);
    const Received got =
        Receive({{{{"__name__", "h"}}, {}, {histogram}}, {{{"__name__", "a"}}, {Point(1, 1000)}}});
    CHECK(got.series == Lines{"a 1@1000"});
    return got.complaint.substr(std::min(got.complaint.size(), got.complaint.find("first: ") + 7));
  };
  CHECK(complaint([](MessageWriter& w) { w.Sint(4, 9); }) == "h: unknown schema");
  CHECK(complaint([](MessageWriter& w) { w.Bytes(11, Span(0, 1)); }) ==
        "h: more buckets in spans than counts");
  CHECK(complaint([](MessageWriter& w) { w.PackedVarint(12, {2}); }) ==
        "h: more counts than buckets in spans");
  CHECK(complaint([](MessageWriter& w) { w.Bytes(11, Span(0, 4'000'000'000)); }) ==
        "h: more buckets in spans than counts");
  CHECK(complaint([](MessageWriter& w) {
          w.Bytes(11, Span(0, 1)).PackedVarint(12, {Zigzag(-1)});
        }) == "h: a bucket's count is negative");
  CHECK(complaint([](MessageWriter& w) {
          w.Bytes(11, Span(5, 1)).Bytes(11, Span(-2, 1)).PackedVarint(12, {2, 2});
        }) == "h: spans overlap");
  CHECK(complaint([](MessageWriter& w) {
          w.Bytes(11, Span(2147483647, 1)).Bytes(11, Span(1, 1)).PackedVarint(12, {2, 2});
        }) == "h: a bucket's index is out of range");
  CHECK(complaint([](MessageWriter& w) {
          w.Sint(4, -53).PackedDouble(16, {2, 1});
        }) == "h: bounds do not rise");
  CHECK(complaint([](MessageWriter& w) { w.PackedDouble(16, {1}); }) ==
        "h: bounds without the schema of custom buckets");
  CHECK(complaint([](MessageWriter& w) {
          w.Sint(4, -53).Bytes(11, Span(1, 1)).PackedVarint(12, {2});
        }) == "h: buckets beyond the bounds");
  CHECK(complaint([](MessageWriter& w) {
          w.Bytes(11, Span(0, 1)).PackedVarint(12, {Zigzag(3)});
        }) == "h: its count is not that of its buckets");
}

TEST_CASE("A field of another shape is no message", "[intake]") {
  const auto read = [](const std::string& message) {
    tsdb::Head head({});
    SeriesRefs refs;
    Batch batch(head, kMaxTimestamp);
    return ReadWriteRequest(message, refs, batch);
  };
  const std::string label =
      "\x0a\x0d\x0a\x08__name__\x12\x01"
      "a";
  CHECK(read("\x0a\x0f" + label));
  CHECK_FALSE(read("\x08\x01"));                       // series as a number
  CHECK_FALSE(read("\x0a\x11" + label + "\x10\x01"));  // a sample as a number
  CHECK(read("\x0a\x11" + label + "\x28\x01"));        // a field that nobody knows
}

TEST_CASE("A label set that is none costs its samples", "[intake]") {
  const Received got = Receive({{{{"job", "x"}}, {Point(1, 1000), Point(1, 2000)}},
                                {{{"__name__", "a"}, {"", "x"}}, {Point(1, 1000)}},
                                {{{"__name__", "a"}, {"b", "\xff"}}, {Point(1, 1000)}},
                                {{{"__name__", "a"}, {"b", "1"}, {"b", "2"}}, {Point(1, 1000)}},
                                {{{"__name__", "good"}}, {Point(1, 1000)}}});
  CHECK(got.series == Lines{"good 1@1000"});
  CHECK(got.complaint ==
        R"(5 of 6 samples refused (5 labels); the first: no metric name in {job="x"})");
}

TEST_CASE("A message cut anywhere is refused or a shorter one", "[intake]") {
  const std::string whole =
      Request({{{{"__name__", "a"}}, {Point(1, 1000)}, {IntegerHistogram()}}});
  std::size_t refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    tsdb::Head head({});
    SeriesRefs refs;
    Batch batch(head, kMaxTimestamp);
    if (!ReadWriteRequest(std::string_view(whole).substr(0, size), refs, batch)) ++refused;
  }
  // Whole are only nothing at all, and the series without the metadata behind it.
  CHECK(refused == whole.size() - 2);
}

}  // namespace skep::intake::test
