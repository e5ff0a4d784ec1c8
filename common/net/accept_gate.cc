#include "common/net/accept_gate.h"

#include <dlfcn.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace skep::net {
namespace {

struct Gates {
  std::mutex mutex;
  std::map<int, AcceptGate::Next> by_fd;  // guarded by mutex
};

Gates& AllGates() {
  static Gates* const gates = new Gates;  // others' threads may accept until the process ends
  return *gates;
}

// Nothing: `fd` is no gate.
std::optional<int> NextOf(int fd, sockaddr* peer, socklen_t* size) {
  Gates& gates = AllGates();
  const std::lock_guard lock(gates.mutex);
  const auto found = gates.by_fd.find(fd);
  if (found == gates.by_fd.end()) return std::nullopt;
  sockaddr_in given{};
  given.sin_family = AF_INET;
  const int connection = found->second(given);
  if (connection < 0) errno = EAGAIN;
  if (connection >= 0 && peer != nullptr && size != nullptr && *size >= sizeof(given)) {
    std::memcpy(peer, &given, sizeof(given));
    *size = sizeof(given);
  }
  return connection;
}

}  // namespace

AcceptGate::AcceptGate(int fd, Next next) : fd_(fd) {
  const std::lock_guard lock(AllGates().mutex);
  AllGates().by_fd.insert_or_assign(fd, std::move(next));
}

AcceptGate::~AcceptGate() {
  const std::lock_guard lock(AllGates().mutex);
  AllGates().by_fd.erase(fd_);
}

}  // namespace skep::net

// Stands before the C library's, whose place in the search order comes after the program's.
extern "C" __attribute__((visibility("default"))) int accept(int fd, sockaddr* __restrict peer,
                                                             socklen_t* __restrict size) {
  using Accept = int (*)(int, sockaddr*, socklen_t*);
  static const auto next = reinterpret_cast<Accept>(dlsym(RTLD_NEXT, "accept"));
  if (const std::optional<int> given = skep::net::NextOf(fd, peer, size)) return *given;
  return next(fd, peer, size);
}
