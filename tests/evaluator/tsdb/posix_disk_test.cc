#include "evaluator/tsdb/posix_disk.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "tests/support/temp_folder.h"

namespace skep::tsdb {
namespace {

std::unique_ptr<PosixDisk> Open(const std::string& root) {
  Result<std::unique_ptr<PosixDisk>> disk = PosixDisk::Open(root);
  REQUIRE(disk);
  return std::move(*disk);
}

std::string Content(Disk& disk, const std::string& path) {
  const Result<MappedFilePtr> file = disk.Map(path);
  REQUIRE(file);
  return std::string((*file)->bytes());
}

TEST_CASE("PosixDisk appends, cuts, goes on and maps", "[tsdb]") {
  const test::TempFolder folder;
  const auto disk = Open(folder.File("store"));
  REQUIRE(disk->MakeFolder("a/b"));
  REQUIRE(disk->MakeFolder("a/b"));
  {
    auto file = disk->Create("a/b/file");
    REQUIRE(file);
    std::vector<std::string_view> many(40, "xy");
    many[3] = "";
    REQUIRE((*file)->Append(many));
    CHECK((*file)->size() == 78);
    REQUIRE((*file)->Truncate(3));
    REQUIRE((*file)->Append("end"));
    REQUIRE((*file)->Sync());
  }
  CHECK(Content(*disk, "a/b/file") == "xyxend");
  {
    auto file = disk->Reopen("a/b/file");
    REQUIRE(file);
    CHECK((*file)->size() == 6);
    REQUIRE((*file)->Append("!"));
  }
  CHECK(Content(*disk, "a/b/file") == "xyxend!");
  REQUIRE(disk->SyncFolder("a/b"));
  CHECK(*disk->FreeBytes() > 0);
  const auto entries = disk->List("a/b");
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK(entries->front().name == "file");
  CHECK(entries->front().size_bytes == 7);
}

TEST_CASE("PosixDisk renames, removes and lists", "[tsdb]") {
  const test::TempFolder folder;
  const auto disk = Open(folder.path());
  REQUIRE(disk->MakeFolder("f"));
  REQUIRE(disk->Create("f/b"));
  REQUIRE(disk->Create("a"));
  REQUIRE(disk->Rename("f/b", "c"));
  REQUIRE(disk->Rename("f", "g"));
  const auto names = [&] {
    std::vector<std::string> found;
    const auto entries = disk->List("");
    for (const DiskEntry& entry : *entries) {
      found.push_back(entry.name + (entry.kind == DiskEntry::Kind::kFolder ? "/" : ""));
    }
    return found;
  };
  CHECK(names() == std::vector<std::string>{"a", "c", "g/", "lock"});
  CHECK(Content(*disk, "c").empty());  // an empty file has an empty mapping
  REQUIRE(disk->Remove("a"));
  REQUIRE(disk->Create("g/x"));
  REQUIRE(disk->RemoveFolder("g"));
  CHECK(names() == std::vector<std::string>{"c", "lock"});
}

TEST_CASE("A mapping outlives the removal of its file", "[tsdb]") {
  const test::TempFolder folder;
  const auto disk = Open(folder.path());
  auto file = disk->Create("a");
  REQUIRE(file);
  REQUIRE((*file)->Append("abc"));
  const Result<MappedFilePtr> mapped = disk->Map("a");
  REQUIRE(mapped);
  REQUIRE(disk->Remove("a"));
  CHECK((*mapped)->bytes() == "abc");
}

TEST_CASE("Errors of PosixDisk name the whole path and their kind", "[tsdb]") {
  const test::TempFolder folder;
  const auto disk = Open(folder.path());
  REQUIRE(disk->Create("there"));
  const std::vector<std::pair<Status, ErrorKind>> cases = {
      {Status(disk->Reopen("none").error()), ErrorKind::kNotFound},
      {Status(disk->Map("none").error()), ErrorKind::kNotFound},
      {Status(disk->List("none").error()), ErrorKind::kNotFound},
      {Status(disk->Create("there").error()), ErrorKind::kIo},
      {disk->Remove("none"), ErrorKind::kNotFound},
      {disk->RemoveFolder("none"), ErrorKind::kNotFound},
      {disk->Rename("none", "other"), ErrorKind::kNotFound},
      {disk->SyncFolder("none"), ErrorKind::kNotFound},
      {disk->MakeFolder("there/below"), ErrorKind::kIo},
  };
  for (const auto& [status, kind] : cases) {
    REQUIRE_FALSE(status);
    CAPTURE(status.error().message());
    CHECK(status.error().kind() == kind);
    CHECK(status.error().message().find(folder.path()) != std::string::npos);
  }
}

TEST_CASE("A full disk is told from other errors", "[tsdb]") {
  const test::TempFolder folder;
  std::error_code failed;
  std::filesystem::create_symlink("/dev/full", folder.File("full"), failed);
  REQUIRE_FALSE(failed);
  const auto disk = Open(folder.path());
  auto file = disk->Reopen("full");
  REQUIRE(file);
  const Status written = (*file)->Append("x");
  REQUIRE_FALSE(written);
  CHECK(IsDiskFull(written.error()));
  CHECK_FALSE(IsDiskFull(disk->Remove("none").error()));
}

TEST_CASE("A folder that another process uses is refused, and that process is named", "[tsdb]") {
  const test::TempFolder folder;
  std::array<int, 2> ready{};
  std::array<int, 2> end{};
  REQUIRE(::pipe(ready.data()) == 0);
  REQUIRE(::pipe(end.data()) == 0);
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::close(end[1]);
    const auto disk = PosixDisk::Open(folder.path());
    char byte = disk ? 'y' : 'n';
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(end[0], &byte, 1);  // until the parent closes its side
    ::_exit(0);
  }
  ::close(end[0]);
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(byte == 'y');
  const auto refused = PosixDisk::Open(folder.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind() == ErrorKind::kUnavailable);
  CHECK(refused.error().message().find("in use by process " + std::to_string(child) + " (") !=
        std::string::npos);
  ::close(end[1]);
  ::waitpid(child, nullptr, 0);
  CHECK(PosixDisk::Open(folder.path()));  // the lock went with the process
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace skep::tsdb
