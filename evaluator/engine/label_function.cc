#include "evaluator/engine/label_function.h"

#include "common/model/labels.h"

namespace skep::engine {

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

std::optional<std::string> LabelEdit::NewValue(const Labels& labels) const {
  if (regex_) {
    std::vector<std::string_view> groups;
    if (!regex_->FullMatch(labels.Get(sources_[0]), groups)) return std::nullopt;
    return regex_->Expand(text_, groups);
  }
  std::string joined;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (i > 0) joined += text_;
    joined += labels.Get(sources_[i]);
  }
  return joined;
}

Status LabelEdit::Apply(QueryContext& context, Table& table) const {
  context.Settle(table);
  LabelsBuilder builder;
  for (std::size_t i = 0; i < table.size(); ++i) {
    RETURN_IF_ERROR(context.Check());
    Row& row = table.row(i);
    const std::optional<std::string> value = NewValue(*row.labels);
    if (!value) continue;
    builder.Reset(*row.labels);
    builder.Set(destination_, *value);
    row.labels = context.Own(builder.Build());
    if (destination_ == kMetricName) row.drop_name = false;
  }
  table.distinct_without_name = false;
  return context.MergeEqual(table);
}

}  // namespace skep::engine
