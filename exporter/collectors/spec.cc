#include "exporter/collectors/spec.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "common/base/quote.h"

namespace skep::exporter {
namespace {

bool NamesSecret(std::string_view key) {
  constexpr std::string_view kWords[] = {"password", "secret", "token", "credentials"};
  return std::any_of(std::begin(kWords), std::end(kWords), [key](std::string_view word) {
    return key.find(word) != std::string_view::npos;
  });
}

// YAML in one line: {key: value, ...}, [item, ...], scalars in quotes where they were.
void AppendFlow(const yaml::Node& node, std::string& out) {
  const char* separator = "";
  if (node.IsMap()) {
    out += '{';
    for (const auto& [key, value] : node.entries()) {
      out.append(std::exchange(separator, ", ")).append(Quote(key.text())).append(": ");
      if (NamesSecret(key.text())) {
        out += "\"<secret>\"";
      } else {
        AppendFlow(value, out);
      }
    }
    out += '}';
  } else if (node.IsSequence()) {
    out += '[';
    for (const yaml::Node& item : node.items()) {
      out += std::exchange(separator, ", ");
      AppendFlow(item, out);
    }
    out += ']';
  } else {
    const bool bare = node.IsNull() || (!node.quoted() && (node.AsInt() || node.AsBool()));
    out += node.IsNull() ? "null" : bare ? node.text() : Quote(node.text());
  }
}

}  // namespace

std::string CollectorSpec::YamlKey(std::string_view option) {
  std::string key(option);
  for (char& c : key) {
    if (c == '-' || c == '.') c = '_';
  }
  return key;
}

std::string CollectorSpec::FlagName(const OptionSpec& option) const {
  return option.flag.empty() ? "collector." + name + "." + option.name : option.flag;
}

OptionValues::OptionValues(const CollectorSpec& spec) {
  for (const OptionSpec& option : spec.options) {
    Value value;
    value.kind = option.kind;
    value.key = CollectorSpec::YamlKey(option.name);
    std::vector<std::string> texts;
    const bool none = option.kind == OptionKind::kList && option.fallback.empty();
    if (!none) texts.push_back(option.fallback);
    [[maybe_unused]] const Status valid = Assign(value, std::move(texts));
    assert(valid.has_value());
    values_.emplace(option.name, std::move(value));
  }
}

Status OptionValues::Set(std::string_view option, std::vector<std::string> texts) {
  const auto found = values_.find(option);
  if (found == values_.end()) return Invalid("no option " + std::string(option));
  RETURN_IF_ERROR(Assign(found->second, std::move(texts)));
  found->second.is_set = true;
  return {};
}

Status OptionValues::Read(const yaml::Node& map, bool& enabled) {
  yaml::MapReader reader(map);
  reader.Read("enabled", enabled);
  for (auto& [name, value] : values_) {
    const yaml::Node child = reader.Take(value.key);
    if (child.IsNull()) continue;
    if (Status read = ReadOne(value, child); !read) reader.Fail(read.error());
    value.is_set = true;
  }
  return reader.Finish("collector");
}

Status OptionValues::ReadOne(Value& value, const yaml::Node& node) {
  if (value.kind == OptionKind::kNode) {
    value.node = node;
    return {};
  }
  std::vector<std::string> texts;
  if (value.kind == OptionKind::kList && node.IsSequence()) {
    Result<std::vector<std::string>> items = node.AsStrings();
    if (!items) return items.error();
    texts = std::move(*items);
  } else if (value.kind == OptionKind::kFlag) {
    const Result<bool> flag = node.AsBool();
    if (!flag) return flag.error();
    texts.emplace_back(*flag ? "true" : "false");
  } else {
    Result<std::string> text = node.AsString();
    if (!text) return text.error();
    texts.push_back(std::move(*text));
  }
  const Status assigned = Assign(value, std::move(texts));
  if (!assigned) return node.Complain(assigned.error().message());
  return {};
}

Status OptionValues::Assign(Value& value, std::vector<std::string> texts) {
  if (value.kind == OptionKind::kFlag && texts[0] != "true" && texts[0] != "false") {
    return Invalid("expected true or false, got \"" + texts[0] + "\"");
  }
  if (value.kind == OptionKind::kRegex) {
    value.pattern.reset();
    if (!texts[0].empty()) {
      Result<Regex> pattern = Regex::Create(texts[0]);
      if (!pattern) return pattern.error();
      value.pattern = std::move(*pattern);
    }
  }
  if (value.kind == OptionKind::kDuration) {
    const Result<Duration> span = ParseDuration(texts[0]);
    if (!span) return span.error();
    value.span = *span;
  }
  value.texts = std::move(texts);
  return {};
}

const OptionValues::Value& OptionValues::At(std::string_view option) const {
  const auto found = values_.find(option);
  assert(found != values_.end());
  return found->second;
}

bool OptionValues::Flag(std::string_view option) const { return At(option).texts[0] == "true"; }

const std::string& OptionValues::Text(std::string_view option) const { return At(option).texts[0]; }

const std::optional<Regex>& OptionValues::Pattern(std::string_view option) const {
  return At(option).pattern;
}

const std::vector<std::string>& OptionValues::List(std::string_view option) const {
  return At(option).texts;
}

Duration OptionValues::Span(std::string_view option) const { return At(option).span; }

const std::optional<yaml::Node>& OptionValues::Node(std::string_view option) const {
  return At(option).node;
}

void OptionValues::AppendYaml(std::string_view indent, std::string& out) const {
  for (const auto& [name, value] : values_) {
    if (value.kind == OptionKind::kNode && !value.node) continue;
    out.append(indent).append(value.key).append(": ");
    if (value.kind == OptionKind::kNode) {
      AppendFlow(*value.node, out);
    } else if (value.kind == OptionKind::kList) {
      out += '[';
      for (const std::string& text : value.texts) {
        if (&text != value.texts.data()) out += ", ";
        out += Quote(text);
      }
      out += ']';
    } else {
      const bool is_text = value.kind == OptionKind::kText || value.kind == OptionKind::kRegex;
      out += is_text ? Quote(value.texts[0]) : value.texts[0];
    }
    out += '\n';
  }
}

std::vector<OptionSpec> DeviceFilterOptions(std::string_view devices, std::string exclude) {
  const std::string what(devices);
  return {{"device-exclude", OptionKind::kRegex, std::move(exclude),
           "Regexp of " + what + " devices to exclude (mutually exclusive to device-include)"},
          {"device-include", OptionKind::kRegex, "",
           "Regexp of " + what + " devices to include (mutually exclusive to device-exclude)"}};
}

Result<DeviceFilter> ReadDeviceFilter(const OptionValues& options) {
  DeviceFilter devices;
  devices.include = options.Pattern("device-include");
  if (!devices.include) {
    devices.exclude = options.Pattern("device-exclude");
  } else if (options.IsSet("device-exclude") && options.Pattern("device-exclude")) {
    return Invalid("device-include and device-exclude are mutually exclusive");
  }
  return devices;
}

}  // namespace skep::exporter
