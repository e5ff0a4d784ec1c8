#include "evaluator/cmd/markdown.h"

#include <algorithm>

#include "common/base/html.h"

namespace skep::evaluator {
namespace {

// `text` up to the closing `mark`; moves `at` behind it. "" where it does not close.
std::string_view Enclosed(std::string_view text, std::string_view mark, std::size_t& at) {
  const std::size_t begin = at + mark.size();
  const std::size_t end = text.find(mark, begin);
  if (end == std::string_view::npos || end == begin) return {};
  at = end + mark.size();
  return text.substr(begin, end - begin);
}

// [text](http://...) at `at`; "" where there is none.
std::string Link(std::string_view text, std::size_t& at) {
  const std::size_t middle = text.find("](http", at);
  const std::size_t end = middle == std::string_view::npos ? middle : text.find(')', middle);
  if (end == std::string_view::npos) return "";
  const std::string_view label = text.substr(at + 1, middle - at - 1);
  const std::string_view target = text.substr(middle + 2, end - middle - 2);
  if (label.find('[') != std::string_view::npos) return "";
  at = end + 1;
  return "<a href=\"" + EscapeHtml(target) + "\">" + EscapeHtml(label) + "</a>";
}

std::string Inline(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '`') {
      if (const auto code = Enclosed(text, "`", at); !code.empty()) {
        out += "<code>" + EscapeHtml(code) + "</code>";
        continue;
      }
    } else if (text.substr(at, 2) == "**") {
      if (const auto strong = Enclosed(text, "**", at); !strong.empty()) {
        out += "<strong>" + EscapeHtml(strong) + "</strong>";
        continue;
      }
    } else if (text[at] == '[') {
      if (const std::string link = Link(text, at); !link.empty()) {
        out += link;
        continue;
      }
    }
    out += EscapeHtml(text.substr(at++, 1));
  }
  return out;
}

class Converter {
 public:
  void Line(std::string_view line) {
    if (line.starts_with("```")) {
      EndBlock();
      in_code_ = !in_code_;
      out_ += in_code_ ? "<pre>" : "</pre>\n";
    } else if (in_code_) {
      out_ += EscapeHtml(line) + "\n";
    } else if (line.empty()) {
      EndBlock();
    } else if (line.starts_with('#')) {
      Heading(line);
    } else if (line.starts_with("- ")) {
      EndParagraph();
      if (!in_list_) out_ += "<ul>\n";
      in_list_ = true;
      paragraph_ = line.substr(2);
    } else {
      if (!paragraph_.empty()) paragraph_ += "\n";
      const std::size_t begin = line.find_first_not_of(' ');
      if (begin != std::string_view::npos) paragraph_ += line.substr(begin);
    }
  }

  std::string Finish() {
    EndBlock();
    if (in_code_) out_ += "</pre>\n";
    return std::move(out_);
  }

 private:
  void Heading(std::string_view line) {
    EndBlock();
    const std::size_t marks = std::min(line.find_first_not_of('#'), line.size());
    std::string_view text = line.substr(marks);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string tag = "h" + std::to_string(std::min<std::size_t>(marks, 6));
    out_ += "<" + tag + " id=\"" + EscapeHtml(text) + "\">" + Inline(text) + "</" + tag + ">\n";
  }

  void EndParagraph() {
    if (paragraph_.empty()) return;
    out_ +=
        in_list_ ? "<li>" + Inline(paragraph_) + "</li>\n" : "<p>" + Inline(paragraph_) + "</p>\n";
    paragraph_.clear();
  }

  void EndBlock() {
    EndParagraph();
    if (in_list_) out_ += "</ul>\n";
    in_list_ = false;
  }

  std::string out_;
  std::string paragraph_;  // or list item, not yet written
  bool in_list_ = false;
  bool in_code_ = false;
};

}  // namespace

std::string MarkdownToHtml(std::string_view markdown) {
  Converter converter;
  while (!markdown.empty()) {
    const std::size_t end = std::min(markdown.find('\n'), markdown.size());
    std::string_view line = markdown.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    converter.Line(line);
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
  }
  return converter.Finish();
}

}  // namespace skep::evaluator
