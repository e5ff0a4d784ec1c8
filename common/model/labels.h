// A label set: sorted (name, value) pairs, `__name__` included.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skep {

inline constexpr std::string_view kMetricName = "__name__";

struct LabelView {
  std::string_view name;
  std::string_view value;
  bool operator==(const LabelView&) const = default;
};

// Immutable value. Names are distinct and in byte order; a label with an empty value does not
// exist (but see WithEmptyValues). All pairs stand in one string, so a copy is one allocation, and
// equality and hash read one run of bytes. Views into it live as long as it does. Names and values
// are at most 2^28 bytes each.
class Labels {
 public:
  class Iterator {
   public:
    using value_type = LabelView;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Iterator() = default;
    explicit Iterator(const char* at) : at_(at) {}

    LabelView operator*() const;
    Iterator& operator++();
    Iterator operator++(int) {
      Iterator old = *this;
      ++*this;
      return old;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const char* at_ = nullptr;
  };

  Labels() = default;
  // In any order; of equal names the last one counts.
  Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs);
  // The same for pairs that were collected. Sorts `pairs`.
  static Labels FromPairs(std::vector<LabelView>& pairs);
  // The same, but empty values stay: for annotations, and for labels as a rule file has them. Has
  // does not see them, and a LabelsBuilder drops them.
  static Labels WithEmptyValues(std::vector<LabelView>& pairs);

  // "" where absent: in PromQL that is the same.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return !Get(name).empty(); }
  std::string_view metric_name() const { return Get(kMetricName); }

  bool empty() const { return bytes_.empty(); }
  std::size_t size() const;  // number of labels; walks the bytes
  std::size_t size_bytes() const { return bytes_.size(); }
  Iterator begin() const { return Iterator(bytes_.data()); }
  Iterator end() const { return Iterator(bytes_.data() + bytes_.size()); }

  // A good 64-bit hash of the bytes, the same in every process of one build.
  std::uint64_t Hash() const;

  bool operator==(const Labels&) const = default;
  // By name, then value, pair by pair; a shorter prefix comes first (Prometheus's order).
  std::strong_ordering operator<=>(const Labels& other) const;

  // `name{a="b", c="d"}`, as Prometheus prints it: UTF-8 names quoted, values escaped; "{}" when
  // empty.
  std::string ToString() const;

 private:
  friend class LabelsBuilder;

  enum class EmptyValues { kDrop, kKeep };
  static Labels Join(std::vector<LabelView>& pairs, EmptyValues empty);

  // Per label: varint length, name, varint length, value.
  std::string bytes_;
};

// Changes made to a copy of a label set. Thread-compatible; reusable after Reset.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(const Labels& base) { Reset(base); }

  void Reset(const Labels& base);
  void Clear();
  // An empty value deletes.
  LabelsBuilder& Set(std::string_view name, std::string_view value);
  LabelsBuilder& Delete(std::string_view name);
  std::string_view Get(std::string_view name) const;
  // Sorted by name.
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }
  Labels Build() const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

// The fingerprint that Prometheus and Alertmanager give a label set: FNV-1a 64 over name 0xff value
// 0xff of the sorted pairs.
std::uint64_t Fingerprint(const Labels& labels);

// [a-zA-Z_:][a-zA-Z0-9_:]* : may stand bare before the brace.
bool IsLegacyMetricName(std::string_view name);
// [a-zA-Z_][a-zA-Z0-9_]* : may stand bare inside the braces.
bool IsLegacyLabelName(std::string_view name);
// What Prometheus 3 allows: any non-empty UTF-8.
bool IsUtf8Name(std::string_view name);
bool IsUtf8(std::string_view text);

}  // namespace skep

template <>
struct std::hash<skep::Labels> {
  std::size_t operator()(const skep::Labels& labels) const noexcept { return labels.Hash(); }
};
