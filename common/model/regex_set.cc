#include "common/model/regex_set.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>

#include "common/base/hash.h"
#include "common/model/literal_scanner.h"
#include "common/model/regex.h"

namespace skep {
namespace {

constexpr std::size_t kMaxPatterns = 1'000;

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

RE2::Options PatternOptions() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(8 << 20);
  return options;
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// "(?i)" before nothing but literals: they are the whole condition, so nothing is left to match.
std::vector<std::string> CaselessLiterals(std::string_view pattern) {
  if (!pattern.starts_with("(?i)") || !IsAscii(pattern)) return {};
  Result<Regex> inner = Regex::Create(pattern.substr(4));
  if (!inner || !inner->literals()) return {};
  for (const std::string& literal : *inner->literals()) {
    if (literal.size() < 2) return {};
    // RE2 lets these two letters also match U+212A and U+017F, which stand outside ASCII; a scan
    // of bytes does not, and in logs nobody will miss them.
  }
  return *inner->literals();
}

// The patterns that need a match by RE2, with what they need to contain.
struct Filter {
  re2::FilteredRE2 patterns;
  std::vector<std::string> atoms;
  std::vector<std::uint32_t> numbers;  // of each pattern in the set
  std::vector<int> always;             // those without an atom
};

Filter MakeFilter(const std::vector<std::pair<std::uint32_t, std::string>>& patterns,
                  int shortest) {
  Filter filter{re2::FilteredRE2(shortest), {}, {}, {}};
  for (const auto& [number, pattern] : patterns) {
    int id = 0;
    if (filter.patterns.Add(Piece(pattern), PatternOptions(), &id) == RE2::NoError) {
      filter.numbers.push_back(number);
    }
  }
  if (filter.numbers.empty()) return filter;
  filter.patterns.Compile(&filter.atoms);
  filter.patterns.AllPotentials({}, &filter.always);
  return filter;
}

// Longer atoms make the scan faster, shorter ones give more patterns an atom. Down to three bytes
// the scan costs less than one match by RE2, below it costs more.
Filter BestFilter(const std::vector<std::pair<std::uint32_t, std::string>>& patterns) {
  Filter best = MakeFilter(patterns, 4);
  if (best.always.empty()) return best;
  Filter other = MakeFilter(patterns, 3);
  if (other.always.size() < best.always.size()) best = std::move(other);
  return best;
}

constexpr std::size_t kKnown = 256;  // a power of two

// The patterns that may match a text with these atoms.
const std::vector<int>& CandidatesOf(const Filter& filter, RegexSet::Scratch& scratch) {
  std::vector<int>& atoms = scratch.atoms;
  if (atoms.size() > 1) {
    std::sort(atoms.begin(), atoms.end());
    atoms.erase(std::unique(atoms.begin(), atoms.end()), atoms.end());
  }
  if (scratch.known.empty()) scratch.known.resize(kKnown);
  const std::string_view bytes(reinterpret_cast<const char*>(atoms.data()),
                               atoms.size() * sizeof(atoms[0]));
  RegexSet::Scratch::Known& known = scratch.known[HashBytes(bytes) % kKnown];
  if (known.atoms != atoms) {
    known.atoms = atoms;
    filter.patterns.AllPotentials(atoms, &known.candidates);
  }
  return known.candidates;
}

}  // namespace

struct RegexSet::Program {
  Program(std::size_t count, Filter patterns, std::vector<std::string> literals,
          std::vector<std::uint32_t> owners)
      : size(count),
        filter(std::move(patterns)),
        scanner(std::move(literals)),
        literal_owners(std::move(owners)) {}

  std::size_t size;
  Filter filter;
  // First the filter's atoms, then the literals of patterns that are nothing else.
  LiteralScanner scanner;
  std::vector<std::uint32_t> literal_owners;
};

RegexSet::RegexSet()
    : program_(std::make_shared<Program>(0, MakeFilter({}, 4), std::vector<std::string>(),
                                         std::vector<std::uint32_t>())) {}

Result<RegexSet> RegexSet::Create(const std::vector<std::string>& patterns) {
  if (patterns.size() > kMaxPatterns) {
    return Invalid("more than " + std::to_string(kMaxPatterns) + " patterns");
  }
  std::vector<std::pair<std::uint32_t, std::string>> matched;
  std::vector<std::string> literals;
  std::vector<std::uint32_t> owners;
  for (std::uint32_t i = 0; i < patterns.size(); ++i) {
    const Result<Regex> regex = Regex::Create(patterns[i]);
    if (!regex) return regex.error();
    const std::vector<std::string> own = CaselessLiterals(patterns[i]);
    for (const std::string& literal : own) {
      literals.push_back(literal);
      owners.push_back(i);
    }
    if (own.empty()) matched.emplace_back(i, patterns[i]);
  }
  Filter filter = BestFilter(matched);
  // An atom outside ASCII would be compared with the case it has in the text.
  if (!std::all_of(filter.atoms.begin(), filter.atoms.end(), IsAscii)) {
    filter = MakeFilter(matched, 1 << 20);
  }
  literals.insert(literals.begin(), filter.atoms.begin(), filter.atoms.end());
  return RegexSet(std::make_shared<Program>(patterns.size(), std::move(filter), std::move(literals),
                                            std::move(owners)));
}

std::size_t RegexSet::size() const { return program_->size; }
std::size_t RegexSet::unfiltered() const { return program_->filter.always.size(); }

const std::vector<std::uint32_t>& RegexSet::PartialMatches(std::string_view text,
                                                           Scratch& scratch) const {
  const Filter& filter = program_->filter;
  scratch.atoms.clear();
  scratch.matches.clear();
  program_->scanner.Scan(text, [&](std::uint32_t literal) {
    if (literal < filter.atoms.size()) {
      scratch.atoms.push_back(static_cast<int>(literal));
    } else {
      scratch.matches.push_back(program_->literal_owners[literal - filter.atoms.size()]);
    }
  });
  const std::vector<int>* candidates = &filter.always;
  if (!scratch.atoms.empty()) candidates = &CandidatesOf(filter, scratch);
  for (const int candidate : *candidates) {
    const RE2& re2 = filter.patterns.GetRE2(candidate);
    if (re2.Match(Piece(text), 0, text.size(), RE2::UNANCHORED, nullptr, 0)) {
      scratch.matches.push_back(filter.numbers[static_cast<std::size_t>(candidate)]);
    }
  }
  if (scratch.matches.size() > 1) {
    std::sort(scratch.matches.begin(), scratch.matches.end());
    scratch.matches.erase(std::unique(scratch.matches.begin(), scratch.matches.end()),
                          scratch.matches.end());
  }
  return scratch.matches;
}

}  // namespace skep
