// Files of the exporter's state: frames from any bytes, and memory from any payload. A page of what
// came of it must be readable.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "common/exposition/parser.h"
#include "exporter/state/codec.h"
#include "exporter/state/frames.h"
#include "exporter/state/page.h"
#include "exporter/state/tables.h"

namespace {

using namespace skep;

void ReadFrames(state::FileKind kind, std::string_view bytes) {
  state::FrameReader reader(kind, 1, bytes);
  while (reader.Next() == state::FrameReader::Entry::kFrame) {
    if (reader.payload().size() > bytes.size()) std::abort();
  }
  if (reader.offset() > bytes.size()) std::abort();
}

std::string PageOf(const state::Tables& tables) {
  std::string text;
  std::string lines;
  exposition::PageWriter page(exposition::Format::kText, text);
  for (const state::FamilyId id : tables.Sorted()) {
    state::WriteFamily(*tables.Get(id), 0, page, lines);
  }
  return text;
}

void CheckPage(const std::string& page) {
  exposition::PageParser parser(page, exposition::Format::kText);
  for (exposition::Entry entry = parser.Next(); entry != exposition::Entry::kEnd;
       entry = parser.Next()) {
    if (entry == exposition::Entry::kInvalid) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadFrames(state::FileKind::kJournal, bytes);
  ReadFrames(state::FileKind::kSnapshot, bytes);
  state::Tables tables({1000, 100, {}});
  state::Decoder decoder(tables, {FromMillis(1'800'000'000'000), 0},
                         [](std::string_view, std::string_view) { return Status(); });
  decoder.Read(bytes);
  CheckPage(PageOf(tables));
  return 0;
}
