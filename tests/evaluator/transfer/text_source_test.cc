#include "evaluator/transfer/text_source.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "common/net/gzip.h"
#include "evaluator/tsdb/posix_disk.h"
#include "tests/evaluator/prometheusblock/block_files.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace skep;
using transfer::TextSource;

std::string Gzip(std::string_view text) {
  std::string pressed;
  net::GzipWriter().Finish(text, pressed);
  return pressed;
}

struct Pieces {
  std::string text;
  std::size_t count = 0;
  bool whole_lines = true;  // but for the end of the last one
};

TextSource Open(const std::string& path, std::size_t piece_bytes = 4UL << 20) {
  const Result<tsdb::MappedFilePtr> file = tsdb::MapFile(path);
  REQUIRE(file);
  return {path, *file, piece_bytes};
}

Pieces ReadAll(const std::string& path, std::size_t piece_bytes) {
  TextSource source = Open(path, piece_bytes);
  Pieces pieces;
  while (!source.done()) {
    const Result<std::string_view> piece = source.Next();
    REQUIRE(piece);
    if (!source.done()) pieces.whole_lines = pieces.whole_lines && piece->ends_with('\n');
    pieces.text += *piece;
    ++pieces.count;
  }
  CHECK(source.read_bytes() == source.size_bytes());
  return pieces;
}

TEST_CASE("A text is handed out in pieces of whole lines, plain and pressed", "[transfer]") {
  const test::TempFolder folder;
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += "line " + std::to_string(i * i) + "\n";
  for (const std::string end : {"", "without newline"}) {
    const std::string whole = text + end;
    const std::string half = whole.substr(0, whole.size() / 2);
    test::WriteBytes(folder.File("plain"), whole);
    test::WriteBytes(folder.File("gz"), Gzip(whole));
    test::WriteBytes(folder.File("two.gz"), Gzip(half) + Gzip(whole.substr(half.size())));
    for (const char* name : {"plain", "gz", "two.gz"}) {
      for (const std::size_t piece : {7UL, 1000UL, 100'000UL, 10'000'000UL}) {
        if (piece == 7 && name != std::string_view("plain")) continue;
        CAPTURE(name, piece);
        const Pieces pieces = ReadAll(folder.File(name), piece);
        CHECK((pieces.text == whole));
        CHECK(pieces.whole_lines);
        CHECK((piece > whole.size()) == (pieces.count == 1));
      }
    }
  }
}

TEST_CASE("An empty text has no lines", "[transfer]") {
  const test::TempFolder folder;
  test::WriteBytes(folder.File("plain"), "");
  test::WriteBytes(folder.File("gz"), Gzip(""));
  CHECK(ReadAll(folder.File("plain"), 1000).text.empty());
  CHECK(ReadAll(folder.File("gz"), 1000).text.empty());
}

// Random enough that gzip gives it out line by line, and not all at its end.
std::string Lines(int count) {
  std::mt19937_64 random(5);
  std::string text;
  for (int i = 0; i < count; ++i) text += "a " + std::to_string(random()) + " 1\n";
  return text;
}

TEST_CASE("Of a pressed text that is cut or broken the whole lines come before the error",
          "[transfer]") {
  const test::TempFolder folder;
  const std::string path = folder.File("gz");
  const std::string text = Lines(20'000);
  const std::string pressed = Gzip(text);
  std::size_t most = 0;
  for (std::size_t size = 2; size < pressed.size(); size += 1 + pressed.size() / 50) {
    CAPTURE(size);
    test::WriteBytes(path, std::string_view(pressed).substr(0, size));
    TextSource source = Open(path, 100'000);
    std::string got;
    Result<std::string_view> piece = source.Next();
    for (; piece; piece = source.Next()) {
      REQUIRE_FALSE(source.done());
      CHECK(piece->ends_with('\n'));
      got += *piece;
    }
    CHECK((text.starts_with(got)));
    CHECK(piece.error().message().starts_with(path + ": gzip: "));
    most = std::max(most, got.size());
  }
  CHECK(most > text.size() / 2);
}

TEST_CASE("What follows a pressed text and is none is told", "[transfer]") {
  const test::TempFolder folder;
  const std::string path = folder.File("gz");
  test::WriteBytes(path, Gzip("a 1 1\n") + "x");
  TextSource source = Open(path);
  const Result<std::string_view> piece = source.Next();
  REQUIRE(piece);
  CHECK(*piece == "a 1 1\n");
  CHECK_FALSE(source.Next());
}

}  // namespace
