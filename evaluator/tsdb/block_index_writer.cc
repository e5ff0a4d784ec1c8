#include "evaluator/tsdb/block_index_writer.h"

#include <algorithm>
#include <numeric>

#include "common/base/hash.h"
#include "evaluator/tsdb/postings_list.h"

namespace skep::tsdb {
namespace {

constexpr std::size_t kBufferBytes = 1UL << 20;

std::uint8_t WidthOfAll(const std::vector<std::uint64_t>& numbers) {
  return WidthOf(numbers.empty() ? 0 : *std::max_element(numbers.begin(), numbers.end()));
}

std::size_t CommonBytes(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t common = 0;
  while (common < most && a[common] == b[common]) ++common;
  return common;
}

}  // namespace

std::size_t BlockIndexWriter::Hash::operator()(std::string_view text) const {
  return static_cast<std::size_t>(HashBytes(text));
}

std::uint32_t BlockIndexWriter::PairOf(const LabelView& label) {
  auto values = names_.find(label.name);
  if (values == names_.end()) values = names_.emplace(std::string(label.name), Values()).first;
  const auto known = values->second.find(label.value);
  if (known != values->second.end()) return known->second;
  return values->second.emplace(std::string(label.value), pairs_++).first->second;
}

void BlockIndexWriter::Add(const Labels& labels) {
  PairList pairs;
  // Series after series most of the first labels are the same: those are not looked up.
  auto before = last_labels_.begin();
  auto after = labels.begin();
  while (before != last_labels_.end() && after != labels.end() && *before == *after) {
    pairs.push_back(last_[pairs.size()]);
    ++before;
    ++after;
  }
  const std::size_t same = pairs.size();
  for (; after != labels.end(); ++after) pairs.push_back(PairOf(*after));
  kept_.Varint(same);
  kept_.Varint(pairs.size() - same);
  for (std::size_t i = same; i < pairs.size(); ++i) kept_.Varint(pairs[i]);
  last_ = std::move(pairs);
  last_labels_ = labels;
  ++series_;
}

// visit(series, pairs by the order in which they came).
template <typename Visit>
void BlockIndexWriter::ForEachSeries(Visit visit) const {
  ByteReader in(kept_.view());
  PairList pairs;
  for (std::uint32_t series = 0; series < series_; ++series) {
    pairs.resize(static_cast<std::size_t>(in.Varint()));
    for (std::uint64_t left = in.Varint(); left > 0; --left) {
      pairs.push_back(static_cast<std::uint32_t>(in.Varint()));
    }
    visit(series, pairs);
  }
}

// Gives the pairs their numbers, by name, then value.
void BlockIndexWriter::Number(ByteWriter& names, BlockFooter& footer) {
  number_of_.resize(pairs_);
  std::vector<std::string_view> texts;
  for (const auto& [name, values] : names_) texts.push_back(name);
  std::sort(texts.begin(), texts.end());
  std::uint32_t number = 0;
  for (const std::string_view text : texts) {
    const Values& values = names_.find(text)->second;
    Name name{.text = text, .values = {}};
    name.values.reserve(values.size());
    for (const auto& [value, came] : values) name.values.emplace_back(value, came);
    std::sort(name.values.begin(), name.values.end());
    for (const auto& [value, came] : name.values) number_of_[came] = number++;
    names.String(text);
    names.Varint(values.size());
    sorted_.push_back(std::move(name));
  }
  footer.names = sorted_.size();
}

void BlockIndexWriter::ListPostings() {
  list_begin_.assign(pairs_ + 1, 0);
  ForEachSeries([&](std::uint32_t, const PairList& pairs) {
    for (const std::uint32_t pair : pairs) ++list_begin_[number_of_[pair] + 1];
  });
  std::partial_sum(list_begin_.begin(), list_begin_.end(), list_begin_.begin());
  lists_.resize(list_begin_.back());
  std::vector<std::uint32_t> next(list_begin_.begin(), list_begin_.end() - 1);
  ForEachSeries([&](std::uint32_t series, const PairList& pairs) {
    for (const std::uint32_t pair : pairs) lists_[next[number_of_[pair]]++] = series;
  });
}

Status BlockIndexWriter::WritePostings(const Sink& sink) {
  list_bytes_.reserve(pairs_);
  ByteWriter out;
  for (std::uint32_t pair = 0; pair < pairs_; ++pair) {
    const std::size_t before = out.size();
    EncodePostings(
        std::span(lists_).subspan(list_begin_[pair], list_begin_[pair + 1] - list_begin_[pair]),
        out);
    list_bytes_.push_back(static_cast<std::uint32_t>(out.size() - before));
    if (out.size() < kBufferBytes) continue;
    RETURN_IF_ERROR(sink(IndexPart::kPostings, out.view()));
    out.Clear();
  }
  lists_ = {};
  return sink(IndexPart::kPostings, out.view());
}

Status BlockIndexWriter::WriteValues(const Sink& sink, BlockFooter& footer) {
  ByteWriter out, directory;
  std::vector<std::uint64_t> places;  // of each group: of its values, of its postings
  std::uint64_t postings = 0;
  std::uint32_t pair = 0;
  for (const Name& name : sorted_) {
    std::string_view before;
    for (std::size_t i = 0; i < name.values.size(); ++i) {
      if (i % kValuesPerGroup == 0) {
        places.push_back(out.size());
        places.push_back(postings);
        before = {};
      }
      const std::string_view value = name.values[i].first;
      const std::size_t common = CommonBytes(before, value);
      out.Varint(common);
      out.String(value.substr(common));
      out.Varint(list_bytes_[pair]);
      postings += list_bytes_[pair++];
      before = value;
    }
  }
  RETURN_IF_ERROR(sink(IndexPart::kValues, out.view()));
  footer.value_groups = places.size() / 2;
  footer.value_width = WidthOfAll(places);
  PackNumbers(places, footer.value_width, directory);
  return sink(IndexPart::kValueDirectory, directory.view());
}

Status BlockIndexWriter::WriteSeries(const Sink& sink, BlockFooter& footer) {
  ByteWriter out, directory;
  std::vector<std::uint64_t> places;  // of each group
  PairList before, numbers;
  std::uint64_t written = 0;
  Status status;
  ForEachSeries([&](std::uint32_t series, const PairList& pairs) {
    if (!status) return;
    if (series % kSeriesPerGroup == 0) {
      before.clear();
      places.push_back(written + out.size());
      if (out.size() >= kBufferBytes) {
        written += out.size();
        status = sink(IndexPart::kSeriesLabels, out.view());
        out.Clear();
      }
    }
    numbers.clear();
    for (const std::uint32_t pair : pairs) numbers.push_back(number_of_[pair]);
    EncodeSeriesPairs(before, numbers, out);
    before.swap(numbers);
  });
  if (!status) return status;
  RETURN_IF_ERROR(sink(IndexPart::kSeriesLabels, out.view()));
  footer.series_width = WidthOfAll(places);
  PackNumbers(places, footer.series_width, directory);
  return sink(IndexPart::kSeriesDirectory, directory.view());
}

Status BlockIndexWriter::Write(const Sink& sink, BlockFooter& footer) {
  ByteWriter names;
  Number(names, footer);
  ListPostings();
  RETURN_IF_ERROR(WritePostings(sink));
  RETURN_IF_ERROR(sink(IndexPart::kNames, names.view()));
  RETURN_IF_ERROR(WriteValues(sink, footer));
  return WriteSeries(sink, footer);
}

}  // namespace skep::tsdb
