// A folder that the store may not write to, from the start or from some moment on.
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "exporter/state/store.h"
#include "tests/exporter/state/fixture.h"
#include "tests/support/temp_folder.h"

namespace skep::state {
namespace {

namespace fs = std::filesystem;
using test::Counter;
using test::HandClock;
using test::OwnPage;
using test::Samples;

constexpr ::uid_t kNobody = 65534;

// Root may write everywhere: this thread, and those that it starts, become somebody else for files.
class AsNobody {
 public:
  AsNobody() { ::setfsuid(kNobody); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() { ::setfsuid(::geteuid()); }
};

// A folder that belongs to whom the store runs as.
class StateFolder {
 public:
  StateFolder() {
    ::mkdir(path().c_str(), 0755);
    if (::geteuid() == 0) {
      ::chmod(outer_.path().c_str(), 0755);
      if (::chown(path().c_str(), kNobody, kNobody) != 0) throw std::runtime_error("chown");
    }
  }
  ~StateFolder() { MakeWritable(); }
  // No file can be made or removed.
  void MakeReadOnly() const { ::chmod(path().c_str(), 0555); }
  // Nor any be written, as on a file system that is mounted so.
  void MakeFilesReadOnly() const {
    for (const auto& entry : fs::directory_iterator(path())) ::chmod(entry.path().c_str(), 0444);
  }
  void MakeWritable() const {
    ::chmod(path().c_str(), 0755);
    for (const auto& entry : fs::directory_iterator(path())) ::chmod(entry.path().c_str(), 0644);
  }
  std::string path() const { return outer_.File("state"); }

 private:
  skep::test::TempFolder outer_;
};

std::unique_ptr<Store> OpenAt(const StateFolder& folder, const Clock& clock) {
  return std::move(
      Store::Open({.path = folder.path(), .checkpoint_bytes = 2000}, {}, clock, Logger::Silent())
          .value());
}

Status CountOne(Store& store, FamilyId family) {
  return store.Update([&](Changes& changes) -> Status {
    changes.Add(family, {}, 1);
    return {};
  });
}

TEST_CASE("A folder that may not be written to ends the start, and its name is told", "[state]") {
  const StateFolder folder;
  HandClock clock;
  const AsNobody nobody;
  {
    const auto store = OpenAt(folder, clock);
    REQUIRE(CountOne(*store, store->Define(Counter("tasks_total")).value()));
  }
  folder.MakeReadOnly();
  folder.MakeFilesReadOnly();
  const auto refused = Store::Open({.path = folder.path()}, {}, clock, Logger::Silent());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind() == ErrorKind::kIo);
  CHECK(refused.error().message().find(folder.path()) != std::string::npos);
  folder.MakeWritable();
  CHECK(Samples(*OpenAt(folder, clock)) == std::vector<std::string>{"tasks_total 1"});
}

TEST_CASE("Of a folder that becomes read-only all that was accepted is there later", "[state]") {
  const StateFolder folder;
  HandClock clock;
  const AsNobody nobody;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  {
    const auto store = OpenAt(folder, clock);
    const FamilyId tasks = store->Define(Counter("tasks_total")).value();
    REQUIRE(CountOne(*store, tasks));
    ++accepted;
    folder.MakeReadOnly();
    // Far beyond checkpoint_bytes: no new file can be made.
    for (int i = 0; i < 500; ++i) {
      CountOne(*store, tasks) ? ++accepted : ++refused;
      clock.Advance(std::chrono::seconds(1));
    }
    // The page shows what was accepted and nothing else, and whether the file is up.
    CHECK(Samples(*store) == std::vector<std::string>{"tasks_total " + std::to_string(accepted)});
    const bool is_up = OwnPage(*store).find("state_file_up 1\n") != std::string::npos;
    CHECK(is_up == (refused == 0));
    folder.MakeWritable();
    REQUIRE(CountOne(*store, tasks));
    ++accepted;
    CHECK(OwnPage(*store).find("state_file_up 1\n") != std::string::npos);
  }
  CHECK(Samples(*OpenAt(folder, clock)) ==
        std::vector<std::string>{"tasks_total " + std::to_string(accepted)});
}

}  // namespace
}  // namespace skep::state
