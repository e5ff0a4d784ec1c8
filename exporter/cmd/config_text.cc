#include "exporter/cmd/config_text.h"

#include <algorithm>
#include <cctype>

#include "common/base/quote.h"

namespace skep::exporter {
namespace {

constexpr std::string_view kSecret = "<secret>";

bool NamesSecret(std::string_view key) {
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower.ends_with("_file") || lower.ends_with("_files")) return false;
  constexpr std::string_view kWords[] = {"password", "secret",  "token",  "credentials", "auth",
                                         "api_key",  "api-key", "apikey", "cookie",      "private"};
  return std::ranges::any_of(
      kWords, [&lower](std::string_view word) { return lower.find(word) != std::string::npos; });
}

// "https://user:word@host/" without "user:word".
std::string WithoutUser(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return std::string(text);
  const std::size_t begin = scheme + 3;
  const std::size_t at = text.substr(0, text.find('/', begin)).rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(text);
  return std::string(text.substr(0, begin)).append(kSecret).append(text.substr(at));
}

// "https://host/?key=word&x=1#part" without "word" and "1": what a query holds is often a token,
// and its name need not say so.
std::string WithoutQuery(std::string text) {
  const std::size_t scheme = text.find("://");
  const std::size_t query = scheme == std::string::npos ? scheme : text.find('?', scheme);
  if (query == std::string::npos) return text;
  const std::size_t end = std::min(text.find('#', query), text.size());
  std::string out = text.substr(0, query + 1);
  for (std::size_t at = query + 1; at < end;) {
    const std::size_t next = std::min(text.find('&', at), end);
    const std::size_t equals = std::min(text.find('=', at), next);
    // Without '=' it is all value.
    if (equals < next) out.append(text, at, equals + 1 - at);
    if (equals + 1 < next || equals == next) out.append(kSecret);
    if (next < end) out.push_back('&');
    at = next + 1;
  }
  return out.append(text, end);
}

std::string Scalar(const yaml::Node& node) {
  if (node.IsNull()) return "null";
  const std::string text = WithoutQuery(WithoutUser(node.text()));
  const bool is_plain = !node.quoted() && (node.AsDouble() || node.AsBool());
  return is_plain ? text : Quote(text);
}

std::string Key(std::string_view key) {
  const bool is_plain = !key.empty() && std::ranges::all_of(key, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
  return is_plain ? std::string(key) : Quote(key);
}

// Behind "KEY:" or "-".
void AppendValue(const yaml::Node& node, const std::string& indent, std::string& out);

void AppendEntry(std::string_view key, const yaml::Node& node, const std::string& indent,
                 std::string& out) {
  out.append(indent).append(Key(key)).append(":");
  // A map under such a key (basic_auth) hides what is secret by itself.
  if (NamesSecret(key) && !node.IsMap()) {
    out.append(" ").append(Quote(kSecret)).append("\n");
  } else {
    AppendValue(node, indent + "  ", out);
  }
}

void AppendValue(const yaml::Node& node, const std::string& indent, std::string& out) {
  if (node.IsMap() && !node.entries().empty()) {
    out.append("\n");
    for (const auto& [key, value] : node.entries()) AppendEntry(key.text(), value, indent, out);
  } else if (node.IsSequence() && !node.items().empty()) {
    out.append("\n");
    for (const yaml::Node& item : node.items()) {
      out.append(indent).append("-");
      AppendValue(item, indent + "  ", out);
    }
  } else if (node.IsMap() || node.IsSequence()) {
    out.append(node.IsMap() ? " {}\n" : " []\n");
  } else {
    out.append(" ").append(Scalar(node)).append("\n");
  }
}

}  // namespace

void AppendConfig(std::string_view key, const yaml::Node& node, const std::string& indent,
                  std::string& out) {
  if (!node.IsNull()) AppendEntry(key, node, indent, out);
}

}  // namespace skep::exporter
