#include "common/base/crc32c.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace skep {
namespace {

std::string Rising() {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

TEST_CASE("Crc32c gives the sums of RFC 3720", "[base]") {
  const std::string rising = Rising();
  const std::vector<std::pair<std::string, std::uint32_t>> cases = {
      {"", 0},
      {"123456789", 0xe3069283},
      {std::string(32, '\0'), 0x8a9136aa},
      {std::string(32, '\xff'), 0x62a8ab43},
      {rising, 0x46dd794e},
      {std::string(rising.rbegin(), rising.rend()), 0x113fdb5c},
  };
  for (const auto& [bytes, sum] : cases) {
    CAPTURE(bytes);
    CHECK(Crc32c(bytes) == sum);
    CHECK(Crc32cByTable(bytes) == sum);
  }
}

TEST_CASE("Crc32c equals the plain way at every length and place, in one go and in parts",
          "[base]") {
  std::mt19937_64 random(5);
  std::string bytes(40'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  const std::string_view all = bytes;
  std::vector<std::size_t> sizes = {1'535, 1'536, 12'287, 12'288, 12'289, 24'576, 39'000};
  for (std::size_t size = 0; size < 800; ++size) sizes.push_back(size);
  int wrong = 0;
  for (const std::size_t size : sizes) {
    const std::string_view part = all.substr(random() % 64, size);
    const std::size_t cut = size == 0 ? 0 : random() % size;
    const std::uint32_t sum = Crc32cByTable(part);
    wrong += Crc32c(part) != sum || Crc32c(part.substr(cut), Crc32c(part.substr(0, cut))) != sum;
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace skep
