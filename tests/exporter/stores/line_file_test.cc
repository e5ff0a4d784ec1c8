#include "exporter/stores/line_file.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "common/base/number.h"
#include "tests/exporter/stores/fixture.h"

namespace skep::stores::test {
namespace {

// "12 text": the number is the time.
std::optional<Timestamp> TimeOf(std::string_view line) {
  std::optional<std::int64_t> millis = ParseInt(line.substr(0, line.find(' ')));
  if (!millis) return {};
  return FromMillis(*millis);
}

LineFileOptions Options() {
  LineFileOptions options;
  options.time_of = TimeOf;
  return options;
}

std::string Lines(int from, int to) {
  std::string text;
  for (int i = from; i <= to; ++i) text += std::to_string(i) + " line\n";
  return text;
}

// Reads on from where it stands, as a poller does.
struct Tail {
  std::string path;
  LineFileOptions options = Options();
  std::optional<LineCursor> cursor = {};

  std::vector<std::string> Read() {
    std::vector<std::string> lines;
    for (bool complete = false; !complete;) {
      Reading<LineBatch> batch = ReadNewLines(path, cursor, options);
      if (!batch) {
        if (batch.failure() == ReadFailure::kMissing && !cursor) cursor = LineCursor{};
        return lines;
      }
      lines.insert(lines.end(), batch->lines.begin(), batch->lines.end());
      cursor = LineCursor::Parse(batch->next.Format()).value();
      complete = batch->complete;
    }
    return lines;
  }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("What was in a file before the first look is history", "[stores]") {
  skep::test::TempFolder folder;
  Tail tail{folder.File("log")};
  Write(tail.path, Lines(1, 3) + "4 half");
  CHECK(tail.Read().empty());
  Append(tail.path, " a line\n5 line\n");
  CHECK(tail.Read() == Texts{"4 half a line", "5 line"});
  CHECK(tail.Read().empty());
}

TEST_CASE("A file that comes to be under our eyes counts from its beginning", "[stores]") {
  skep::test::TempFolder folder;
  Tail tail{folder.File("log")};
  CHECK(tail.Read().empty());
  Write(tail.path, Lines(1, 2));
  CHECK(tail.Read() == Texts{"1 line", "2 line"});
}

TEST_CASE("A file rewritten in place to its last lines counts none twice", "[stores]") {
  skep::test::TempFolder folder;
  Tail tail{folder.File("log")};
  tail.Read();
  Write(tail.path, Lines(1, 1000));
  CHECK(tail.Read().size() == 1000);
  SECTION("shorter than before, with a new line at its end") {
    Write(tail.path, Lines(801, 1001));
    CHECK(tail.Read() == Texts{"1001 line"});
  }
  SECTION("longer than before by the time we look") {
    Write(tail.path, Lines(801, 2500));
    CHECK(tail.Read().size() == 1500);
  }
  SECTION("our last line is gone, and only newer ones count") {
    Write(tail.path, Lines(1500, 1600));
    CHECK(tail.Read().size() == 101);
  }
  SECTION("seen truncated, half written, whole") {
    Write(tail.path, "");
    CHECK(tail.Read().empty());
    Write(tail.path, Lines(801, 900));
    CHECK(tail.Read().empty());
    Append(tail.path, Lines(901, 1001));
    CHECK(tail.Read() == Texts{"1001 line"});
  }
  Append(tail.path, "3000 line\n");
  CHECK(tail.Read() == Texts{"3000 line"});
}

TEST_CASE("A rewrite seen at every byte counts each line once", "[stores]") {
  skep::test::TempFolder folder;
  const std::string before = Lines(1, 30);
  const std::string after = Lines(21, 33);
  for (std::size_t size = 0; size <= after.size(); ++size) {
    Tail tail{folder.File("log" + std::to_string(size))};
    tail.Read();
    Write(tail.path, before);
    Texts lines = tail.Read();
    Write(tail.path, after.substr(0, size));
    for (const std::string& line : tail.Read()) lines.push_back(line);
    Write(tail.path, after);
    for (const std::string& line : tail.Read()) lines.push_back(line);
    CAPTURE(size);
    REQUIRE(lines.size() == 33);
    CHECK(lines.back() == "33 line");
  }
}

TEST_CASE("A rotated file is read to its end before the new one", "[stores]") {
  skep::test::TempFolder folder;
  Tail tail{folder.File("log")};
  tail.Read();
  Write(tail.path, Lines(1, 2));
  CHECK(tail.Read().size() == 2);
  Append(tail.path, Lines(3, 4));
  std::filesystem::rename(tail.path, tail.path + ".1");
  Write(tail.path, Lines(5, 6));
  CHECK(tail.Read() == Texts{"3 line", "4 line", "5 line", "6 line"});
}

TEST_CASE("Another file at the path counts only what is newer", "[stores]") {
  skep::test::TempFolder folder;
  Tail tail{folder.File("log")};
  tail.Read();
  Write(tail.path, Lines(1, 4));
  CHECK(tail.Read().size() == 4);
  Write(tail.path + ".new", Lines(3, 6));
  std::filesystem::rename(tail.path + ".new", tail.path);
  CHECK(tail.Read() == Texts{"5 line", "6 line"});
}

TEST_CASE("Batches and lines are bounded", "[stores]") {
  skep::test::TempFolder folder;
  Tail tail{folder.File("log")};
  tail.options.max_bytes = 64;
  tail.options.max_line_bytes = 32;
  tail.Read();
  Write(tail.path, Lines(1, 100));
  CHECK(tail.Read().size() == 100);
  // A line without end is passed over piece by piece; what stands behind it counts.
  Append(tail.path, "101 " + std::string(500, 'x') + "\n" + Lines(102, 103));
  const Texts lines = tail.Read();
  CAPTURE(tail.cursor->Format(), std::filesystem::file_size(tail.path));
  REQUIRE(lines.size() >= 2);
  CHECK(lines[lines.size() - 2] == "102 line");
  CHECK(lines.back() == "103 line");
}

TEST_CASE("Cursors that are none are refused", "[stores]") {
  for (const char* text : {"", "1", "1 2 3 4", "1 2 3 4 x", "1 2 -3 4 5", "1 2 3 4 5 6"}) {
    CAPTURE(text);
    CHECK_FALSE(LineCursor::Parse(text));
  }
}

TEST_CASE("A folder or a pipe where a file should be is not waited for", "[stores]") {
  skep::test::TempFolder folder;
  REQUIRE(ReadNewLines(folder.path(), LineCursor{}, Options()).failure() == ReadFailure::kSchema);
  REQUIRE(::mkfifo(folder.File("pipe").c_str(), 0600) == 0);
  CHECK(ReadNewLines(folder.File("pipe"), LineCursor{}, Options()).failure() ==
        ReadFailure::kSchema);
}

}  // namespace skep::stores::test
