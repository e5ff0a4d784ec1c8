#include "exporter/logs/line_format.h"

namespace skep::logs {

void ParsedLine::Clear() {
  method = {};
  path = {};
  status = 0;
  duration_seconds = -1;
  upstream_seconds = -1;
  bytes = -1;
  level = {};
  message = {};
  scratch.clear();
}

namespace {

class PlainFormat final : public LineFormat {
 public:
  bool Parse(std::string_view, ParsedLine& out) const override {
    out.Clear();
    return true;
  }
  bool IsAccessLog() const override { return false; }
};

}  // namespace

LineFormatPtr MakePlainFormat() { return std::make_shared<PlainFormat>(); }

}  // namespace skep::logs
