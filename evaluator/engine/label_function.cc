#include "evaluator/engine/label_function.h"

#include <algorithm>
#include <utility>

#include "common/model/labels.h"

namespace skep::engine {
namespace {

Error TooLong(const char* function) {
  return Invalid(std::string(function) + "(): a label of more than " +
                 std::to_string(LabelEdit::kMaxValueBytes) + " bytes");
}

// Values that nobody writes by hand count as samples of the same size, so that many of them meet
// the limit on samples.
void ChargeLong(Budget& budget, const std::string& value) {
  constexpr std::size_t kLong = 1024;
  constexpr std::size_t kSampleBytes = 16;
  if (value.size() > kLong) budget.Charge(value.size() / kSampleBytes, 0);
}

}  // namespace

Result<LabelEdit> LabelEdit::Replace(const std::vector<std::string>& texts) {
  LabelEdit edit;
  edit.destination_ = texts[0];
  edit.text_ = texts[1];
  edit.sources_ = {texts[2]};
  const Result<Regex> regex = Regex::Create(texts[3]);
  if (!regex) return Invalid("invalid regular expression in label_replace(): " + texts[3]);
  edit.regex_ = *regex;
  if (!IsUtf8Name(edit.destination_)) {
    return Invalid("invalid destination label name in label_replace(): " + edit.destination_);
  }
  return edit;
}

Result<LabelEdit> LabelEdit::Join(const std::vector<std::string>& texts) {
  LabelEdit edit;
  edit.destination_ = texts[0];
  edit.text_ = texts[1];
  edit.sources_.assign(texts.begin() + 2, texts.end());
  for (const std::string& source : edit.sources_) {
    if (!IsUtf8Name(source)) {
      return Invalid("invalid source label name in label_join(): " + source);
    }
  }
  if (!IsUtf8Name(edit.destination_)) {
    return Invalid("invalid destination label name in label_join(): " + edit.destination_);
  }
  return edit;
}

Result<std::optional<std::string>> LabelEdit::Replaced(const Labels& labels) const {
  const std::string_view source = labels.Get(sources_[0]);
  std::vector<std::string_view> groups;
  if (!regex_->FullMatch(source, groups)) return std::optional<std::string>();
  // At most: each $ stands for all of it.
  const auto groups_used = static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '$'));
  if (text_.size() + groups_used * source.size() > kMaxValueBytes) {
    return TooLong("label_replace");
  }
  return std::optional(regex_->Expand(text_, groups));
}

Result<std::optional<std::string>> LabelEdit::NewValue(const Labels& labels) const {
  if (regex_) return Replaced(labels);
  std::size_t size = text_.size() * (sources_.empty() ? 0 : sources_.size() - 1);
  for (const std::string& source : sources_) size += labels.Get(source).size();
  if (size > kMaxValueBytes) return TooLong("label_join");
  std::string joined;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (i > 0) joined += text_;
    joined += labels.Get(sources_[i]);
  }
  return std::optional(std::move(joined));
}

Status LabelEdit::Apply(QueryContext& context, Table& table) const {
  context.Settle(table);
  LabelsBuilder builder;
  for (std::size_t i = 0; i < table.size(); ++i) {
    RETURN_IF_ERROR(context.Check());
    Row& row = table.row(i);
    const Result<std::optional<std::string>> value = NewValue(*row.labels);
    if (!value) return value.error();
    if (!*value) continue;
    ChargeLong(context.budget, **value);
    builder.Reset(*row.labels);
    builder.Set(destination_, **value);
    row.labels = context.Own(builder.Build());
    if (destination_ == kMetricName) row.drop_name = false;
  }
  table.distinct_without_name = false;
  return context.MergeEqual(table);
}

}  // namespace skep::engine
