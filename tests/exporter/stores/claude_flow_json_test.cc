#include "exporter/stores/claude_flow_json.h"

#include <catch2/catch.hpp>
#include <functional>

#include "exporter/stores/ai_budget.h"
#include "exporter/stores/fields.h"
#include "tests/exporter/stores/fixture.h"

namespace skep::stores::test {
namespace {

// A parser with what a good reading of it looks like.
struct Format {
  std::string sample;
  std::function<std::optional<ReadFailure>(std::string_view bytes)> parse;
};

template <typename T>
std::function<std::optional<ReadFailure>(std::string_view)> Failure(
    Reading<T> (*parse)(std::string_view)) {
  return [parse](std::string_view bytes) -> std::optional<ReadFailure> {
    Reading<T> reading = parse(bytes);
    if (reading) return {};
    return reading.failure();
  };
}

std::vector<Format> AllFormats() {
  return {{"v3/agents_store.json", Failure(ParseAgents)},
          {"v3/agents.json", Failure(ParseAgents)},
          {"v3/tasks_store.json", Failure(ParseTasks)},
          {"v3/swarm_swarm-state.json", Failure(ParseSwarms)},
          {"v3/dot-swarm_state.json", Failure(ParseSwarmInit)},
          {"v3/hive-mind_state.json", Failure(ParseHive)},
          {"v3/daemon-state.json", Failure(ParseDaemonState)},
          {"v3/model-router-state.json", Failure(ParseRouterState)},
          {"v3/data_auto-memory-store.json", Failure(ParseOutcomes)},
          {"v3/data_autopilot-state.json", Failure(ParseAutopilot)},
          {"v3/metrics/backup.json", Failure(ParseBackup)},
          {"v3/metrics/consolidation.json", Failure(ParseConsolidation)},
          {"v3/session-1795295648741-z6pkl7.json", Failure(ParseSession)},
          {"v3/policy_state.first2receipts.json", Failure(ParsePolicyReceipts)},
          {"v3/home_ai-budget.json", Failure(ParseBudgetLedger)},
          {"v3/home_ai-jobs.json", Failure(ParseAiJobs)},
          {"v2.7/coder-1795297259890.json", Failure(ParseAgentFile)},
          {"v2.7/tasks_queue.json", Failure(ParseTaskQueue)}};
}

bool IsPlausible(std::optional<Timestamp> time) {
  return !time || PlausibleMillis(static_cast<double>(ToMillis(*time)));
}
bool IsRatio(std::optional<double> value) { return !value || (*value >= 0 && *value <= 1); }

}  // namespace

TEST_CASE("Recorded stores of version 3 become records", "[stores]") {
  Reading<Records<AgentRecord>> agents = ParseAgents(Sample("v3/agents_store.json"));
  REQUIRE(agents);
  REQUIRE(agents->items.size() == 3);
  const AgentRecord& researcher = agents->items[1];
  CHECK(researcher.type == "researcher");
  CHECK(researcher.status == "active");
  CHECK(researcher.task == "task-1795295602426-oz7dtp");
  CHECK(researcher.health == 1);
  CHECK(FormatTimestamp(*researcher.created) == "2026-11-21T21:13:21.425Z");
  CHECK(agents->items[0].task.empty());

  Reading<Records<TaskRecord>> tasks = ParseTasks(Sample("v3/tasks_store.json"));
  REQUIRE(tasks);
  REQUIRE(tasks->items.size() == 4);
  CHECK(tasks->items[0].progress == 1);
  CHECK(ToMillis(*tasks->items[0].completed) - ToMillis(*tasks->items[0].started) == 980);
  CHECK(tasks->items[1].status == "failed");
  CHECK_FALSE(tasks->items[1].completed);
  CHECK(tasks->items[3].priority == "normal");

  Reading<DaemonRecord> daemon = ParseDaemonState(Sample("v3/daemon-state.json"));
  REQUIRE(daemon);
  CHECK_FALSE(daemon->running);
  CHECK(daemon->workers.at("audit").successes == 5);
  CHECK(daemon->workers.at("audit").average_seconds == Approx(0.0452));
  CHECK(daemon->workers.at("audit").interval_seconds == 600);
  CHECK(daemon->workers.at("predict").enabled == false);
  CHECK_FALSE(daemon->workers.at("predict").average_seconds);
  CHECK(daemon->workers.size() == 9);

  Reading<HiveRecord> hive = ParseHive(Sample("v3/hive-mind_state.json"));
  REQUIRE(hive);
  CHECK(hive->workers.size() == 3);
  CHECK(hive->has_queen);
  CHECK(hive->queen_term == 1);
}

TEST_CASE("Version 2.7's JSON has numbers where version 3 has texts", "[stores]") {
  Reading<Records<TaskRecord>> queue = ParseTaskQueue(Sample("v2.7/tasks_queue.json"));
  REQUIRE(queue);
  REQUIRE(queue->items.size() == 1);
  CHECK(queue->items[0].status == "queued");
  CHECK(queue->items[0].priority == "5");
  CHECK(ToMillis(*queue->items[0].created) == 1795297260298);
  Reading<AgentRecord> agent = ParseAgentFile(Sample("v2.7/coder-1795297259890.json"));
  REQUIRE(agent);
  CHECK(agent->type == "coder");
}

TEST_CASE("A store cut anywhere is no value", "[stores]") {
  for (const Format& format : AllFormats()) {
    CAPTURE(format.sample);
    std::string whole = Sample(format.sample);
    while (whole.ends_with('\n')) whole.pop_back();
    REQUIRE_FALSE(format.parse(whole));
    // Every byte of small ones and of the beginning.
    const std::size_t step = whole.size() > 1000 ? 17 : 1;
    for (std::size_t size = 0; size < whole.size(); size += size < 100 ? 1 : step) {
      const std::optional<ReadFailure> failure =
          format.parse(std::string_view(whole).substr(0, size));
      if (failure != (size == 0 ? ReadFailure::kEmpty : ReadFailure::kTruncated)) {
        CAPTURE(size);
        FAIL("read " << (failure ? ReadFailureName(*failure) : "a value"));
      }
    }
  }
}

TEST_CASE("A store with a flipped bit has no value out of range", "[stores]") {
  const std::string agents = Sample("v3/agents_store.json");
  const std::string tasks = Sample("v3/tasks_store.json");
  for (std::size_t bit = 0; bit < 8 * tasks.size(); bit += 11) {
    std::string flipped = tasks;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    Reading<Records<TaskRecord>> reading = ParseTasks(flipped);
    if (!reading) continue;
    for (const TaskRecord& task : reading->items) {
      const bool good = IsRatio(task.progress) && IsPlausible(task.created) &&
                        IsPlausible(task.started) && IsPlausible(task.completed);
      if (!good) FAIL("bit " << bit);
    }
  }
  for (std::size_t bit = 0; bit < 8 * agents.size(); bit += 11) {
    std::string flipped = agents;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    Reading<Records<AgentRecord>> reading = ParseAgents(flipped);
    if (!reading) continue;
    for (const AgentRecord& agent : reading->items) {
      if (!IsRatio(agent.health) || agent.status.empty()) FAIL("bit " << bit);
    }
  }
}

TEST_CASE("Every parser says why there is no value", "[stores]") {
  const std::vector<std::pair<std::string, ReadFailure>> cases{
      {"", ReadFailure::kEmpty},
      {" \n", ReadFailure::kEmpty},
      {std::string(512, '\0'), ReadFailure::kEmpty},
      {"RFE1\x01\x02\x03", ReadFailure::kEncrypted},
      {"{\"agents\":", ReadFailure::kTruncated},
      {"17", ReadFailure::kSchema},
      {"\"text\"", ReadFailure::kSchema},
      {std::string(300, '['), ReadFailure::kTruncated}};
  for (const Format& format : AllFormats()) {
    for (const auto& [bytes, failure] : cases) {
      CAPTURE(format.sample, bytes);
      CHECK(format.parse(bytes) == failure);
    }
  }
  CHECK(ParseAgents("{\"agents\":[]}").failure() == ReadFailure::kSchema);
  CHECK(ParseTasks("{}").failure() == ReadFailure::kSchema);
  CHECK(ParseBackup("{\"backedUp\":1}").failure() == ReadFailure::kSchema);
}

TEST_CASE("One bad item costs itself and is counted", "[stores]") {
  Reading<Records<AgentRecord>> agents = ParseAgents(
      R"({"agents":{"a":{"agentType":"coder","status":"idle"},"b":7,"c":{"agentType":"x"}}})");
  REQUIRE(agents);
  CHECK(agents->items.size() == 1);
  CHECK(agents->refused == 2);
  CHECK_FALSE(agents->items[0].health);
}

TEST_CASE("Numbers in texts count, and what is none or in other units does not", "[stores]") {
  const json::Value value =
      *json::Value::Parse(R"({"a":"0.0","b":"NaN","c":"Infinity","d":-1,"e":1795295830744,
                              "f":1795295830,"g":"2026-11-21T21:13:22Z","h":"yesterday"})");
  CHECK(NumberField(value, "a") == 0);
  CHECK_FALSE(NumberField(value, "b"));
  CHECK_FALSE(NumberField(value, "c"));
  CHECK_FALSE(CountField(value, "d"));
  CHECK(TimeField(value, "e"));
  CHECK_FALSE(TimeField(value, "f"));  // seconds where milliseconds belong
  CHECK(TimeField(value, "g"));
  CHECK_FALSE(TimeField(value, "h"));
  CHECK(ToMillis(*ParseSqlTime("2026-11-21 21:39:29")) == 1795297169000);
  CHECK_FALSE(ParseSqlTime("21:39:29"));
}

TEST_CASE("A pid file is a number and nothing else", "[stores]") {
  CHECK(*ParsePid("3258") == 3258);
  CHECK(*ParsePid("3258\n") == 3258);
  CHECK(ParsePid("").failure() == ReadFailure::kEmpty);
  for (const char* bytes : {"x", "-1", "0", "12 ", "99999999999999999999"}) {
    CHECK(ParsePid(bytes).failure() == ReadFailure::kSchema);
  }
}

TEST_CASE("The AI budget counts launches in windows and knows why it is paused", "[stores]") {
  const Timestamp launch = FromMillis(1795295830744);
  const auto alive = [](std::int64_t pid) { return pid == 7; };
  Reading<BudgetLedger> ledger = ParseBudgetLedger(Sample("v3/home_ai-budget.json"));
  REQUIRE(ledger);
  CHECK(UseOf(*ledger, launch + std::chrono::minutes(59), alive).launches_last_hour == 1);
  const BudgetUse later = UseOf(*ledger, launch + std::chrono::hours(1), alive);
  CHECK(later.launches_last_hour == 0);
  CHECK(later.launches_last_day == 1);
  CHECK(later.pause == BudgetUse::Pause::kNone);
  CHECK(UseOf(*ledger, launch + std::chrono::hours(24), alive).launches_last_day == 0);

  Reading<BudgetLedger> paused = ParseBudgetLedger(Sample("v3/home_ai-budget.paused.json"));
  REQUIRE(paused);
  CHECK(UseOf(*paused, launch, alive).pause == BudgetUse::Pause::kManual);
  CHECK_FALSE(UseOf(*paused, launch, alive).paused_until);

  ledger->paused_until_millis = static_cast<double>(ToMillis(launch) + 60'000);
  CHECK(UseOf(*ledger, launch, alive).pause == BudgetUse::Pause::kQuota);
  CHECK(UseOf(*ledger, launch, alive).paused_until == launch + std::chrono::minutes(1));
  CHECK(UseOf(*ledger, launch + std::chrono::minutes(1), alive).pause == BudgetUse::Pause::kNone);

  // A reservation of a process that died, and one that is too old, count for nothing.
  ledger->active = {{launch, 7}, {launch, 8}, {launch - std::chrono::hours(1), 7}};
  CHECK(UseOf(*ledger, launch, alive).active == 1);
}

TEST_CASE("Receipts, trajectories and deferrals are read line by line", "[stores]") {
  Reading<BudgetReceipt> denial = ParseBudgetReceipt(
      R"json({"event":"deny","at":1795295830744,"reason":"hourly-budget (2/2 in last hour)"})json");
  REQUIRE(denial);
  CHECK(denial->reason == "hourly_budget");
  CHECK(ParseBudgetReceipt(R"({"event":"else","at":1795295830744})").failure() ==
        ReadFailure::kSchema);
  Reading<TrajectoryRecord> routed = ParseTrajectory(
      R"({"v":1,"type":"outcome","ts":"2026-11-21T21:15:09.000Z","quality":1,
          "tokens":{"input":121,"output":34},"cost_usd":0.000155})");
  REQUIRE(routed);
  CHECK(routed->success);
  CHECK(routed->input_tokens == 121);
  const std::vector<std::pair<std::string, std::string>> reasons{
      {"CPU load too high: 3.77", "cpu"},
      {"Memory too low: 4.0% free", "memory"},
      {"max concurrent (2) reached", "concurrency"},
      {"the moon", "other"}};
  for (const auto& [text, word] : reasons) {
    CAPTURE(text);
    std::optional<DeferralRecord> deferral =
        ParseDeferral("[2026-11-21T21:57:16.973Z] [INFO] Worker map deferred: " + text);
    REQUIRE(deferral);
    CHECK(deferral->worker == "map");
    CHECK(deferral->reason == word);
  }
  CHECK_FALSE(ParseDeferral("[2026-11-21T21:57:16.973Z] [INFO] Worker map completed in 1ms"));
  CHECK_FALSE(ParseDeferral("Worker map deferred: no time"));
}

}  // namespace skep::stores::test
