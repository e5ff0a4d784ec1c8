#include "common/base/file.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"

using skep::test::TempFolder;

TEST_CASE("A file is replaced as a whole and read back", "[file]") {
  const TempFolder folder;
  const std::string path = folder.File("a.txt");
  REQUIRE(skep::WriteFileAtomic(path, "one"));
  REQUIRE(skep::WriteFileAtomic(path, std::string(100'000, 'x')));
  CHECK(*skep::ReadFile(path) == std::string(100'000, 'x'));
  CHECK(skep::Glob(folder.File("*"))->size() == 1);  // nothing temporary is left
}

TEST_CASE("Files under /proc are read though their size is 0", "[file]") {
  CHECK(skep::ReadFile("/proc/self/stat")->size() > 10);
}

TEST_CASE("Errors of files name the path and what happened", "[file]") {
  const TempFolder folder;
  const auto missing = skep::ReadFile(folder.File("none"));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind() == skep::ErrorKind::kNotFound);
  CHECK(missing.error().message().find("none: No such file or directory") != std::string::npos);
  CHECK_FALSE(skep::WriteFileAtomic(folder.File("none/a"), "x"));
  REQUIRE(skep::WriteFileAtomic(folder.File("big"), "12345"));
  const auto big = skep::ReadFile(folder.File("big"), 4);
  REQUIRE_FALSE(big);
  CHECK(big.error().kind() == skep::ErrorKind::kInvalid);
}

TEST_CASE("A pipe among the files is refused, not waited for", "[file]") {
  const TempFolder folder;
  REQUIRE(mkfifo(folder.File("pipe").c_str(), 0600) == 0);
  const auto content = skep::ReadFile(folder.File("pipe"));
  REQUIRE_FALSE(content);
  CHECK(content.error().message().find("not a regular file") != std::string::npos);
}

TEST_CASE("A pattern is judged as Go's filepath.Match judges it", "[base]") {
  for (const char* good : {"", "a", "a*b?", "[a]", "[^a-c]x", "[a-cx-z]", "a\\[*", "[\\]]", "]"}) {
    CAPTURE(good);
    CHECK(skep::CheckGlob(good));
  }
  for (const char* bad : {"[", "a[b", "[]", "[]a]", "[^]", "[a-]", "[-a]", "a\\", "[a\\", "[a-",
                          "[^", "\\\\[", "[\\"}) {
    CAPTURE(bad);
    CHECK_FALSE(skep::CheckGlob(bad));
  }
}

TEST_CASE("A named file that cannot be read is told with its place", "[base]") {
  const TempFolder folder;
  REQUIRE(skep::WriteFileAtomic(folder.File("a"), "x"));
  CHECK(skep::CheckNamedFile({folder.File("a"), "c.yml:1:2"}));
  const std::string path = folder.File("b");
  const skep::Status missing = skep::CheckNamedFile({path, "c.yml:1:2"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind() == skep::ErrorKind::kNotFound);
  CHECK(missing.error().message() == "c.yml:1:2: open " + path + ": No such file or directory");
}

TEST_CASE("Paths join and split", "[file]") {
  CHECK(skep::JoinPath("/etc/skep", "rules/a.yml") == "/etc/skep/rules/a.yml");
  CHECK(skep::JoinPath("/etc/skep/", "/abs") == "/abs");
  CHECK(skep::JoinPath("", "a") == "a");
  CHECK(skep::DirName("a/b/c.yml") == "a/b");
  CHECK(skep::DirName("c.yml") == ".");
  CHECK(skep::DirName("/c.yml") == "/");
}
