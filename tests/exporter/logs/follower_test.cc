// Following files: whatever happens to them, each line comes exactly once.
#include "exporter/logs/follower.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <random>

#include "tests/exporter/logs/fixtures.h"

namespace skep::logs {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;
using Rescan = Follower::Rescan;

// One source in a folder, with a store in memory that lives on when the follower is killed.
class World {
 public:
  explicit World(const std::string& pattern = "app.log", const std::string& more = "") {
    options_ = Configured("sources: [{name: app, from_beginning: true, paths: ['" + Path(pattern) +
                          "']" + more + "}]")
                   .sources[0];
    Start();
  }
  ~World() { follower_.reset(); }

  std::string Path(const std::string& name) const { return folder_.File(name); }
  void Write(const std::string& name, std::string_view text) { Append(Path(name), text); }
  void Rename(const std::string& from, const std::string& to) { fs::rename(Path(from), Path(to)); }
  void CopyTruncate(const std::string& from, const std::string& to) {
    fs::copy_file(Path(from), Path(to), fs::copy_options::overwrite_existing);
    fs::resize_file(Path(from), 0);
  }

  // Ends as kill -9 does: what is not in the state file is lost.
  void Restart() {
    follower_.reset();
    store_.reset();
    sink_.Dropped();
    Start();
  }
  Follower::Turn Run(Rescan rescan = Rescan::kYes, std::size_t budget = 64UL << 20) {
    return follower_->Run(clock_.now(), rescan, budget, buffer_);
  }
  // Until there is nothing more to do.
  Lines Drain() {
    for (int i = 0; i < 1000; ++i) {
      clock_.Pass(Duration(10));
      const Follower::Turn turn = Run();
      if (!turn.has_more && !turn.wants_scan && i > 2) break;
    }
    return TakeLines();
  }
  Lines TakeLines() { return std::exchange(sink_.lines, {}); }

  MemorySink& sink() { return sink_; }
  SetClock& clock() { return clock_; }
  Follower& follower() { return *follower_; }
  std::size_t CountBookmarks() {
    std::size_t count = 0;
    (void)store_->Update([&](state::Changes&) -> Status {
      count = bookmarks_->Of("app").size();
      return {};
    });
    return count;
  }

 private:
  void Start() {
    bookmarks_ = std::make_unique<BookmarkSection>();
    store_ = OpenStore({bookmarks_.get()}, clock_, state_.File("state"));
    follower_ = std::make_unique<Follower>(options_, sink_, *bookmarks_, *store_, Logger::Silent());
    (void)store_->Update([&](state::Changes&) -> Status {
      follower_->Restore();
      return {};
    });
  }

  test::TempFolder folder_;
  test::TempFolder state_;
  SetClock clock_;
  std::unique_ptr<BookmarkSection> bookmarks_;
  MemorySink sink_;
  SourceOptions options_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<Follower> follower_;
  std::string buffer_;
};

TEST_CASE("Follower goes on where the store ends after a turn that has thrown", "[logs]") {
  World world;
  world.Write("app.log", "one\n");
  CHECK(world.Drain() == Lines{"one"});
  world.Write("app.log", "two\nthree\nfour\n");
  world.sink().throws_at = "three";
  CHECK_THROWS(world.Run());
  CHECK(world.follower().Recover());
  CHECK(world.sink().problems[ReadProblem::kInternal] == 1);
  CHECK(world.Drain() == Lines{"two", "three", "four"});
  CHECK(world.sink().rotations.empty());
}

TEST_CASE("Follower tells links in a circle from what it may not read", "[logs]") {
  World world;
  fs::create_symlink("app.log", world.Path("app.log"));
  (void)world.Run();
  CHECK(world.sink().problems == std::map<ReadProblem, int>{{ReadProblem::kIo, 1}});
}

TEST_CASE("Follower reads what is appended, once", "[logs]") {
  World world;
  world.Write("app.log", "one\ntwo\n");
  CHECK(world.Drain() == Lines{"one", "two"});
  world.Write("app.log", "three\n");
  CHECK(world.Drain() == Lines{"three"});
  CHECK(world.Drain().empty());
  CHECK(world.follower().status().up);
  CHECK(world.follower().status().unread_bytes == 0);
}

TEST_CASE("A new log takes the place of a renamed one that is read, never the other way",
          "[logs]") {
  World world("*.log", ", max_files: 3");
  world.Write("a.log", "a1\n");
  world.Write("b.log", "b1\n");
  world.Write("c.log", "c1\n");
  CHECK(world.Drain().size() == 3);
  // Read to its end, and open for the minute in which its writer may have more.
  world.Rename("a.log", "a.log.1");
  CHECK(world.Drain().empty());
  world.Write("d.log", "d1\n");
  CHECK(world.Drain() == Lines{"d1"});
  CHECK(world.sink().problems.empty());
  CHECK(world.follower().status().up);
  CHECK(world.CountBookmarks() == 3);
  // What is not read keeps its place: the new one waits, and loses nothing.
  world.Write("b.log", "b2");
  world.Rename("b.log", "b.log.1");
  world.Write("e.log", "e1\n");
  CHECK(world.Drain().empty());
  CHECK(world.sink().problems[ReadProblem::kTooManyFiles] > 0);
  CHECK_FALSE(world.follower().status().up);
  world.Write("b.log.1", "\n");
  CHECK(world.Drain() == Lines{"b2", "e1"});
  CHECK(world.follower().status().up);
  // Not read again from their beginning, also after a restart.
  world.Restart();
  CHECK(world.Drain().empty());
}

TEST_CASE("Follower lets half a line wait for its end", "[logs]") {
  World world;
  world.Write("app.log", "one\nha");
  CHECK(world.Drain() == Lines{"one"});
  CHECK(world.follower().status().unread_bytes == 2);
  world.Restart();
  world.clock().Pass(std::chrono::hours(1));
  CHECK(world.Drain().empty());
  world.Write("app.log", "lf\r\nthree\r\n");
  CHECK(world.Drain() == Lines{"half", "three"});
}

TEST_CASE("Follower starts where a file ends when told so, and reads later files whole", "[logs]") {
  test::TempFolder folder;
  SetClock clock;
  BookmarkSection section;
  MemorySink sink;
  std::string buffer;
  const auto store = OpenStore({&section}, clock);
  const SourceOptions options =
      Configured("sources: [{name: a, paths: [" + folder.File("*.log") + "]}]").sources[0];
  Append(folder.File("old.log"), "history\nhalf");
  const auto run = [&] {
    Follower follower(options, sink, section, *store, Logger::Silent());
    (void)store->Update([&](state::Changes&) -> Status {
      follower.Restore();
      return {};
    });
    REQUIRE(follower.Run(clock.now(), Rescan::kYes, 1 << 20, buffer).status);
    return std::exchange(sink.lines, {});
  };
  CHECK(run().empty());
  Append(folder.File("old.log"), " of a line\nnews\n");
  Append(folder.File("new.log"), "first\n");
  Lines lines = run();
  std::sort(lines.begin(), lines.end());
  CHECK(lines == Lines{"first", "news"});
}

TEST_CASE("Follower finishes a renamed file before the one that has its name", "[logs]") {
  World world;
  world.Write("app.log", "one\n");
  world.Drain();
  world.Write("app.log", "two\n");
  world.Rename("app.log", "app.log.1");
  world.Write("app.log", "three\n");
  world.Write("app.log.1", "late\n");  // the writer has not reopened yet
  CHECK(world.Drain() == Lines{"two", "late", "three"});
  CHECK(world.sink().rotations[Rotation::kRenamed] == 1);
  world.Write("app.log.1", "later\n");
  CHECK(world.Drain() == Lines{"later"});
}

TEST_CASE("Follower finishes a renamed file after a restart", "[logs]") {
  World world;
  world.Write("app.log", "one\n");
  world.Drain();
  world.Write("app.log", "two\n");
  world.Rename("app.log", "app.log.1");
  world.Write("app.log", "three\n");
  world.Restart();
  CHECK(world.Drain() == Lines{"two", "three"});
}

void SetModified(const std::string& path, std::int64_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

TEST_CASE("Follower finds files that came and were renamed while it was away", "[logs]") {
  World world;
  world.Write("app.log.2", "of old\n");
  SetModified(world.Path("app.log.2"), 1'000);
  world.Write("app.log", "one\n");
  world.Drain();
  world.Write("app.log", "two\n");
  SetModified(world.Path("app.log"), 2'000);
  world.Rename("app.log.2", "app.log.4");
  world.Rename("app.log", "app.log.3");
  world.Write("app.log.2", "between a\n");
  SetModified(world.Path("app.log.2"), 3'000);
  world.Write("app.log.1", "between b\n");
  SetModified(world.Path("app.log.1"), 4'000);
  world.Write("app.log.0.gz", "packed\n");
  world.Write("app.log", "three\n");
  world.Restart();
  CHECK(world.Drain() == Lines{"two", "between a", "between b", "three"});
  world.Restart();
  CHECK(world.Drain().empty());
}

TEST_CASE("Follower reads on in the copy of a truncated file", "[logs]") {
  const std::string pattern = GENERATE(std::string("app.log"), std::string("app.log*"));
  const bool restart = GENERATE(false, true);
  CAPTURE(pattern, restart);
  World world(pattern);
  world.Write("app.log", "one\n");
  CHECK(world.Drain() == Lines{"one"});
  world.Write("app.log", "two\n");
  world.CopyTruncate("app.log", "app.log.1");
  world.Write("app.log", "three is longer than one and two\n");
  if (restart) world.Restart();
  CHECK(world.Drain() == Lines{"two", "three is longer than one and two"});
  CHECK(world.sink().rotations[Rotation::kTruncated] == 1);
  world.Restart();
  CHECK(world.Drain().empty());
}

TEST_CASE("Follower does not read a copy beside the file that it is of", "[logs]") {
  World world("app.log*");
  world.Write("app.log", "one\ntwo\n");
  CHECK(world.Drain().size() == 2);
  fs::copy_file(world.Path("app.log"), world.Path("app.log.bak"));
  CHECK(world.Drain().empty());
  world.Write("app.log", "three\n");
  CHECK(world.Drain() == Lines{"three"});
}

TEST_CASE("Follower begins anew in a file that was cut", "[logs]") {
  World world;
  world.Write("app.log", "one\ntwo\n");
  world.Drain();
  fs::resize_file(world.Path("app.log"), 0);
  world.Write("app.log", "1\n2\n3\n4\n5\n6\n7\n8\n");  // longer than before
  CHECK(world.Drain() == Lines{"1", "2", "3", "4", "5", "6", "7", "8"});
}

TEST_CASE("Follower passes over the zeros that a careless writer leaves after a cut", "[logs]") {
  World world;
  world.Write("app.log", "one\ntwo\n");
  world.Drain();
  fs::resize_file(world.Path("app.log"), 0);
  fs::resize_file(world.Path("app.log"), 3'000'000);  // a hole, as writing at an old offset makes
  world.Write("app.log", "three\n");
  CHECK(world.Drain() == Lines{"three"});
}

TEST_CASE("Follower reads a deleted file to its end, and its successor whole", "[logs]") {
  World world;
  world.Write("app.log", "one\n");
  world.Drain();
  world.Write("app.log", "two\n");
  fs::remove(world.Path("app.log"));
  world.Write("app.log", "one\nthree\n");
  CHECK(world.Drain() == Lines{"two", "one", "three"});
  CHECK(world.sink().rotations[Rotation::kDeleted] == 1);
  world.clock().Pass(std::chrono::minutes(2));
  world.Drain();
  world.Drain();
  CHECK(world.CountBookmarks() == 1);
}

TEST_CASE("Half a line at the end of a renamed file counts when nobody goes on", "[logs]") {
  World world;
  world.Write("app.log", "one\nhalf");
  world.Drain();
  world.Rename("app.log", "app.log.1");
  CHECK(world.Drain().empty());
  world.clock().Pass(std::chrono::seconds(61));
  CHECK(world.Drain() == Lines{"half"});
}

TEST_CASE("A line of 50 MB costs that line only, also over a restart", "[logs]") {
  World world;
  world.Write("app.log", "before\n");
  const std::string part(1 << 20, 'x');
  for (int i = 0; i < 25; ++i) world.Write("app.log", part);
  CHECK(world.Drain() == Lines{"before"});
  world.Restart();
  for (int i = 0; i < 25; ++i) world.Write("app.log", part);
  CHECK(world.Drain().empty());
  world.Write("app.log", "\nafter\n");
  CHECK(world.Drain() == Lines{"after"});
  CHECK(world.sink().problems[ReadProblem::kLineTooLong] == 1);
}

TEST_CASE("Bytes that are no text are harmless", "[logs]") {
  World world;
  world.Write("app.log", std::string("a\0b\xff\xfe\n", 6) + std::string(3, '\0') + "c\n\n\r\n");
  CHECK(world.Drain() == Lines{std::string("a\0b\xff\xfe", 5), "c"});
}

TEST_CASE("Several lines are one record by their start", "[logs]") {
  World world("app.log", ", multiline: {start: '^\\d', timeout: 2s, max_size: 256}");
  world.Write("app.log", "orphan\n1 a\n  at b\n\n  at c\n2 d\n");
  CHECK(world.Drain() == Lines{"orphan", "1 a\n  at b\n\n  at c"});
  world.Restart();
  CHECK(world.Drain().empty());
  world.clock().Pass(std::chrono::seconds(3));
  CHECK(world.Drain() == Lines{"2 d"});
  std::string long_record = "3 e\n";
  for (int i = 0; i < 100; ++i) long_record += "  at some place\n";
  world.Write("app.log", long_record + "4 f\n5 g\n");
  const Lines lines = world.Drain();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].size() <= 256);
  CHECK(lines[1] == "4 f");
  CHECK(world.sink().problems[ReadProblem::kRecordTooLong] == 1);
}

TEST_CASE("Several lines are one record by their continuation", "[logs]") {
  World world("app.log", ", multiline: {continuation: '^\\s', timeout: 1s}");
  world.Write("app.log", "Error: x\n  at a\n  at b\nplain\nlast\n");
  CHECK(world.Drain() == Lines{"Error: x\n  at a\n  at b", "plain"});
}

TEST_CASE("Follower says what it cannot read", "[logs]") {
  World world("*.log");
  world.Run();
  CHECK(world.sink().problems[ReadProblem::kMissing] == 1);
  CHECK(!world.follower().status().up);
  REQUIRE(::mkfifo(world.Path("pipe.log").c_str(), 0600) == 0);
  world.Write("good.log", "line\n");
  CHECK(world.Drain() == Lines{"line"});
  CHECK(world.sink().problems[ReadProblem::kNotRegular] > 0);
  CHECK(!world.follower().status().up);
  fs::remove(world.Path("pipe.log"));
  world.Drain();
  CHECK(world.follower().status().up);
}

TEST_CASE("A file that vanished while nobody looked is told", "[logs]") {
  World world;
  world.Write("app.log", "one\n");
  world.Drain();
  fs::remove(world.Path("app.log"));
  world.Restart();
  world.Write("app.log", "a new file\n");
  CHECK(world.Drain() == Lines{"a new file"});
}

TEST_CASE("A folder that is not there for a while loses no place", "[logs]") {
  World world("sub/app.log");
  fs::create_directory(world.Path("sub"));
  world.Write("sub/app.log", "one\n");
  CHECK(world.Drain() == Lines{"one"});
  world.Rename("sub", "away");
  world.Restart();
  CHECK(world.Drain().empty());
  world.Rename("away", "sub");
  world.Write("sub/app.log", "two\n");
  CHECK(world.Drain() == Lines{"two"});
}

TEST_CASE("A file on another device is known by its bytes", "[logs]") {
  World world;
  world.Write("app.log", "one\ntwo\n");
  world.Drain();
  fs::copy_file(world.Path("app.log"), world.Path("restored"));
  fs::remove(world.Path("app.log"));
  world.Rename("restored", "app.log");
  world.Restart();
  world.Write("app.log", "three\n");
  CHECK(world.Drain() == Lines{"three"});
}

// The store refuses units when told so, as with a full disk.
TEST_CASE("Lines of a unit that failed come again", "[logs]") {
  test::TempFolder folder;
  SetClock clock;
  BookmarkSection section;
  MemorySink sink;
  std::string buffer;
  const auto inner = OpenStore({&section}, clock);
  struct Failing final : state::Store {
    explicit Failing(state::Store& s) : store(s) {}
    Result<state::FamilyId> Define(state::FamilySpec spec) override { return store.Define(spec); }
    Status Update(const std::function<Status(state::Changes&)>& change) override {
      return store.Update([&](state::Changes& changes) -> Status {
        RETURN_IF_ERROR(change(changes));
        if (fail) return Error(ErrorKind::kIo, "no space left");
        return {};
      });
    }
    void Release(state::FamilyId family) override { store.Release(family); }
    void WritePage(exposition::PageWriter& page) override { store.WritePage(page); }
    void WriteOwn(exposition::PageWriter& page) override { store.WriteOwn(page); }
    state::Store& store;
    bool fail = false;
  } store(*inner);
  const SourceOptions options =
      Configured("sources: [{name: a, paths: [" + folder.File("a.log") + "]}]").sources[0];
  Append(folder.File("a.log"), "history\n");
  Follower follower(options, sink, section, store, Logger::Silent());
  (void)store.Update([&](state::Changes&) -> Status {
    follower.Restore();
    return {};
  });
  store.fail = true;
  CHECK(!follower.Run(clock.now(), Rescan::kYes, 1 << 20, buffer).status);
  Append(folder.File("a.log"), "one\ntwo\n");
  CHECK(!follower.Run(clock.now(), Rescan::kYes, 1 << 20, buffer).status);
  CHECK(sink.lines.empty());
  store.fail = false;
  CHECK(follower.Run(clock.now(), Rescan::kYes, 1 << 20, buffer).status);
  CHECK(sink.lines == Lines{"one", "two"});
}

// Random histories: writes of whole and half lines, renames, copies with truncation, restarts,
// reads that stop in the middle. Every line must come exactly once.
void RunHistory(unsigned seed, const std::string& pattern) {
  CAPTURE(seed, pattern);
  std::mt19937 random(seed);
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  World world(pattern);
  world.sink().full_at = 7;
  Lines expected;
  Lines got;
  int number = 0;
  int rotation = 0;
  std::int64_t time = 1'700'000'000;
  std::string half;
  const auto write = [&] {
    std::string text;
    for (std::size_t n = 1 + random() % 30; n > 0; --n) {
      const std::string line =
          "line " + std::to_string(number++) + std::string(random() % 200, '.');
      expected.push_back(half + line);
      text += line + "\n";
      half.clear();
    }
    if (chance(30)) {
      const std::string begin = "half " + std::to_string(number++) + " ";
      text += begin;
      half += begin;
    }
    world.Write("app.log", text);
    SetModified(world.Path("app.log"), ++time);
  };
  const auto end_half = [&] {
    if (half.empty()) return;
    world.Write("app.log", "end\n");
    SetModified(world.Path("app.log"), ++time);
    expected.push_back(half + "end");
    half.clear();
  };
  const auto take = [&] {
    const Lines lines = world.TakeLines();
    got.insert(got.end(), lines.begin(), lines.end());
  };
  const auto shift = [&] {
    for (int i = rotation; i > 0; --i) {
      const std::string from = "app.log." + std::to_string(i);
      if (fs::exists(world.Path(from))) world.Rename(from, "app.log." + std::to_string(i + 1));
    }
    ++rotation;
  };
  write();
  world.Drain();
  got = expected;
  for (int step = 0; step < 60; ++step) {
    const auto what = random() % 100;
    if (what < 45) {
      write();
    } else if (what < 60) {
      world.clock().Pass(Duration(random() % 500));
      (void)world.Run(chance(50) ? Rescan::kYes : Rescan::kNo, 1 + random() % 3000);
      take();
    } else if (what < 75) {
      end_half();
      shift();
      world.Rename("app.log", "app.log.1");
      write();
    } else if (what < 85) {
      // What a copy has of a file of which nothing was read, nobody can tell from another file.
      end_half();
      write();
      end_half();
      (void)world.Run(Rescan::kYes, 1000);
      for (int i = 0; i < 50 && world.follower().status().unread_bytes > 2000; ++i)
        (void)world.Run();
      take();
      if (expected.empty() || got.empty()) continue;
      if (!std::count(got.begin(), got.end(), expected.back())) {
        const Lines rest = world.Drain();
        got.insert(got.end(), rest.begin(), rest.end());
      }
      write();
      end_half();
      shift();
      world.CopyTruncate("app.log", "app.log.1");
      SetModified(world.Path("app.log.1"), ++time);
      SetModified(world.Path("app.log"), ++time);
    } else {
      take();
      world.Restart();
    }
  }
  end_half();
  const Lines rest = world.Drain();
  got.insert(got.end(), rest.begin(), rest.end());
  std::sort(expected.begin(), expected.end());
  std::sort(got.begin(), got.end());
  Lines lost;
  Lines doubled;
  std::set_difference(expected.begin(), expected.end(), got.begin(), got.end(),
                      std::back_inserter(lost));
  std::set_difference(got.begin(), got.end(), expected.begin(), expected.end(),
                      std::back_inserter(doubled));
  CHECK(lost.size() == 0);
  CHECK(doubled.size() == 0);
  if (!lost.empty()) UNSCOPED_INFO("first lost: " << lost[0].substr(0, 12));
}

TEST_CASE("Follower hands on every line once in random histories", "[logs]") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    RunHistory(seed, "app.log");
    RunHistory(seed, "app.log*");
  }
}

}  // namespace
}  // namespace skep::logs
