// What chunks cost: bytes a sample of each kind beside the XOR encoding, ns a sample to encode and
// to decode, the same for times.
//
//   chunk_bench                  made-up counters and gauges
//   chunk_bench FILE [SAMPLES]   pages of a real target, one recorded scrape after the other, each
//                                after a line "#@ MILLISECONDS BYTES"; taken as scrapes every 15 s;
//                                SAMPLES a chunk (default 960)
//
// EACH_SERIES=1 prints a line for each series, not for each kind.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "evaluator/tsdb/chunk.h"
#include "evaluator/tsdb/times_column.h"
#include "evaluator/tsdb/xor_chunk.h"
#include "tests/bench/recorded_pages.h"

namespace {

using namespace skep;  // NOLINT: a small program of its own

using bench::Recorded;

std::vector<Recorded> MakeUp(std::size_t samples) {
  std::mt19937_64 random(1);
  std::vector<Recorded> out;
  const auto add = [&](const char* name, auto value) {
    for (int copy = 0; copy < 100; ++copy) {
      Recorded series;
      series.name = name;
      for (std::size_t i = 0; i < samples; ++i) {
        series.times.push_back(
            FromMillis(1'700'000'000'000 + 15'000 * static_cast<std::int64_t>(i)));
        series.values.push_back(value(i));
      }
      out.push_back(std::move(series));
    }
  };
  double total = 0;
  add("constant", [&](std::size_t) { return 4.0; });
  add("counter, up to 50 a step",
      [&](std::size_t) { return total += static_cast<double>(random() % 50); });
  add("cpu seconds in 1/100", [&](std::size_t i) {
    total = i == 0 ? 0 : total + static_cast<double>(random() % 1500);
    return total / 100;
  });
  add("pages of 4096",
      [&](std::size_t) { return 4096.0 * static_cast<double>(1'000'000 + random() % 2000); });
  add("rarely changes", [&](std::size_t) { return random() % 50 == 0 ? total += 1 : total; });
  add("sine", [&](std::size_t i) { return std::sin(static_cast<double>(i) / 100); });
  add("noise", [&](std::size_t) { return static_cast<double>(random()) / 0x1p64; });
  return out;
}

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Cost {
  std::size_t samples = 0;
  std::size_t chunks = 0;
  std::size_t bytes = 0;
  std::size_t summary_bytes = 0;
  std::size_t xor_bytes = 0;
  double encode_ns = 0;
  double decode_ns = 0;
  double xor_decode_ns = 0;
};

template <typename Work>
double NsPerRun(Work work) {
  constexpr int kRuns = 5;
  double best = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    const double start = Seconds();
    work();
    best = std::min(best, Seconds() - start);
  }
  return best * 1e9;
}

void Measure(std::span<const Timestamp> times, std::span<const double> values,
             std::map<std::string, Cost>& costs, const std::string& by) {
  tsdb::ChunkEncoder encoder;
  tsdb::Chunk chunk;
  chunk.count = static_cast<std::uint32_t>(values.size());
  chunk.kind = encoder.EncodeValues(values, chunk.values);
  encoder.EncodeSummaryOf(values, chunk.values, chunk.summary);
  Cost& cost = costs[by.empty() ? std::string(ChunkKindName(chunk.kind)) : by];
  ++cost.chunks;
  cost.samples += values.size();
  cost.bytes += chunk.values.size();
  cost.summary_bytes += chunk.summary.size();
  std::string again;
  cost.encode_ns += NsPerRun([&] {
    again.clear();
    encoder.EncodeValues(values, again);
  });
  std::vector<double> out;
  cost.decode_ns += NsPerRun([&] {
    out.clear();
    (void)tsdb::DecodeValues(chunk.values, chunk.count, {0, chunk.count}, out);
  });
  if (std::memcmp(out.data(), values.data(), values.size() * 8) != 0) std::abort();
  tsdb::XorWriter writer;
  for (std::size_t i = 0; i < values.size(); ++i) writer.Append(times[i], values[i]);
  cost.xor_bytes += writer.size_bytes();
  storage::SampleColumns columns;
  cost.xor_decode_ns += NsPerRun([&] {
    columns.clear();
    writer.Read(writer.samples(), {}, columns);
  });
}

void Print(const std::string& name, const Cost& cost) {
  const auto n = static_cast<double>(cost.samples);
  std::printf(
      "%-26s %6zu chunks %8zu samples %6.3f bytes + %5.3f summary (XOR with times %6.3f)"
      "   encode %5.1f ns  decode %5.2f ns (XOR %5.2f)\n",
      name.c_str(), cost.chunks, cost.samples, static_cast<double>(cost.bytes) / n,
      static_cast<double>(cost.summary_bytes) / n, static_cast<double>(cost.xor_bytes) / n,
      cost.encode_ns / n, cost.decode_ns / n, cost.xor_decode_ns / n);
}

void MeasureTimes(const char* name, std::span<const Timestamp> times) {
  std::string bytes;
  const double encode = NsPerRun([&] {
    bytes.clear();
    tsdb::EncodeTimes(times, bytes);
  });
  std::vector<Timestamp> out;
  const double decode = NsPerRun([&] {
    out.clear();
    (void)tsdb::TimesReader::Open(bytes)->Read({0, static_cast<std::uint32_t>(times.size())}, out);
  });
  const auto n = static_cast<double>(times.size());
  std::printf("times, %-19s %5zu in %4zu bytes   encode %5.1f ns  decode %5.2f ns (%.0f M/s)\n",
              name, times.size(), bytes.size(), encode / n, decode / n, n / decode * 1e3);
}

void MeasureTimes(std::size_t samples) {
  std::mt19937_64 random(2);
  std::vector<Timestamp> regular, jitter;
  for (std::size_t i = 0; i < samples; ++i) {
    regular.push_back(FromMillis(1'700'000'000'000 + 15'000 * static_cast<std::int64_t>(i)));
    jitter.push_back(regular.back() + Duration(random() % 5));
  }
  MeasureTimes("regular", regular);
  MeasureTimes("jitter of 5 ms", jitter);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t samples = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 960;
  MeasureTimes(samples);
  std::vector<Timestamp> scrapes;
  const std::vector<Recorded> all =
      argc > 1 ? bench::LoadPages(argv[1], FromMillis(1'700'000'000'000), scrapes)
               : MakeUp(samples);
  const bool by_kind = argc > 1 && std::getenv("EACH_SERIES") == nullptr;
  std::map<std::string, Cost> costs;
  for (const Recorded& series : all) {
    for (std::size_t at = 0; at < series.values.size(); at += samples) {
      const std::size_t count = std::min(samples, series.values.size() - at);
      Measure(std::span(series.times).subspan(at, count),
              std::span(series.values).subspan(at, count), costs, by_kind ? "" : series.name);
    }
  }
  Cost total;
  for (const auto& [name, cost] : costs) {
    Print(name, cost);
    total.chunks += cost.chunks;
    total.samples += cost.samples;
    total.bytes += cost.bytes;
    total.summary_bytes += cost.summary_bytes;
    total.xor_bytes += cost.xor_bytes;
    total.encode_ns += cost.encode_ns;
    total.decode_ns += cost.decode_ns;
    total.xor_decode_ns += cost.xor_decode_ns;
  }
  Print("all", total);
  if (!scrapes.empty()) {
    MeasureTimes("of the recording", std::span(scrapes).first(std::min(samples, scrapes.size())));
  }
}
