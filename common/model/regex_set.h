// Many regular expressions on one text, at the price of few: most lines are done with after a scan
// for the literals that each pattern needs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace skep {

// Immutable; copies share the compiled programs. Thread-safe. `.` matches newlines too.
class RegexSet {
 public:
  // Buffers of one thread for one set, reused from call to call.
  struct Scratch {
    // Which patterns are worth a match, by the literals that were found: the lines of a log have
    // few different ones, and asking RE2 each time costs more than all the rest.
    struct Known {
      std::vector<int> atoms;
      std::vector<int> candidates;
    };
    std::vector<int> atoms;
    std::vector<Known> known;
    std::vector<std::uint32_t> matches;
  };

  // At most 1,000 patterns. kInvalid says what RE2 found wrong with which.
  static Result<RegexSet> Create(const std::vector<std::string>& patterns);
  RegexSet();  // of no patterns

  std::size_t size() const;

  // The numbers of the patterns that match a part of `text`, rising. Valid until the next use of
  // `scratch`.
  const std::vector<std::uint32_t>& PartialMatches(std::string_view text, Scratch& scratch) const;

  // How many patterns need no literal and so are tried on every text: what makes a set slow.
  std::size_t unfiltered() const;

 private:
  struct Program;

  explicit RegexSet(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  std::shared_ptr<const Program> program_;
};

}  // namespace skep
