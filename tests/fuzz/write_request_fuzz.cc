// A remote write message of any bytes: read, or refused.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "evaluator/intake/write_request.h"
#include "evaluator/tsdb/head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  skep::tsdb::Head head({});
  skep::intake::SeriesRefs refs;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  // The second time by the numbers that the first one found.
  for (int i = 0; i < 2; ++i) {
    skep::intake::Batch batch(head, skep::kMaxTimestamp);
    if (skep::intake::ReadWriteRequest(message, refs, batch)) (void)batch.Commit();
    (void)batch.Complaint();
  }
  return 0;
}
