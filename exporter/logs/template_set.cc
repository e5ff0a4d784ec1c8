#include "exporter/logs/template_set.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "common/base/ascii.h"
#include "common/base/hash.h"

namespace skep::logs {
namespace {

constexpr std::size_t kMaxTokens = 48;
constexpr std::size_t kMaxText = 2'000;      // bytes of a line that are looked at
constexpr std::size_t kMaxGroup = 256;       // templates that one line is compared with
constexpr std::size_t kSimilarForMerge = 8;  // so many similar ones show what changes
constexpr std::size_t kValuesForMerge = 4;   // more values than this at a place: it changes
constexpr std::int64_t kForgetDays = 7;

// FNV-1a: stable, since it stands in the state file.
std::uint32_t HashWord(std::string_view word) {
  std::uint32_t hash = 2166136261U;
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash == 0 ? 1 : hash;
}

bool IsBreak(char c) {
  return static_cast<unsigned char>(c) <= ' ' ||
         std::string_view("=,()[]{}:;|<>\"'`").find(c) != std::string_view::npos;
}

bool IsCalendarWord(std::string_view word) {
  constexpr std::string_view kWords =
      "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec Mon Tue Wed Thu Fri Sat Sun ";
  return word.size() == 3 && kWords.find(std::string(word) + " ") != std::string_view::npos;
}

bool Changes(std::string_view word) {
  return std::any_of(word.begin(), word.end(), IsDigit) || IsCalendarWord(word);
}

void Append(std::uint32_t token, TemplateTokens& out) {
  if (token == 0 && !out.empty() && out.back() == 0) return;
  out.push_back(token);
}

std::uint64_t HashTokens(const TemplateTokens& tokens) {
  return HashBytes(
      {reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(tokens[0])});
}

bool Covers(const TemplateTokens& general, const TemplateTokens& tokens) {
  return std::equal(general.begin(), general.end(), tokens.begin(), tokens.end(),
                    [](std::uint32_t a, std::uint32_t b) { return a == 0 || a == b; });
}

std::size_t FirstWord(const TemplateTokens& tokens) {
  return static_cast<std::size_t>(
      std::find_if(tokens.begin(), tokens.end(), [](std::uint32_t t) { return t != 0; }) -
      tokens.begin());
}

bool IsSimilar(const TemplateTokens& a, const TemplateTokens& b) {
  if (a.size() != b.size()) return false;
  std::size_t equal = 0;
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i] ? 1 : 0;
  return 2 * equal >= a.size();
}

std::int64_t DayOf(Timestamp t) {
  return std::chrono::floor<std::chrono::days>(t).time_since_epoch().count();
}

}  // namespace

void AppendTokens(std::string_view line, TemplateTokens& out) {
  line = line.substr(0, kMaxText);
  while (!line.empty() && out.size() < kMaxTokens) {
    const char c = line[0];
    if (c == '"' || c == '\'' || c == '`') {
      // What stands in quotes is somebody's name for something. An apostrophe has no partner near.
      const std::size_t end = line.find(c, 1);
      if (end != std::string_view::npos) {
        Append(0, out);
        line.remove_prefix(end + 1);
        continue;
      }
    }
    if (IsBreak(c)) {
      line.remove_prefix(1);
      continue;
    }
    std::size_t length = 0;
    // An apostrophe within a word belongs to it: "can't".
    while (length < line.size() && (!IsBreak(line[length]) || line[length] == '\'')) ++length;
    const std::string_view word = line.substr(0, length);
    Append(Changes(word) ? 0 : HashWord(word), out);
    line.remove_prefix(length);
  }
}

std::uint64_t TemplateSet::GroupOf(const TemplateTokens& tokens) {
  const std::size_t first = FirstWord(tokens);
  return MixHash(tokens.size(), first < tokens.size() ? tokens[first] : 0);
}

const std::uint32_t* TemplateSet::FindSimilar(const TemplateTokens& tokens) const {
  const auto group = groups_.find(GroupOf(tokens));
  if (group == groups_.end()) return nullptr;
  for (const std::uint32_t& number : group->second) {
    if (Covers(templates_.at(number).tokens, tokens)) return &number;
  }
  return nullptr;
}

// Puts 0 where the templates like `tokens` differ, and tells which of them that covers.
bool TemplateSet::Generalize(TemplateTokens& tokens, std::vector<std::uint32_t>& replaced) const {
  const auto group = groups_.find(GroupOf(tokens));
  if (group == groups_.end()) return false;
  std::vector<std::uint32_t> similar;
  for (const std::uint32_t number : group->second) {
    if (IsSimilar(templates_.at(number).tokens, tokens)) similar.push_back(number);
  }
  if (similar.size() < kSimilarForMerge) return false;
  bool changed = false;
  for (std::size_t i = FirstWord(tokens) + 1; i < tokens.size(); ++i) {
    std::set<std::uint32_t> values = {tokens[i]};
    for (const std::uint32_t number : similar) values.insert(templates_.at(number).tokens[i]);
    if (values.size() <= kValuesForMerge) continue;
    changed = changed || tokens[i] != 0;
    tokens[i] = 0;
  }
  if (!changed) return false;
  for (const std::uint32_t number : similar) {
    if (Covers(tokens, templates_.at(number).tokens)) replaced.push_back(number);
  }
  return !replaced.empty();
}

void TemplateSet::Touch(std::uint32_t number, std::int64_t today) {
  last_ = number;
  Template& found = templates_.at(number);
  if (found.last_day >= today) return;
  found.last_day = today;
  changes_.put.push_back(number);
}

// Forgets the template that was not seen for the longest time, if that is long.
bool TemplateSet::MakeRoom(std::int64_t today) {
  if (templates_.size() < max_templates_) return true;
  if (full_day_ == today) return false;
  const auto oldest = std::min_element(
      templates_.begin(), templates_.end(),
      [](const auto& a, const auto& b) { return a.second.last_day < b.second.last_day; });
  if (oldest == templates_.end() || oldest->second.last_day > today - kForgetDays) {
    full_day_ = today;
    return false;
  }
  changes_.removed.push_back(oldest->first);
  Remove(oldest->first);
  return true;
}

TemplateSet::Sight TemplateSet::Learn(const TemplateTokens& tokens, Timestamp now) {
  const std::int64_t today = DayOf(now);
  if (const auto found = exact_.find(HashTokens(tokens)); found != exact_.end()) {
    Touch(found->second, today);
    return Sight::kKnown;
  }
  if (const std::uint32_t* found = FindSimilar(tokens)) {
    Touch(*found, today);
    return Sight::kKnown;
  }
  Template made{tokens, now, today, false};
  std::vector<std::uint32_t> replaced;
  const bool is_general = Generalize(made.tokens, replaced);
  for (const std::uint32_t number : replaced) {
    const Template& old = templates_.at(number);
    made.first_seen = std::min(made.first_seen, old.first_seen);
    made.counted = made.counted || old.counted;
    changes_.removed.push_back(number);
    Remove(number);
  }
  if (!is_general) {
    const auto group = groups_.find(GroupOf(tokens));
    if (group != groups_.end() && group->second.size() >= kMaxGroup) return Sight::kFull;
    if (!MakeRoom(today)) return Sight::kFull;
  }
  last_ = next_;
  changes_.put.push_back(last_);
  Put(last_, std::move(made));
  return is_general ? Sight::kKnown : Sight::kNew;
}

void TemplateSet::SetCounted(std::uint32_t number) {
  templates_.at(number).counted = true;
  changes_.put.push_back(number);
}

TemplateSet::Changes TemplateSet::TakeChanges() {
  Changes taken;
  std::swap(taken, changes_);
  std::sort(taken.put.begin(), taken.put.end());
  taken.put.erase(std::unique(taken.put.begin(), taken.put.end()), taken.put.end());
  std::erase_if(taken.put, [&](std::uint32_t number) { return !templates_.contains(number); });
  return taken;
}

void TemplateSet::Put(std::uint32_t number, Template value) {
  if (value.tokens.empty()) return;
  Remove(number);
  exact_[HashTokens(value.tokens)] = number;
  groups_[GroupOf(value.tokens)].push_back(number);
  next_ = std::max(next_, number + 1);
  templates_.emplace(number, std::move(value));
}

void TemplateSet::Remove(std::uint32_t number) {
  const auto found = templates_.find(number);
  if (found == templates_.end()) return;
  const TemplateTokens& tokens = found->second.tokens;
  const auto exact = exact_.find(HashTokens(tokens));
  if (exact != exact_.end() && exact->second == number) exact_.erase(exact);
  const auto group = groups_.find(GroupOf(tokens));
  std::erase(group->second, number);
  if (group->second.empty()) groups_.erase(group);
  templates_.erase(found);
}

}  // namespace skep::logs
