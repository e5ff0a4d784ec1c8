// What /v1/events can take: events per CPU-second through the endpoint's handler, from the bytes of
// a request to its answer, with the state file on a path. Half of the events carry an id.
//
//   events_bench [FOLDER [EVENTS_PER_REQUEST [REQUESTS]]]     default: a new folder in /tmp, 500,
//   2,000

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "exporter/ingest/event_ingest.h"
#include "tests/bench/cpu_seconds.h"

namespace {

using skep::bench::CpuSeconds;

using namespace skep;  // NOLINT: a small program of its own

// What services push: requests, business, errors, pages, costs, measures.
std::string MakeBody(int request, int events) {
  std::string out;
  for (int i = 0; i < events; ++i) {
    const std::string id =
        ",\"id\":\"" + std::to_string(request) + "-" + std::to_string(i) + "-7d9f0c3a5b\"}\n";
    const std::string end = i % 2 == 0 ? id : "}\n";
    const std::string n = std::to_string(i % 10);
    switch (i % 6) {
      case 0:
        out += "{\"kind\":\"request\",\"service\":\"shop\",\"method\":\"GET\",\"route\":\"/items/" +
               n + "\",\"status\":200,\"duration_seconds\":0.0" + n + "2" + end;
        break;
      case 1:
        out += "{\"kind\":\"business\",\"event\":\"order_" + n + "\",\"count\":2" + end;
        break;
      case 2:
        out += "{\"kind\":\"error\",\"component\":\"db\",\"class\":\"SQLITE_BUSY\"" + end;
        break;
      case 3:
        out += "{\"kind\":\"page\",\"page_group\":\"p" + n +
               "\",\"largest_contentful_paint_seconds\":1.8,\"cumulative_layout_shift\":0.02" + end;
        break;
      case 4:
        out += "{\"kind\":\"cost\",\"service\":\"storage\",\"amount_usd\":0.0125" + end;
        break;
      default:
        out +=
            "{\"kind\":\"measure\",\"name\":\"basket_items_total\",\"type\":\"counter\","
            "\"value\":" +
            n + ",\"labels\":{\"shop\":\"eu\"}" + end;
    }
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const bool own = argc < 2;
  std::string folder = own ? "/tmp/events_bench.XXXXXX" : argv[1];
  if (own && mkdtemp(folder.data()) == nullptr) return 1;
  const int per_request = argc > 2 ? std::atoi(argv[2]) : 500;
  const int requests = argc > 3 ? std::atoi(argv[3]) : 2000;
  const SystemClock clock;
  ingest::EventMemory memory;
  swarm::PushedSwarm swarm;
  std::vector<state::Section*> sections = memory.sections();
  sections.push_back(&swarm);
  double cpu = 0;
  {
    const auto store =
        state::Store::Open({.path = folder + "/state"}, sections, clock, Logger::Silent()).value();
    const auto flow = swarm::Flow::Define(*store).value();
    const auto events = ingest::EventIngest::Create(
                            {}, {}, {*store, memory, swarm, *flow, clock, {}}, Logger::Silent())
                            .value();
    for (int i = -10; i < requests; ++i) {
      net::HttpRequest request;
      request.method = "POST";
      request.headers = {{"Content-Type", "application/x-ndjson"}};
      request.body = MakeBody(i, per_request);
      const double before = CpuSeconds();
      const net::HttpResponse response = events->HandleEvents(request);
      if (i >= 0) cpu += CpuSeconds() - before;
      if (response.status != 200) {
        std::fprintf(stderr, "%d %s\n", response.status, response.body.c_str());
        return 1;
      }
    }
  }
  if (own) std::filesystem::remove_all(folder);
  const double count = static_cast<double>(requests) * per_request;
  std::printf("%.0f events per CPU-second (%.0f events, %d a request, %.2f s)\n", count / cpu,
              count, per_request, cpu);
}
