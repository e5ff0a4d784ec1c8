// Gives civetweb connections that somebody else has accepted. Private to the folder.
#pragma once

#include <netinet/in.h>

#include <functional>

namespace skep::net {

// civetweb has no call that takes an open connection: it polls its listening sockets and calls
// accept(). This program has an accept() of its own: for a gate's descriptor it asks `next`, for
// all others it is the C library's. Thread-safe.
class AcceptGate {
 public:
  // Returns the connection, which is the caller's then, and what to call its peer; -1: none.
  using Next = std::function<int(sockaddr_in& peer)>;

  // `fd` is what civetweb polls, any descriptor that becomes readable when `next` has something.
  AcceptGate(int fd, Next next);
  // Waits for a `next` that runs.
  ~AcceptGate();
  AcceptGate(const AcceptGate&) = delete;
  AcceptGate& operator=(const AcceptGate&) = delete;

 private:
  const int fd_;
};

}  // namespace skep::net
