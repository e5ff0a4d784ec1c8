#include "common/base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/number.h"
#include "exporter/state/store.h"
#include "tests/exporter/state/fixture.h"
#include "tests/support/temp_folder.h"

namespace skep::state {
namespace {

namespace fs = std::filesystem;
using skep::test::TempFolder;
using test::Add;
using test::Counter;
using test::Gauge;
using test::HandClock;
using test::Histogram;
using test::OwnPage;
using test::Samples;
using test::Set;
using Lines = std::vector<std::string>;

// A section that remembers one number, and how often it was told one.
class Offset final : public Section {
 public:
  explicit Offset(std::string name = "offset") : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  Status Restore(std::string_view record) override {
    const auto number = ParseUint(record);
    if (!number) return Invalid("no number");
    value = *number;
    return {};
  }
  void Save(const std::function<void(std::string_view)>& write) const override {
    write(std::to_string(value));
  }

  std::uint64_t value = 0;

 private:
  std::string name_;
};

// A store whose units each count one thing in every way there is.
struct Counting {
  Counting(const std::string& path, const Clock& clock, std::size_t checkpoint_bytes = 16UL << 20)
      : store(Store::Open({.path = path, .checkpoint_bytes = checkpoint_bytes}, {&offset}, clock,
                          Logger::Silent())
                  .value()) {
    tasks = store->Define(Counter("tasks_total")).value();
    took = store->Define(Histogram("took_seconds", {1, 2})).value();
  }

  Status Count() {
    return store->Update([this](Changes& changes) -> Status {
      const std::uint64_t next = offset.value + 1;
      changes.Add(tasks, {}, 1);
      changes.Add(tasks, std::vector<LabelView>{{"n", std::to_string(next % 5)}}, 1);
      changes.Observe(took, std::vector<LabelView>{{"a", "b"}}, 1.5, 1);
      changes.Record("offset", std::to_string(next));
      changes.OnCommitted([this, next] { offset.value = next; });
      return {};
    });
  }

  // How many units the state holds; nothing where its parts contradict each other.
  std::optional<std::uint64_t> Units() {
    std::uint64_t total = 0;
    std::uint64_t by_label = 0;
    std::uint64_t observed = 0;
    for (const std::string& line : Samples(*store)) {
      const std::uint64_t value =
          static_cast<std::uint64_t>(*ParseDouble(line.substr(line.rfind(' ') + 1)));
      if (line.starts_with("tasks_total ")) total = value;
      if (line.starts_with("tasks_total{")) by_label += value;
      if (line.starts_with("took_seconds_count{")) observed = value;
    }
    if (total != by_label || total != observed || total != offset.value) return std::nullopt;
    return total;
  }

  Offset offset;
  std::unique_ptr<Store> store;
  FamilyId tasks = 0;
  FamilyId took = 0;
};

std::vector<std::string> FilesOf(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().filename() != "lock") names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

bool HasDamaged(const std::string& path) {
  return std::ranges::any_of(FilesOf(path), [](const std::string& name) {
    return name.find(".damaged") != std::string::npos;
  });
}

// Replaces the folder's files by this one.
void WriteOnly(const std::string& folder, const std::string& name, std::string_view content) {
  fs::remove_all(folder);
  fs::create_directory(folder);
  std::ofstream(folder + "/" + name) << content;
}

TEST_CASE("What was counted, and what sections know, is there after a restart", "[state]") {
  const TempFolder folder;
  const std::string path = folder.File("deep/state");
  HandClock clock;
  for (std::uint64_t run = 0; run < 3; ++run) {
    Counting counting(path, clock);
    CHECK(counting.Units() == run * 10);
    for (int i = 0; i < 10; ++i) REQUIRE(counting.Count());
  }
  CHECK(FilesOf(path) == Lines{"journal-1"});
  CHECK((fs::status(path).permissions() & fs::perms::others_all) == fs::perms::none);
}

TEST_CASE("Removed series and what nobody defines any more keep their state", "[state]") {
  const TempFolder folder;
  HandClock clock;
  const auto open = [&] {
    return Store::Open({.path = folder.path()}, {}, clock, Logger::Silent()).value();
  };
  {
    const auto store = open();
    const FamilyId tasks = store->Define(Counter("tasks_total")).value();
    Add(*store, tasks, {{"a", "1"}}, 1);
    Add(*store, tasks, {{"a", "2"}}, 2);
    REQUIRE(store->Update([&](Changes& changes) -> Status {
      changes.Remove(tasks, std::vector<LabelView>{{"a", "1"}});
      return {};
    }));
    Add(*store, tasks, {{"a", "3"}}, 3);
  }
  const Lines expected = {"tasks_total{a=\"3\"} 3", "tasks_total{a=\"2\"} 2"};
  CHECK(Samples(*open()) == expected);
  {
    // Another shape takes the place of what only the file knows, for good.
    const auto store = open();
    const FamilyId tasks = store->Define(Gauge("tasks_total")).value();
    Set(*store, tasks, {}, 5);
  }
  CHECK(Samples(*open()) == Lines{"tasks_total 5"});
}

TEST_CASE("Records of a section that is off are kept for it, also by a snapshot", "[state]") {
  const TempFolder folder;
  HandClock clock;
  {
    Counting counting(folder.path(), clock);
    REQUIRE(counting.Count());
  }
  for (int i = 0; i < 2; ++i) {
    const auto store =
        Store::Open({.path = folder.path(), .checkpoint_bytes = 0}, {}, clock, Logger::Silent())
            .value();
  }
  CHECK(FilesOf(folder.path()) == Lines{"snapshot-2"});
  CHECK(Counting(folder.path(), clock).Units() == 1);
}

TEST_CASE("A snapshot replaces the journals before it", "[state]") {
  const TempFolder folder;
  HandClock clock;
  constexpr std::uint64_t kUnits = 3000;
  {
    Counting counting(folder.path(), clock, 2000);
    for (std::uint64_t i = 0; i < kUnits; ++i) REQUIRE(counting.Count());
    CHECK(counting.Units() == kUnits);
  }
  // The rest is written at the next start at the latest.
  { Counting counting(folder.path(), clock, 100); }
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) bytes += entry.file_size();
  CHECK(bytes < 200'000);
  CHECK(Counting(folder.path(), clock).Units() == kUnits);
}

TEST_CASE("A journal cut at any byte holds the units before the cut, and goes on", "[state]") {
  const TempFolder folder;
  HandClock clock;
  std::vector<std::size_t> ends;
  {
    Counting counting(folder.path(), clock);
    for (int i = 0; i < 3; ++i) {
      REQUIRE(counting.Count());
      ends.push_back(fs::file_size(folder.File("journal-1")));
    }
  }
  const std::string whole = ReadFile(folder.File("journal-1")).value();
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    CAPTURE(cut);
    const std::string path = folder.File("cut");
    WriteOnly(path, "journal-1", whole.substr(0, cut));
    const auto units = static_cast<std::uint64_t>(
        std::ranges::count_if(ends, [cut](std::size_t end) { return end <= cut; }));
    {
      Counting counting(path, clock);
      REQUIRE(counting.Units() == units);
      REQUIRE(counting.Count());
    }
    REQUIRE(Counting(path, clock).Units() == units + 1);
    REQUIRE_FALSE(HasDamaged(path));
  }
}

TEST_CASE("A flipped bit in a journal costs what follows it, which is set aside", "[state]") {
  const TempFolder folder;
  HandClock clock;
  std::vector<std::size_t> ends;
  {
    Counting counting(folder.path(), clock);
    for (int i = 0; i < 3; ++i) {
      REQUIRE(counting.Count());
      ends.push_back(fs::file_size(folder.File("journal-1")));
    }
  }
  const std::string whole = ReadFile(folder.File("journal-1")).value();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    CAPTURE(at);
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    const std::string path = folder.File("flipped");
    WriteOnly(path, "journal-1", flipped);
    const auto units = static_cast<std::uint64_t>(
        std::ranges::count_if(ends, [at](std::size_t end) { return end <= at; }));
    {
      Counting counting(path, clock);
      REQUIRE(counting.Units() == units);
      REQUIRE(OwnPage(*counting.store).find("damaged_files_total 1\n") != std::string::npos);
      REQUIRE(counting.Count());
    }
    REQUIRE(HasDamaged(path));
    REQUIRE(Counting(path, clock).Units() == units + 1);
  }
}

// A folder that holds one snapshot of a few units, and its journal's name.
std::string MakeSnapshot(const std::string& path, const Clock& clock) {
  {
    Counting counting(path, clock);
    for (int i = 0; i < 2; ++i) REQUIRE(counting.Count());
  }
  { Counting counting(path, clock, 1); }
  for (const std::string& name : FilesOf(path)) {
    if (name.starts_with("snapshot-")) return name;
  }
  return {};
}

TEST_CASE("A damaged snapshot never keeps the store from starting, and is set aside", "[state]") {
  const TempFolder folder;
  HandClock clock;
  const std::string name = MakeSnapshot(folder.path(), clock);
  REQUIRE_FALSE(name.empty());
  const std::string whole = ReadFile(folder.File(name)).value();
  for (std::size_t at = 0; at < 2 * whole.size(); ++at) {
    CAPTURE(at);
    std::string broken = whole.substr(0, at < whole.size() ? at : whole.size());
    if (at >= whole.size()) {
      const std::size_t bit = at - whole.size();
      broken[bit] = static_cast<char>(broken[bit] ^ (1 << (bit % 8)));
    }
    const std::string path = folder.File("broken");
    WriteOnly(path, name, broken);
    std::optional<std::uint64_t> first;
    {
      Counting counting(path, clock);
      REQUIRE(OwnPage(*counting.store).find("damaged_files_total 1\n") != std::string::npos);
      REQUIRE(counting.store->Update([&](Changes& changes) -> Status {
        changes.Add(counting.tasks, std::vector<LabelView>{{"after", "1"}}, 1);
        return {};
      }));
    }
    REQUIRE(HasDamaged(path));
    Counting again(path, clock);
    const Lines lines = Samples(*again.store);
    REQUIRE(std::ranges::find(lines, "tasks_total{after=\"1\"} 1") != lines.end());
    REQUIRE(OwnPage(*again.store).find("damaged_files_total 0\n") != std::string::npos);
  }
}

TEST_CASE("A file of a later version is named, kept, and not read", "[state]") {
  const TempFolder folder;
  HandClock clock;
  // The header of a version 7, whose checksum is right.
  const std::string header(
      "skepstat\x07\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00", 24);
  const std::string checksum("\x6a\x07\xfd\x7d", 4);
  REQUIRE(WriteFileAtomic(folder.File("snapshot-3"), header + checksum + "whatever"));
  REQUIRE(WriteFileAtomic(folder.File("journal-3"), "whatever"));
  {
    Counting counting(folder.path(), clock);
    CHECK(counting.Units() == 0);
    REQUIRE(counting.Count());
  }
  CHECK(FilesOf(folder.path()) == Lines{"journal-3.orphaned", "journal-4", "snapshot-3.version-7"});
  CHECK(Counting(folder.path(), clock).Units() == 1);
}

TEST_CASE("Only one process has the folder", "[state]") {
  const TempFolder folder;
  HandClock clock;
  const Counting counting(folder.path(), clock);
  const auto second = Store::Open({.path = folder.path()}, {}, clock, Logger::Silent());
  REQUIRE_FALSE(second);
  CHECK(second.error().kind() == ErrorKind::kUnavailable);
  CHECK(second.error().message().find(folder.path()) != std::string::npos);
}

TEST_CASE("A folder that cannot be made is an error that names it", "[state]") {
  HandClock clock;
  const auto store = Store::Open({.path = "/proc/no/such"}, {}, clock, Logger::Silent());
  REQUIRE_FALSE(store);
  CHECK(store.error().kind() == ErrorKind::kIo);
  CHECK(store.error().message().find("/proc/no/such") != std::string::npos);
}

// So many bytes of a file, as if the disk were full behind them.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const struct ::rlimit limit { bytes, old_.rlim_max };
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &old_); }

 private:
  struct ::rlimit old_ {};
};

TEST_CASE("On a full disk nothing is accepted, and all goes on when there is room", "[state]") {
  const TempFolder folder;
  HandClock clock;
  std::uint64_t accepted = 0;
  {
    Counting counting(folder.path(), clock);
    {
      const FullDisk full(1000);
      Status counted;
      while ((counted = counting.Count())) ++accepted;
      CHECK(counted.error().kind() == ErrorKind::kIo);
      for (int i = 0; i < 10; ++i) CHECK_FALSE(counting.Count());
      CHECK(counting.Units() == accepted);
      CHECK(OwnPage(*counting.store).find("state_file_up 0\n") != std::string::npos);
      CHECK(OwnPage(*counting.store).find("write_failures_total 11\n") != std::string::npos);
    }
    CHECK(accepted > 0);
    for (int i = 0; i < 10; ++i) REQUIRE(counting.Count());
    CHECK(OwnPage(*counting.store).find("state_file_up 1\n") != std::string::npos);
  }
  CHECK(Counting(folder.path(), clock).Units() == accepted + 10);
  CHECK_FALSE(HasDamaged(folder.path()));
}

TEST_CASE("A folder that was removed is made anew with all that was counted", "[state]") {
  const TempFolder folder;
  const std::string path = folder.path() + "/state";
  HandClock clock;
  std::uint64_t accepted = 0;
  {
    Counting counting(path, clock);
    for (int round = 0; round < 3; ++round) {
      REQUIRE(counting.Count());
      ++accepted;
      fs::remove_all(path);
      CHECK_FALSE(counting.Count());
      // The store's own thread writes the snapshot.
      while (!counting.Count()) std::this_thread::yield();
      ++accepted;
      CHECK(fs::exists(path + "/lock"));
      CHECK(Store::Open({.path = path}, {}, clock, Logger::Silent()).error().kind() ==
            ErrorKind::kUnavailable);
    }
    fs::remove_all(path);
    std::ofstream(path) << "in the way";
    for (int i = 0; i < 3; ++i) CHECK_FALSE(counting.Count());
    fs::remove(path);
    while (!counting.Count()) clock.Advance(std::chrono::minutes(1));
    ++accepted;
  }
  CHECK(Counting(path, clock).Units() == accepted);
}

TEST_CASE("A family whose first unit could not be written is told to the file later", "[state]") {
  const TempFolder folder;
  HandClock clock;
  {
    Counting counting(folder.path(), clock);
    {
      const FullDisk full(20);
      CHECK_FALSE(counting.Count());
    }
    REQUIRE(counting.Count());
  }
  CHECK(Counting(folder.path(), clock).Units() == 1);
}

TEST_CASE("The age of what expires goes on over a restart", "[state]") {
  const TempFolder folder;
  HandClock clock;
  FamilySpec spec = Gauge("agents");
  spec.expiry = std::chrono::seconds(10);
  const auto open = [&](std::size_t checkpoint_bytes) {
    return Store::Open({.path = folder.path(), .checkpoint_bytes = checkpoint_bytes}, {}, clock,
                       Logger::Silent())
        .value();
  };
  {
    const auto store = open(16UL << 20);
    const FamilyId agents = store->Define(spec).value();
    Set(*store, agents, {{"a", "1"}}, 1);
    clock.Advance(std::chrono::seconds(6));
    Set(*store, agents, {{"a", "2"}}, 1);
  }
  { const auto store = open(1); }  // by journal, and then by snapshot
  clock.steady_ms = 77;            // another boot
  for (int i = 0; i < 2; ++i) {
    CHECK(Samples(*open(1)).size() == 2);
  }
  clock.Advance(std::chrono::seconds(5));
  CHECK(Samples(*open(1)) == Lines{"agents{a=\"2\"} 1"});
  {
    // The number of the expired one is given to another; its labels come back under a third.
    const auto store = open(16UL << 20);
    const FamilyId agents = store->Define(spec).value();
    CHECK(Samples(*store).size() == 1);
    Set(*store, agents, {{"a", "3"}}, 1);
    Set(*store, agents, {{"a", "1"}}, 4);
  }
  CHECK(Samples(*open(1)).size() == 3);
}

// Counts until it is killed; writes one byte for each unit that was accepted.
[[noreturn]] void CountForEver(const std::string& path, int pipe) {
  HandClock clock;
  Counting counting(path, clock, 3000);
  while (counting.Count()) {
    if (::write(pipe, "x", 1) != 1) break;
  }
  ::_exit(1);
}

TEST_CASE("kill -9 at any moment loses nothing that was accepted", "[state]") {
  const TempFolder folder;
  HandClock clock;
  std::uint64_t before = 0;
  for (int round = 0; round < 10; ++round) {
    CAPTURE(round);
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    if (child == 0) CountForEver(folder.path(), pipe[1]);
    ::close(pipe[1]);
    std::uint64_t accepted = 0;
    char bytes[512];
    const std::uint64_t enough = 50 + static_cast<std::uint64_t>(round) * 37;
    while (accepted < enough) {
      const ssize_t n = ::read(pipe[0], bytes, sizeof bytes);
      REQUIRE(n > 0);
      accepted += static_cast<std::uint64_t>(n);
    }
    ::kill(child, SIGKILL);
    for (ssize_t n = 1; n > 0;) {
      n = ::read(pipe[0], bytes, sizeof bytes);
      if (n > 0) accepted += static_cast<std::uint64_t>(n);
    }
    ::close(pipe[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const auto units = Counting(folder.path(), clock).Units();
    REQUIRE(units);
    // The last one may have been written and not yet told.
    CHECK(*units >= before + accepted);
    CHECK(*units <= before + accepted + 1);
    before = *units;
  }
  CHECK_FALSE(HasDamaged(folder.path()));
}

}  // namespace
}  // namespace skep::state
