#include "evaluator/ruletest/test_file.h"

#include <map>
#include <set>
#include <utility>

#include "common/base/quote.h"
#include "common/yaml/node.h"

namespace skep::ruletest {
namespace {

class Reader {
 public:
  explicit Reader(TestFileReport& report) : report_(report) {}

  void ReadRoot(const yaml::Node& root) {
    TestFile& file = report_.file;
    yaml::MapReader map(root);
    ReadRuleFiles(map.Take("rule_files"));
    Duration interval{0};
    map.Read("evaluation_interval", interval);
    if (interval != Duration::zero()) file.evaluation_interval = interval;
    const yaml::Node order = map.Take("group_eval_order");
    map.Read("fuzzy_compare", file.fuzzy_compare);
    const yaml::Node tests = map.Take("tests");
    Finish(map, "unit-test file");
    ReadOrder(order);
    for (const yaml::Node& test : Items(tests, "tests")) ReadTest(test);
  }

 private:
  void Complain(const yaml::Node& node, const std::string& message) {
    report_.errors.push_back(node.Complain(message));
  }

  void Finish(yaml::MapReader& map, std::string_view what) {
    if (Status status = map.Finish(what); !status) report_.errors.push_back(status.error());
  }

  std::vector<yaml::Node> Items(const yaml::Node& node, std::string_view what) {
    if (!node.IsNull() && !node.IsSequence()) {
      Complain(node, std::string(what) + ": expected a list");
    }
    return node.items();
  }

  std::string Text(const yaml::Node& node) {
    Result<std::string> text = node.AsString();
    if (text) return *text;
    report_.errors.push_back(text.error());
    return "";
  }

  void ReadRuleFiles(const yaml::Node& node) {
    for (const yaml::Node& item : Items(node, "rule_files")) {
      const std::string pattern = Text(item);
      if (pattern.empty()) continue;
      report_.file.rule_files.push_back({JoinPath(DirName(node.file()), pattern), item.place()});
    }
  }

  void ReadOrder(const yaml::Node& node) {
    std::set<std::string> seen;
    for (const yaml::Node& item : Items(node, "group_eval_order")) {
      std::string name = Text(item);
      if (!seen.insert(name).second) {
        Complain(item, "group name repeated in evaluation order: " + name);
      }
      report_.file.group_eval_order.push_back(std::move(name));
    }
  }

  void ReadTest(const yaml::Node& node) {
    TestGroup test;
    test.place = node.place();
    yaml::MapReader map(node);
    map.Read("name", test.name);
    map.Read("interval", test.interval);
    if (test.interval == Duration::zero()) test.interval = report_.file.evaluation_interval;
    map.Read("external_url", test.external_url);
    test.external_labels = ReadLabels(map.Take("external_labels"), "external_labels");
    ReadStart(map.Take("start_timestamp"), test);
    for (const yaml::Node& item : Items(map.Take("input_series"), "input_series")) {
      test.inputs.push_back(ReadInput(item));
    }
    for (const yaml::Node& item : Items(map.Take("alert_rule_test"), "alert_rule_test")) {
      test.alert_tests.push_back(ReadAlertTest(item));
    }
    for (const yaml::Node& item : Items(map.Take("promql_expr_test"), "promql_expr_test")) {
      test.expr_tests.push_back(ReadExprTest(item));
    }
    Finish(map, "test");
    report_.file.tests.push_back(std::move(test));
  }

  void ReadStart(const yaml::Node& node, TestGroup& test) {
    if (node.IsNull()) return;
    const Result<Timestamp> start = ParseTimestamp(Text(node));
    if (start) {
      test.start = *start;
    } else {
      Complain(node, "start_timestamp: " + start.error().message());
    }
  }

  InputSeries ReadInput(const yaml::Node& node) {
    InputSeries input;
    input.place = node.place();
    yaml::MapReader map(node);
    map.Read("series", input.series);
    map.Read("values", input.values);
    Finish(map, "series");
    return input;
  }

  AlertTest ReadAlertTest(const yaml::Node& node) {
    AlertTest test;
    test.place = node.place();
    yaml::MapReader map(node);
    map.Read("eval_time", test.eval_time);
    map.Read("alertname", test.alertname);
    for (const yaml::Node& item : Items(map.Take("exp_alerts"), "exp_alerts")) {
      test.expected.push_back(ReadAlert(item, test.alertname));
    }
    Finish(map, "alert_rule_test");
    return test;
  }

  ExpectedAlert ReadAlert(const yaml::Node& node, const std::string& alertname) {
    yaml::MapReader map(node);
    ExpectedAlert alert;
    Texts labels = ReadTexts(map.Take("exp_labels"), "exp_labels");
    labels["alertname"] = alertname;
    alert.labels = ToLabels(labels);
    alert.annotations = ReadLabels(map.Take("exp_annotations"), "exp_annotations");
    Finish(map, "exp_alerts");
    return alert;
  }

  ExprTest ReadExprTest(const yaml::Node& node) {
    ExprTest test;
    test.place = node.place();
    yaml::MapReader map(node);
    map.Read("expr", test.expr);
    map.Read("eval_time", test.eval_time);
    for (const yaml::Node& item : Items(map.Take("exp_samples"), "exp_samples")) {
      yaml::MapReader fields(item);
      ExpectedSample sample;
      fields.Read("labels", sample.labels);
      fields.Read("value", sample.value);
      fields.Read("histogram", sample.histogram);
      Finish(fields, "exp_samples");
      test.expected.push_back(std::move(sample));
    }
    Finish(map, "promql_expr_test");
    return test;
  }

  using Texts = std::map<std::string, std::string>;

  Texts ReadTexts(const yaml::Node& node, std::string_view what) {
    Texts texts;
    if (!node.IsNull() && !node.IsMap()) Complain(node, std::string(what) + ": expected a map");
    for (const auto& [key, value] : node.entries()) texts[Text(key)] = Text(value);
    return texts;
  }

  static Labels ToLabels(const Texts& texts) {
    std::vector<LabelView> pairs;
    for (const auto& [name, value] : texts) pairs.push_back({name, value});
    return Labels::WithEmptyValues(pairs);
  }

  Labels ReadLabels(const yaml::Node& node, std::string_view what) {
    return ToLabels(ReadTexts(node, what));
  }

  TestFileReport& report_;
};

}  // namespace

TestFileReport ParseTestFile(std::string_view text, std::string_view file) {
  TestFileReport report;
  report.file.file = file;
  const Result<std::vector<yaml::Node>> documents = yaml::Node::ParseAll(text, file);
  if (!documents) {
    report.errors.push_back(documents.error());
    return report;
  }
  for (std::size_t i = 1; i < documents->size(); ++i) {
    const yaml::Node& extra = (*documents)[i];
    if (extra.IsNull()) continue;
    report.warnings.push_back(extra.place() + ": only the first document of a test file counts");
  }
  Reader(report).ReadRoot(documents->front());
  return report;
}

}  // namespace skep::ruletest
