#include "evaluator/tsdb/number_list.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <random>

#include "evaluator/tsdb/heap_size.h"

namespace skep::tsdb {
namespace {

Postings ToVector(const NumberList& list) { return {list.view().begin(), list.view().end()}; }

TEST_CASE("A list of numbers is what a plain list is, through growing and shrinking", "[tsdb]") {
  std::mt19937 random(5);
  for (int turn = 0; turn < 50; ++turn) {
    NumberList list;
    Postings plain;
    std::uint32_t number = 0;
    for (int step = 0; step < 20; ++step) {
      const auto more = random() % (turn < 25 ? 3 : 200);
      for (std::uint32_t i = 0; i < more; ++i) {
        number += 1 + static_cast<std::uint32_t>(random() % 3);
        list.Append(number);
        plain.push_back(number);
      }
      REQUIRE(ToVector(list) == plain);
      Postings gone;
      const auto one_in = 1 + random() % 4;
      for (std::uint32_t i = 0; i <= number; ++i) {
        if (random() % one_in == 0) gone.push_back(i);  // some of them are not there
      }
      if (step % 3 == 2) {
        list.Subtract(gone);
        Postings left;
        std::set_difference(plain.begin(), plain.end(), gone.begin(), gone.end(),
                            std::back_inserter(left));
        plain = left;
      }
      REQUIRE(ToVector(list) == plain);
      REQUIRE(list.size() == plain.size());
      REQUIRE(list.empty() == plain.empty());
    }
  }
}

TEST_CASE("A list of numbers has at most an eighth of its room free", "[tsdb]") {
  NumberList list;
  for (std::uint32_t size = 1; size <= 5000; ++size) {
    list.Append(size);
    CAPTURE(size);
    if (size <= 2) REQUIRE(list.heap_bytes() == 0);
    REQUIRE(list.heap_bytes() <= HeapSize((size + std::max(1U, size / 8)) * sizeof(size)));
  }
  Postings all(5000);
  for (std::uint32_t i = 0; i < 5000; ++i) all[i] = i + 1;
  list.Subtract(all);
  CHECK(list.heap_bytes() == 0);
}

}  // namespace
}  // namespace skep::tsdb
