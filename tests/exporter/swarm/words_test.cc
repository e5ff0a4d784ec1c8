#include "exporter/swarm/words.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace skep::swarm {
namespace {

using Cases = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("What programs call a status becomes one word of a closed set", "[swarm]") {
  for (const auto& [text, word] : Cases{{"idle", "idle"},
                                        {"BUSY", "busy"},
                                        {" running ", "active"},
                                        {"offline", "terminated"},
                                        {"", ""},
                                        {"dreaming", "other"},
                                        {std::string(1000, 'x'), "other"}}) {
    CAPTURE(text);
    CHECK(AgentStatusWord(text) == word);
  }
  for (const auto& [text, word] : Cases{{"in-progress", "in_progress"},
                                        {"In Progress", "in_progress"},
                                        {"queued", "pending"},
                                        {"canceled", "cancelled"},
                                        {"done", "completed"},
                                        {"?", "other"}}) {
    CAPTURE(text);
    CHECK(TaskStatusWord(text) == word);
  }
  CHECK(SwarmStatusWord("active") == "running");
  CHECK(TopologyWord("hierarchical-mesh") == "hybrid");
  CHECK(PriorityWord("medium") == "normal");
  CHECK(PriorityWord("7") == "other");
}

TEST_CASE("The reason of a denial is what stands before its details", "[swarm]") {
  for (const auto& [text, word] : Cases{{"hourly-budget: 2 of 2 launches", "hourly_budget"},
                                        {"circuit-open (until 12:00)", "circuit_open"},
                                        {"global-concurrency", "global_concurrency"},
                                        {"somebody said so", "other"}}) {
    CAPTURE(text);
    CHECK(DenialWord(text) == word);
  }
  CHECK(DeferralWord("CPU load too high: 3.77") == "cpu");
  CHECK(DeferralWord("Free memory too low: 3%") == "memory");
  CHECK(DeferralWord("max concurrency reached") == "concurrency");
  CHECK(DeferralWord("weather") == "other");
}

TEST_CASE("The number of an id never changes", "[swarm]") {
  // State files hold these numbers: another value here is a broken state file there.
  CHECK(StableHash("task-1795295602083-uh1ect") == StableHash("task-1795295602083-uh1ect"));
  CHECK(StableHash("") == 0xefd01f60ba992926ULL);
  CHECK(StableHash("a") != StableHash("b"));
  CHECK(StableHash("a", 1) != StableHash("a", 2));
}

}  // namespace
}  // namespace skep::swarm
