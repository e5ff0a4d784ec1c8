#include "common/model/labels.h"

#include <algorithm>
#include <compare>

#include "common/base/ascii.h"
#include "common/base/hash.h"
#include "common/base/quote.h"

namespace skep {
namespace {

void AppendVarint(std::string& out, std::size_t n) {
  while (n >= 0x80) {
    out.push_back(static_cast<char>(n | 0x80));
    n >>= 7;
  }
  out.push_back(static_cast<char>(n));
}

// Reads the string at `at` and moves behind it.
std::string_view TakeString(const char*& at) {
  auto byte = static_cast<unsigned char>(*at++);
  std::size_t length = byte & 0x7f;
  for (unsigned shift = 7; byte >= 0x80; shift += 7) {
    byte = static_cast<unsigned char>(*at++);
    length |= static_cast<std::size_t>(byte & 0x7f) << shift;
  }
  const std::string_view text(at, length);
  at += length;
  return text;
}

void AppendLabel(std::string& out, std::string_view name, std::string_view value) {
  AppendVarint(out, name.size());
  out.append(name);
  AppendVarint(out, value.size());
  out.append(value);
}

bool IsNameStart(char c) { return IsLetter(c) || c == '_'; }

}  // namespace

LabelView Labels::Iterator::operator*() const {
  const char* at = at_;
  const std::string_view name = TakeString(at);
  return {name, TakeString(at)};
}

Labels::Iterator& Labels::Iterator::operator++() {
  TakeString(at_);
  TakeString(at_);
  return *this;
}

Labels::Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  std::vector<LabelView> views;
  views.reserve(pairs.size());
  for (const auto& [name, value] : pairs) views.push_back({name, value});
  *this = FromPairs(views);
}

Labels Labels::FromPairs(std::vector<LabelView>& pairs) { return Join(pairs, EmptyValues::kDrop); }

Labels Labels::WithEmptyValues(std::vector<LabelView>& pairs) {
  return Join(pairs, EmptyValues::kKeep);
}

Labels Labels::Join(std::vector<LabelView>& pairs, EmptyValues empty) {
  const auto by_name = [](const LabelView& a, const LabelView& b) { return a.name < b.name; };
  if (!std::is_sorted(pairs.begin(), pairs.end(), by_name)) {
    std::stable_sort(pairs.begin(), pairs.end(), by_name);
  }
  std::size_t total = 0;
  for (const LabelView& pair : pairs) total += pair.name.size() + pair.value.size() + 4;
  Labels labels;
  labels.bytes_.reserve(total);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i + 1 < pairs.size() && pairs[i + 1].name == pairs[i].name) continue;
    if (pairs[i].value.empty() && empty == EmptyValues::kDrop) continue;
    AppendLabel(labels.bytes_, pairs[i].name, pairs[i].value);
  }
  return labels;
}

std::string_view Labels::Get(std::string_view name) const {
  const char* at = bytes_.data();
  const char* const end = at + bytes_.size();
  while (at != end) {
    const std::string_view found = TakeString(at);
    const std::string_view value = TakeString(at);
    if (found == name) return value;
    if (found > name) break;
  }
  return {};
}

std::size_t Labels::size() const { return static_cast<std::size_t>(std::distance(begin(), end())); }

std::uint64_t Labels::Hash() const { return HashBytes(bytes_); }

std::strong_ordering Labels::operator<=>(const Labels& other) const {
  Iterator a = begin();
  Iterator b = other.begin();
  for (; a != end() && b != other.end(); ++a, ++b) {
    const LabelView x = *a;
    const LabelView y = *b;
    if (const auto order = x.name <=> y.name; std::is_neq(order)) return order;
    if (const auto order = x.value <=> y.value; std::is_neq(order)) return order;
  }
  if (a == end())
    return b == other.end() ? std::strong_ordering::equal : std::strong_ordering::less;
  return std::strong_ordering::greater;
}

std::string Labels::ToString() const {
  std::string out;
  std::string inner;
  for (const auto& [name, value] : *this) {
    if (name == kMetricName && IsLegacyMetricName(value)) {
      out = value;
      continue;
    }
    if (!inner.empty()) inner += ", ";
    if (name == kMetricName) {  // a UTF-8 metric name stands quoted inside the braces
      inner += Quote(value);
      continue;
    }
    inner += IsLegacyLabelName(name) ? std::string(name) : Quote(name);
    inner += "=";
    inner += Quote(value);
  }
  if (!inner.empty() || out.empty()) out.append("{").append(inner).append("}");
  return out;
}

void LabelsBuilder::Reset(const Labels& base) {
  pairs_.clear();
  for (const auto& [name, value] : base) {
    if (!value.empty()) pairs_.emplace_back(name, value);
  }
}

void LabelsBuilder::Clear() { pairs_.clear(); }

LabelsBuilder& LabelsBuilder::Set(std::string_view name, std::string_view value) {
  const auto at =
      std::lower_bound(pairs_.begin(), pairs_.end(), name,
                       [](const auto& pair, std::string_view n) { return pair.first < n; });
  const bool found = at != pairs_.end() && at->first == name;
  if (value.empty()) {
    if (found) pairs_.erase(at);
  } else if (found) {
    at->second = value;
  } else {
    pairs_.emplace(at, name, value);
  }
  return *this;
}

LabelsBuilder& LabelsBuilder::Delete(std::string_view name) { return Set(name, {}); }

std::string_view LabelsBuilder::Get(std::string_view name) const {
  for (const auto& [n, value] : pairs_) {
    if (n == name) return value;
  }
  return {};
}

Labels LabelsBuilder::Build() const {
  Labels labels;
  for (const auto& [name, value] : pairs_) AppendLabel(labels.bytes_, name, value);
  return labels;
}

std::uint64_t Fingerprint(const Labels& labels) {
  std::uint64_t hash = kFnv1aBasis;
  for (const auto& [name, value] : labels) {
    for (const std::string_view text : {name, value}) hash = Fnv1a("\xff", Fnv1a(text, hash));
  }
  return hash;
}

bool IsLegacyMetricName(std::string_view name) {
  if (name.empty() || IsDigit(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return IsNameStart(c) || IsDigit(c) || c == ':'; });
}

bool IsLegacyLabelName(std::string_view name) {
  return IsLegacyMetricName(name) && name.find(':') == std::string_view::npos;
}

bool IsUtf8Name(std::string_view name) { return !name.empty() && IsUtf8(name); }

bool IsUtf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || i + more >= text.size()) return false;
    const auto second = static_cast<unsigned char>(text[i + 1]);
    // Overlong forms, surrogates and what lies beyond U+10FFFF differ in the second byte.
    const unsigned lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (second < lowest || second > highest) return false;
    for (std::size_t k = 2; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

}  // namespace skep
