#include "common/net/socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "common/base/number.h"
#include "common/base/quote.h"

namespace skep::net {
namespace {

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_storage room;
};

using Getter = int (*)(int, sockaddr*, socklen_t*);

std::optional<Address> AddressOf(int fd, Getter getter) {
  Address address{};
  socklen_t size = sizeof(address);
  if (getter(fd, &address.any, &size) != 0) return std::nullopt;
  if (address.any.sa_family != AF_INET && address.any.sa_family != AF_INET6) return std::nullopt;
  return address;
}

std::uint16_t PortOf(const Address& address) {
  return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

std::string HostOf(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
  } else {
    inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
  }
  return text;
}

std::string TextOf(const Address& address) {
  const bool brackets = address.any.sa_family == AF_INET6;
  const std::string host = HostOf(address);
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(PortOf(address));
}

// Calls `visit` with each open descriptor.
template <typename Visit>
void ForEachDescriptor(Visit visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder.get())) {
    const std::optional<std::int64_t> fd = ParseInt(entry->d_name);
    if (fd) visit(static_cast<int>(*fd));
  }
}

struct HostAndPort {
  std::string host;
  std::string port;
};

Result<HostAndPort> SplitAddress(const std::string& address) {
  const auto bad = [&] {
    return Invalid("listen address " + Quote(address) +
                   ": expected host:port, [ipv6]:port or :port");
  };
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return bad();
  HostAndPort parts{address.substr(0, colon), address.substr(colon + 1)};
  const std::optional<std::uint64_t> port = ParseUint(parts.port);
  if (!port || *port > 65535) return bad();
  const bool bracketed = parts.host.size() > 2 && parts.host.front() == '[';
  if (bracketed != (parts.host.find(':') != std::string::npos)) return bad();
  if (bracketed) {
    if (parts.host.back() != ']') return bad();
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  return parts;
}

// `port` 0 takes what stands in `info`.
Result<int> Bind(const addrinfo& info, std::uint16_t port, const std::string& address) {
  const int fd = socket(info.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return FromErrno("listen on " + address, errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (info.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  Address where{};
  std::memcpy(&where, info.ai_addr, info.ai_addrlen);
  // Both families have the port at the same place.
  if (port != 0) where.v4.sin_port = htons(port);
  if (bind(fd, &where.any, info.ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
    const int problem = errno;
    close(fd);
    return FromErrno("listen on " + address, problem);
  }
  return fd;
}

using AddressList = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

const addrinfo* FindFamily(const AddressList& list, int family) {
  const addrinfo* info = list.get();
  while (info != nullptr && info->ai_family != family) info = info->ai_next;
  return info;
}

bool HasIpv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// Both families on one port. A free port of the one may be taken for the other: then another one.
Result<std::vector<int>> BindBoth(const addrinfo& v4, const addrinfo& v6,
                                  const std::string& address) {
  const bool any_port = reinterpret_cast<const sockaddr_in*>(v4.ai_addr)->sin_port == 0;
  for (int tries = any_port ? 20 : 1;; --tries) {
    const Result<int> first = Bind(v4, 0, address);
    if (!first) return first.error();
    const Result<int> second = Bind(v6, LocalPort(*first), address);
    if (second) return std::vector<int>{*first, *second};
    close(*first);
    if (tries == 1) return second.error();
  }
}

}  // namespace

std::string LocalAddress(int fd) {
  const std::optional<Address> address = AddressOf(fd, getsockname);
  return address ? TextOf(*address) : "";
}

std::uint16_t LocalPort(int fd) {
  const std::optional<Address> address = AddressOf(fd, getsockname);
  return address ? PortOf(*address) : std::uint16_t{0};
}

Result<std::vector<int>> ListenOn(const std::string& address) {
  const Result<HostAndPort> parts = SplitAddress(address);
  if (!parts) return parts.error();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* host = parts->host.empty() ? nullptr : parts->host.c_str();
  const int problem = getaddrinfo(host, parts->port.c_str(), &hints, &found);
  if (problem != 0) {
    return Invalid("listen address " + Quote(address) + ": " + gai_strerror(problem));
  }
  const AddressList list(found, freeaddrinfo);
  // A name means IPv4 where it can, as in Go.
  const addrinfo* v4 = FindFamily(list, AF_INET);
  const addrinfo* v6 = FindFamily(list, AF_INET6);
  if (host == nullptr && v4 != nullptr && v6 != nullptr && HasIpv6()) {
    return BindBoth(*v4, *v6, address);
  }
  const Result<int> fd = Bind(v4 != nullptr ? *v4 : *found, 0, address);
  if (!fd) return fd.error();
  return std::vector<int>{*fd};
}

int FindListener(std::uint16_t port) {
  int found = -1;
  ForEachDescriptor([&](int fd) {
    const std::optional<Address> address = AddressOf(fd, getsockname);
    if (!address || address->any.sa_family != AF_INET || PortOf(*address) != port) return;
    int listening = 0;
    socklen_t size = sizeof(listening);
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
    if (listening != 0) found = fd;
  });
  return found;
}

std::uint64_t ReceivedBytes(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_received;
}

}  // namespace skep::net
