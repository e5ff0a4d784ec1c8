#include "exporter/collectors/link_dump.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace skep::exporter {
namespace {

// The kernel fills datagrams of a dump up to 32 KiB where the reader offers that much.
constexpr std::size_t kBufferBytes = 32UL << 10;

template <typename T>
bool Take(std::string_view bytes, T& out) {
  if (bytes.size() < sizeof(T)) return false;
  std::memcpy(&out, bytes.data(), sizeof(T));
  return true;
}

std::size_t Aligned(std::size_t length) { return (length + 3) & ~std::size_t{3}; }

// Calls `use(type, payload)` for each attribute. False: one is cut.
template <typename Use>
bool ForEachAttribute(std::string_view bytes, const Use& use) {
  while (bytes.size() >= sizeof(rtattr)) {
    rtattr header{};
    Take(bytes, header);
    if (header.rta_len < sizeof(header) || header.rta_len > bytes.size()) return false;
    use(header.rta_type & NLA_TYPE_MASK,
        bytes.substr(sizeof(header), header.rta_len - sizeof(header)));
    bytes.remove_prefix(std::min(Aligned(header.rta_len), bytes.size()));
  }
  return true;
}

bool ParseLink(std::string_view body, std::vector<LinkRow>& rows) {
  if (body.size() < sizeof(ifinfomsg)) return false;
  LinkRow row;
  bool has_stats = false;
  const bool whole =
      ForEachAttribute(body.substr(sizeof(ifinfomsg)), [&](int type, std::string_view payload) {
        if (type == IFLA_IFNAME) row.name = payload.substr(0, payload.find('\0'));
        if (type != IFLA_STATS64) return;
        // Newer kernels append fields, older ones have fewer: those are 0 then.
        std::memcpy(&row.stats, payload.data(), std::min(payload.size(), sizeof(row.stats)));
        has_stats = true;
      });
  if (whole && has_stats && !row.name.empty()) rows.push_back(std::move(row));
  return whole;
}

}  // namespace

Result<bool> ParseLinkMessages(std::string_view datagram, std::vector<LinkRow>& rows) {
  while (!datagram.empty()) {
    nlmsghdr header{};
    if (!Take(datagram, header) || header.nlmsg_len < sizeof(header) ||
        header.nlmsg_len > datagram.size()) {
      return Corrupt("routing socket: cut message");
    }
    const std::string_view body =
        datagram.substr(sizeof(header), header.nlmsg_len - sizeof(header));
    if (header.nlmsg_type == NLMSG_DONE) return false;
    if (header.nlmsg_type == NLMSG_ERROR) {
      nlmsgerr error{};
      if (!Take(body, error)) return Corrupt("routing socket: cut error message");
      return FromErrno("routing socket", -error.error);
    }
    if (header.nlmsg_type == RTM_NEWLINK && !ParseLink(body, rows)) {
      return Corrupt("routing socket: cut attribute");
    }
    datagram.remove_prefix(std::min(Aligned(header.nlmsg_len), datagram.size()));
  }
  return true;
}

LinkDump::~LinkDump() { Close(); }

Status LinkDump::Read(std::vector<LinkRow>& rows) {
  rows.clear();
  RETURN_IF_ERROR(Open());
  Status status = Exchange(rows);
  // Whatever is left in the socket belongs to a failed exchange.
  if (!status) Close();
  return status;
}

Status LinkDump::Open() {
  if (socket_ >= 0) return {};
  socket_ = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (socket_ < 0) return FromErrno("routing socket", errno);
  const timeval limit{.tv_sec = 1, .tv_usec = 0};
  if (::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0) {
    return FromErrno("routing socket", errno);
  }
  buffer_.resize(kBufferBytes);
  return {};
}

void LinkDump::Close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

Status LinkDump::Exchange(std::vector<LinkRow>& rows) {
  struct {
    nlmsghdr header;
    ifinfomsg body;
  } request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence_;
  request.body.ifi_family = AF_UNSPEC;
  if (::send(socket_, &request, sizeof(request), 0) < 0) return FromErrno("routing socket", errno);
  for (;;) {
    const ssize_t got = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FromErrno("routing socket", errno);
    if (static_cast<std::size_t>(got) > buffer_.size()) {
      return Corrupt("routing socket: datagram larger than 32 KiB");
    }
    const auto size = static_cast<std::size_t>(got);
    const Result<bool> more = ParseLinkMessages(std::string_view(buffer_.data(), size), rows);
    if (!more) return more.error();
    if (!*more) return {};
  }
}

}  // namespace skep::exporter
