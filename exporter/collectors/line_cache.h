// What was worked out for a name in a kernel file, found again without hashing: such files have the
// same names in the same order at every reading.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skep::exporter {

// Thread-compatible.
template <typename T>
class LineCache {
 public:
  // The value of the `index`th name. `make(key)` makes it where another name, or none, stood there
  // last time. Requires: `index` is at most one more than the largest seen.
  template <typename Make>
  const T& At(std::size_t index, std::string_view key, const Make& make) {
    if (index == entries_.size()) entries_.emplace_back(std::string(key), make(key));
    auto& [known, value] = entries_[index];
    if (known != key) {
      known = key;
      value = make(key);
    }
    return value;
  }

 private:
  std::vector<std::pair<std::string, T>> entries_;
};

}  // namespace skep::exporter
