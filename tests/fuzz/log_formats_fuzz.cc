// Bytes of any log through every format, the cutting into lines and records, and what reads texts:
// levels, routes, templates, addresses.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/logs/anonymize.h"
#include "exporter/logs/level.h"
#include "exporter/logs/line_format.h"
#include "exporter/logs/line_splitter.h"
#include "exporter/logs/routes.h"
#include "exporter/logs/sections.h"
#include "exporter/logs/template_set.h"

namespace {

using namespace skep::logs;

std::vector<LineFormatPtr> MakeFormats() {
  const std::string access = R"($remote_addr [$time_local] "$request" $status $body_bytes_sent)";
  return {*MakeNginxFormat(access + " $request_time $upstream_response_time"),
          *MakeApacheFormat(R"(%h %l %u %t "%r" %>s %b "%{Referer}i" %D)"),
          *MakeApacheFormat("%t %r %s"),
          MakeHaproxyFormat(),
          *MakeJsonFormat({}),
          *MakeLogfmtFormat({}),
          *MakePatternFormat(
              *skep::Regex::Create(R"((?P<method>\w+) (?P<path>\S+) (?P<status>\d+))"), 1)};
}

void ReadLine(std::string_view line) {
  static const std::vector<LineFormatPtr> formats = MakeFormats();
  static ParsedLine parsed;
  for (const LineFormatPtr& format : formats) {
    if (!format->Parse(line, parsed)) continue;
    std::string route;
    AppendRoute(parsed.path, route);
    if (route.empty() || route.find('?') != std::string::npos) std::abort();
    if (parsed.status > 599 || (parsed.status > 0 && parsed.status < 100)) std::abort();
  }
  (void)FindLevel(line);
  std::string text;
  AppendAnonymized(line, {}, text);
  TemplateTokens tokens;
  AppendTokens(line, tokens);
  TemplateSet set(4);
  if (!tokens.empty()) (void)set.Learn(tokens, skep::FromMillis(0));
}

class Reader final : public LineSink {
 public:
  void OnLine(std::string_view line) override {
    if (line.empty()) std::abort();
    ReadLine(line);
  }
  void OnProblem(ReadProblem) override {}
  void OnRotation(Rotation) override {}
  bool IsFull() const override { return false; }
  bool empty() const override { return true; }
  void Write(skep::state::Changes&) override {}
  void Written() override {}
  void Dropped() override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Reader reader;
  MultilineOptions records;
  records.continuation = *skep::Regex::Create("^\\s");
  records.max_bytes = 300;
  for (const LineSplitter& splitter : {LineSplitter(200, {}), LineSplitter(200, records)}) {
    SplitState state;
    const std::size_t done = splitter.Split(text, AtEnd::kWait, state, reader);
    if (done > size) std::abort();
    if (splitter.Split(text.substr(done), AtEnd::kAll, state, reader) != size - done) std::abort();
  }
  BookmarkSection bookmarks;
  TemplateSection templates;
  (void)bookmarks.Restore(text);
  (void)templates.Restore(text);
  return 0;
}
