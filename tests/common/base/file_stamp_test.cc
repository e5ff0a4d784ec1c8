#include "common/base/file_stamp.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "common/base/file.h"
#include "tests/support/temp_folder.h"

namespace skep {
namespace {

// A stamp that is old enough to be trusted. Only the kernel sets the time of the last change of an
// inode, so a file that was just written has to be waited for; it is looked at, not slept upon.
FileStamps Settled(const std::vector<std::string>& paths) {
  for (;;) {
    const FileStamps stamps(paths);
    if (stamps.SameAs(stamps)) return stamps;
  }
}

TEST_CASE("A stamp changes with content, file and time, and not by looking", "[base]") {
  const test::TempFolder folder;
  const std::string path = folder.File("a");
  REQUIRE(WriteFileAtomic(path, "one"));
  const FileStamps before = Settled({path});
  CHECK(before.SameAs(Settled({path})));

  SECTION("another content of the same length") { REQUIRE(WriteFileAtomic(path, "two")); }
  SECTION("another file in its place") {
    REQUIRE(WriteFileAtomic(folder.File("b"), "one"));
    REQUIRE(::rename(folder.File("b").c_str(), path.c_str()) == 0);
  }
  SECTION("the time of before") {
    const timespec times[2] = {{1, 0}, {1, 0}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  }
  SECTION("gone") { REQUIRE(::unlink(path.c_str()) == 0); }
  CHECK_FALSE(before.SameAs(Settled({path})));
}

TEST_CASE("A file that was written just now counts as changed once more", "[base]") {
  const test::TempFolder folder;
  const std::string path = folder.File("a");
  // The first look comes within a clock tick of the write, but for a thread that was put aside.
  bool seen = false;
  for (int i = 0; i < 1000 && !seen; ++i) {
    REQUIRE(WriteFileAtomic(path, std::to_string(i)));
    const FileStamp stamp = FileStamp::Of(path);
    seen = !stamp.SameAs(stamp);
  }
  CHECK(seen);
}

TEST_CASE("Files that are not there are the same, others of a list are not", "[base]") {
  const test::TempFolder folder;
  CHECK(FileStamp::Of(folder.File("x")).SameAs(FileStamp{}));
  const std::string path = folder.File("a");
  REQUIRE(WriteFileAtomic(path, "one"));
  const FileStamps one = Settled({path});
  CHECK_FALSE(one.SameAs(FileStamps({path, folder.File("x")})));
  CHECK_FALSE(FileStamps({folder.File("x")}).SameAs(FileStamps({folder.File("y")})));
}

}  // namespace
}  // namespace skep
