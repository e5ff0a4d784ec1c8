// What a page costs: ns per line of the parser alone, and samples per CPU-second of the whole way
// from bytes to the store in memory. 1,000 metrics with 100 series each, values that change.
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "common/exposition/parser.h"
#include "evaluator/scrape/page_ingester.h"
#include "evaluator/tsdb/head.h"
#include "tests/bench/cpu_seconds.h"

namespace {

using skep::bench::CpuSeconds;

using skep::exposition::Entry;
using skep::exposition::Format;
using skep::exposition::PageParser;

std::string MakePage(int metrics, int series, int round) {
  std::string page;
  unsigned seed = 12345U + static_cast<unsigned>(round);
  for (int m = 0; m < metrics; ++m) {
    const std::string name = "bench_requests_" + std::to_string(m) + "_total";
    page += "# HELP " + name + " Requests.\n# TYPE " + name + " counter\n";
    for (int s = 0; s < series; ++s) {
      seed = seed * 1664525U + 1013904223U;
      page += name + "{method=\"GET\",path=\"/api/v1/item/" + std::to_string(s) +
              "\",status=\"200\"} " + std::to_string(seed >> 12);
      page += seed % 4 == 0 ? ".25\n" : "\n";
    }
  }
  return page;
}

void ParseAlone(const std::string& page, int lines) {
  double sum = 0;
  const double start = CpuSeconds();
  PageParser parser(page, Format::kText);
  for (Entry entry = parser.Next(); entry != Entry::kEnd; entry = parser.Next()) {
    if (entry == Entry::kSample) sum += parser.value();
  }
  const double cost = CpuSeconds() - start;
  std::printf("parser, nothing expected: %.1f ns a line (check %g)\n", cost * 1e9 / lines, sum);
}

void ParseLabels(const std::string& page, int lines) {
  std::vector<skep::LabelView> labels;
  std::string buffer;
  std::size_t count = 0;
  const double start = CpuSeconds();
  PageParser parser(page, Format::kText);
  for (Entry entry = parser.Next(); entry != Entry::kEnd; entry = parser.Next()) {
    if (entry != Entry::kSample) continue;
    (void)skep::exposition::ParseSeries(parser.series(), {}, labels, buffer);
    count += labels.size();
  }
  std::printf("parser with labels: %.1f ns a line (check %zu)\n",
              (CpuSeconds() - start) * 1e9 / lines, count);
}

// Takes everything and keeps nothing: what is left is the cost of the scrape side.
class Nowhere final : public skep::storage::Appendable {
  class Batch final : public skep::storage::Appender {
    skep::storage::AppendOutcome Append(skep::storage::SeriesRef& ref, const skep::Labels&,
                                        skep::Sample) override {
      if (ref == 0) ref = 1;
      return skep::storage::AppendOutcome::kAccepted;
    }
    std::optional<skep::storage::AppendOutcome> AppendKnown(skep::storage::SeriesRef ref,
                                                            skep::Sample) override {
      if (ref == 0) return std::nullopt;
      return skep::storage::AppendOutcome::kAccepted;
    }
    skep::storage::AppendOutcome AppendFull(skep::storage::SeriesRef& ref, const skep::Labels&,
                                            const skep::FullSample&) override {
      if (ref == 0) ref = 1;
      return skep::storage::AppendOutcome::kAccepted;
    }
    skep::Status Commit() override { return {}; }
  };
  std::unique_ptr<skep::storage::Appender> NewAppender() override {
    return std::make_unique<Batch>();
  }
};

void Ingest(const char* what, skep::storage::Appendable& store,
            const std::vector<std::string>& pages, int lines) {
  auto job = std::make_shared<skep::scrape::JobOptions>();
  skep::scrape::PageIngester ingester(skep::scrape::PageSink{store}, job,
                                      {{"instance", "i"}, {"job", "j"}});
  constexpr int kRounds = 24;
  double cost = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double start = CpuSeconds();
    const auto result = ingester.Ingest({pages[static_cast<std::size_t>(round) % pages.size()],
                                         Format::kText,
                                         skep::FromMillis(1'700'000'000'000 + round * 5000),
                                         0.1,
                                         {}});
    const double spent = CpuSeconds() - start;
    if (!result.status || !result.commit) std::printf("FAILED\n");
    if (round == 0) {
      std::printf("%s, first page: %.0f ns a sample\n", what, spent * 1e9 / lines);
    } else {
      cost += spent;
    }
  }
  const double samples = static_cast<double>(lines) * (kRounds - 1);
  std::printf("%s: %.1f ns a sample, %.2f million samples per CPU-second\n", what,
              cost * 1e9 / samples, samples / cost / 1e6);
}

}  // namespace

int main() {
  constexpr int kMetrics = 1000;
  constexpr int kSeries = 100;
  constexpr int kLines = kMetrics * kSeries;
  std::vector<std::string> pages;
  for (int round = 0; round < 4; ++round) pages.push_back(MakePage(kMetrics, kSeries, round));
  ParseAlone(pages[0], kLines);
  ParseLabels(pages[0], kLines);
  Nowhere nowhere;
  Ingest("same-order scrape without a store", nowhere, pages, kLines);
  skep::tsdb::Head head({});
  Ingest("same-order scrape into tsdb::Head", head, pages, kLines);
  return 0;
}
