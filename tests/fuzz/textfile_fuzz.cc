// Any bytes as a *.prom file: what is taken must be a page that a scraper takes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/exposition/parser.h"
#include "exporter/collectors/textfile_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skep;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Result<exporter::TextfileFamilies> families = exporter::ParseTextfile(text);
  if (!families) return 0;
  exporter::TextfilePage page;
  if (!page.Add("a.prom", *families)) std::abort();
  std::string out;
  exposition::PageWriter writer(exposition::Format::kText, out,
                                exposition::NameEscaping::kAllowUtf8);
  page.Write(writer);
  exposition::PageParser parser(out, exposition::Format::kText);
  for (exposition::Entry entry = parser.Next(); entry != exposition::Entry::kEnd;
       entry = parser.Next()) {
    if (entry == exposition::Entry::kInvalid) std::abort();
  }
  return 0;
}
