#include "exporter/collectors/family_set.h"

#include <algorithm>
#include <utility>

#include "common/base/quote.h"
#include "common/model/labels.h"

namespace skep::exporter {

namespace {

constexpr char32_t kReplacement = 0xfffd;

// How many bytes the character at the front has; 0: it is none.
std::size_t CharacterSize(std::string_view text) {
  for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    if (IsUtf8(text.substr(0, size))) return size;
  }
  return 0;
}

class FunctionCollector : public Collector {
 public:
  FunctionCollector(std::string name, std::function<Status(CollectContext&)> collect)
      : name_(std::move(name)), collect_(std::move(collect)) {}

  std::string_view name() const override { return name_; }
  Status Collect(CollectContext& context) override { return collect_(context); }

 private:
  std::string name_;
  std::function<Status(CollectContext&)> collect_;
};

}  // namespace

std::string ValidUtf8(std::string_view text) {
  if (IsUtf8(text)) return std::string(text);
  std::string out;
  bool in_invalid_run = false;
  while (!text.empty()) {
    std::size_t size = CharacterSize(text);
    if (size > 0) {
      out.append(text.substr(0, size));
    } else if (!in_invalid_run) {
      AppendUtf8(out, kReplacement);
    }
    in_invalid_run = size == 0;
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

void FamilySet::Add(std::string_view name, std::string_view help, MetricType type,
                    LabelPairs labels, double value) {
  AddRendered(name, help, type, exposition::RenderLabels(labels), value);
}

void FamilySet::AddRendered(std::string_view name, std::string_view help, MetricType type,
                            std::string labels, double value) {
  auto at = families_.find(name);
  if (at == families_.end()) {
    at = families_.emplace(std::string(name), Family{std::string(help), type, {}}).first;
  }
  at->second.samples.push_back({std::move(labels), value});
}

void FamilySet::Write(exposition::PageWriter& page) {
  for (auto& [name, family] : families_) {
    page.Family(name, ValidUtf8(family.help), family.type);
    std::vector<Sample>& samples = family.samples;
    auto by_labels = [](const Sample& a, const Sample& b) { return a.labels < b.labels; };
    std::stable_sort(samples.begin(), samples.end(), by_labels);
    const std::string* last = nullptr;
    for (const Sample& sample : samples) {
      if (last == nullptr || *last != sample.labels) {
        page.RenderedSample(ValidUtf8(sample.labels), sample.value);
      }
      last = &sample.labels;
    }
  }
  families_.clear();
}

CollectorPtr MakeFunctionCollector(std::string name,
                                   std::function<Status(CollectContext&)> collect) {
  return std::make_unique<FunctionCollector>(std::move(name), std::move(collect));
}

}  // namespace skep::exporter
