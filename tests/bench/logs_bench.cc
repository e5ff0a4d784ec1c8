// Lines of an access log per CPU-second, through following, format, routes, histograms, all
// built-in patterns and the store: `bench_logs [LINES] [FILE]` writes a log of that many lines
// (2,000,000) into a temporary folder, or reads FILE. tests/bench/logs_mtail.sh measures Debian's
// mtail on the same file with the same patterns.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "common/base/clock.h"
#include "common/yaml/node.h"
#include "exporter/logs/families.h"
#include "exporter/logs/follower.h"
#include "exporter/logs/line_counter.h"
#include "exporter/logs/options.h"
#include "exporter/state/store.h"
#include "tests/bench/cpu_seconds.h"
#include "tests/support/temp_folder.h"

namespace skep::logs {
namespace {

using skep::bench::CpuSeconds;

void WriteLog(const std::string& path, int lines) {
  std::ofstream out(path, std::ios::binary);
  std::mt19937 random(1);
  const char* agents[] = {
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
      "Safari/537.36",
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
      "Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
      "curl/7.88.1"};
  const int codes[] = {200, 200, 200, 200, 200, 200, 304, 404, 500, 201};
  std::string text;
  for (int i = 0; i < lines; ++i) {
    char line[640];
    const int n = std::snprintf(
        line, sizeof(line),
        "10.%d.%d.%d - - [22/Nov/2026:03:%02d:%02d +0000] \"%s /api/v1/users/%d/orders?page=%d "
        "HTTP/1.1\" %d %d \"https://shop.example.org/list\" \"%s\" %d.%03d\n",
        static_cast<int>(random() % 256), static_cast<int>(random() % 256),
        static_cast<int>(random() % 256), i / 60 % 60, i % 60, i % 5 == 0 ? "POST" : "GET",
        static_cast<int>(random() % 5000), static_cast<int>(random() % 10), codes[random() % 10],
        static_cast<int>(random() % 50000), agents[random() % 3],
        static_cast<int>(random() % 100) / 98, static_cast<int>(random() % 1000));
    text.append(line, static_cast<std::size_t>(n));
    if (text.size() > (1U << 20)) {
      out << text;
      text.clear();
    }
  }
  out << text;
}

int Run(int lines, std::string path) {
  test::TempFolder folder;
  if (path.empty()) {
    path = folder.File("access.log");
    WriteLog(path, lines);
  }
  const std::string text = R"(sources: [{name: web, format: nginx, from_beginning: true,
    log_format: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time',
    patterns: all, paths: [')" +
                           path + "']}]";
  const Result<yaml::Node> node = yaml::Node::Parse(text, "bench");
  const Result<Options> options = ReadOptions(*node);
  if (!options) {
    std::fprintf(stderr, "%s\n", options.error().message().c_str());
    return 1;
  }
  const SystemClock clock;
  BookmarkSection bookmarks;
  TemplateSection templates;
  state::StoreOptions store_options;
  store_options.path = folder.File("state");
  const auto store =
      state::Store::Open(store_options, {&bookmarks, &templates}, clock, Logger::Silent());
  const Families families = DefineFamilies(*options, **store, Logger::Silent());
  const auto counter = LineCounter::Create(options->sources[0], *options, families, templates);
  Follower follower(options->sources[0], **counter, bookmarks, **store, Logger::Silent());
  const double before = CpuSeconds();
  std::string buffer;
  std::uint64_t bytes = 0;
  for (bool more = true; more;) {
    const auto rescan = bytes == 0 ? Follower::Rescan::kYes : Follower::Rescan::kNo;
    const auto turn = follower.Run({clock.Now(), clock.SteadyNow()}, rescan, 16UL << 20, buffer);
    bytes += turn.bytes;
    more = turn.has_more;
  }
  const double spent = CpuSeconds() - before;
  std::string page;
  exposition::PageWriter writer(exposition::Format::kText, page);
  (*store)->WritePage(writer);
  const std::string name = "log_lines_total{level=\"none\",source=\"web\"} ";
  const double counted = std::atof(page.c_str() + page.find(name) + name.size());
  std::printf("%.0f lines, %.1f MB, %.2f s CPU: %.0f lines per CPU-second, %.0f ns a line\n",
              counted, static_cast<double>(bytes) / 1e6, spent, counted / spent,
              spent / counted * 1e9);
  return 0;
}

}  // namespace
}  // namespace skep::logs

int main(int argc, char** argv) {
  return skep::logs::Run(argc > 1 ? std::atoi(argv[1]) : 2'000'000, argc > 2 ? argv[2] : "");
}
