#include "evaluator/transfer/text_source.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/net/gzip.h"
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

Pieces ReadAll(const std::string& path, std::size_t piece_bytes) {
  Result<TextSource> source = TextSource::Open(path, piece_bytes);
  REQUIRE(source);
  Pieces pieces;
  while (!source->done()) {
    const Result<std::string_view> piece = source->Next();
    REQUIRE(piece);
    if (!source->done()) pieces.whole_lines = pieces.whole_lines && piece->ends_with('\n');
    pieces.text += *piece;
    ++pieces.count;
  }
  CHECK(source->read_bytes() == source->size_bytes());
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

TEST_CASE("A pressed text that is cut or broken is told with its file", "[transfer]") {
  const test::TempFolder folder;
  const std::string path = folder.File("gz");
  const std::string pressed = Gzip("a 1 1\nb 2 2\n");
  for (std::size_t size = 2; size < pressed.size(); ++size) {
    CAPTURE(size);
    test::WriteBytes(path, std::string_view(pressed).substr(0, size));
    Result<TextSource> source = TextSource::Open(path);
    REQUIRE(source);
    const Result<std::string_view> piece = source->Next();
    REQUIRE_FALSE(piece);
    CHECK(piece.error().message().starts_with(path + ": gzip: "));
  }
  test::WriteBytes(path, pressed + "x");
  Result<TextSource> source = TextSource::Open(path);
  CHECK_FALSE(source->Next());
  CHECK_FALSE(TextSource::Open(folder.File("nothing")));
}

}  // namespace
