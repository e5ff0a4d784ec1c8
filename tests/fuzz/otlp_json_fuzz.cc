// OTLP in JSON of any bytes: read or refused, for each of the three signals, and what was read as
// metrics can be applied.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "otlp_apply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using skep::ingest::OtlpEncoding;
  skep::fuzz::ApplyOtlp(OtlpEncoding::kJson,
                        std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
