#include "evaluator/ruletest/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace skep::ruletest {
namespace {

constexpr std::size_t kMaxPairs = 4'000'000;

// common[i][j]: the most lines in common from i and j on.
class CommonLengths {
 public:
  CommonLengths(const std::vector<std::string>& a, const std::vector<std::string>& b)
      : columns_(b.size() + 1), lengths_((a.size() + 1) * columns_) {
    for (std::size_t i = a.size(); i-- > 0;) {
      for (std::size_t j = b.size(); j-- > 0;) {
        lengths_[i * columns_ + j] =
            a[i] == b[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }

  std::uint32_t at(std::size_t i, std::size_t j) const { return lengths_[i * columns_ + j]; }

 private:
  std::size_t columns_;
  std::vector<std::uint32_t> lengths_;
};

}  // namespace

std::vector<DiffLine> DiffLines(const std::vector<std::string>& first,
                                const std::vector<std::string>& second) {
  const bool small = first.size() * second.size() <= kMaxPairs;
  const CommonLengths common(small ? first : std::vector<std::string>{},
                             small ? second : std::vector<std::string>{});
  std::vector<DiffLine> lines;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < first.size() || j < second.size()) {
    if (i < first.size() && j < second.size() && first[i] == second[j]) {
      lines.push_back({DiffLine::Kind::kBoth, first[i]});
      ++i;
      ++j;
    } else if (i < first.size() &&
               (j == second.size() || !small || common.at(i + 1, j) >= common.at(i, j + 1))) {
      lines.push_back({DiffLine::Kind::kOnlyFirst, first[i++]});
    } else {
      lines.push_back({DiffLine::Kind::kOnlySecond, second[j++]});
    }
  }
  return lines;
}

}  // namespace skep::ruletest
