#include "exporter/stores/database.h"

#include <signal.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>

#include "exporter/stores/sqlite_stores.h"
#include "tests/exporter/stores/fixture.h"

namespace skep::stores::test {
namespace {

namespace fs = std::filesystem;

// Moves on by a step each time that somebody asks: queries take time by it.
class TickingClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(HandClock::kBegin); }
  Steady SteadyNow() const override { return Steady{std::chrono::milliseconds(++ticks_)}; }

 private:
  mutable std::atomic<std::int64_t> ticks_{0};
};

const HandClock kClock;

std::set<std::string> FilesIn(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

// The answer to a query for one number, or why there is none.
Reading<double> Ask(const std::string& path, const std::string& sql,
                    const DatabaseOptions& options = {}, bool* is_copy = nullptr) {
  Reading<Database> database = Database::Open(path, options, kClock);
  if (!database) return database.failure();
  if (is_copy != nullptr) *is_copy = database->is_copy();
  double value = -1;
  if (auto failure = database->Query(
          sql, [&](const DatabaseRow& row) { value = row.Number(0).value_or(-1); })) {
    return *failure;
  }
  if (auto failure = database->CheckUnchanged()) return *failure;
  return value;
}

constexpr const char* kCount = "SELECT count(*) FROM t";

// Another program that has the database open: what SQLite knows of a process (locks, the index of
// the log) would be shared with a writer in our own. Ended with the object, as by kill -9.
class OtherProgram {
 public:
  // `begin` runs before the constructor returns, `go_on` again and again after it.
  OtherProgram(const std::string& path, const std::string& begin, const std::string& go_on = "") {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) throw std::runtime_error("pipe");
    child_ = ::fork();
    if (child_ == 0) RunChild(path, begin, go_on, pipe[1]);
    ::close(pipe[1]);
    char ready = 0;
    const bool began = ::read(pipe[0], &ready, 1) == 1;
    ::close(pipe[0]);
    if (!began) throw std::runtime_error("the other program failed: " + begin);
  }
  OtherProgram(const OtherProgram&) = delete;
  OtherProgram& operator=(const OtherProgram&) = delete;
  ~OtherProgram() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

 private:
  [[noreturn]] static void RunChild(const std::string& path, const std::string& begin,
                                    const std::string& go_on, int ready) {
    try {
      Writer writer(path);
      writer.Run(begin);
      if (::write(ready, "x", 1) != 1) ::_exit(1);
      while (!go_on.empty()) writer.Run(go_on);
      while (true) ::pause();
    } catch (...) {
      ::_exit(1);
    }
  }

  pid_t child_ = -1;
};

// Without the rights of root on files, on this thread.
class AsNobody {
 public:
  AsNobody() { ::setfsuid(65534); }
  ~AsNobody() { ::setfsuid(0); }
};

}  // namespace

TEST_CASE("A database is read while everything stands in its write-ahead log", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("a.db");
  const OtherProgram writer(path,
                            "PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0;"
                            "CREATE TABLE t(x); INSERT INTO t VALUES(1),(2)");
  const std::set<std::string> before = FilesIn(folder.path());
  const std::string main = ReadFile(path).value();
  const std::string log = ReadFile(path + "-wal").value();
  bool is_copy = true;
  CHECK(*Ask(path, kCount, {}, &is_copy) == 2);
  CHECK_FALSE(is_copy);
  // Nothing was written, made or checkpointed by us.
  CHECK(FilesIn(folder.path()) == before);
  CHECK(ReadFile(path).value() == main);
  CHECK(ReadFile(path + "-wal").value() == log);
}

TEST_CASE("A log without its index is read from a copy, and no index is made", "[stores]") {
  skep::test::TempFolder folder;
  skep::test::TempFolder copies;
  const std::string path = folder.File("crashed.db");
  {
    Writer writer(folder.File("a.db"));
    writer.Run("PRAGMA journal_mode=wal; CREATE TABLE t(x); INSERT INTO t VALUES(1),(2),(3)");
    fs::copy_file(folder.File("a.db"), path);
    fs::copy_file(folder.File("a.db-wal"), path + "-wal");
  }
  const std::set<std::string> before = FilesIn(folder.path());
  DatabaseOptions options;
  options.temporary_folder = copies.path();
  bool is_copy = false;
  CHECK(*Ask(path, kCount, options, &is_copy) == 3);
  CHECK(is_copy);
  CHECK(FilesIn(folder.path()) == before);
  CHECK(FilesIn(copies.path()).empty());
  options.max_copy_bytes = 1000;
  CHECK(Ask(path, kCount, options).failure() == ReadFailure::kTooLarge);
}

// Files that are there during the query, which a kill at this moment would leave.
std::set<std::string> FilesWhileRead(const std::string& path, const std::string& copies) {
  DatabaseOptions options;
  options.temporary_folder = copies;
  Reading<Database> database = Database::Open(path, options, kClock);
  REQUIRE(database);
  REQUIRE(database->is_copy());
  std::set<std::string> files;
  CHECK_FALSE(database->Query("SELECT x FROM t ORDER BY x DESC",
                              [&](const DatabaseRow&) { files.merge(FilesIn(copies)); }));
  return files;
}

TEST_CASE("A copy has no name that a kill could leave behind", "[stores]") {
  skep::test::TempFolder folder;
  skep::test::TempFolder copies;
  const std::string path = folder.File("crashed.db");
  {
    Writer writer(folder.File("a.db"));
    writer.Run("PRAGMA journal_mode=wal; CREATE TABLE t(x); INSERT INTO t VALUES(1),(2),(3)");
    fs::copy_file(folder.File("a.db"), path);
    fs::copy_file(folder.File("a.db-wal"), path + "-wal");
  }
  CHECK(FilesWhileRead(path, copies.path()).empty());
}

TEST_CASE("A journal that a crash left is rolled back in a copy and nowhere else", "[stores]") {
  skep::test::TempFolder folder;
  skep::test::TempFolder copies;
  const std::string path = folder.File("crashed.db");
  {
    Writer writer(folder.File("a.db"));
    writer.Run("CREATE TABLE t(x); INSERT INTO t VALUES(1),(2),(3)");
    // So little room that a transaction is written to the file before it ends.
    writer.Run("PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN; UPDATE t SET x = x + 10");
    writer.Run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "INSERT INTO t SELECT hex(randomblob(100)) FROM n");
    fs::copy_file(folder.File("a.db"), path);
    fs::copy_file(folder.File("a.db-journal"), path + "-journal");
    writer.Run("ROLLBACK");
  }
  const std::string main = ReadFile(path).value();
  const std::string journal = ReadFile(path + "-journal").value();
  REQUIRE(main.size() > 100'000);  // it was spilled
  CHECK(FilesWhileRead(path, copies.path()).empty());
  CHECK(*Ask(path, "SELECT sum(x) FROM t", {}) == 6);
  CHECK(ReadFile(path).value() == main);
  CHECK(ReadFile(path + "-journal").value() == journal);
}

TEST_CASE("An index that is not ours to lock is gone around by a copy", "[stores]") {
  if (::geteuid() != 0) return;  // as another user there is nobody else to be
  skep::test::TempFolder folder;
  skep::test::TempFolder copies;
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(copies.path(), fs::perms::all);
  const std::string path = folder.File("a.db");
  const OtherProgram writer(path,
                            "PRAGMA journal_mode=wal; CREATE TABLE t(x); INSERT INTO t VALUES(1)");
  fs::permissions(path + "-shm", fs::perms::owner_read | fs::perms::owner_write);
  const AsNobody nobody;
  DatabaseOptions options;
  options.temporary_folder = copies.path();
  bool is_copy = false;
  CHECK(*Ask(path, kCount, options, &is_copy) == 1);
  CHECK(is_copy);
  ::setfsuid(0);
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  ::setfsuid(65534);
  CHECK(Ask(path, kCount, options).failure() == ReadFailure::kPermission);
}

TEST_CASE("What a writer has not committed is not seen", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("a.db");
  const std::string begin = "CREATE TABLE t(x); INSERT INTO t VALUES(1);";
  SECTION("in a rollback journal, locked") {
    // So much that the cache spills into the file: only the journal has the old pages.
    const OtherProgram writer(
        path, "PRAGMA cache_size=1;" + begin +
                  "BEGIN EXCLUSIVE; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
                  "LIMIT 20000) INSERT INTO t SELECT hex(randomblob(50)) FROM n");
    CHECK(fs::file_size(path) > 1'000'000);
    CHECK(*Ask(path, kCount) == 1);
  }
  SECTION("locked, with nothing in the file yet") {
    const OtherProgram writer(path, begin + "BEGIN EXCLUSIVE; INSERT INTO t VALUES(2)");
    CHECK(*Ask(path, kCount) == 1);
  }
  SECTION("in a write-ahead log") {
    const OtherProgram writer(
        path, "PRAGMA journal_mode=wal;" + begin + "BEGIN IMMEDIATE; INSERT INTO t VALUES(2)");
    CHECK(*Ask(path, kCount) == 1);
  }
}

TEST_CASE("Tables of one reading are of one moment while they are written", "[stores]") {
  for (const std::string mode : {"wal", "delete"}) {
    CAPTURE(mode);
    skep::test::TempFolder folder;
    const std::string path = folder.File("a.db");
    const OtherProgram writer(path,
                              "PRAGMA journal_mode=" + mode +
                                  "; PRAGMA synchronous=off; PRAGMA wal_autocheckpoint=20;"
                                  "CREATE TABLE a(x); CREATE TABLE b(x)",
                              "BEGIN IMMEDIATE; DELETE FROM a WHERE rowid < last_insert_rowid() - "
                              "50; INSERT INTO a VALUES(zeroblob(500)); DELETE FROM b; INSERT INTO "
                              "b SELECT x FROM a; COMMIT");
    DatabaseOptions options;
    options.busy_timeout = Duration(20);
    int good = 0;
    for (int i = 0; i < (mode == "wal" ? 40 : 5); ++i) {
      Reading<Database> database = Database::Open(path, options, kClock);
      if (!database) continue;
      double a = -1;
      double b = -2;
      auto first = database->Query("SELECT count(*) FROM a",
                                   [&](const DatabaseRow& row) { a = *row.Number(0); });
      auto second = database->Query("SELECT count(*) FROM b",
                                    [&](const DatabaseRow& row) { b = *row.Number(0); });
      if (first || second || database->CheckUnchanged()) continue;
      ++good;
      CHECK(a == b);
    }
    // Whoever never lets go of a rollback journal may keep everybody out.
    if (mode == "wal") CHECK(good > 0);
  }
}

TEST_CASE("A whole file written anew under a reader is no answer", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("memory.db");
  Write(path, Sample("v3/memory.db.gz"));
  Reading<Database> database = Database::Open(path, {}, kClock);
  REQUIRE(database);
  Reading<MemoryTables> tables = ReadMemoryTables(*database);
  CAPTURE(tables ? "read" : ReadFailureName(tables.failure()));
  CHECK(tables);
  Write(path, Sample("v3/agentdb-memory.db.gz"));
  CHECK(database->CheckUnchanged() == ReadFailure::kLocked);
}

TEST_CASE("What is no database says what it is", "[stores]") {
  skep::test::TempFolder folder;
  std::string noise;
  for (int i = 0; i < 4096; ++i) noise += static_cast<char>((i * 7919 + 131) % 251 + 3);
  std::string damaged = Sample("v2.7/hive.db.gz");
  damaged[3] = 'x';
  const std::vector<std::pair<std::string, ReadFailure>> cases{
      {"", ReadFailure::kEmpty},
      {"SQLite format 3", ReadFailure::kCorrupt},
      {std::string("SQLite format 3\0", 16), ReadFailure::kTruncated},
      {"RFE1" + noise, ReadFailure::kEncrypted},
      {noise, ReadFailure::kEncrypted},
      {"redb\x1a\x0a" + noise, ReadFailure::kSchema},
      {"# just a text, nothing else\n", ReadFailure::kSchema},
      {std::string(8192, '\0'), ReadFailure::kCorrupt},
      {damaged, ReadFailure::kCorrupt}};
  for (const auto& [bytes, failure] : cases) {
    CAPTURE(bytes.substr(0, 20));
    Write(folder.File("a.db"), bytes);
    CHECK(Ask(folder.File("a.db"), kCount).failure() == failure);
  }
  CHECK(Ask(folder.File("none.db"), kCount).failure() == ReadFailure::kMissing);
  CHECK(Ask(folder.path(), kCount).failure() == ReadFailure::kSchema);
  REQUIRE(::mkfifo(folder.File("pipe.db").c_str(), 0600) == 0);
  CHECK(Ask(folder.File("pipe.db"), kCount).failure() == ReadFailure::kSchema);
}

TEST_CASE("A database cut anywhere gives its values or none", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("hive.db");
  const std::string whole = Sample("v2.7/hive.db.gz");
  std::size_t values = 0;
  for (std::size_t size = 0; size < whole.size(); size += size < 101 ? 20 : 4001) {
    Write(path, std::string_view(whole).substr(0, size));
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(1));
    Reading<Database> database = Database::Open(path, {}, kClock);
    if (!database) continue;
    Reading<SwarmTables> tables = ReadSwarmTables(*database);
    if (!tables) continue;
    ++values;
    CHECK(tables->swarms.size() == 1);
    CHECK(tables->agents.size() == 5);
    CHECK(tables->tasks.empty());
    CHECK(tables->memory.size() == 4);
  }
  CAPTURE(values);
  SUCCEED();
}

TEST_CASE("A database with flipped bits neither crashes nor hangs", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("ruv-swarm.db");
  const std::string whole = Sample("ruv-swarm/ruv-swarm.db.gz");
  for (std::size_t at = 0; at < whole.size(); at += at < 110 ? 9 : 5003) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    Write(path, flipped);
    Reading<Database> database = Database::Open(path, {}, kClock);
    if (!database) continue;
    Reading<SwarmTables> tables = ReadSwarmTables(*database);
    if (!tables) continue;
    for (const AgentRecord& agent : tables->agents) {
      if (agent.created) CHECK(ToMillis(*agent.created) > 978'307'200'000);
    }
  }
  SUCCEED();
}

TEST_CASE("Queries are bounded in time and rows", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("a.db");
  Writer writer(path);
  writer.Run(
      "CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
      "LIMIT 2000) INSERT INTO t SELECT i FROM n");
  const TickingClock ticking;
  DatabaseOptions options;
  options.query_timeout = Duration(50);
  Reading<Database> slow = Database::Open(path, options, ticking);
  REQUIRE(slow);
  CHECK(slow->Query("SELECT count(*) FROM t a, t b", [](const DatabaseRow&) {}) ==
        ReadFailure::kTimeout);
  options = {};
  options.max_rows = 100;
  Reading<Database> wide = Database::Open(path, options, kClock);
  REQUIRE(wide);
  CHECK(wide->Query("SELECT x FROM t", [](const DatabaseRow&) {}) == ReadFailure::kTooLarge);
}

TEST_CASE("Only SELECT works, and views of a stranger do not run", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("a.db");
  Writer writer(path);
  writer.Run("CREATE TABLE t(x); CREATE VIEW swarms AS SELECT 1 id, 'active' status");
  Reading<Database> database = Database::Open(path, {}, kClock);
  REQUIRE(database);
  CHECK(database->Query("INSERT INTO t VALUES(1)", [](const DatabaseRow&) {}));
  CHECK(database->Columns("swarms").empty());
  CHECK(database->Columns("t") == std::set<std::string, std::less<>>{"x"});
}

TEST_CASE("Recorded databases become records", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("a.db");
  const auto open = [&](const char* sample) {
    Write(path, Sample(sample));
    Reading<Database> database = Database::Open(path, {}, kClock);
    REQUIRE(database);
    return database;
  };
  {
    // The queen's row of the stopped swarm says "active".
    Reading<Database> database = open("v2.7/hive.db.gz");
    Reading<SwarmTables> hive = ReadSwarmTables(*database);
    REQUIRE(hive);
    CHECK(hive->swarms.at(0).status == "stopped");
    CHECK(hive->swarms.at(0).topology.empty());
    CHECK_FALSE(hive->swarms.at(0).max_agents);
    CHECK(hive->agents.size() == 5);
    for (const AgentRecord& agent : hive->agents) CHECK(agent.status == "terminated");
    CHECK(hive->has_queen == false);
    CHECK(FormatTimestamp(*hive->agents[0].created) == "2026-11-21T21:39:29Z");
  }
  {
    Reading<Database> database = open("v2.0/hive.db.gz");
    Reading<SwarmTables> hive = ReadSwarmTables(*database);
    REQUIRE(hive);
    CHECK(hive->swarms.empty());
  }
  {
    Reading<Database> database = open("ruv-swarm/ruv-swarm.db.gz");
    Reading<SwarmTables> tables = ReadSwarmTables(*database);
    REQUIRE(tables);
    CHECK(tables->swarms.size() == 2);
    CHECK(tables->swarms[0].max_agents == 5);
    CHECK(tables->agents.size() == 3);
    CHECK(tables->tasks.at(0).priority == "high");
    CHECK_FALSE(tables->has_queen);
  }
  {
    Reading<Database> database = open("v3/memory.db.gz");
    Reading<MemoryTables> memory = ReadMemoryTables(*database);
    REQUIRE(memory);
    CHECK_FALSE(memory->is_version_2);
    CHECK(memory->entries.size() == 2);
    CHECK(memory->vectors == 2);
  }
  {
    Reading<Database> database = open("v2.7/swarm_memory.db.gz");
    Reading<MemoryTables> memory = ReadMemoryTables(*database);
    REQUIRE(memory);
    CHECK(memory->is_version_2);
    double entries = 0;
    for (const auto& [name, count] : memory->entries) entries += count;
    CHECK(entries == 10);
  }
}

TEST_CASE("Only columns that exist are asked for", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("a.db");
  Writer writer(path);
  writer.Run(
      "CREATE TABLE swarms(id, status); CREATE TABLE agents(id, type, status, swarm_id);"
      "INSERT INTO swarms VALUES('s','paused'); "
      "INSERT INTO agents VALUES('a','coder','busy','s'),(NULL,NULL,NULL,NULL)");
  {
    Reading<Database> database = Database::Open(path, {}, kClock);
    REQUIRE(database);
    CHECK(ReadSwarmTables(*database).failure() == ReadFailure::kSchema);  // no tasks
    CHECK(ReadMemoryTables(*database).failure() == ReadFailure::kSchema);
  }
  writer.Run(
      "CREATE TABLE tasks(id, status, completed_at, execution_time_ms);"
      "INSERT INTO tasks VALUES('t','completed','2026-11-21 21:51:11',1500)");
  Reading<Database> database = Database::Open(path, {}, kClock);
  REQUIRE(database);
  Reading<SwarmTables> tables = ReadSwarmTables(*database);
  REQUIRE(tables);
  CHECK(tables->agents.at(0).status == "busy");
  CHECK(ToMillis(*tables->tasks.at(0).completed) - ToMillis(*tables->tasks.at(0).started) == 1500);
}

TEST_CASE("Agents of claude-flow-novice have a confidence", "[stores]") {
  skep::test::TempFolder folder;
  const std::string path = folder.File("agent-lifecycle.db");
  Writer writer(path);
  writer.Run(
      "CREATE TABLE agents(id TEXT PRIMARY KEY, name, type, status, confidence REAL, "
      "spawned_at TEXT, completed_at TEXT);"
      "INSERT INTO agents VALUES('1','n','reviewer','completed',0.92,"
      "'2026-11-21 21:00:00',NULL),('2','n','coder','spawned',7,'x',NULL)");
  Reading<Database> database = Database::Open(path, {}, kClock);
  REQUIRE(database);
  Reading<std::vector<AgentRecord>> agents = ReadLifecycle(*database);
  REQUIRE(agents);
  CHECK(agents->at(0).confidence == 0.92);
  CHECK_FALSE(agents->at(1).confidence);
}

}  // namespace skep::stores::test
