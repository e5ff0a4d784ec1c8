// Lines of transcripts: any bytes are counted, broken or other, each line once.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/stores/transcript_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skep;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  const stores::TranscriptRead read = stores::ReadTranscriptLines(lines);
  if (read.counted + read.other + read.broken != lines.size()) std::abort();
  if (read.requests.size() > read.counted) std::abort();
  for (const stores::TranscriptRequest& request : read.requests) {
    if (!(request.tokens.input >= 0) || !(request.tokens.output >= 0)) std::abort();
  }
  (void)stores::TranscriptLineTime(text);
  (void)stores::TranscriptAgentType(text);
  return 0;
}
