// Listening sockets of our own and a look at the process's open connections. Private to the folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace skep::net {

// "[::1]:7538" for a socket's own end; "" where it is no socket of IP.
std::string LocalAddress(int fd);
std::uint16_t LocalPort(int fd);  // 0 where it has none

// Listens on "127.0.0.1:7538", "[::1]:0", "localhost:80" or ":7538": the last has a socket for each
// family (IPv4 alone where the kernel has no IPv6), all others one. The descriptors are the
// caller's. kInvalid: no such address; kIo: cannot be bound, with the address in the message.
Result<std::vector<int>> ListenOn(const std::string& address);

// The descriptor of this process that listens on the IPv4 loopback at `port`; -1: none.
int FindListener(std::uint16_t port);

// What the peer has sent on this connection so far; 0 where `fd` is none.
std::uint64_t ReceivedBytes(int fd);

}  // namespace skep::net
