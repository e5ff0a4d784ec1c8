#include "common/net/socket.h"

#include <arpa/inet.h>
#include <dirent.h>
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

// An IPv4 peer of a socket of both families has an address in IPv6 form; it is shown as IPv4.
std::string HostOf(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
  } else {
    inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
  }
  const std::string_view host = text;
  return std::string(host.substr(0, 7) == "::ffff:" ? host.substr(7) : host);
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

Result<int> Bind(const addrinfo& info, const std::string& address) {
  const int fd = socket(info.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return FromErrno("listen on " + address, errno);
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (info.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (bind(fd, info.ai_addr, info.ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
    const int problem = errno;
    close(fd);
    return FromErrno("listen on " + address, problem);
  }
  return fd;
}

}  // namespace

std::string LocalAddress(int fd) {
  const std::optional<Address> address = AddressOf(fd, getsockname);
  if (!address) return "";
  const std::string host = HostOf(*address);
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(PortOf(*address));
}

std::string PeerHost(int fd) {
  const std::optional<Address> address = AddressOf(fd, getpeername);
  return address ? HostOf(*address) : "";
}

std::uint16_t LocalPort(int fd) {
  const std::optional<Address> address = AddressOf(fd, getsockname);
  return address ? PortOf(*address) : std::uint16_t{0};
}

Result<int> ListenOn(const std::string& address) {
  const Result<HostAndPort> parts = SplitAddress(address);
  if (!parts) return parts.error();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* host = parts->host.empty() ? nullptr : parts->host.c_str();
  const int problem = getaddrinfo(host, parts->port.c_str(), &hints, &found);
  if (problem != 0)
    return Invalid("listen address " + Quote(address) + ": " + gai_strerror(problem));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  // With no host, IPv6 first: that socket serves both families. A name means IPv4 where it can, as
  // in Go.
  std::vector<const addrinfo*> order;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) order.push_back(info);
  const int preferred = host == nullptr ? AF_INET6 : AF_INET;
  std::stable_partition(order.begin(), order.end(),
                        [&](const addrinfo* info) { return info->ai_family == preferred; });
  Result<int> fd = Bind(*order.front(), address);
  for (std::size_t i = 1; i < order.size() && !fd; ++i) {
    if (Result<int> other = Bind(*order[i], address)) return other;
  }
  return fd;
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

int FindConnection(std::uint16_t local_port, std::uint16_t remote_port,
                   std::string_view remote_host) {
  int found = -1;
  int count = 0;
  ForEachDescriptor([&](int fd) {
    const std::optional<Address> peer = AddressOf(fd, getpeername);
    if (!peer || PortOf(*peer) != remote_port || LocalPort(fd) != local_port) return;
    if (!remote_host.empty() && HostOf(*peer) != remote_host) return;
    found = fd;
    ++count;
  });
  return count == 1 ? found : -1;
}

void ShutdownConnections(const std::vector<std::uint16_t>& local_ports) {
  ForEachDescriptor([&](int fd) {
    if (!AddressOf(fd, getpeername)) return;
    if (std::find(local_ports.begin(), local_ports.end(), LocalPort(fd)) != local_ports.end()) {
      shutdown(fd, SHUT_RD);
    }
  });
}

}  // namespace skep::net
