// A TCP client that sends exactly what a test gives it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

namespace skep::test {

// Waits 20 s for an answer at most, then throws. Throws where it cannot connect.
class RawClient {
 public:
  // "127.0.0.1:4711" or "[::1]:4711".
  explicit RawClient(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    const auto port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    const bool six = address.front() == '[';
    fd_ = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval wait{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v4.sin_port = port;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = port;
    v6.sin6_addr = in6addr_loopback;
    const int failed = six ? connect(fd_, reinterpret_cast<sockaddr*>(&v6), sizeof(v6))
                           : connect(fd_, reinterpret_cast<sockaddr*>(&v4), sizeof(v4));
    if (failed != 0) throw std::runtime_error("connect to " + address);
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False: the peer has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Everything until the peer closes.
  std::string ReadAll() {
    while (ReadSome()) {
    }
    return std::exchange(pending_, "");
  }

  // Head and body of one response with a Content-Length.
  std::string ReadResponse() {
    std::size_t end = 0;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadSome()) throw std::runtime_error("closed within a head: " + pending_);
    }
    std::size_t size = end + 4;
    if (const std::size_t at = pending_.find("Content-Length: "); at < end) {
      size += std::stoul(pending_.substr(at + 16));
    }
    while (pending_.size() < size) {
      if (!ReadSome()) throw std::runtime_error("closed within a body");
    }
    std::string response = pending_.substr(0, size);
    pending_.erase(0, size);
    return response;
  }

  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  bool ReadSome() {
    char buffer[65536];
    const ssize_t got = recv(fd_, buffer, sizeof(buffer), 0);
    if (got < 0 && errno != ECONNRESET) throw std::runtime_error("no answer in time");
    if (got > 0) pending_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_ = -1;
  std::string pending_;
};

}  // namespace skep::test
