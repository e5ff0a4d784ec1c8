// What the series bytes on the lines of a page of history stand for.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/exposition/parser.h"

namespace skep::intake {

// Keeps a T for each series by the bytes that name it. History has the samples of a series in a
// row, or all series in one order again and again: so what followed a series last time is expected
// behind it. Where that comes, one comparison stands for the search of the bytes' end, a hash of
// them and a look-up, which are two thirds of what reading such a page costs otherwise.
// Thread-compatible.
template <typename T>
class PageSeries {
 public:
  PageSeries() = default;
  PageSeries(const PageSeries&) = delete;  // entries point at each other
  PageSeries& operator=(const PageSeries&) = delete;

  // For PageParser::Next; good until Add or Clear.
  exposition::ExpectedSeries expected() const {
    return last_ == nullptr ? exposition::ExpectedSeries()
                            : exposition::ExpectedSeries{{}, last_->next->bytes};
  }

  // That of the parser's present sample, good until Clear; null: not known. Requires: expected()
  // was given to the parser's Next, or nothing was.
  T* Find(const exposition::PageParser& parser) {
    if (last_ != nullptr && parser.matched_expected()) return Follow(*last_->next);
    const auto known = known_.find(parser.series());
    return known == known_.end() ? nullptr : Follow(*known->second);
  }

  // Requires: Find does not know the bytes.
  T& Add(std::string_view bytes, T value) {
    Entry& entry = entries_.emplace_back(Entry{std::string(bytes), std::move(value), nullptr});
    entry.next = &entry;  // more of its samples, as long as nothing else was seen to follow
    known_.emplace(entry.bytes, &entry);
    text_bytes_ += bytes.size();
    return *Follow(entry);
  }

  void Clear() {
    known_.clear();
    entries_.clear();
    last_ = nullptr;
    text_bytes_ = 0;
  }

  // Of all that name a series.
  std::size_t text_bytes() const { return text_bytes_; }

 private:
  struct Entry {
    std::string bytes;
    T value;
    Entry* next;  // never null
  };

  T* Follow(Entry& entry) {
    if (last_ != nullptr) last_->next = &entry;
    last_ = &entry;
    return &entry.value;
  }

  std::deque<Entry> entries_;
  std::unordered_map<std::string_view, Entry*> known_;  // keys are those of the entries
  Entry* last_ = nullptr;                               // of the sample before
  std::size_t text_bytes_ = 0;
};

}  // namespace skep::intake
