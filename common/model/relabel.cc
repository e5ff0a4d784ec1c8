#include "common/model/relabel.h"

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/digest.h"
#include "common/base/quote.h"

namespace skep {
namespace {

constexpr std::array<std::string_view, 11> kActionNames = {
    "replace",  "keep",      "drop",      "keepequal", "dropequal", "hashmod",
    "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"};

const RelabelOptions& Defaults() {
  static const RelabelOptions defaults;
  return defaults;
}

bool HasVariable(std::string_view text) { return text.find('$') != std::string_view::npos; }

bool NeedsTarget(RelabelAction action) {
  switch (action) {
    case RelabelAction::kReplace:
    case RelabelAction::kHashMod:
    case RelabelAction::kLowercase:
    case RelabelAction::kUppercase:
    case RelabelAction::kKeepEqual:
    case RelabelAction::kDropEqual:
      return true;
    case RelabelAction::kKeep:
    case RelabelAction::kDrop:
    case RelabelAction::kLabelMap:
    case RelabelAction::kLabelDrop:
    case RelabelAction::kLabelKeep:
      return false;
  }
  return false;
}

Status CheckTarget(const RelabelOptions& o, const std::string& action) {
  if (!NeedsTarget(o.action)) return {};
  if (o.target_label.empty()) {
    return Invalid("relabel configuration for " + action + " action requires 'target_label' value");
  }
  if (!IsUtf8Name(o.target_label)) {
    return Invalid(Quote(o.target_label) + " is invalid 'target_label' for " + action + " action");
  }
  return {};
}

// Fields that an action does not look at are mistakes, not decoration.
Status CheckUnusedFields(const RelabelOptions& o, const std::string& action) {
  const RelabelOptions& d = Defaults();
  const bool plain = o.modulus == 0 && o.separator == d.separator && o.replacement == d.replacement;
  switch (o.action) {
    case RelabelAction::kLowercase:
    case RelabelAction::kUppercase:
      if (o.replacement == d.replacement) return {};
      return Invalid("'replacement' can not be set for " + action + " action");
    case RelabelAction::kKeepEqual:
    case RelabelAction::kDropEqual:
      if (plain && o.regex == d.regex) return {};
      return Invalid(
          action + " action requires only 'source_labels' and 'target_label', and no other fields");
    case RelabelAction::kLabelDrop:
    case RelabelAction::kLabelKeep:
      if (plain && o.source_labels.empty() && o.target_label.empty()) return {};
      return Invalid(action + " action requires only 'regex', and no other fields");
    case RelabelAction::kReplace:
    case RelabelAction::kKeep:
    case RelabelAction::kDrop:
    case RelabelAction::kHashMod:
    case RelabelAction::kLabelMap:
      return {};
  }
  return {};
}

Status Check(const RelabelOptions& o) {
  const std::string action(RelabelActionName(o.action));
  RETURN_IF_ERROR(CheckTarget(o, action));
  RETURN_IF_ERROR(CheckUnusedFields(o, action));
  if (o.action == RelabelAction::kHashMod && o.modulus == 0) {
    return Invalid("relabel configuration for hashmod requires non-zero modulus");
  }
  if (o.action == RelabelAction::kLabelMap && !IsUtf8Name(o.replacement)) {
    return Invalid(Quote(o.replacement) + " is invalid 'replacement' for labelmap action");
  }
  for (const std::string& name : o.source_labels) {
    if (!IsUtf8Name(name)) return Invalid(Quote(name) + " is not a valid label name");
  }
  return {};
}

// As Prometheus shards: the last eight bytes of the MD5 as a big-endian number.
std::uint64_t ShardHash(std::string_view text) {
  const std::array<std::uint8_t, 16> digest = Md5(text);
  std::uint64_t hash = 0;
  for (std::size_t i = 8; i < 16; ++i) hash = hash << 8 | digest[i];
  return hash;
}

// The character at `at`, which moves behind it. Only for valid UTF-8.
char32_t TakeCharacter(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  char32_t code = lead & (0x3fU >> more);
  for (int i = 0; i < more; ++i)
    code = code << 6 | (static_cast<unsigned char>(text[at++]) & 0x3fU);
  return code;
}

// Letter by letter in all scripts, whatever locale the program runs in.
std::string ChangeCase(std::string_view text, bool upper) {
  static const locale_t kLocale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (!IsUtf8(text)) return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto code = static_cast<wint_t>(TakeCharacter(text, at));
    const wint_t changed = kLocale == nullptr ? code
                           : upper            ? ::towupper_l(code, kLocale)
                                              : ::towlower_l(code, kLocale);
    AppendUtf8(out, static_cast<char32_t>(changed));
  }
  return out;
}

}  // namespace

std::string_view RelabelActionName(RelabelAction action) {
  return kActionNames[static_cast<std::size_t>(action)];
}

std::optional<RelabelAction> ParseRelabelAction(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  const auto at = std::find(kActionNames.begin(), kActionNames.end(), lower);
  if (at == kActionNames.end()) return std::nullopt;
  return static_cast<RelabelAction>(at - kActionNames.begin());
}

Result<RelabelRule> RelabelRule::Create(RelabelOptions options) {
  RETURN_IF_ERROR(Check(options));
  Result<Regex> regex = Regex::Create(options.regex);
  if (!regex) return regex.error();
  return RelabelRule(std::move(options), *std::move(regex));
}

std::string RelabelRule::JoinSources(const LabelsBuilder& labels) const {
  std::string joined;
  bool first = true;
  for (const std::string& name : options_.source_labels) {
    if (!first) joined += options_.separator;
    first = false;
    joined += labels.Get(name);
  }
  return joined;
}

bool RelabelRule::Apply(LabelsBuilder& labels) const {
  const std::string source = JoinSources(labels);
  const std::string& target = options_.target_label;
  switch (options_.action) {
    case RelabelAction::kReplace:
      Replace(labels, source);
      return true;
    case RelabelAction::kKeep:
      return regex_.FullMatch(source);
    case RelabelAction::kDrop:
      return !regex_.FullMatch(source);
    case RelabelAction::kKeepEqual:
      return labels.Get(target) == source;
    case RelabelAction::kDropEqual:
      return labels.Get(target) != source;
    case RelabelAction::kHashMod:
      labels.Set(target, std::to_string(ShardHash(source) % options_.modulus));
      return true;
    case RelabelAction::kLabelMap:
      MapNames(labels);
      return true;
    case RelabelAction::kLabelDrop:
      FilterNames(labels, false);
      return true;
    case RelabelAction::kLabelKeep:
      FilterNames(labels, true);
      return true;
    case RelabelAction::kLowercase:
      labels.Set(target, ChangeCase(source, false));
      return true;
    case RelabelAction::kUppercase:
      labels.Set(target, ChangeCase(source, true));
      return true;
  }
  return true;
}

void RelabelRule::Replace(LabelsBuilder& labels, const std::string& source) const {
  std::vector<std::string_view> groups;
  if (!regex_.FullMatch(source, groups)) return;
  const std::string& name = options_.target_label;
  const std::string target = HasVariable(name) ? regex_.Expand(name, groups) : name;
  if (!IsUtf8Name(target)) return;
  labels.Set(target, regex_.Expand(options_.replacement, groups));
}

void RelabelRule::MapNames(LabelsBuilder& labels) const {
  const std::vector<std::pair<std::string, std::string>> before = labels.pairs();
  std::vector<std::string_view> groups;
  for (const auto& [name, value] : before) {
    if (!regex_.FullMatch(name, groups)) continue;
    const std::string target = regex_.Expand(options_.replacement, groups);
    if (IsUtf8Name(target)) labels.Set(target, value);
  }
}

void RelabelRule::FilterNames(LabelsBuilder& labels, bool keep) const {
  const std::vector<std::pair<std::string, std::string>> before = labels.pairs();
  for (const auto& [name, value] : before) {
    if (regex_.FullMatch(name) != keep) labels.Delete(name);
  }
}

bool Relabel(std::span<const RelabelRule> rules, LabelsBuilder& labels) {
  return std::all_of(rules.begin(), rules.end(),
                     [&labels](const RelabelRule& rule) { return rule.Apply(labels); });
}

}  // namespace skep
