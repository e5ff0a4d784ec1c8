// What became of reading one store: a value, or the reason why there is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

namespace skep::stores {

// Label `reason` of swarm_source_read_errors_total. All are daily work: the programs truncate
// their files before they write them.
enum class ReadFailure : std::uint8_t {
  kMissing,     // no such file or folder
  kEmpty,       // nothing but white space: seen between truncation and writing
  kTruncated,   // no whole JSON: seen in the middle of writing
  kSchema,      // whole, but not what this store holds
  kPermission,  // not ours to read
  kLocked,      // a database that its writer keeps to itself, or that never stands still
  kEncrypted,   // claude-flow's vault, or a database with a key
  kCorrupt,     // a damaged database
  kTooLarge,    // over the bound of the configuration
  kTimeout,     // a query over the bound of the configuration
  kIo,          // anything else the system says
};
inline constexpr std::size_t kReadFailures = 11;

// "missing", "empty", ...
std::string_view ReadFailureName(ReadFailure failure);

// Either a value or why there is none. Thread-compatible.
template <typename T>
class [[nodiscard]] Reading {
 public:
  using value_type = T;

  Reading(T value) : state_(std::in_place_index<0>, std::move(value)) {}     // NOLINT: implicit
  Reading(ReadFailure failure) : state_(std::in_place_index<1>, failure) {}  // NOLINT: implicit

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  // Requires: has_value().
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  // Requires: !has_value().
  ReadFailure failure() const { return std::get<1>(state_); }

 private:
  std::variant<T, ReadFailure> state_;
};

}  // namespace skep::stores
