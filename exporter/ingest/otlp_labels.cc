#include "exporter/ingest/otlp_labels.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/base/ascii.h"
#include "exporter/ingest/label_values.h"
#include "exporter/ingest/otlp_names.h"

namespace skep::ingest {
namespace {

// A sender with ever new keys must not grow the memory for their names.
constexpr std::size_t kMaxNames = 10'000;

// As first word: all that is below it is about one person, session or computer.
constexpr std::string_view kPersonalFirst[] = {"user",    "enduser",      "account", "organization",
                                               "session", "conversation", "client",  "peer"};
// As last word.
constexpr std::string_view kIdLast[] = {"id",     "ids",    "uuid",     "guid",          "uid",
                                        "pid",    "ip",     "email",    "fingerprint",   "hash",
                                        "digest", "secret", "password", "authorization", "cookie"};
constexpr std::string_view kTextLast[] = {
    "prompt",   "message",  "messages", "content",   "body",        "text",      "input",
    "output",   "response", "answer",   "error",     "stacktrace",  "statement", "query",
    "command",  "args",     "argv",     "arguments", "description", "title",     "subject",
    "comment",  "path",     "file",     "filepath",  "filename",    "dir",       "directory",
    "cwd",      "url",      "uri",      "full",      "target",      "address",   "original",
    "fragment", "line"};
// Recommended by semantic conventions, few values by nature, and named like one of the above.
constexpr std::string_view kAlwaysLabels[] = {"server.address", "url.scheme", "url.template"};

template <std::size_t N>
bool IsOneOf(std::string_view word, const std::string_view (&words)[N]) {
  return std::find(words, words + N, word) != words + N;
}

// "sessionId", "session_id" and "session.id" have the same words.
std::vector<std::string> WordsOf(std::string_view key) {
  std::vector<std::string> words(1);
  bool was_lower = false;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_upper = std::isupper(byte) != 0;
    if (std::isalnum(byte) == 0 || (is_upper && was_lower)) {
      if (!words.back().empty()) words.emplace_back();
    }
    if (std::isalnum(byte) != 0) words.back().push_back(static_cast<char>(std::tolower(byte)));
    was_lower = std::islower(byte) != 0;
  }
  if (words.size() > 1 && words.back().empty()) words.pop_back();
  return words;
}

}  // namespace

AttributeUse DefaultUseOf(std::string_view key) {
  if (IsOneOf(key, kAlwaysLabels)) return AttributeUse::kLabel;
  const std::vector<std::string> words = WordsOf(key);
  if (IsOneOf(words.front(), kPersonalFirst) || IsOneOf(words.back(), kIdLast)) {
    return AttributeUse::kDropped;
  }
  return IsOneOf(words.back(), kTextLast) ? AttributeUse::kLabelUnlessText : AttributeUse::kLabel;
}

// The last star takes as little as it can, and one byte more each time the rest does not match.
bool MatchesPattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

LabelMaker::Name LabelMaker::DecideName(std::string_view key) const {
  const auto matches = [key](const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [key](const std::string& one) { return MatchesPattern(one, key); });
  };
  if (matches(options_.drop_attributes)) return {};
  if (matches(options_.keep_attributes)) return {PrometheusLabelName(key), false, true};
  const AttributeUse use = DefaultUseOf(key);
  if (use == AttributeUse::kDropped) return {};
  return {PrometheusLabelName(key), use == AttributeUse::kLabelUnlessText,
          IsOneOf(key, kAlwaysLabels)};
}

// Beyond kMaxNames a name is made each time, and lives as long as the label sets.
LabelMaker::NameView LabelMaker::NameOf(std::string_view key) {
  auto known = names_.find(key);
  if (known == names_.end()) {
    Name name = DecideName(key);
    if (names_.size() >= kMaxNames) {
      return {Keep(name.label), name.only_unless_text, name.is_kept};
    }
    key_texts_.push_back(std::make_unique<std::string>(key));
    known = names_.emplace(*key_texts_.back(), std::move(name)).first;
  }
  const Name& name = known->second;
  return {name.label, name.only_unless_text, name.is_kept};
}

void LabelMaker::SetResource(Attributes attributes) {
  std::vector<state::LabelView> labels;
  for (const auto& [key, label] : options_.resource_attributes) {
    const AttributeValue* const value = FindAttribute(attributes, key);
    if (value == nullptr) continue;
    std::string text;
    value->AppendTo(text);
    if (!IsPlainValue(text)) text = MakePlainValue(text);
    if (const std::string_view cut = Cut(text); !cut.empty()) labels.emplace_back(label, Keep(cut));
  }
  const auto same_label = [](const state::LabelView& a, const state::LabelView& b) {
    return a.first == b.first;
  };
  if (!std::ranges::equal(labels, resource_, same_label)) shape_.is_known = false;
  resource_ = std::move(labels);
}

std::span<const state::LabelView> LabelMaker::Make(Attributes attributes) {
  if (!HasShape(attributes)) LearnShape(attributes);
  labels_.clear();
  if (shape_.has_twins) {
    MakeWithTwins(attributes);
  } else {
    MakeByShape(attributes);
  }
  return sets_.Keep(labels_);
}

bool LabelMaker::HasShape(Attributes attributes) const {
  return shape_.is_known && std::ranges::equal(attributes, shape_.keys,
                                               [](const Attribute& one, const std::string& key) {
                                                 return one.key == key;
                                               });
}

void LabelMaker::LearnShape(Attributes attributes) {
  shape_ = {};
  for (const Attribute& one : attributes) {
    const NameView name = NameOf(one.key);
    if (!name.label.empty()) shape_.order.push_back({shape_.names.size(), false});
    shape_.keys.emplace_back(one.key);
    shape_.names.push_back(name);
  }
  for (std::size_t i = 0; i < resource_.size(); ++i) shape_.order.push_back({i, true});
  const auto label = [this](const Shape::Place& place) { return LabelAt(place); };
  std::ranges::sort(shape_.order, {}, label);
  shape_.has_twins = std::ranges::adjacent_find(shape_.order, {}, label) != shape_.order.end();
  shape_.is_known = true;
}

std::string_view LabelMaker::LabelAt(const Shape::Place& place) const {
  return place.of_resource ? resource_[place.index].first : shape_.names[place.index].label;
}

void LabelMaker::MakeByShape(Attributes attributes) {
  for (const Shape::Place& place : shape_.order) {
    if (place.of_resource) {
      labels_.push_back(resource_[place.index]);
      continue;
    }
    const NameView& name = shape_.names[place.index];
    const std::string_view value = ValueFor(attributes[place.index], name);
    if (!value.empty()) labels_.emplace_back(name.label, value);
  }
}

void LabelMaker::MakeWithTwins(Attributes attributes) {
  candidates_.clear();
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    const NameView& name = shape_.names[i];
    const std::string_view value = ValueFor(attributes[i], name);
    if (!value.empty()) candidates_.push_back({name.label, attributes[i].key, value, false});
  }
  for (const auto& [label, value] : resource_) candidates_.push_back({label, "", value, true});
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
    if (a.label != b.label) return a.label < b.label;
    return a.of_resource != b.of_resource ? b.of_resource : a.key < b.key;
  });
  Merge();
}

// "": no label.
std::string_view LabelMaker::ValueFor(const Attribute& attribute, const NameView& name) {
  if (name.label.empty()) return {};
  const bool is_text = attribute.value.kind() == AttributeValue::Kind::kString;
  if (is_text && !name.is_kept && (name.only_unless_text || LooksLikeId(attribute.value.text()))) {
    return {};
  }
  return ValueOf(attribute.value);
}

std::string_view LabelMaker::ValueOf(const AttributeValue& value) {
  if (value.kind() == AttributeValue::Kind::kString) {
    const std::string_view text = value.text();
    return IsPlainValue(text) ? Cut(text) : Keep(Cut(MakePlainValue(text)));
  }
  scratch_.clear();
  value.AppendTo(scratch_);
  return Keep(scratch_);
}

std::string_view LabelMaker::Keep(std::string_view text) {
  const std::span<const char> kept = texts_.Keep(std::span<const char>(text.data(), text.size()));
  return {kept.data(), kept.size()};
}

// Not within a character.
std::string_view LabelMaker::Cut(std::string_view text) const {
  if (text.size() <= options_.max_label_bytes) return text;
  std::size_t size = options_.max_label_bytes;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

// Of sorted candidates.
void LabelMaker::Merge() {
  for (std::size_t i = 0; i < candidates_.size();) {
    const Candidate& first = candidates_[i];
    std::size_t end = i + 1;
    while (end < candidates_.size() && candidates_[end].label == first.label &&
           !candidates_[end].of_resource) {
      ++end;
    }
    std::string_view value = first.value;
    if (end - i > 1) {
      scratch_ = first.value;
      for (std::size_t k = i + 1; k < end; ++k) scratch_.append(";").append(candidates_[k].value);
      value = Keep(Cut(scratch_));
    }
    // One of the resource behind them is left out.
    while (end < candidates_.size() && candidates_[end].label == first.label) ++end;
    labels_.emplace_back(first.label, value);
    i = end;
  }
}

void LabelMaker::Clear() {
  texts_.Clear();
  sets_.Clear();
  if (names_.size() < kMaxNames) return;
  shape_ = {};
  names_.clear();
  key_texts_.clear();
}

}  // namespace skep::ingest
