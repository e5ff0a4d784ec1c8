#include "exporter/stores/store_file.h"

#include <sys/fsuid.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "exporter/stores/claude_flow_json.h"
#include "tests/exporter/stores/fixture.h"

namespace skep::stores::test {
namespace {

using Tasks = Records<TaskRecord>;

// A round of reading at `clock`'s time; `waits` counts the waits for a half-written file.
struct Rounds {
  HandClock clock;
  int waits = 0;
  std::function<void()> while_waiting = [] {};

  Round Now() {
    return {.now = clock.Now(),
            .steady_now = clock.SteadyNow(),
            .max_age = std::chrono::minutes(1),
            .max_bytes = 1UL << 20,
            .pause =
                [this](Duration) {
                  ++waits;
                  while_waiting();
                  return true;
                },
            .clock = &clock};
  }
};

std::string TasksOf(int count, std::string_view status) {
  std::string text = R"({"tasks":{)";
  for (int i = 0; i < count; ++i) {
    text += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + R"(":{"type":"testing","status":")" +
            std::string(status) + R"("})";
  }
  return text + "}}";
}

}  // namespace

TEST_CASE("A half-written store is read again a moment later", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("store.json");
  StoreFile<Tasks> file("tasks", path, ParseTasks);
  Rounds rounds;
  for (const char* torn : {"", "{\"tasks\":{\"t0\":"}) {
    Write(path, torn);
    rounds.while_waiting = [&] { Write(path, TasksOf(2, "pending")); };
    rounds.waits = 0;
    CHECK_FALSE(file.Refresh(rounds.Now()));
    CHECK(rounds.waits == 1);
    REQUIRE(file.value(rounds.Now()));
    CHECK(file.value(rounds.Now())->items.size() == 2);
  }
}

TEST_CASE("The last good value is kept for a while, then there is none", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("store.json");
  StoreFile<Tasks> file("tasks", path, ParseTasks);
  Rounds rounds;
  Write(path, TasksOf(3, "pending"));
  CHECK_FALSE(file.Refresh(rounds.Now()));
  Write(path, "");
  rounds.clock.Advance(std::chrono::seconds(40));
  CHECK(file.Refresh(rounds.Now()) == ReadFailure::kEmpty);
  REQUIRE(file.value(rounds.Now()));
  CHECK(file.value(rounds.Now())->items.size() == 3);
  rounds.clock.Advance(std::chrono::seconds(21));
  CHECK(file.Refresh(rounds.Now()) == ReadFailure::kEmpty);
  CHECK(file.value(rounds.Now()) == nullptr);
  CHECK(file.exists());
  Write(path, TasksOf(1, "pending"));
  CHECK_FALSE(file.Refresh(rounds.Now()));
  CHECK(file.value(rounds.Now()));
}

TEST_CASE("A store that is removed goes at once and is told once", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("store.json");
  StoreFile<Tasks> file("tasks", path, ParseTasks);
  Rounds rounds;
  CHECK_FALSE(file.Refresh(rounds.Now()));  // never was there
  CHECK_FALSE(file.exists());
  Write(path, TasksOf(1, "pending"));
  CHECK_FALSE(file.Refresh(rounds.Now()));
  std::filesystem::remove(path);
  CHECK(file.Refresh(rounds.Now()) == ReadFailure::kMissing);
  CHECK(file.value(rounds.Now()) == nullptr);
  CHECK_FALSE(file.Refresh(rounds.Now()));
}

TEST_CASE("What cannot be read says why", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("store.json");
  Rounds rounds;
  const auto read = [&](const std::string& at) {
    StoreFile<Tasks> file("tasks", at, ParseTasks);
    return file.Refresh(rounds.Now());
  };
  CHECK(read(folder.path()) == ReadFailure::kSchema);
  Write(path, std::string(2UL << 20, ' '));
  CHECK(read(path) == ReadFailure::kTooLarge);
  Write(path, "RFE1 and the rest");
  CHECK(read(path) == ReadFailure::kEncrypted);
  CHECK(rounds.waits == 0);  // waiting mends none of these
  if (::geteuid() != 0) return;
  Write(path, TasksOf(1, "pending"));
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  ::setfsuid(65534);
  const std::optional<ReadFailure> failure = read(path);
  ::setfsuid(0);
  CHECK(failure == ReadFailure::kPermission);
}

TEST_CASE("While a writer truncates and writes, a value is the old or the new one", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("store.json");
  const std::string few = TasksOf(10, "pending");
  const std::string many = TasksOf(500, "completed");
  Write(path, few);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) Write(path, i % 2 == 0 ? many : few);
  });
  StoreFile<Tasks> file("tasks", path, ParseTasks);
  Rounds rounds;
  std::size_t torn = 0;
  for (int i = 0; i < 300; ++i) {
    if (file.Refresh(rounds.Now())) ++torn;
    const Tasks* tasks = file.value(rounds.Now());
    if (tasks == nullptr) continue;
    const bool is_few = tasks->items.size() == 10 && tasks->items[9].status == "pending";
    const bool is_many = tasks->items.size() == 500 && tasks->items[499].status == "completed";
    if (!is_few && !is_many) FAIL("neither the old nor the new value");
  }
  stop = true;
  writer.join();
  // Standing still at last, it is read.
  Write(path, few);
  REQUIRE_FALSE(file.Refresh(rounds.Now()));
  CHECK(file.value(rounds.Now())->items.size() == 10);
  CAPTURE(torn, rounds.waits);
  SUCCEED();
}

}  // namespace skep::stores::test
