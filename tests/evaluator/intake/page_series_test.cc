#include "evaluator/intake/page_series.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace skep::intake::test {
namespace {

using exposition::Entry;
using exposition::Format;
using exposition::PageParser;

// One line of each number's series.
std::string PageOf(const std::vector<std::size_t>& order) {
  std::string page;
  for (const std::size_t i : order) {
    const std::string name = i % 3 == 0 ? "a" : "a{x=\"" + std::to_string(i) + "\"}";
    page += name + (i % 5 == 4 ? "  " : " ") + std::to_string(i) + " 1000\n";
    if (i % 11 == 7) page += "# a comment\n\n";
  }
  return page;
}

struct Reading {
  std::vector<int> values;  // of each sample's series: series are numbered as they come
  std::size_t guessed = 0;
};

Reading ReadByGuess(std::string_view page, std::size_t clear_each) {
  Reading reading;
  PageSeries<int> series;
  std::map<std::string, int> numbers;
  PageParser parser(page, Format::kText);
  while (true) {
    if (clear_each != 0 && reading.values.size() % clear_each == 0) series.Clear();
    const Entry entry = parser.Next(series.expected());
    if (entry == Entry::kEnd) return reading;
    if (entry != Entry::kSample) continue;
    reading.guessed += parser.matched_expected() ? 1 : 0;
    int* found = series.Find(parser);
    if (found == nullptr) {
      const std::string bytes(parser.series());
      const int number = numbers.try_emplace(bytes, static_cast<int>(numbers.size())).first->second;
      found = &series.Add(bytes, number);
    }
    reading.values.push_back(*found);
  }
}

std::vector<int> ReadPlainly(std::string_view page) {
  std::vector<int> values;
  std::map<std::string, int> numbers;
  PageParser parser(page, Format::kText);
  while (true) {
    const Entry entry = parser.Next();
    if (entry == Entry::kEnd) return values;
    if (entry != Entry::kSample) continue;
    values.push_back(
        numbers.try_emplace(std::string(parser.series()), static_cast<int>(numbers.size()))
            .first->second);
  }
}

std::vector<std::size_t> InRows(std::size_t series, std::size_t samples) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < series; ++i) order.insert(order.end(), samples, i);
  return order;
}

std::vector<std::size_t> InRounds(std::size_t series, std::size_t samples) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < series * samples; ++i) order.push_back(i % series);
  return order;
}

}  // namespace

TEST_CASE("Series of a page are the same whether guessed or looked up", "[intake]") {
  std::mt19937_64 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  std::vector<std::vector<std::size_t>> orders = {InRows(20, 30), InRounds(20, 30)};
  for (const std::size_t series : {1UL, 2UL, 7UL, 60UL}) {
    std::vector<std::size_t>& order = orders.emplace_back();
    for (int i = 0; i < 600; ++i) order.push_back(random() % series);
  }
  for (const std::vector<std::size_t>& order : orders) {
    const std::string page = PageOf(order);
    const std::vector<int> plain = ReadPlainly(page);
    REQUIRE(plain.size() == order.size());
    for (const std::size_t clear_each : {0UL, 1UL, 17UL}) {
      CHECK(ReadByGuess(page, clear_each).values == plain);
    }
  }
}

TEST_CASE("What comes in rows or in rounds is guessed", "[intake]") {
  // In a row all but the first line, in rounds all but the first round and the begin of the second:
  // then nobody knows yet what follows. Numbers whose lines have one blank, and no comments.
  const std::size_t numbers[] = {1, 2, 5, 8, 10};
  std::vector<std::size_t> rows, rounds;
  for (const std::size_t i : InRows(5, 40)) rows.push_back(numbers[i]);
  for (const std::size_t i : InRounds(5, 40)) rounds.push_back(numbers[i]);
  CHECK(ReadByGuess(PageOf(rows), 0).guessed == std::size_t{5} * 39);
  CHECK(ReadByGuess(PageOf(rounds), 0).guessed == std::size_t{5} * 39 - 1);
}

}  // namespace skep::intake::test
