#include "evaluator/ruletest/report.h"

#include <string_view>

#include "common/base/quote.h"
#include "evaluator/ruletest/line_diff.h"

namespace skep::ruletest {
namespace {

constexpr std::string_view kIndent = "    ";

std::string ShowAlerts(const std::vector<Observation>& alerts) {
  if (alerts.empty()) return "[]";
  std::string out = "[";
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    out += i == 0 ? "\n" : ",\n";
    out += "            " + std::to_string(i) + ":\n";
    out += "              Labels:" + alerts[i].labels.ToString() + "\n";
    out += "              Annotations:" + alerts[i].annotations.ToString();
  }
  return out + "\n            ]";
}

std::string ShowSamples(const std::vector<Observation>& samples) {
  if (samples.empty()) return "nil";
  std::string out;
  for (const Observation& sample : samples) {
    out += (out.empty() ? "" : ", ") + sample.labels.ToString() + " " + sample.value;
  }
  return out;
}

// A line for each label, annotation and sample, so that a difference is told to the label.
std::vector<std::string> Lines(const std::vector<Observation>& observations, Failure::Kind kind) {
  std::vector<std::string> lines;
  for (const Observation& observation : observations) {
    if (kind == Failure::Kind::kSamples) {
      lines.push_back(observation.labels.ToString() + " " + observation.value);
      continue;
    }
    lines.emplace_back("Labels:");
    for (const LabelView label : observation.labels) {
      lines.push_back("  " + std::string(label.name) + ": " + Quote(label.value));
    }
    lines.emplace_back("Annotations:");
    for (const LabelView annotation : observation.annotations) {
      lines.push_back("  " + std::string(annotation.name) + ": " + Quote(annotation.value));
    }
  }
  return lines;
}

void AppendDiffLine(std::string& out, const DiffLine& line, FailureStyle style) {
  constexpr std::string_view kMarks[] = {"  ", "- ", "+ "};
  constexpr std::string_view kColors[] = {"", "\033[31m", "\033[32m"};
  const auto kind = static_cast<std::size_t>(line.kind);
  const bool colored = style == FailureStyle::kColoredDiff && !kColors[kind].empty();
  out += "\n          ";
  if (colored) out += kColors[kind];
  out.append(kMarks[kind]).append(line.text);
  if (colored) out += "\033[0m";
}

std::string ShowDiff(const Failure& failure, FailureStyle style) {
  std::string out = "\n        diff:";
  const auto lines =
      DiffLines(Lines(failure.expected, failure.kind), Lines(failure.got, failure.kind));
  for (const DiffLine& line : lines) AppendDiffLine(out, line, style);
  return out;
}

std::string ShowBoth(const Failure& failure) {
  switch (failure.kind) {
    case Failure::Kind::kError:
      return "";
    case Failure::Kind::kAlerts:
      return "\n        exp:" + ShowAlerts(failure.expected) +
             ",\n        got:" + ShowAlerts(failure.got);
    case Failure::Kind::kSamples:
      return "\n        exp: " + ShowSamples(failure.expected) +
             "\n        got: " + ShowSamples(failure.got);
  }
  return "";
}

// --- JUnit ---

void AppendXml(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&#34;";
    } else if (c == '\n') {
      out += "&#xA;";
    } else if (byte < 0x20 && c != '\t') {
      out += "\xef\xbf\xbd";  // XML has no control bytes
    } else {
      out += c;
    }
  }
}

void AppendElement(std::string& out, std::string_view name, std::string_view text) {
  out.append("      <").append(name).append(">");
  AppendXml(out, text);
  out.append("</").append(name).append(">\n");
}

void AppendCase(std::string& out, const TestResult& test) {
  out += "    <testcase name=\"";
  AppendXml(out, test.name);
  out += "\">\n";
  for (const Failure& failure : test.failures) {
    AppendElement(out, "failure", FormatFailure(failure, "", FailureStyle::kBoth));
  }
  out += "    </testcase>\n";
}

// A file that could not be run is one case of no name with its errors.
void AppendErrors(std::string& out, const std::vector<Error>& errors) {
  if (errors.empty()) return;
  out += "    <testcase name=\"unknown\">\n";
  for (const Error& error : errors) AppendElement(out, "error", error.message());
  out += "    </testcase>\n";
}

void AppendSuite(std::string& out, const FileResult& file, Timestamp now) {
  std::size_t failures = 0;
  for (const TestResult& test : file.tests) failures += test.failures.size();
  const std::size_t cases = file.tests.size() + (file.errors.empty() ? 0 : 1);
  out += "  <testsuite name=\"";
  AppendXml(out, file.file);
  out += "\" tests=\"" + std::to_string(cases) + "\" failures=\"" + std::to_string(failures) +
         "\" errors=\"" + std::to_string(file.errors.size()) + "\" skipped=\"0\" timestamp=\"" +
         FormatTimestamp(now) + "\">\n";
  AppendErrors(out, file.errors);
  for (const TestResult& test : file.tests) AppendCase(out, test);
  out += "  </testsuite>\n";
}

}  // namespace

std::string FormatFailure(const Failure& failure, const std::string& test, FailureStyle style) {
  std::string out;
  if (!failure.place.empty()) out.append(kIndent).append(failure.place).append(":\n");
  if (!test.empty()) out.append(kIndent).append("name: ").append(test).append(",\n");
  out += kIndent;
  if (failure.kind == Failure::Kind::kError) {
    if (!failure.title.empty()) out += failure.title + ", err: ";
    return out + failure.error;
  }
  out += failure.title + ",";
  return out + (style == FailureStyle::kBoth ? ShowBoth(failure) : ShowDiff(failure, style));
}

std::string FormatJunit(const std::vector<FileResult>& files, Timestamp now) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const FileResult& file : files) AppendSuite(out, file, now);
  return out + "</testsuites>\n";
}

}  // namespace skep::ruletest
