#include "evaluator/tsdb/pair_table.h"

#include <algorithm>
#include <limits>

namespace skep::tsdb {

PairTable::PairTable(const BlockBytes& file, const IndexParts& parts, const BlockFooter& footer)
    : file_(&file),
      values_(parts[IndexPart::kValues]),
      postings_(parts[IndexPart::kPostings]),
      directory_(parts[IndexPart::kValueDirectory].data(), footer.value_width) {}

Result<PairTable> PairTable::Open(const BlockBytes& file, const IndexParts& parts,
                                  const BlockFooter& footer) {
  PairTable table(file, parts, footer);
  RETURN_IF_ERROR(table.ReadNames(parts[IndexPart::kNames], footer));
  return table;
}

Status PairTable::ReadNames(std::string_view bytes, const BlockFooter& footer) {
  ByteReader in(bytes);
  std::uint64_t pairs = 0;
  std::uint64_t groups = 0;
  while (!in.done()) {
    const char* const at = in.at();
    Name name;
    name.text = in.String();
    const std::uint64_t values = in.Varint();
    const bool rises = names_.empty() || names_.back().text < name.text;
    if (!in.ok() || !rises || values == 0 ||
        values > std::numeric_limits<std::uint32_t>::max() - pairs) {
      return file_->Damaged(at, "the label names are none");
    }
    name.first_pair = static_cast<std::uint32_t>(pairs);
    name.first_group = static_cast<std::uint32_t>(groups);
    name.values = static_cast<std::uint32_t>(values);
    pairs += values;
    groups += (values + kValuesPerGroup - 1) / kValuesPerGroup;
    names_.push_back(name);
  }
  if (names_.size() != footer.names || groups != footer.value_groups) {
    return file_->Damaged(bytes.data(), "there are fewer or more label names than counted");
  }
  size_ = static_cast<std::uint32_t>(pairs);
  return {};
}

const PairTable::Name* PairTable::Find(std::string_view name) const {
  const auto at =
      std::lower_bound(names_.begin(), names_.end(), name,
                       [](const Name& entry, std::string_view text) { return entry.text < text; });
  return at != names_.end() && at->text == name ? &*at : nullptr;
}

const PairTable::Name& PairTable::NameOf(std::uint32_t pair) const {
  const auto above = std::upper_bound(
      names_.begin(), names_.end(), pair,
      [](std::uint32_t number, const Name& entry) { return number < entry.first_pair; });
  return *std::prev(above);
}

Status PairTable::ValueOf(std::uint32_t pair, std::string& value) const {
  const Name& name = NameOf(pair);
  Walk walk(*this, name, (pair - name.first_pair) / kValuesPerGroup);
  while (walk.Next()) {
    if (walk.pair() != pair) continue;
    value = walk.value();
    return {};
  }
  return walk.status();
}

PairTable::Walk PairTable::ValuesOf(const Name& name) const { return {*this, name, 0}; }

// The value that a group begins with.
Result<std::string_view> PairTable::FirstOf(std::uint32_t group) const {
  const std::uint64_t at = directory_[2ULL * group];
  if (at > values_.size()) return file_->Damaged(values_.data(), "a group of values is nowhere");
  ByteReader in(values_.substr(static_cast<std::size_t>(at)));
  const char* const begin = in.at();
  const std::uint64_t shared = in.Varint();
  const std::string_view first = in.String();
  if (!in.ok() || shared != 0) return file_->Damaged(begin, "a group of values is none");
  return first;
}

Result<PairTable::Walk> PairTable::ValuesNear(const Name& name, std::string_view value) const {
  // The last group that begins at or before the value; the first where there is none.
  std::uint32_t low = 0;
  std::uint32_t high = (name.values + kValuesPerGroup - 1) / kValuesPerGroup;
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    const Result<std::string_view> first = FirstOf(name.first_group + middle);
    if (!first) return first.error();
    (*first <= value ? low : high) = middle;
  }
  return Walk(*this, name, low);
}

Result<std::optional<std::string_view>> PairTable::PostingsOf(const Name& name,
                                                              std::string_view value) const {
  using Answer = std::optional<std::string_view>;
  Result<Walk> walk = ValuesNear(name, value);
  if (!walk) return walk.error();
  while (walk->Next() && walk->value() <= value) {
    if (walk->value() == value) return Answer(walk->postings());
  }
  if (!walk->status()) return walk->status().error();
  return Answer();
}

PairTable::Walk::Walk(const PairTable& table, const Name& name, std::uint32_t group)
    : table_(&table),
      name_(&name),
      next_(name.first_pair + group * kValuesPerGroup),
      end_(name.first_pair + name.values),
      in_({}) {}

bool PairTable::Walk::Fail(const char* at) {
  status_ =
      table_->file_->Damaged(at, "the values of label " + std::string(name_->text) + " are none");
  next_ = end_;
  return false;
}

bool PairTable::Walk::BeginGroup() {
  const std::uint32_t group = name_->first_group + (next_ - name_->first_pair) / kValuesPerGroup;
  const std::uint64_t at = table_->directory_[2ULL * group];
  postings_at_ = table_->directory_[2ULL * group + 1];
  if (at > table_->values_.size() || postings_at_ > table_->postings_.size()) {
    return Fail(table_->values_.data());
  }
  in_ = ByteReader(table_->values_.substr(static_cast<std::size_t>(at)));
  value_.clear();
  return true;
}

bool PairTable::Walk::Next() {
  if (next_ == end_) return false;
  if ((next_ - name_->first_pair) % kValuesPerGroup == 0 && !BeginGroup()) return false;
  const char* const at = in_.at();
  const std::uint64_t shared = in_.Varint();
  const std::string_view rest = in_.String();
  const std::uint64_t list = in_.Varint();
  if (!in_.ok() || shared > value_.size() || list > table_->postings_.size() - postings_at_) {
    return Fail(at);
  }
  value_.resize(static_cast<std::size_t>(shared));
  value_ += rest;
  postings_ = table_->postings_.substr(static_cast<std::size_t>(postings_at_),
                                       static_cast<std::size_t>(list));
  postings_at_ += list;
  ++next_;
  return true;
}

}  // namespace skep::tsdb
