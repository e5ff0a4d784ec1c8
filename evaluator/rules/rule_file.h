// Rule files of Prometheus as values: reading, checking, lint. No evaluation here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"
#include "evaluator/promql/parser.h"

namespace skep::rules {

// The label sets of what a rule writes and of its alerts are at most so long, names and values
// together; a longer one is an error of the rule, and a label of a file as well.
inline constexpr std::size_t kMaxLabelSetBytes = 262'144;

// Annotations whose name begins so are for this program; other programs ignore them.
inline constexpr std::string_view kOwnAnnotationPrefix = "skep_";

enum class RuleKind : std::uint8_t { kRecording, kAlerting };

// One rule as its file has it; labels of the group are merged in (the rule's own win).
struct RuleDefinition {
  RuleKind kind = RuleKind::kRecording;
  std::string name;         // of the series or of the alert
  std::string expr;         // as written
  std::string query;        // the same as Prometheus prints it: for API and links
  Duration hold{0};         // `for`
  Duration keep_firing{0};  // `keep_firing_for`
  // Unexpanded where the kind is kAlerting. With empty values, which take the label off what the
  // expression returns.
  Labels labels;
  Labels annotations;      // unexpanded, with empty values, without those that begin with skep_
  Labels own_annotations;  // those: for this program, never sent on
  int line = 0;            // of the rule in its file

  // What Prometheus compares at a reload; the line is not part of it.
  bool SameAs(const RuleDefinition& other) const;
};

struct GroupDefinition {
  std::string name;
  std::string file;                      // as given to the reader
  std::optional<Duration> interval;      // empty: the global evaluation_interval
  std::optional<Duration> query_offset;  // empty: the global rule_query_offset
  int limit = 0;                         // most series or alerts of one rule; 0: none
  std::vector<RuleDefinition> rules;
  int line = 0;

  bool SameAs(const GroupDefinition& other) const;
};

struct RuleFile {
  std::string file;
  std::vector<GroupDefinition> groups;
  std::vector<int> ignored_documents = {};  // lines of YAML documents that do not count

  std::size_t CountRules() const;
};

struct RuleFileOptions {
  promql::ParseOptions promql = {};
  bool ignore_unknown_fields = false;  // promtool's --ignore-unknown-fields
};

// All that is wrong with one text. `errors` empty: `file` is good.
struct RuleFileReport {
  RuleFile file;
  std::vector<Error> errors;  // each begins with "FILE:LINE:COLUMN: "
};

// Reads a rule file, or PrometheusRule objects of Kubernetes (the groups under `spec`): one or
// several YAML documents, each an object or a List of objects; objects of other kinds are errors.
// Of the documents of a plain rule file only the first counts, as in Prometheus. Strict: an unknown
// field, a name that is none, an expression or template that does not parse, and a group name that
// comes twice are errors. Finds as many errors as it can, in the order of the text.
RuleFileReport ParseRuleFile(std::string_view text, std::string_view file,
                             const RuleFileOptions& options = {});

// The same with the first error (and how many more there are) as the Result's.
Result<RuleFile> ReadRuleFile(const std::string& path, const RuleFileOptions& options = {});

// What a good file may still be told: promtool's lint and ours.
struct LintFinding {
  enum class Kind : std::uint8_t {
    kDuplicateRule,      // same name and labels more than once over all files
    kIgnoredAnnotation,  // an annotation of ours that this version does not act upon
    kIgnoredDocument,    // a further YAML document of a plain rule file
  };

  Kind kind;
  std::string file;
  int line = 0;
  std::string message;  // without place
};
// Over all files of one configuration, in the order of the text.
std::vector<LintFinding> LintRules(const std::vector<RuleFile>& files);

}  // namespace skep::rules
