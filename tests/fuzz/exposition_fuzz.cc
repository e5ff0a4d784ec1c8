// Pages in both forms: the pull parser, series bytes, the validator and the linter.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/exposition/parser.h"
#include "common/exposition/validator.h"

namespace {

using skep::exposition::Entry;
using skep::exposition::Format;

void Walk(std::string_view page, Format format) {
  skep::exposition::PageParser parser(page, format);
  std::vector<skep::LabelView> labels;
  std::string buffer;
  std::string last;
  for (Entry entry = parser.Next(); entry != Entry::kEnd && entry != Entry::kInvalid;
       entry = parser.Next({{}, last})) {
    if (entry != Entry::kSample) continue;
    last = parser.series();
    (void)skep::exposition::ParseSeries(last, {.format = format}, labels, buffer);
    for (const skep::LabelView& label : labels) {
      (void)skep::exposition::NormalizedBound(label.value);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view page(reinterpret_cast<const char*>(data), size);
  Walk(page, Format::kText);
  Walk(page, Format::kOpenMetrics);
  (void)skep::exposition::ValidateOpenMetrics(page);
  (void)skep::exposition::LintPage(page, Format::kText);
  return 0;
}
