// skep-exporter: flags, wiring, signals, shutdown order.
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/http_server.h"
#include "exporter/cmd/check.h"
#include "exporter/cmd/discover.h"
#include "exporter/cmd/exporter.h"
#include "exporter/cmd/flags.h"
#include "exporter/cmd/metrics_handler.h"
#include "exporter/cmd/web.h"

namespace skep::exporter {
namespace {

constexpr std::chrono::milliseconds kStopGrace{10'000};
// Requests that are answered at once, a thread each. Connections beyond them wait for their turn.
constexpr int kRequestsAtOnce = 16;
// glibc gives threads heaps of their own, up to 8 per core, each of which comes to hold the buffers
// of a page. Collectors take turns, so threads hardly meet in malloc.
constexpr int kHeaps = 2;
// Larger blocks, which are the buffers of pages, go back to the system after each page.
constexpr int kLargeBytes = 32 << 10;

// Blocked in all threads (those made later inherit it) and taken by WaitForEnd alone.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A scraper that hangs up while we write is not our end.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that has reached its limit is a full disk, which the state knows how to live with.
  std::signal(SIGXFSZ, SIG_IGN);
  return signals;
}

// Reloads at each SIGHUP; comes back at SIGINT or SIGTERM.
void WaitForEnd(const sigset_t& signals, Exporter& exporter, const Logger& log) {
  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) {
      log.Info("stopping", {{"signal", number}});
      return;
    }
    (void)exporter.Reload();  // it has logged and counted its error
  }
}

int CheckConfig(const Flags& flags, const Clock& clock) {
  const Verdict verdict = CheckConfiguration(flags, clock);
  for (const Error& mistake : verdict.mistakes) {
    std::fprintf(stderr, "%s\n", mistake.message().c_str());
  }
  if (!verdict.mistakes.empty()) return 1;
  std::printf("%s is valid\n%s",
              flags.config_file.empty() ? "configuration" : flags.config_file.c_str(),
              verdict.description.c_str());
  return 0;
}

Status Serve(const Flags& flags, const Clock& clock, const Logger& log) {
  const sigset_t signals = BlockSignals();
  log.Info("starting skep-exporter", {{"version", SKEP_VERSION}});
  Result<std::unique_ptr<Exporter>> exporter = Exporter::Create(flags, clock, log);
  if (!exporter) return exporter.error();
  MetricsHandler metrics(**exporter, clock, flags.max_requests, flags.timeout_offset_seconds);
  net::HttpServer server(clock, log.For("web"));
  RETURN_IF_ERROR(AddRoutes(server, **exporter, metrics, flags));
  (*exporter)->AddRoutes(server);
  const Result<std::string> prefix = RoutePrefix(flags);
  if (!prefix) return prefix.error();
  net::HttpServerOptions options;
  options.addresses = flags.listen_addresses;
  options.web_config_file = flags.web_config_file;
  options.route_prefix = *prefix;
  options.max_connections = kRequestsAtOnce;
  options.max_body_bytes = (*exporter)->max_body_bytes();
  RETURN_IF_ERROR(server.Start(options));
  for (const std::string& address : server.addresses()) {
    log.Info("listening", {{"address", address}, {"scheme", server.scheme()}});
  }
  (*exporter)->Start();
  WaitForEnd(signals, **exporter, log);
  // Nobody is told "accepted" any more, then nothing is counted any more, then the state is synced
  // (by the exporter's destructor).
  server.Stop(kStopGrace);
  (*exporter)->Stop();
  return {};
}

int Main(int argc, const char* const* argv) {
  if (argc > 1 && std::string_view(argv[1]) == "discover") {
    return RunDiscover(argc - 1, argv + 1, SystemClock());
  }
  int exit_code = 0;
  const std::optional<Flags> flags = ParseFlags(argc, argv, exit_code);
  if (!flags) return exit_code;
  ::mallopt(M_ARENA_MAX, kHeaps);
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  const SystemClock clock;
  if (flags->config_check) return CheckConfig(*flags, clock);
  const Logger log(clock, {.level = flags->log_level, .format = flags->log_format, .write = {}});
  const Status served = Serve(*flags, clock, log);
  if (!served) log.Error("cannot run", {{"err", served.error()}});
  return served ? 0 : 1;
}

}  // namespace
}  // namespace skep::exporter

int main(int argc, char** argv) {
  try {
    return skep::exporter::Main(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "skep-exporter: %s\n", e.what());
    return 1;
  }
}
