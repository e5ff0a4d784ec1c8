// Access logs whose format is a string of variables: nginx and Apache.
#include <cstring>
#include <utility>

#include "exporter/logs/line_format.h"
#include "exporter/logs/request_line.h"
#include "exporter/logs/text_number.h"

namespace skep::logs {
namespace {

enum class Meaning : std::uint8_t {
  kNone,
  kRequest,  // "GET /path HTTP/1.1"
  kMethod,
  kPath,
  kStatus,
  kDuration,
  kUpstream,
  kBytes,
};

// One variable and the text behind it.
struct Step {
  Meaning meaning = Meaning::kNone;
  double scale = 1;            // of kDuration, to seconds
  bool may_hold_list = false;  // nginx's $upstream_…: "0.1, 0.2 : 0.3"
  bool in_brackets = false;    // Apache's %t: "[10/Oct/2000:13:55:36 -0700]"
  std::string until;           // "": to the end of the line
};

struct Steps {
  std::string prefix;
  std::vector<Step> steps;
};

bool IsSpaceOf(const Step& step) { return !step.until.empty() && step.until[0] == ' '; }

// Where `until` stands in text from `from` on.
std::size_t Find(std::string_view text, std::size_t from, std::string_view until) {
  while (from < text.size()) {
    const void* found = std::memchr(text.data() + from, until[0], text.size() - from);
    if (found == nullptr) break;
    from = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    if (text.substr(from, until.size()) == until) return from;
    ++from;
  }
  return std::string_view::npos;
}

// Whether the quote at `at` stands behind an odd number of backslashes: Apache writes \".
bool IsEscaped(std::string_view text, std::size_t at) {
  std::size_t slashes = 0;
  while (slashes < at && text[at - 1 - slashes] == '\\') ++slashes;
  return slashes % 2 == 1;
}

// A blank within a list is no end of it.
bool IsInsideList(std::string_view text, std::size_t blank) {
  if (blank > 0 && (text[blank - 1] == ',' || text[blank - 1] == ':')) return true;
  return text.substr(blank, 3) == " : ";
}

std::size_t FindEnd(const Step& step, std::string_view text) {
  if (step.until.empty()) return text.size();
  std::size_t from = 0;
  if (step.in_brackets && text.starts_with('[')) {
    from = text.find(']');
    if (from == std::string_view::npos) return from;
  }
  std::size_t end = Find(text, from, step.until);
  if (step.may_hold_list && IsSpaceOf(step)) {
    while (end != std::string_view::npos && IsInsideList(text, end)) {
      end = Find(text, end + 1, step.until);
    }
  } else if (step.until[0] == '"') {
    while (end != std::string_view::npos && IsEscaped(text, end)) {
      end = Find(text, end + 1, step.until);
    }
  } else if (step.meaning == Meaning::kRequest && IsSpaceOf(step)) {
    // A request that is not quoted has blanks itself; its version ends it.
    const std::size_t version = text.find(" HTTP/");
    if (version != std::string_view::npos) end = Find(text, version + 1, step.until);
  }
  return end;
}

// The sum of what stands in a list: an upstream that failed took its time as well.
double SumOf(std::string_view list) {
  double sum = -1;
  while (!list.empty()) {
    if (const std::optional<double> value = TakeDecimal(list)) {
      sum = (sum < 0 ? 0 : sum) + *value;
    } else {
      list.remove_prefix(1);
    }
  }
  return sum;
}

double NumberOf(std::string_view text) { return TakeDecimal(text).value_or(-1); }

// False: the line is not what the format says.
bool Assign(const Step& step, std::string_view value, ParsedLine& out) {
  switch (step.meaning) {
    case Meaning::kNone:
      return true;
    case Meaning::kRequest:
      SplitRequestLine(value, out);
      return true;
    case Meaning::kMethod:
      out.method = value;
      return true;
    case Meaning::kPath:
      out.path = value;
      return true;
    case Meaning::kStatus:
      out.status = ParseHttpStatus(value.substr(0, 3));
      // nginx writes 000 for a client that left before the header was read.
      if (value == "000" || value == "-") out.status = kStatusUnknown;
      return out.status != 0;
    case Meaning::kDuration:
      out.duration_seconds = NumberOf(value);
      if (out.duration_seconds > 0) out.duration_seconds *= step.scale;
      return true;
    case Meaning::kUpstream:
      out.upstream_seconds = SumOf(value);
      return true;
    case Meaning::kBytes:
      out.bytes = value.starts_with('-') ? 0 : NumberOf(value);
      return true;
  }
  return true;
}

class AccessFormat final : public LineFormat {
 public:
  explicit AccessFormat(Steps steps) : steps_(std::move(steps)) {}

  bool Parse(std::string_view line, ParsedLine& out) const override {
    out.Clear();
    if (!line.starts_with(steps_.prefix)) return false;
    line.remove_prefix(steps_.prefix.size());
    for (const Step& step : steps_.steps) {
      const std::size_t end = FindEnd(step, line);
      if (end == std::string_view::npos) return false;
      if (!Assign(step, line.substr(0, end), out)) return false;
      line.remove_prefix(end + step.until.size());
    }
    return out.status != 0;
  }
  bool IsAccessLog() const override { return true; }

 private:
  Steps steps_;
};

// Collects literals and variables; what the two languages have in common.
class StepsBuilder {
 public:
  void Literal(char c) { literal_.push_back(c); }
  Status Variable(Step step, std::string_view name) {
    if (steps_.steps.empty()) {
      steps_.prefix = std::move(literal_);
    } else if (literal_.empty()) {
      return Invalid("nothing stands between " + last_ + " and " + std::string(name) +
                     ", so lines cannot be taken apart");
    } else {
      steps_.steps.back().until = std::move(literal_);
    }
    literal_.clear();
    has_status_ = has_status_ || step.meaning == Meaning::kStatus;
    last_ = name;
    steps_.steps.push_back(std::move(step));
    return {};
  }
  Result<LineFormatPtr> Build(std::string_view status_name) {
    if (!has_status_) return Invalid("the log format has no " + std::string(status_name));
    steps_.steps.back().until = std::move(literal_);
    DropTail();
    return LineFormatPtr(std::make_shared<AccessFormat>(std::move(steps_)));
  }

 private:
  // Nothing is read behind the last variable that means something, so nobody looks for its parts.
  void DropTail() {
    while (steps_.steps.back().meaning == Meaning::kNone) steps_.steps.pop_back();
  }

  Steps steps_;
  std::string literal_;
  std::string last_;
  bool has_status_ = false;
};

Step NginxStep(std::string_view name) {
  Step step;
  step.may_hold_list = name.starts_with("upstream_");
  const std::pair<std::string_view, Meaning> known[] = {
      {"request", Meaning::kRequest},
      {"request_method", Meaning::kMethod},
      {"request_uri", Meaning::kPath},
      {"uri", Meaning::kPath},
      {"status", Meaning::kStatus},
      {"body_bytes_sent", Meaning::kBytes},
      {"bytes_sent", Meaning::kBytes},
      {"request_time", Meaning::kDuration},
      {"upstream_response_time", Meaning::kUpstream},
  };
  for (const auto& [word, meaning] : known) {
    if (word == name) step.meaning = meaning;
  }
  return step;
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The name at the front of `rest`, which begins behind the dollar; "" where there is none.
std::string_view TakeNginxName(std::string_view& rest) {
  const std::size_t begin = rest.starts_with('{') ? 1 : 0;
  std::size_t end = begin;
  while (end < rest.size() && IsNameByte(rest[end])) ++end;
  const std::string_view name = rest.substr(begin, end - begin);
  if (begin == 1) {
    if (end == rest.size() || rest[end] != '}') return {};
    ++end;
  }
  rest.remove_prefix(end);
  return name;
}

// One of Apache's directives without its '%'.
struct Directive {
  std::string argument;  // between braces
  std::string name;
};

Result<Directive> TakeDirective(std::string_view& rest) {
  Directive directive;
  const std::string_view whole = rest;
  while (!rest.empty() &&
         std::string_view("!<>,0123456789").find(rest[0]) != std::string_view::npos)
    rest.remove_prefix(1);
  if (rest.starts_with('{')) {
    const std::size_t end = rest.find('}');
    if (end == std::string_view::npos) return Invalid("%{ without } in the log format");
    directive.argument = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  }
  const std::size_t length = rest.starts_with("^t") ? 3 : 1;
  if (rest.size() < length) return Invalid("the log format ends within %" + std::string(whole));
  directive.name = rest.substr(0, length);
  rest.remove_prefix(length);
  return directive;
}

Step ApacheDuration(const Directive& directive) {
  Step step;
  step.meaning = Meaning::kDuration;
  if (directive.name == "D" || directive.argument == "us") step.scale = 1e-6;
  if (directive.argument == "ms") step.scale = 1e-3;
  return step;
}

Step ApacheStep(const Directive& directive) {
  Step step;
  switch (directive.name[0]) {
    case 'r':
      step.meaning = Meaning::kRequest;
      break;
    case 'm':
      step.meaning = Meaning::kMethod;
      break;
    case 'U':
      step.meaning = Meaning::kPath;
      break;
    case 's':
      step.meaning = Meaning::kStatus;
      break;
    case 'b':
    case 'B':
    case 'O':
      step.meaning = Meaning::kBytes;
      break;
    case 'D':
    case 'T':
      return ApacheDuration(directive);
    case 't':
      step.in_brackets = directive.argument.empty();
      break;
    default:
      break;
  }
  return step;
}

}  // namespace

Result<LineFormatPtr> MakeNginxFormat(std::string_view log_format) {
  std::string_view rest = log_format.empty() ? kCommonNginxFormat : log_format;
  StepsBuilder builder;
  while (!rest.empty()) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c != '$') {
      builder.Literal(c);
      continue;
    }
    const std::string_view name = TakeNginxName(rest);
    if (name.empty()) return Invalid("a $ without a name in the log format");
    RETURN_IF_ERROR(builder.Variable(NginxStep(name), "$" + std::string(name)));
  }
  return builder.Build("$status");
}

Result<LineFormatPtr> MakeApacheFormat(std::string_view log_format) {
  std::string_view rest = log_format.empty() ? kCommonApacheFormat : log_format;
  StepsBuilder builder;
  while (!rest.empty()) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c == '\\' && (rest.starts_with('"') || rest.starts_with('t'))) {
      // As it stands in httpd.conf, within quotes.
      builder.Literal(rest[0] == 't' ? '\t' : '"');
      rest.remove_prefix(1);
    } else if (c != '%' || rest.starts_with('%')) {
      builder.Literal(c);
      if (c == '%') rest.remove_prefix(1);
    } else {
      const Result<Directive> directive = TakeDirective(rest);
      if (!directive) return directive.error();
      RETURN_IF_ERROR(builder.Variable(ApacheStep(*directive), "%" + directive->name));
    }
  }
  return builder.Build("%s");
}

}  // namespace skep::logs
