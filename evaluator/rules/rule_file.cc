#include "evaluator/rules/rule_file.h"

#include <map>
#include <set>
#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "common/yaml/node.h"
#include "evaluator/promql/printer.h"
#include "evaluator/template/alert_template.h"

namespace skep::rules {
namespace {

// Name and value nodes of a map of texts.
using TextMap = std::map<std::string, std::pair<std::string, yaml::Node>, std::less<>>;

class Reader {
 public:
  Reader(const RuleFileOptions& options, RuleFileReport& report)
      : options_(options), report_(report) {}

  void ReadDocuments(const std::vector<yaml::Node>& documents) {
    std::vector<yaml::Node> roots;
    for (const yaml::Node& document : documents) {
      if (!document.IsNull()) roots.push_back(document);
    }
    if (roots.empty()) return;
    if (!IsObject(roots.front())) {
      ReadPlain(roots.front());
      for (std::size_t i = 1; i < roots.size(); ++i) {
        report_.file.ignored_documents.push_back(roots[i].line());
      }
      return;
    }
    for (std::size_t i = 0; i < roots.size(); ++i) {
      const std::size_t errors = report_.errors.size();
      ReadObject(roots[i], Depth::kDocument);
      if (roots.size() > 1) NameDocument(errors, i + 1);
    }
  }

 private:
  enum class Depth : std::uint8_t { kDocument, kItem };

  static bool IsObject(const yaml::Node& root) {
    return root.IsMap() && root.Get("kind").IsScalar();
  }

  // Adds the document to errors from `first` on.
  void NameDocument(std::size_t first, std::size_t number) {
    for (std::size_t i = first; i < report_.errors.size(); ++i) {
      Error& error = report_.errors[i];
      error = Error(error.kind(), error.message() + " (document " + std::to_string(number) + ")");
    }
  }

  void ReadPlain(const yaml::Node& root) {
    yaml::MapReader map(root);
    const yaml::Node groups = map.Take("groups");
    Finish(map, root, "rule file");
    ReadGroups(groups, false);
  }

  void ReadGroups(const yaml::Node& groups, bool object) {
    if (!groups.IsNull() && !groups.IsSequence()) {
      Complain(groups, "groups: expected a list");
      return;
    }
    for (const yaml::Node& group : groups.items()) ReadGroup(group, object);
  }

  void Complain(const yaml::Node& node, const std::string& message) {
    report_.errors.push_back(node.Complain(message));
  }

  void Finish(yaml::MapReader& map, const yaml::Node& node, std::string_view what) {
    if (options_.ignore_unknown_fields) {
      for (const auto& [key, value] : node.entries()) {
        if (key.IsScalar()) map.Ignore(key.text());
      }
    }
    if (Status status = map.Finish(what); !status) report_.errors.push_back(status.error());
  }

  // A PrometheusRule of Kubernetes, or a list of them.
  void ReadObject(const yaml::Node& root, Depth depth) {
    const std::string kind = root.IsMap() ? root.Get("kind").text() : "";
    if (kind == "PrometheusRule") {
      ReadPrometheusRule(root);
    } else if (depth == Depth::kDocument && (kind == "List" || kind == "PrometheusRuleList")) {
      ReadList(root);
    } else {
      Complain(IsObject(root) ? root.Get("kind") : root,
               "expected kind PrometheusRule, got " + Quote(kind));
    }
  }

  void ReadList(const yaml::Node& root) {
    const yaml::Node items = root.Get("items");
    if (!items.IsNull() && !items.IsSequence()) Complain(items, "items: expected a list");
    for (const yaml::Node& item : items.items()) ReadObject(item, Depth::kItem);
  }

  // Its metadata is Kubernetes's business.
  void ReadPrometheusRule(const yaml::Node& root) {
    constexpr std::string_view kVersion = "monitoring.coreos.com/v1";
    yaml::MapReader map(root);
    std::string version(kVersion);
    map.Read("apiVersion", version);
    if (version != kVersion) {
      Complain(root.Get("apiVersion"),
               "expected apiVersion " + std::string(kVersion) + ", got " + Quote(version));
    }
    for (const std::string_view key : {"kind", "metadata", "status"}) map.Ignore(key);
    const yaml::Node spec = map.Take("spec");
    Finish(map, root, "PrometheusRule");
    yaml::MapReader spec_map(spec);
    const yaml::Node groups = spec_map.Take("groups");
    Finish(spec_map, spec, "PrometheusRule spec");
    ReadGroups(groups, true);
  }

  void ReadGroup(const yaml::Node& node, bool object) {
    GroupDefinition group;
    group.file = node.file();
    group.line = node.line();
    yaml::MapReader map(node);
    map.Read("name", group.name);
    Duration interval{0}, offset{0};
    map.Read("interval", interval);
    if (interval != Duration::zero()) group.interval = interval;
    const bool has_offset = node.IsMap() && !node.Get("query_offset").IsNull();
    map.Read("query_offset", offset);
    if (has_offset) group.query_offset = offset;
    map.Read("limit", group.limit);
    const TextMap labels = ReadTexts(map.Take("labels"), "labels");
    const yaml::Node rules = map.Take("rules");
    if (object) map.Ignore("partial_response_strategy");
    Finish(map, node, "rule group");
    if (node.IsMap()) CheckGroup(node, group, labels);
    if (!rules.IsNull() && !rules.IsSequence()) Complain(rules, "rules: expected a list");
    int number = 0;
    for (const yaml::Node& rule : rules.items()) ReadRule(rule, group, labels, ++number);
    report_.file.groups.push_back(std::move(group));
  }

  void CheckGroup(const yaml::Node& node, const GroupDefinition& group, const TextMap& labels) {
    if (group.name.empty()) {
      Complain(node, "Groupname must not be empty");
    } else if (!names_.insert(group.name).second) {
      Complain(node, "groupname: " + Quote(group.name) + " is repeated in the same file");
    }
    CheckLabels(labels, "");
  }

  TextMap ReadTexts(const yaml::Node& node, std::string_view what) {
    TextMap texts;
    if (node.IsNull()) return texts;
    if (!node.IsMap()) {
      Complain(node, std::string(what) + ": expected a map of texts");
      return texts;
    }
    for (const auto& [key, value] : node.entries()) {
      Result<std::string> name = key.AsString();
      Result<std::string> text = value.AsString();
      if (!name) {
        report_.errors.push_back(name.error());
      } else if (!text) {
        Complain(value, std::string(what) + " " + Quote(*name) + ": expected text");
      } else {
        texts.emplace(std::move(*name), std::pair(std::move(*text), value));
      }
    }
    return texts;
  }

  void CheckLabels(const TextMap& labels, const std::string& context) {
    for (const auto& [name, text] : labels) {
      if (!IsUtf8Name(name) || name == kMetricName) {
        Complain(text.second, context + "invalid label name: " + name);
      }
      if (text.first.size() > kMaxLabelSetBytes) {
        Complain(text.second, context + "label " + Quote(name) + " has " +
                                  std::to_string(text.first.size()) + " bytes, the limit is " +
                                  std::to_string(kMaxLabelSetBytes));
      } else if (!IsUtf8(text.first)) {
        Complain(text.second, context + "invalid label value: " + text.first);
      }
    }
  }

  void ReadRule(const yaml::Node& node, GroupDefinition& group, const TextMap& group_labels,
                int number) {
    RuleDefinition rule;
    rule.line = node.line();
    yaml::MapReader map(node);
    std::string record, alert;
    map.Read("record", record);
    map.Read("alert", alert);
    map.Read("expr", rule.expr);
    map.Read("for", rule.hold);
    map.Read("keep_firing_for", rule.keep_firing);
    const TextMap labels = ReadTexts(map.Take("labels"), "labels");
    const TextMap annotations = ReadTexts(map.Take("annotations"), "annotations");
    const std::size_t before = report_.errors.size();
    Finish(map, node, "rule");
    if (!node.IsMap() || report_.errors.size() > before) return;

    rule.kind = alert.empty() ? RuleKind::kRecording : RuleKind::kAlerting;
    rule.name = alert.empty() ? record : alert;
    const std::string context = "group " + Quote(group.name) + ", rule " + std::to_string(number) +
                                ", " + Quote(rule.name) + ": ";
    CheckNames(node, record, alert, context);
    CheckExpr(node, rule, context);
    if (rule.kind == RuleKind::kRecording && !record.empty()) {
      CheckRecording(node, rule, !annotations.empty(), context);
    }
    CheckLabels(labels, context);
    CheckAnnotations(annotations, context);
    if (rule.kind == RuleKind::kAlerting) {
      CheckTemplates(rule.name, labels, "label", context);
      CheckTemplates(rule.name, annotations, "annotation", context);
    }
    TakeLabels(rule, group_labels, labels);
    TakeAnnotations(rule, annotations);
    group.rules.push_back(std::move(rule));
  }

  void CheckNames(const yaml::Node& node, const std::string& record, const std::string& alert,
                  const std::string& context) {
    if (!record.empty() && !alert.empty()) {
      Complain(node.Get("record"), context + "only one of 'record' and 'alert' must be set");
    }
    if (record.empty() && alert.empty()) {
      Complain(node, context + "one of 'record' or 'alert' must be set");
    }
  }

  void CheckExpr(const yaml::Node& node, RuleDefinition& rule, const std::string& context) {
    if (rule.expr.empty()) {
      Complain(node.Has("expr") ? node.Get("expr") : node,
               context + "field 'expr' must be set in rule");
      return;
    }
    Result<promql::ExprPtr> expr = promql::ParseExpr(rule.expr, options_.promql);
    if (!expr) {
      Complain(node.Get("expr"), context + "could not parse expression: " + expr.error().message());
      return;
    }
    rule.query = promql::ToString(**expr);
  }

  void CheckRecording(const yaml::Node& node, const RuleDefinition& rule, bool annotations,
                      const std::string& context) {
    const auto refuse = [&](std::string_view field) {
      Complain(node.Get(field),
               context + "invalid field '" + std::string(field) + "' in recording rule");
    };
    if (annotations) refuse("annotations");
    if (rule.hold != Duration::zero()) refuse("for");
    if (rule.keep_firing != Duration::zero()) refuse("keep_firing_for");
    if (!IsUtf8Name(rule.name)) {
      Complain(node.Get("record"), context + "invalid recording rule name: " + rule.name);
    }
    if (rule.name.find_first_of("{}") != std::string::npos) {
      Complain(node.Get("record"),
               context + "braces present in the recording rule name; should it be in expr?: " +
                   rule.name);
    }
  }

  void CheckAnnotations(const TextMap& annotations, const std::string& context) {
    for (const auto& [name, text] : annotations) {
      if (!IsUtf8Name(name)) Complain(text.second, context + "invalid annotation name: " + name);
    }
  }

  void CheckTemplates(const std::string& alert, const TextMap& texts, std::string_view what,
                      const std::string& context) {
    for (const auto& [name, text] : texts) {
      const auto parsed = templates::AlertTemplate::Parse(alert, text.first);
      if (parsed) continue;
      Complain(text.second,
               context + std::string(what) + " " + Quote(name) + ": " + parsed.error().message());
    }
  }

  static void TakeLabels(RuleDefinition& rule, const TextMap& group_labels, const TextMap& labels) {
    std::vector<LabelView> all;  // of equal names the last one counts: the rule's
    for (const TextMap* texts : {&group_labels, &labels}) {
      for (const auto& [name, text] : *texts) all.push_back({name, text.first});
    }
    rule.labels = Labels::WithEmptyValues(all);
  }

  static void TakeAnnotations(RuleDefinition& rule, const TextMap& annotations) {
    std::vector<LabelView> theirs, ours;
    for (const auto& [name, text] : annotations) {
      auto& list = std::string_view(name).starts_with(kOwnAnnotationPrefix) ? ours : theirs;
      list.push_back({name, text.first});
    }
    rule.annotations = Labels::WithEmptyValues(theirs);
    rule.own_annotations = Labels::WithEmptyValues(ours);
  }

  const RuleFileOptions& options_;
  RuleFileReport& report_;
  std::set<std::string> names_;  // of the groups so far
};

}  // namespace

bool RuleDefinition::SameAs(const RuleDefinition& other) const {
  return kind == other.kind && name == other.name && expr == other.expr && hold == other.hold &&
         keep_firing == other.keep_firing && labels == other.labels &&
         annotations == other.annotations && own_annotations == other.own_annotations;
}

bool GroupDefinition::SameAs(const GroupDefinition& other) const {
  if (name != other.name || file != other.file || interval != other.interval ||
      query_offset != other.query_offset || limit != other.limit ||
      rules.size() != other.rules.size()) {
    return false;
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].SameAs(other.rules[i])) return false;
  }
  return true;
}

std::size_t RuleFile::CountRules() const {
  std::size_t count = 0;
  for (const GroupDefinition& group : groups) count += group.rules.size();
  return count;
}

RuleFileReport ParseRuleFile(std::string_view text, std::string_view file,
                             const RuleFileOptions& options) {
  RuleFileReport report;
  report.file.file = file;
  const Result<std::vector<yaml::Node>> documents = yaml::Node::ParseAll(text, file);
  if (!documents) {
    report.errors.push_back(documents.error());
    return report;
  }
  Reader(options, report).ReadDocuments(*documents);
  return report;
}

Result<RuleFile> ReadRuleFile(const std::string& path, const RuleFileOptions& options) {
  Result<std::string> text = ReadFile(path);
  if (!text) return text.error();
  RuleFileReport report = ParseRuleFile(*text, path, options);
  if (report.errors.empty()) return std::move(report.file);
  const std::size_t more = report.errors.size() - 1;
  std::string message = report.errors.front().message();
  if (more > 0) message += " (and " + std::to_string(more) + " more)";
  return Error(report.errors.front().kind(), std::move(message));
}

std::vector<LintFinding> LintRules(const std::vector<RuleFile>& files) {
  std::vector<LintFinding> findings;
  std::set<std::pair<std::string, Labels>> seen;
  for (const RuleFile& file : files) {
    for (const int line : file.ignored_documents) {
      findings.push_back({LintFinding::Kind::kIgnoredDocument, file.file, line,
                          "only the first document of a rule file counts"});
    }
    for (const GroupDefinition& group : file.groups) {
      for (const RuleDefinition& rule : group.rules) {
        const std::string place =
            "group " + Quote(group.name) + ", rule " + Quote(rule.name) + ": ";
        if (!seen.emplace(rule.name, rule.labels).second) {
          findings.push_back(
              {LintFinding::Kind::kDuplicateRule, file.file, rule.line,
               place + "another rule has the same name and the labels " + rule.labels.ToString()});
        }
        for (const LabelView annotation : rule.own_annotations) {
          findings.push_back({LintFinding::Kind::kIgnoredAnnotation, file.file, rule.line,
                              place + "annotation " + std::string(annotation.name) +
                                  " has no effect in this version"});
        }
      }
    }
  }
  return findings;
}

}  // namespace skep::rules
