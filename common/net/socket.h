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

// The descriptor of the connection from `remote_port` to our `local_port`; -1 where none, or more
// than one, matches. `remote_host` "" matches any. Reads /proc/self/fd: some µs per descriptor.
int FindConnection(std::uint16_t local_port, std::uint16_t remote_port,
                   std::string_view remote_host);

// What the peer has sent on this connection so far; 0 where `fd` is none.
std::uint64_t ReceivedBytes(int fd);

// Those that came over IPv6 to `local_port`.
struct Ipv6Connection {
  int fd;
  std::string peer;  // "[::1]:4711"
};
std::vector<Ipv6Connection> FindIpv6Connections(std::uint16_t local_port);

// Ends the reading side of all connections to one of our `local_ports`.
void ShutdownConnections(const std::vector<std::uint16_t>& local_ports);

}  // namespace skep::net
