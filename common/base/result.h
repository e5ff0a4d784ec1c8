// How a function says that it failed: Result<T>, Status and Error.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace skep {

// For the program; callers branch on it. The message beside it is for a person.
enum class ErrorKind : std::uint8_t {
  kInvalid,      // the input is wrong: configuration, query, request, page
  kNotFound,     // the named thing does not exist
  kCorrupt,      // bytes on disk are not what was written
  kIo,           // the operating system refused
  kTimeout,      // a deadline passed
  kCanceled,     // somebody asked to stop
  kUnavailable,  // a peer or a resource cannot serve now; trying again may help
  kInternal,     // our own mistake
};

// "invalid", "not_found", ...: stable, for logs and metrics.
std::string_view ErrorKindName(ErrorKind kind);

// A value: cheap to move, no ownership but of its text.
class [[nodiscard]] Error {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }

  // The same error with "`context`: " before its message. Once per layer, most general first.
  Error Wrap(std::string_view context) const;

 private:
  ErrorKind kind_;
  std::string message_;
};

// Shorthands for the kinds that parsers and file code use all day.
Error Invalid(std::string message);
Error NotFound(std::string message);
Error Corrupt(std::string message);
Error Unavailable(std::string message);
Error Internal(std::string message);
// "`what`: strerror(`errnum`)"; ENOENT gives kNotFound, everything else kIo.
Error FromErrno(std::string_view what, int errnum);

// Either a value or an Error. Members are named like std::expected's.
// Reading the value of an error, or the error of a value, is a bug (assert).
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return Checked(); }
  const T& value() const& { return const_cast<Result*>(this)->Checked(); }
  T&& value() && { return std::move(Checked()); }
  T& operator*() & { return Checked(); }
  const T& operator*() const& { return const_cast<Result*>(this)->Checked(); }
  T&& operator*() && { return std::move(Checked()); }
  T* operator->() { return &Checked(); }
  const T* operator->() const { return &const_cast<Result*>(this)->Checked(); }
  T value_or(T other) const& { return has_value() ? std::get<0>(state_) : std::move(other); }

  const Error& error() const {
    assert(!has_value());
    return std::get<1>(state_);
  }

 private:
  T& Checked() {
    assert(has_value());
    return std::get<0>(state_);
  }

  std::variant<T, Error> state_;
};

// A Result without a value. Default: success.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }

  const Error& error() const {
    assert(!has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

// Hands an error of `expr` (a Status or Result whose value is not needed) to the caller.
#define RETURN_IF_ERROR(expr)                                                   \
  do {                                                                          \
    if (auto skep_status_ = (expr); !skep_status_) return skep_status_.error(); \
  } while (false)

}  // namespace skep
