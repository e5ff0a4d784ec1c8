// Templates of alerting rules: Prometheus's functions, and `$labels`, `$value` and their kin.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"
#include "evaluator/template/template.h"

namespace skep::templates {

// One series of a query's answer.
struct QuerySample {
  Labels labels;
  Value value;  // a number, or the text of a histogram
};

// What an expansion needs beside the alert. Outlives the calls it is handed to.
struct PrometheusContext final : Context {
  // For `query`: an instant query at `time`.
  std::function<Result<std::vector<QuerySample>>(const std::string& expr)> query;
  Timestamp time;            // of the evaluation: `now`
  std::string external_url;  // as the user sees it, without slash at its end
};

// Go's functions and those of Prometheus's template reference. Their context is a
// PrometheusContext. `tmpl`, which Prometheus has in consoles only, is there too, since the alert
// generator specification lets no file be refused for it.
const FunctionTable& PrometheusFunctions();

// `.Labels`, `.ExternalLabels`, `.ExternalURL`, `.Value`: make once per alert, use for all its
// texts.
// The value is a number, or the text of a histogram.
Value AlertData(const Labels& labels, const Labels& external_labels, std::string_view external_url,
                Value value);

// The text of one label or annotation. Immutable; copies share the tree. Thread-safe.
class AlertTemplate {
 public:
  // `alert` is the rule's name, for messages.
  static Result<AlertTemplate> Parse(std::string_view alert, std::string_view text);

  // On an error the text is `<error expanding template: ...>`, as Prometheus has it, and `*error`
  // (may be null) says what.
  std::string Expand(const Value& data, const PrometheusContext& context,
                     std::string* error = nullptr) const;

  bool literal() const { return !template_; }
  // It may read any series there is.
  bool queries() const { return template_ && template_->Calls("query"); }
  const std::string& text() const { return text_; }

 private:
  AlertTemplate(std::string name, std::string text)
      : name_(std::move(name)), text_(std::move(text)) {}

  std::string name_;
  std::string text_;
  std::shared_ptr<const Template> template_;  // null: nothing to expand
};

// As templates and generator URLs link to an expression: "/graph?g0.expr=...&g0.tab=1".
std::string TableLink(std::string_view expr);
std::string GraphLink(std::string_view expr);

// Prometheus's ways to print numbers for people, for others to use too.
std::string Humanize(double value);
std::string Humanize1024(double value);
std::string HumanizeDuration(double seconds);
std::string HumanizePercentage(double ratio);

}  // namespace skep::templates
