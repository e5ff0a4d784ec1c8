// Events of any bytes: each line counts or is refused, and what counts is whole.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/ingest/event_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skep::ingest;  // NOLINT: a small program of its own
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const bool lines : {false, true}) {
    EventBatch batch;
    ParseEvents(body, {skep::FromMillis(1'800'000'000'000), lines, false}, batch);
    for (const Event& event : batch.events) {
      for (const FieldValue& value : batch.ValuesOf(event)) {
        if (value.field >= event.kind->fields.size() || value.text.size() > 8192) std::abort();
      }
      for (const FieldSpec& field : event.kind->fields) {
        if (field.required && batch.Find(event, field.name) == nullptr) std::abort();
      }
    }
  }
  return 0;
}
