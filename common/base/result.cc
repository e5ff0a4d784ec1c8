#include "common/base/result.h"

#include <cerrno>
#include <system_error>

namespace skep {

std::string_view ErrorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kIo:
      return "io";
    case ErrorKind::kTimeout:
      return "timeout";
    case ErrorKind::kCanceled:
      return "canceled";
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::Wrap(std::string_view context) const {
  std::string text;
  text.reserve(context.size() + 2 + message_.size());
  text.append(context).append(": ").append(message_);
  return Error(kind_, std::move(text));
}

Error Invalid(std::string message) { return Error(ErrorKind::kInvalid, std::move(message)); }
Error NotFound(std::string message) { return Error(ErrorKind::kNotFound, std::move(message)); }
Error Corrupt(std::string message) { return Error(ErrorKind::kCorrupt, std::move(message)); }
Error Unavailable(std::string message) {
  return Error(ErrorKind::kUnavailable, std::move(message));
}
Error Internal(std::string message) { return Error(ErrorKind::kInternal, std::move(message)); }

Error FromErrno(std::string_view what, int errnum) {
  const ErrorKind kind = errnum == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo;
  return Error(kind, std::generic_category().message(errnum)).Wrap(what);
}

}  // namespace skep
