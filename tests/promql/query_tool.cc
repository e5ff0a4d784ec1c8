// Answers range queries over samples of a file, for comparison with other programs.
//
//   promql_query SAMPLES QUERIES
//     SAMPLES   lines of series TAB milliseconds TAB value, times rising per series
//     QUERIES   lines of start TAB end TAB step (milliseconds) TAB expression
//   Prints per query its series (labels TAB milliseconds=value ...) or "error MESSAGE", then "--".
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/number.h"
#include "evaluator/engine/engine.h"
#include "tests/support/memory_store.h"

namespace {

using namespace skep;  // NOLINT: a small program of its own

std::vector<std::string_view> Split(std::string_view text, char at, std::size_t most) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < most) {
    const std::size_t end = text.find(at);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

Status Load(test::MemoryStore& store, std::string_view samples) {
  const auto appender = store.NewAppender();
  std::map<std::string_view, Labels> series;
  for (const std::string_view line : Split(samples, '\n', samples.size())) {
    if (line.empty()) continue;
    const auto fields = Split(line, '\t', 3);
    if (fields.size() != 3) return Invalid("three fields expected");
    auto at = series.find(fields[0]);
    if (at == series.end()) {
      const Result<Labels> labels = promql::ParseMetric(fields[0]);
      if (!labels) return labels.error();
      at = series.emplace(fields[0], *labels).first;
    }
    const auto time = ParseInt(fields[1]);
    const auto value = ParseDouble(fields[2]);
    if (!time || !value) return Invalid("a number expected");
    storage::SeriesRef ref = 0;
    if (appender->Append(ref, at->second, {FromMillis(*time), *value}) !=
        storage::AppendOutcome::kAccepted) {
      return Invalid("times must rise");
    }
  }
  return appender->Commit();
}

void Answer(const engine::Engine& engine, test::MemoryStore& store, std::string_view line) {
  const auto fields = Split(line, '\t', 4);
  const auto query = engine::Query::Parse(fields.back(), promql::ParseOptions::All());
  if (!query) {
    std::printf("error %s\n", query.error().message().c_str());
    return;
  }
  const auto millis = [&fields](std::size_t i) { return ParseInt(fields[i]).value_or(0); };
  const auto result =
      engine.Run(*query, store,
                 engine::QueryOptions::Over(FromMillis(millis(0)), FromMillis(millis(1)),
                                            Duration(millis(2))));
  if (!result) {
    std::printf("error %s\n", result.error().message().c_str());
    return;
  }
  for (const promql::MatrixSeries& series : std::get<promql::Matrix>(result->value)) {
    std::printf("%s", series.labels.ToString().c_str());
    for (const Sample& sample : series.samples) {
      std::printf("\t%s=%s", std::to_string(ToMillis(sample.time)).c_str(),
                  FormatDouble(sample.value).c_str());
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: promql_query SAMPLES QUERIES\n");
    return 1;
  }
  const Result<std::string> samples = ReadFile(argv[1]);
  const Result<std::string> queries = ReadFile(argv[2]);
  test::MemoryStore store;
  const Status loaded = samples && queries ? Load(store, *samples) : Status(Invalid("no file"));
  if (!loaded) {
    std::fprintf(stderr, "promql_query: %s\n", loaded.error().message().c_str());
    return 1;
  }
  const SystemClock clock;
  const engine::Engine engine(clock);
  for (const std::string_view line : Split(*queries, '\n', queries->size())) {
    if (line.empty()) continue;
    Answer(engine, store, line);
    std::printf("--\n");
  }
}
