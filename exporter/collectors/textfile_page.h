// One *.prom file as families, and many of them as one.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/exposition/format.h"
#include "common/exposition/writer.h"

namespace skep::exporter {

struct TextfileSample {
  std::string suffix;  // "_bucket", "_sum", "_count", or ""
  // In the order of the file, without those whose value is empty.
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

struct TextfileFamily {
  std::optional<std::string> help;
  exposition::MetricType type = exposition::MetricType::kUnknown;
  std::vector<TextfileSample> samples;
};

using TextfileFamilies = std::map<std::string, TextfileFamily, std::less<>>;

// Text 0.0.4. kInvalid names the line: bad grammar, a type that text 0.0.4 does not have, a time
// stamp (the time of a sample is the scrape's), a series twice.
Result<TextfileFamilies> ParseTextfile(std::string_view text);

// Families of several files put together. Thread-compatible.
class TextfilePage {
 public:
  // All of the file or nothing of it: kInvalid where a family has another type, or a series stands
  // there already. The first help given for a family is kept. `families` must outlive the page.
  Status Add(const std::string& path, const TextfileFamilies& families);

  // A family without help tells which files it is from.
  void Write(exposition::PageWriter& page) const;

 private:
  struct Family {
    exposition::MetricType type;
    std::optional<std::string> help;
    std::string paths;  // joined by ", "
    std::vector<const TextfileSample*> samples;
    std::set<std::string> series;
  };

  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace skep::exporter
