// The kinds of lines that a log has: the words that stay, with what changes left out. Mined as
// lines come, to tell when a kind appears that was never there before.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/time.h"

namespace skep::logs {

// A line as hashes of its words, in order; 0 stands for what changes (words with digits, quoted
// text, names of days and months), however much of it stands together. No text is kept.
using TemplateTokens = std::vector<std::uint32_t>;
void AppendTokens(std::string_view line, TemplateTokens& out);

struct Template {
  TemplateTokens tokens;
  Timestamp first_seen{};
  std::int64_t last_day = 0;  // days since 1970, which is exact enough and seldom written
  bool counted = false;       // as new
};

// Thread-compatible; a value.
//
// A tree of fixed depth: the number of words and the first word that stays choose a group, in it
// lines are compared word by word. A line that no template matches is a new one, unless it is the
// ninth or so that differs from the others of its group in the same few places: these places are
// then taken for what changes (names of users), and the templates become one.
class TemplateSet {
 public:
  enum class Sight : std::uint8_t { kKnown, kNew, kFull };

  explicit TemplateSet(std::size_t max_templates) : max_templates_(max_templates) {}

  // What changed in a call of Learn or since TakeChanges: to be written.
  struct Changes {
    std::vector<std::uint32_t> put;  // by their numbers
    std::vector<std::uint32_t> removed;
    bool empty() const { return put.empty() && removed.empty(); }
  };

  // `tokens` must not be empty. A new template is not counted; the caller decides.
  Sight Learn(const TemplateTokens& tokens, Timestamp now);
  // The template that the last Learn made or found. Requires: it was not kFull.
  std::uint32_t last() const { return last_; }

  void SetCounted(std::uint32_t number);
  Changes TakeChanges();

  // As they were written.
  void Put(std::uint32_t number, Template value);
  void Remove(std::uint32_t number);

  const std::map<std::uint32_t, Template>& all() const { return templates_; }
  std::size_t size() const { return templates_.size(); }

 private:
  static std::uint64_t GroupOf(const TemplateTokens& tokens);
  const std::uint32_t* FindSimilar(const TemplateTokens& tokens) const;
  bool Generalize(TemplateTokens& tokens, std::vector<std::uint32_t>& replaced) const;
  bool MakeRoom(std::int64_t today);
  void Touch(std::uint32_t number, std::int64_t today);

  std::size_t max_templates_;
  std::uint32_t next_ = 1;
  std::uint32_t last_ = 0;
  std::int64_t full_day_ = -1;  // on which nothing was old enough to be forgotten
  std::map<std::uint32_t, Template> templates_;
  std::unordered_map<std::uint64_t, std::uint32_t> exact_;  // by the hash of all tokens
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> groups_;
  Changes changes_;
};

}  // namespace skep::logs
