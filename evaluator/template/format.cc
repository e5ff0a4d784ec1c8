#include "evaluator/template/format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/number.h"
#include "common/base/quote.h"

namespace skep::templates {
namespace {

constexpr int kMaxWidth = 1'000'000;
// A list of lists of lists prints exponentially much: behind this nothing more is added.
constexpr std::size_t kMaxFormatted = 16 << 20;

struct Spec {
  bool plus = false, minus = false, sharp = false, space = false, zero = false;
  std::optional<int> width, precision;
  // "%+v" and "%#v": no signs, but names of fields and quoted texts.
  bool names = false, quotes = false;
};

std::size_t CountRunes(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(DecodeRune(text).size);
    ++count;
  }
  return count;
}

std::string_view CutRunes(std::string_view text, int limit) {
  std::size_t size = 0;
  for (int i = 0; i < limit && size < text.size(); ++i) size += DecodeRune(text.substr(size)).size;
  return text.substr(0, size);
}

void Pad(std::string& out, std::string_view text, const Spec& spec) {
  const std::size_t width = static_cast<std::size_t>(spec.width.value_or(0));
  const std::size_t runes = CountRunes(text);
  const std::size_t fill = width > runes ? width - runes : 0;
  if (spec.minus) {
    out += text;
    out.append(fill, ' ');
  } else {
    out.append(fill, spec.zero ? '0' : ' ');
    out += text;
  }
}

// A number: zeros go between sign and digits.
void PadNumber(std::string& out, std::string_view sign, std::string_view digits, Spec spec) {
  const std::size_t width = static_cast<std::size_t>(spec.width.value_or(0));
  std::string text(sign);
  if (spec.zero && !spec.minus && width > sign.size() + digits.size()) {
    text.append(width - sign.size() - digits.size(), '0');
  }
  text += digits;
  spec.zero = false;
  Pad(out, text, spec);
}

std::string_view SignOf(bool negative, const Spec& spec) {
  if (negative) return "-";
  if (spec.plus) return "+";
  return spec.space ? " " : "";
}

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string DigitsOf(std::uint64_t value, int base) {
  std::array<char, 72> buffer;
  const auto end = std::to_chars(buffer.begin(), buffer.end(), value, base).ptr;
  return std::string(buffer.data(), end);
}

void FormatInteger(std::string& out, std::int64_t value, int base, char verb, Spec spec) {
  const bool negative = value < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::string digits = DigitsOf(magnitude, base);
  if (spec.precision) {
    spec.zero = false;
    if (*spec.precision == 0 && value == 0) digits.clear();
    const auto precision = static_cast<std::size_t>(*spec.precision);
    if (digits.size() < precision) digits.insert(0, precision - digits.size(), '0');
  }
  std::string sign(SignOf(negative, spec));
  if (spec.sharp && base == 16) sign += "0x";
  if (spec.sharp && base == 8 && !digits.starts_with('0')) sign += "0";
  if (spec.sharp && base == 2) sign += "0b";
  if (verb == 'O') sign += "0o";
  if (verb == 'X') {
    digits = Upper(std::move(digits));
    sign = Upper(std::move(sign));
  }
  PadNumber(out, sign, digits, spec);
}

// As Go's %b: the whole 53 bits times a power of two, "4503599627370496p-52".
std::string BinaryDigits(double magnitude) {
  constexpr int kMantissaBits = 52, kLeastExponent = -1074;
  int exponent = kLeastExponent;
  if (magnitude >= std::numeric_limits<double>::min())
    exponent = std::ilogb(magnitude) - kMantissaBits;
  const auto mantissa = static_cast<std::uint64_t>(std::scalbn(magnitude, -exponent));
  return std::to_string(mantissa) + (exponent < 0 ? "p" : "p+") + std::to_string(exponent);
}

// As Go's %x: "0x1.8p+01", normalized.
std::string HexDigits(double magnitude, std::optional<int> precision) {
  int exponent = 0;
  const double mantissa = std::frexp(magnitude, &exponent) * 2;
  std::string digits(static_cast<std::size_t>(precision.value_or(0)) + 32, '\0');
  char* const end = digits.data() + digits.size();
  const auto written =
      precision ? std::to_chars(digits.data(), end, mantissa, std::chars_format::hex, *precision)
                : std::to_chars(digits.data(), end, mantissa, std::chars_format::hex);
  digits.resize(static_cast<std::size_t>(written.ptr - digits.data()));
  const std::size_t p = digits.find('p');
  if (magnitude != 0) --exponent;
  if (digits.front() == '2') {  // rounded up
    digits.front() = '1';
    ++exponent;
  }
  const std::string power = std::to_string(std::abs(exponent));
  digits.resize(p + 1);
  return "0x" + digits + (exponent < 0 ? '-' : '+') + (power.size() < 2 ? "0" : "") + power;
}

std::string FloatDigits(double magnitude, char verb, std::optional<int> precision) {
  if (std::isnan(magnitude)) return "NaN";
  if (std::isinf(magnitude)) return "Inf";
  if (verb == 'b') return BinaryDigits(magnitude);
  if (verb == 'x') return HexDigits(magnitude, precision);
  if ((verb == 'g' || verb == 'v') && !precision) return FormatDouble(magnitude);
  if (verb == 'g' || verb == 'v') return FormatGeneral(magnitude, *precision);
  const auto format = verb == 'e' ? std::chars_format::scientific : std::chars_format::fixed;
  const int digits = precision.value_or(6);
  std::string buffer(static_cast<std::size_t>(digits) + 350, '\0');
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude, format, digits).ptr;
  buffer.resize(static_cast<std::size_t>(end - buffer.data()));
  return buffer;
}

void FormatFloat(std::string& out, double value, char verb, Spec spec) {
  const char lower = verb == 'F' ? 'f' : static_cast<char>(verb | 0x20);
  const bool negative = std::signbit(value) && !std::isnan(value);
  std::string digits = FloatDigits(std::fabs(value), lower, spec.precision);
  if (!std::isfinite(value)) spec.zero = false;
  std::string_view sign = SignOf(negative, spec);
  if (std::isinf(value) && sign.empty()) sign = "+";
  if (verb == 'E' || verb == 'G' || verb == 'X') digits = Upper(std::move(digits));
  PadNumber(out, sign, digits, spec);
}

std::string HexOf(std::string_view bytes, bool upper, const Spec& spec) {
  constexpr std::string_view kLower = "0123456789abcdef", kUpper = "0123456789ABCDEF";
  const std::string_view digits = upper ? kUpper : kLower;
  std::string text;
  if (spec.precision) bytes = bytes.substr(0, static_cast<std::size_t>(*spec.precision));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (spec.space && i > 0) text += ' ';
    if (spec.sharp && (spec.space || i == 0)) text += upper ? "0X" : "0x";
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

bool FormatString(std::string& out, std::string_view text, char verb, const Spec& spec) {
  switch (verb) {
    case 'v':
      if (spec.quotes) {
        Pad(out, Quote(text), spec);
        return true;
      }
      [[fallthrough]];
    case 's':
      Pad(out, spec.precision ? CutRunes(text, *spec.precision) : text, spec);
      return true;
    case 'q':
      text = spec.precision ? CutRunes(text, *spec.precision) : text;
      if (spec.sharp && text.find('`') == std::string_view::npos &&
          text.find('\n') == std::string_view::npos) {
        Pad(out, "`" + std::string(text) + "`", spec);
      } else {
        Pad(out, Quote(text), spec);
      }
      return true;
    case 'x':
    case 'X':
      Pad(out, HexOf(text, verb == 'X', spec), spec);
      return true;
    default:
      return false;
  }
}

std::string QuoteRune(std::int64_t code) {
  std::string text;
  AppendUtf8(text, static_cast<char32_t>(code));
  if (text == "'") return "'\\''";
  if (text == "\"") return "'\"'";
  const std::string quoted = Quote(text);
  return "'" + quoted.substr(1, quoted.size() - 2) + "'";
}

bool FormatInt(std::string& out, std::int64_t value, char verb, const Spec& spec) {
  switch (verb) {
    case 'v':
    case 'd':
      FormatInteger(out, value, 10, verb, spec);
      return true;
    case 'x':
    case 'X':
      FormatInteger(out, value, 16, verb, spec);
      return true;
    case 'o':
    case 'O':
      FormatInteger(out, value, 8, verb, spec);
      return true;
    case 'b':
      FormatInteger(out, value, 2, verb, spec);
      return true;
    case 'c': {
      std::string text;
      AppendUtf8(text, static_cast<char32_t>(value));
      Pad(out, text, spec);
      return true;
    }
    case 'q':
      Pad(out, QuoteRune(value), spec);
      return true;
    case 'U': {
      std::string digits = Upper(DigitsOf(static_cast<std::uint64_t>(value), 16));
      if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
      Pad(out, "U+" + digits, spec);
      return true;
    }
    default:
      return false;
  }
}

void FormatWith(std::string& out, const Value& value, char verb, const Spec& spec);

// Flags, width and precision are those that the verb had, as in Go.
void FormatBad(std::string& out, const Value& value, char verb, const Spec& spec) {
  out += "%!";
  out += verb;
  out += '(';
  if (value.IsNil()) {
    out += "<nil>)";
    return;
  }
  out += value.TypeName();
  out += '=';
  FormatWith(out, value, 'v', spec);
  out += ')';
}

void FormatList(std::string& out, const List& items, char verb, const Spec& spec) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ' ';
    FormatWith(out, items[i], verb, spec);
  }
  out += ']';
}

void FormatMap(std::string& out, const Value& map, char verb, const Spec& spec) {
  const bool is_struct = map.map_kind() == MapKind::kStruct;
  const bool names = !is_struct || spec.names;
  out += is_struct ? "{" : "map[";
  bool first = true;
  for (const auto& [key, value] : map.AsMap()) {
    if (!first) out += ' ';
    first = false;
    if (names) {
      FormatWith(out, Value(key), is_struct ? 'v' : verb, is_struct ? Spec() : spec);
      out += ':';
    }
    FormatWith(out, value, verb, spec);
  }
  out += is_struct ? '}' : ']';
}

void FormatWith(std::string& out, const Value& value, char verb, const Spec& spec) {
  using Kind = Value::Kind;
  if (out.size() > kMaxFormatted) return;
  bool done = false;
  switch (value.kind()) {
    case Kind::kNil:
      if (verb == 'v') {
        Pad(out, "<nil>", spec);
        done = true;
      }
      break;
    case Kind::kBool:
      if (verb == 'v' || verb == 't') {
        Pad(out, value.AsBool() ? "true" : "false", spec);
        done = true;
      }
      break;
    case Kind::kInt:
      done = FormatInt(out, value.AsInt(), verb, spec);
      break;
    case Kind::kFloat:
      if (std::string_view("vgGeEfFxXb").find(verb) != std::string_view::npos) {
        FormatFloat(out, value.AsFloat(), verb, spec);
        done = true;
      }
      break;
    case Kind::kString:
      done = FormatString(out, value.AsString(), verb, spec);
      break;
    case Kind::kTime:
      done = FormatString(out, FormatTimeGo(value.AsTime()), verb, spec);
      break;
    case Kind::kDuration:
      done = std::string_view("vsq").find(verb) != std::string_view::npos
                 ? FormatString(out, FormatDurationGo(value.AsDuration()), verb, spec)
                 : FormatInt(out, value.AsDuration().count(), verb, spec);
      break;
    case Kind::kList:
      FormatList(out, value.AsList(), verb, spec);
      done = true;
      break;
    case Kind::kMap:
      FormatMap(out, value, verb, spec);
      done = true;
      break;
  }
  if (!done) FormatBad(out, value, verb, spec);
}

// One run over a format string.
class Printer {
 public:
  Printer(std::string_view format, std::span<const Value> values)
      : format_(format), values_(values) {}

  std::string Run() {
    while (at_ < format_.size()) {
      const std::size_t percent = format_.find('%', at_);
      out_ += format_.substr(at_, percent - at_);
      if (percent == std::string_view::npos) break;
      at_ = percent + 1;
      Directive();
    }
    if (!reordered_ && next_ < values_.size()) Extra();
    return std::move(out_);
  }

 private:
  void Directive() {
    good_index_ = true;
    Spec spec;
    Flags(spec);
    ArgumentNumber();
    Width(spec);
    Precision(spec);
    if (!after_index_) ArgumentNumber();
    after_index_ = false;
    if (at_ >= format_.size()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const Rune rune = DecodeRune(format_.substr(at_));
    const std::string_view verb = format_.substr(at_, rune.size);
    at_ += rune.size;
    Verb(verb, spec);
  }

  void Flags(Spec& spec) {
    for (; at_ < format_.size(); ++at_) {
      switch (format_[at_]) {
        case '#':
          spec.sharp = true;
          break;
        case '0':
          spec.zero = true;
          break;
        case '+':
          spec.plus = true;
          break;
        case '-':
          spec.minus = true;
          break;
        case ' ':
          spec.space = true;
          break;
        default:
          return;
      }
    }
  }

  std::optional<int> Number() {
    std::size_t end = at_;
    while (end < format_.size() && IsDigit(format_[end])) ++end;
    if (end == at_) return std::nullopt;
    int number = kMaxWidth + 1;
    std::from_chars(format_.data() + at_, format_.data() + end, number);
    at_ = end;
    return number;
  }

  // "[n]" chooses the next argument.
  void ArgumentNumber() {
    if (at_ >= format_.size() || format_[at_] != '[') return;
    reordered_ = true;
    const std::size_t close = format_.find(']', at_);
    const auto number = close == std::string_view::npos
                            ? std::nullopt
                            : ParseUint(format_.substr(at_ + 1, close - at_ - 1));
    at_ = close == std::string_view::npos ? at_ + 1 : close + 1;
    if (number && *number >= 1 && *number <= values_.size()) {
      next_ = static_cast<std::size_t>(*number) - 1;
      after_index_ = true;
    } else {
      good_index_ = false;
    }
  }

  std::optional<int> FromArgument(std::string_view complaint) {
    ++at_;
    after_index_ = false;
    if (next_ < values_.size() && values_[next_].kind() == Value::Kind::kInt &&
        values_[next_].AsInt() >= -kMaxWidth && values_[next_].AsInt() <= kMaxWidth) {
      return static_cast<int>(values_[next_++].AsInt());
    }
    if (next_ < values_.size()) ++next_;
    out_ += complaint;
    return std::nullopt;
  }

  void Width(Spec& spec) {
    if (at_ < format_.size() && format_[at_] == '*') {
      spec.width = FromArgument("%!(BADWIDTH)");
      if (spec.width && *spec.width < 0) {
        spec.width = -*spec.width;
        spec.minus = true;
        spec.zero = false;
      }
    } else {
      spec.width = Number();
      if (spec.width && after_index_) good_index_ = false;  // "%[3]2d"
    }
    Bound(spec.width, "%!(BADWIDTH)");
  }

  void Precision(Spec& spec) {
    if (at_ >= format_.size() || format_[at_] != '.') return;
    ++at_;
    if (after_index_) good_index_ = false;  // "%[3].2d"
    ArgumentNumber();
    if (at_ < format_.size() && format_[at_] == '*') {
      spec.precision = FromArgument("%!(BADPREC)");
      if (spec.precision && *spec.precision < 0) {
        spec.precision.reset();
        out_ += "%!(BADPREC)";
      }
    } else {
      spec.precision = Number().value_or(0);
    }
    Bound(spec.precision, "%!(BADPREC)");
  }

  void Bound(std::optional<int>& number, std::string_view complaint) {
    if (!number || *number <= kMaxWidth) return;
    number.reset();
    out_ += complaint;
  }

  void Verb(std::string_view verb, Spec spec) {
    if (verb == "v") {
      spec.names = std::exchange(spec.plus, false);
      spec.quotes = std::exchange(spec.sharp, false);
    }
    if (verb == "%") {
      out_ += '%';
    } else if (!good_index_) {
      out_.append("%!").append(verb).append("(BADINDEX)");
    } else if (next_ >= values_.size()) {
      out_.append("%!").append(verb).append("(MISSING)");
    } else if (verb == "T") {
      FormatString(out_, values_[next_++].TypeName(), 's', spec);
    } else if (verb.size() > 1) {
      const Value& value = values_[next_++];
      out_.append("%!").append(verb).append("(").append(value.TypeName()).append("=");
      out_ += FormatValue(value) + ")";
    } else {
      FormatWith(out_, values_[next_++], verb[0], spec);
    }
  }

  void Extra() {
    out_ += "%!(EXTRA ";
    for (std::size_t i = next_; i < values_.size(); ++i) {
      if (i > next_) out_ += ", ";
      if (values_[i].IsNil()) {
        out_ += "<nil>";
      } else {
        out_.append(values_[i].TypeName()).append("=") += FormatValue(values_[i]);
      }
    }
    out_ += ')';
  }

  std::string_view format_;
  std::span<const Value> values_;
  std::string out_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  bool reordered_ = false;
  bool after_index_ = false;
  bool good_index_ = true;
};

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::weekday weekday;
  int hour, minute, second, millisecond, day_of_year;
};

Civil CivilOf(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto rest = static_cast<int>((time - day).count());
  const auto first = std::chrono::sys_days(date.year() / std::chrono::January / 1);
  return {date,
          std::chrono::weekday(day),
          rest / 3'600'000,
          rest / 60'000 % 60,
          rest / 1000 % 60,
          rest % 1000,
          static_cast<int>((day - first).count()) + 1};
}

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

std::string Padded(int number, std::size_t width, char fill = '0') {
  std::string text = std::to_string(number);
  if (text.size() < width) text.insert(0, width - text.size(), fill);
  return text;
}

std::string Fraction(int millisecond, std::size_t digits, bool trim) {
  std::string text = Padded(millisecond, 3);
  text.resize(digits, '0');
  if (trim) text.erase(text.find_last_not_of('0') + 1);
  return text;
}

using Field = std::string (*)(const Civil&);
struct LayoutField {
  std::string_view layout;
  Field text;
};

// In an order in which a longer one comes before its prefix.
constexpr LayoutField kLayout[] = {
    {"January", [](const Civil& c) { return std::string(kMonths[unsigned(c.date.month()) - 1]); }},
    {"Jan",
     [](const Civil& c) {
       return std::string(kMonths[unsigned(c.date.month()) - 1].substr(0, 3));
     }},
    {"Monday", [](const Civil& c) { return std::string(kDays[c.weekday.c_encoding()]); }},
    {"Mon", [](const Civil& c) { return std::string(kDays[c.weekday.c_encoding()].substr(0, 3)); }},
    {"MST", [](const Civil&) { return std::string("UTC"); }},
    {"2006", [](const Civil& c) { return Padded(int(c.date.year()), 4); }},
    {"002", [](const Civil& c) { return Padded(c.day_of_year, 3); }},
    {"01", [](const Civil& c) { return Padded(int(unsigned(c.date.month())), 2); }},
    {"02", [](const Civil& c) { return Padded(int(unsigned(c.date.day())), 2); }},
    {"03", [](const Civil& c) { return Padded((c.hour + 11) % 12 + 1, 2); }},
    {"04", [](const Civil& c) { return Padded(c.minute, 2); }},
    {"05", [](const Civil& c) { return Padded(c.second, 2); }},
    {"06", [](const Civil& c) { return Padded(int(c.date.year()) % 100, 2); }},
    {"15", [](const Civil& c) { return Padded(c.hour, 2); }},
    {"__2", [](const Civil& c) { return Padded(c.day_of_year, 3, ' '); }},
    {"_2", [](const Civil& c) { return Padded(int(unsigned(c.date.day())), 2, ' '); }},
    {"PM", [](const Civil& c) { return std::string(c.hour >= 12 ? "PM" : "AM"); }},
    {"pm", [](const Civil& c) { return std::string(c.hour >= 12 ? "pm" : "am"); }},
    {"-07:00:00", [](const Civil&) { return std::string("+00:00:00"); }},
    {"-07:00", [](const Civil&) { return std::string("+00:00"); }},
    {"-070000", [](const Civil&) { return std::string("+000000"); }},
    {"-0700", [](const Civil&) { return std::string("+0000"); }},
    {"-07", [](const Civil&) { return std::string("+00"); }},
    {"Z07:00:00", [](const Civil&) { return std::string("Z"); }},
    {"Z07:00", [](const Civil&) { return std::string("Z"); }},
    {"Z070000", [](const Civil&) { return std::string("Z"); }},
    {"Z0700", [](const Civil&) { return std::string("Z"); }},
    {"Z07", [](const Civil&) { return std::string("Z"); }},
    {"1", [](const Civil& c) { return std::to_string(unsigned(c.date.month())); }},
    {"2", [](const Civil& c) { return std::to_string(unsigned(c.date.day())); }},
    {"3", [](const Civil& c) { return std::to_string((c.hour + 11) % 12 + 1); }},
    {"4", [](const Civil& c) { return std::to_string(c.minute); }},
    {"5", [](const Civil& c) { return std::to_string(c.second); }},
};

// ".000" or ",999" where no digit follows: its length with the sign, else 0.
std::size_t FractionField(std::string_view layout) {
  if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',')) return 0;
  if (layout[1] != '0' && layout[1] != '9') return 0;
  std::size_t end = 1;
  while (end < layout.size() && layout[end] == layout[1]) ++end;
  const bool digit_follows = end < layout.size() && IsDigit(layout[end]);
  return digit_follows || end > 10 ? 0 : end;
}

}  // namespace

Rune DecodeRune(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {0xfffd, 1};
  char32_t code = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0xfffd, 1};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {0xfffd, 1};
  return {code, size};
}

std::string FormatGeneral(double value, int precision) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  precision = std::max(precision, 1);
  std::string buffer(static_cast<std::size_t>(precision) + 32, '\0');
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::general, precision)
                       .ptr;
  buffer.resize(static_cast<std::size_t>(end - buffer.data()));
  return buffer;
}

std::string FormatValue(const Value& value) {
  std::string out;
  FormatWith(out, value, 'v', {});
  return out;
}

std::string Sprint(std::span<const Value> values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && values[i].kind() != Value::Kind::kString &&
        values[i - 1].kind() != Value::Kind::kString) {
      out += ' ';
    }
    FormatWith(out, values[i], 'v', {});
  }
  return out;
}

std::string Sprintln(std::span<const Value> values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ' ';
    FormatWith(out, values[i], 'v', {});
  }
  return out += '\n';
}

std::string Sprintf(std::string_view format, std::span<const Value> values) {
  return Printer(format, values).Run();
}

std::string FormatDurationGo(Nanoseconds duration) {
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  std::uint64_t rest =
      count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  std::string out(count < 0 ? "-" : "");
  const auto decimal = [&](std::uint64_t unit, std::size_t digits, std::string_view suffix) {
    out += std::to_string(rest / unit);
    std::string fraction = std::to_string(rest % unit);
    fraction.insert(0, digits - fraction.size(), '0');
    fraction.erase(fraction.find_last_not_of('0') + 1);
    if (!fraction.empty()) out += "." + fraction;
    out += suffix;
  };
  if (rest < 1000) return out + std::to_string(rest) + "ns";
  if (rest < 1'000'000) return decimal(1000, 3, "µs"), out;
  if (rest < 1'000'000'000) return decimal(1'000'000, 6, "ms"), out;
  const std::uint64_t minutes = rest / 60'000'000'000;
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes > 0) out += std::to_string(minutes % 60) + "m";
  rest %= 60'000'000'000;
  decimal(1'000'000'000, 9, "s");
  return out;
}

std::string FormatTimeGo(Timestamp time) {
  return FormatTimeLayout(time, "2006-01-02 15:04:05.999999999 -0700 MST");
}

std::string FormatTimeLayout(Timestamp time, std::string_view layout) {
  const Civil civil = CivilOf(time);
  std::string out;
  while (!layout.empty()) {
    if (const std::size_t fraction = FractionField(layout)) {
      const std::string digits = Fraction(civil.millisecond, fraction - 1, layout[1] == '9');
      if (!digits.empty()) out.append(layout.substr(0, 1)).append(digits);
      layout.remove_prefix(fraction);
      continue;
    }
    const auto* field =
        std::find_if(std::begin(kLayout), std::end(kLayout),
                     [&](const LayoutField& f) { return layout.starts_with(f.layout); });
    if (field == std::end(kLayout)) {
      out += layout.front();
      layout.remove_prefix(1);
    } else {
      out += field->text(civil);
      layout.remove_prefix(field->layout.size());
    }
  }
  return out;
}

}  // namespace skep::templates
