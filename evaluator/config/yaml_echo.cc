#include "evaluator/config/yaml_echo.h"

#include <algorithm>
#include <cctype>

namespace skep::config {
namespace {

constexpr std::string_view kSecretFields[] = {
    "password",
    "credentials",
    "bearer_token",
    "client_secret",
    "secret_key",
    "secrets",
    "key",
    "token",
    "client_certificate_key",
    "application_credential_secret",
};

bool IsSecretField(std::string_view name) {
  return std::find(std::begin(kSecretFields), std::end(kSecretFields), name) !=
         std::end(kSecretFields);
}

// "http://user:pass@host" with the password replaced.
std::string RedactUrl(const std::string& text) {
  const std::size_t begin = text.find("://");
  if (begin == std::string::npos) return text;
  const std::size_t end = text.find_first_of("/?#", begin + 3);
  const std::size_t at = text.rfind('@', end);
  if (at == std::string::npos || at < begin) return text;
  const std::size_t colon = text.find(':', begin + 3);
  if (colon == std::string::npos || colon > at) return text;
  return text.substr(0, colon + 1) + "<secret>" + text.substr(at);
}

// Whether a text may stand bare and still be read back as the same text.
bool MayStandBare(std::string_view text) {
  if (text.empty() || text == "<secret>") return !text.empty();
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '/' || c == '.' || c == '-' || c == '+';
  };
  if (std::isalnum(static_cast<unsigned char>(text[0])) == 0 && text[0] != '/' && text[0] != '_') {
    return false;
  }
  return std::all_of(text.begin(), text.end(), plain);
}

std::string QuoteYaml(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append("\\").push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15];
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

class Printer {
 public:
  explicit Printer(bool redact) : redact_(redact) {}

  // `node` as the value of a field or item whose line has begun.
  void Value(const yaml::Node& node, int depth, bool secret) {
    if (node.IsMap() && !node.entries().empty()) return Map(node, depth, secret, true);
    if (node.IsSequence() && !node.items().empty()) return Sequence(node, depth, secret);
    out_ += " " + Scalar(node, secret) + "\n";
  }

  std::string out_;

 private:
  std::string Scalar(const yaml::Node& node, bool secret) const {
    if (node.IsMap()) return "{}";
    if (node.IsSequence()) return "[]";
    if (node.IsNull()) return "null";
    if (secret && !node.text().empty()) return "<secret>";
    const std::string text = redact_ ? RedactUrl(node.text()) : node.text();
    // What was quoted may look like a number: it stays quoted.
    return !node.quoted() && MayStandBare(text) ? text : QuoteYaml(text);
  }

  void Map(const yaml::Node& node, int depth, bool secret, bool new_line) {
    if (new_line && depth >= 0) out_ += "\n";
    bool first = true;
    for (const auto& [key, value] : node.entries()) {
      if (new_line || !first) Indent(depth + 1);
      first = false;
      out_ += (MayStandBare(key.text()) ? key.text() : QuoteYaml(key.text())) + ":";
      Value(value, depth + 1, redact_ && (secret || IsSecretField(key.text())));
    }
  }

  void Sequence(const yaml::Node& node, int depth, bool secret) {
    out_ += "\n";
    for (const yaml::Node& item : node.items()) {
      Indent(depth + 1);
      out_ += "-";
      if (item.IsMap() && !item.entries().empty()) {
        out_ += " ";
        Map(item, depth + 1, secret, false);
      } else {
        Value(item, depth + 1, secret);
      }
    }
  }

  void Indent(int depth) { out_.append(static_cast<std::size_t>(depth) * 2, ' '); }

  bool redact_;
};

std::string Print(const yaml::Node& node, bool redact) {
  if (node.IsNull()) return "";
  Printer printer(redact);
  printer.Value(node, -1, false);
  const std::size_t begin = printer.out_.find_first_not_of(" \n");
  return begin == std::string::npos ? "" : printer.out_.substr(begin);
}

}  // namespace

std::string YamlText(const yaml::Node& node) { return Print(node, false); }
std::string YamlEcho(const yaml::Node& node) { return Print(node, true); }

}  // namespace skep::config
