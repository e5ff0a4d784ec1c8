#include "common/net/lobby.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "common/base/thread.h"

namespace skep::net {
namespace {

using std::chrono::milliseconds;

// What epoll gives back: a connection's number, or one of these with a descriptor below.
constexpr std::uint64_t kWakeMark = 1ULL << 40;
constexpr std::uint64_t kListenerMark = 1ULL << 41;

// Connections without a thread. Those beyond wait in the kernel.
constexpr std::size_t kMaxWaiting = 256;
constexpr int kAcceptsAtOnce = 64;
// How slow a client may be while others wait for its thread.
constexpr milliseconds kPatience{500};
constexpr std::uint64_t kSlowestBody = 64UL << 10;  // bytes a second
constexpr milliseconds kLookAgain{100};

void CloseFd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

std::string HostOf(const sockaddr_storage& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  } else {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  }
  return text.data();
}

// Of a socket that is closed, or whose number another file has: 0 or another one.
std::uint64_t CookieOf(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

// Drops what the peer has not taken. After a shutdown alone civetweb's close would hold its thread
// for a second more, in the hope that it is taken.
bool Reset(int fd) {
  const sockaddr none{AF_UNSPEC, {}};
  return connect(fd, &none, sizeof(none)) == 0;
}

// The end of a head, or what civetweb refuses without waiting for one.
bool IsWholeHead(std::string_view bytes) {
  const bool is_garbage = std::any_of(bytes.begin(), bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\r' && c != '\n' && c != '\t';
  });
  return is_garbage || bytes.find("\n\r\n") != std::string_view::npos ||
         bytes.find("\n\n") != std::string_view::npos;
}

bool MayHaveBody(std::string_view head) {
  return !head.starts_with("GET ") && !head.starts_with("HEAD ") && !head.starts_with("OPTIONS ");
}

}  // namespace

Lobby::Lobby(const LobbyOptions& options, Logger log)
    : options_(options), log_(std::move(log)), bytes_(options.max_head_bytes) {}

Result<std::unique_ptr<Lobby>> Lobby::Open(const std::vector<int>& listeners,
                                           const LobbyOptions& options, Logger log) {
  std::unique_ptr<Lobby> lobby(new Lobby(options, std::move(log)));
  RETURN_IF_ERROR(lobby->Watch(listeners));
  lobby->thread_ = StartThread(
      "http-lobby", [raw = lobby.get()] { raw->Run(); },
      [raw = lobby.get()](const std::string& what) {
        raw->log_.Error("no connections are accepted any more", {{"err", what}});
      });
  return lobby;
}

Status Lobby::Watch(const std::vector<int>& listeners) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  gate_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ < 0 || gate_ < 0 || wake_ < 0) return FromErrno("HTTP server", errno);
  listeners_ = listeners;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeMark;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
    return FromErrno("HTTP server", errno);
  }
  for (const int fd : listeners_) {
    event.data.u64 = kListenerMark | static_cast<std::uint32_t>(fd);
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return FromErrno("HTTP server", errno);
  }
  return {};
}

Lobby::~Lobby() {
  stopped_ = true;
  if (wake_ >= 0) Wake();
  if (thread_.joinable()) thread_.join();
  for (auto& [id, entry] : entries_) {
    const bool is_ours = entry.phase == Phase::kArriving || entry.phase == Phase::kReady ||
                         std::find(given_.begin(), given_.end(), id) != given_.end();
    if (is_ours) CloseFd(entry.fd);
  }
  CloseFd(epoll_);
  CloseFd(gate_);
  CloseFd(wake_);
}

void Lobby::Wake() { (void)eventfd_write(wake_, 1); }

// ---- the thread ----

void Lobby::Run() {
  int timeout_ms = -1;
  while (!stopped_) {
    RunOnce(timeout_ms);
    const std::lock_guard lock(mutex_);
    const Steady now = std::chrono::steady_clock::now();
    next_look_ = NextLook(now);
    timeout_ms = -1;
    if (next_look_ != Steady::max()) {
      const auto left = std::chrono::ceil<milliseconds>(next_look_ - now).count();
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }
  }
}

void Lobby::RunOnce(int timeout_ms) {
  std::array<epoll_event, 64> events{};
  const int count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t mark = events[static_cast<std::size_t>(i)].data.u64;
    if ((mark & kListenerMark) != 0) {
      Accept(static_cast<int>(mark & ~kListenerMark));
    } else if (mark == kWakeMark) {
      eventfd_t drained = 0;
      (void)eventfd_read(wake_, &drained);
    } else {
      Look(static_cast<Id>(mark));
    }
  }
  const Steady now = std::chrono::steady_clock::now();
  EndLate(now);
  ForgetGone();
  GiveOut(now);
  Relieve(now);
  SetListening(HasRoom());
}

void Lobby::Accept(int listener) {
  for (int i = 0; i < kAcceptsAtOnce && HasRoom(); ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    const int fd =
        accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      Add(fd, peer);
      continue;
    }
    // Out of descriptors: who has waited longest makes room; epoll would call at once again.
    if (errno == EMFILE || errno == ENFILE) {
      MakeRoom();
      paused_until_ = std::chrono::steady_clock::now() + kLookAgain;
    }
    return;
  }
}

// While too many are ready, others may wait in the kernel; too many that say nothing have to go.
bool Lobby::HasRoom() const {
  return !ended_ && ready_.size() < kMaxWaiting &&
         std::chrono::steady_clock::now() >= paused_until_;
}

void Lobby::Add(int fd, const sockaddr_storage& peer) {
  if (entries_.size() - given_out_ >= kMaxWaiting) MakeRoom();
  do {
    ++last_id_;
  } while (last_id_ == kNone || entries_.contains(last_id_));
  Entry& entry = entries_[last_id_];
  entry.fd = fd;
  entry.cookie = CookieOf(fd);
  entry.peer = HostOf(peer);
  entry.since = std::chrono::steady_clock::now();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.u64 = last_id_;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) Drop(entries_.find(last_id_));
}

void Lobby::SetListening(bool on) {
  if (listening_ == on) return;
  listening_ = on;
  epoll_event event{};
  event.events = on ? static_cast<std::uint32_t>(EPOLLIN) : 0U;
  for (const int fd : listeners_) {
    event.data.u64 = kListenerMark | static_cast<std::uint32_t>(fd);
    (void)epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
  }
}

void Lobby::MakeRoom() {
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->second.phase != Phase::kArriving) continue;
    if (oldest == entries_.end() || entry->second.since < oldest->second.since) oldest = entry;
  }
  if (oldest == entries_.end()) return;
  ++crowded_out_;
  Drop(oldest);
}

// Of one without a thread.
void Lobby::Drop(Entries::iterator entry) {
  CloseFd(entry->second.fd);
  std::erase(ready_, entry->first);
  entries_.erase(entry);
}

void Lobby::Look(Id id) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.phase != Phase::kArriving) return;
  Entry& entry = found->second;
  const ssize_t got = recv(entry.fd, bytes_.data(), bytes_.size(), MSG_PEEK);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return Drop(found);
  const std::string_view bytes(bytes_.data(), static_cast<std::size_t>(got));
  pollfd peer{entry.fd, POLLRDHUP, 0};
  const bool is_all = bytes.size() == bytes_.size() || poll(&peer, 1, 0) > 0;
  const bool is_whole = options_.wire == Wire::kTls ? IsHello(bytes) : IsWholeHead(bytes);
  if (!is_all && !is_whole) return;
  (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, entry.fd, nullptr);
  entry.has_body = options_.wire == Wire::kPlain && MayHaveBody(bytes);
  entry.phase = Phase::kReady;
  entry.since = std::chrono::steady_clock::now();
  ready_.push_back(id);
}

// A whole TLS record of type handshake, or what is no TLS.
bool Lobby::IsHello(std::string_view bytes) const {
  constexpr unsigned char kHandshake = 22;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (at(0) != kHandshake) return true;
  return bytes.size() >= 5 && bytes.size() >= 5U + (at(3) * 256U + at(4));
}

void Lobby::EndLate(Steady now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (DeadlineOf(entry->second) <= now) {
      ++timed_out_;
      if (entry->second.phase == Phase::kArriving) {
        Drop(entry);
      } else {
        End(entry->second, Ending::kReading);
      }
    }
    entry = next;
  }
}

// Of handshakes that failed: civetweb does not tell of their end.
void Lobby::ForgetGone() {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    const bool may_be_gone =
        entry->second.ending != Ending::kNone || entry->second.phase == Phase::kStarting;
    if (may_be_gone && !IsSameSocket(entry->second)) Forget(entry);
    entry = next;
  }
}

// One that was given out.
void Lobby::Forget(Entries::iterator entry) {
  if (entry->second.has_body) --with_body_;
  --given_out_;
  entries_.erase(entry);
}

void Lobby::GiveOut(Steady now) {
  const std::size_t body_limit = options_.threads - std::max<std::size_t>(options_.threads / 4, 1);
  for (auto at = ready_.begin(); at != ready_.end() && given_out_ < options_.threads && !ended_;) {
    Entry& entry = entries_[*at];
    if (entry.has_body && with_body_ >= body_limit) {
      ++at;
      continue;
    }
    entry.phase = Phase::kStarting;
    entry.since = now;
    ++given_out_;
    if (entry.has_body) ++with_body_;
    given_.push_back(*at);
    at = ready_.erase(at);
    (void)eventfd_write(gate_, 1);
  }
}

// Ends as many as there are that wait for a thread, those that have been slow longest first.
void Lobby::Relieve(Steady now) {
  if (ready_.empty()) return;
  std::vector<Entry*> slow;
  std::size_t ending = 0;
  for (auto& [id, entry] : entries_) {
    if (entry.ending != Ending::kNone) {
      ++ending;
    } else if (PatienceOf(entry) <= now) {
      slow.push_back(&entry);
    }
  }
  std::sort(slow.begin(), slow.end(),
            [this](const Entry* a, const Entry* b) { return PatienceOf(*a) < PatienceOf(*b); });
  for (Entry* const one : slow) {
    if (ending >= ready_.size()) break;
    pollfd peer{one->fd, POLLOUT, 0};
    // What can be sent is not the client's fault.
    if (one->phase == Phase::kSending && poll(&peer, 1, 0) > 0) continue;
    ++crowded_out_;
    ++ending;
    End(*one, one->phase == Phase::kSending ? Ending::kAll : Ending::kReading);
  }
}

// Under the lock, which Closed needs: so the descriptor is still the same connection's.
void Lobby::End(Entry& entry, Ending how) {
  entry.ending = how;
  if (!IsSameSocket(entry)) return;
  if (how == Ending::kReading || !Reset(entry.fd)) {
    shutdown(entry.fd, how == Ending::kAll ? SHUT_RDWR : SHUT_RD);
  }
}

bool Lobby::IsSameSocket(const Entry& entry) const { return CookieOf(entry.fd) == entry.cookie; }

Lobby::Steady Lobby::DeadlineOf(const Entry& entry) const {
  if (entry.ending != Ending::kNone) return Steady::max();
  switch (entry.phase) {
    case Phase::kArriving:
      return entry.since + options_.head_timeout;
    case Phase::kStarting:
      return options_.wire == Wire::kTls ? entry.since + options_.head_timeout : Steady::max();
    case Phase::kBody:
      return entry.since + options_.body_timeout;
    case Phase::kReady:
    case Phase::kWorking:
    case Phase::kSending:
    case Phase::kIdle:  // civetweb has a timeout for these
      return Steady::max();
  }
  return Steady::max();
}

Lobby::Steady Lobby::PatienceOf(const Entry& entry) const {
  switch (entry.phase) {
    case Phase::kIdle:
      return entry.since;
    case Phase::kStarting:
      return options_.wire == Wire::kTls ? entry.since + kPatience : Steady::max();
    case Phase::kBody:
      return entry.since + kPatience + milliseconds(entry.body_bytes * 1000 / kSlowestBody);
    case Phase::kSending:
      return entry.since + options_.send_patience;
    case Phase::kArriving:
    case Phase::kReady:
    case Phase::kWorking:
      return Steady::max();
  }
  return Steady::max();
}

Lobby::Steady Lobby::NextLook(Steady now) const {
  Steady next = paused_until_ > now ? paused_until_ : Steady::max();
  for (const auto& [id, entry] : entries_) {
    next = std::min(next, DeadlineOf(entry));
    if (entry.ending != Ending::kNone) next = std::min(next, now + kLookAgain);
    if (ready_.empty() || entry.ending != Ending::kNone) continue;
    const Steady patience = PatienceOf(entry);
    if (patience != Steady::max()) next = std::min(next, std::max(patience, now + kLookAgain));
  }
  return next;
}

// ---- for its taker ----

int Lobby::Take(sockaddr_in& name) {
  eventfd_t one = 0;
  (void)eventfd_read(gate_, &one);
  const std::lock_guard lock(mutex_);
  if (given_.empty()) return -1;
  const Id id = given_.front();
  given_.pop_front();
  name.sin_addr.s_addr = htonl(id);
  return entries_[id].fd;
}

Lobby::Id Lobby::IdOf(std::string_view address) {
  in_addr parsed{};
  return inet_pton(AF_INET, std::string(address).c_str(), &parsed) == 1 ? ntohl(parsed.s_addr)
                                                                        : kNone;
}

void Lobby::SetPhase(Id id, Phase phase) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.phase = phase;
  entry.since = std::chrono::steady_clock::now();
  entry.body_bytes = 0;
  const bool takes_body = phase == Phase::kBody;
  if (takes_body != entry.has_body && (takes_body || phase == Phase::kIdle)) {
    entry.has_body = takes_body;
    with_body_ += takes_body ? 1U : 0U;
    with_body_ -= takes_body ? 0U : 1U;
  }
  const bool is_waiting = phase != Phase::kWorking;
  if ((is_waiting && !ready_.empty()) || DeadlineOf(entry) < next_look_) Wake();
  if (ended_) End(entry, Ending::kReading);
}

void Lobby::Working(Id id) { SetPhase(id, Phase::kWorking); }
void Lobby::ReadingBody(Id id) { SetPhase(id, Phase::kBody); }
void Lobby::Sending(Id id) { SetPhase(id, Phase::kSending); }
void Lobby::Idle(Id id) { SetPhase(id, Phase::kIdle); }

void Lobby::BodyArrived(Id id, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.body_bytes += bytes;
}

void Lobby::Closed(Id id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Forget(found);
  if (!ready_.empty()) Wake();
}

std::string Lobby::Peer(Id id) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? "" : found->second.peer;
}

int Lobby::Descriptor(Id id) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? -1 : found->second.fd;
}

void Lobby::EndAll() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    const Phase phase = entry->second.phase;
    if (phase == Phase::kArriving || phase == Phase::kReady) {
      Drop(entry);
    } else {
      End(entry->second, Ending::kReading);
    }
    entry = next;
  }
  (void)eventfd_write(gate_, 1);  // civetweb looks whether to stop
  Wake();
}

Lobby::Counts Lobby::counts() const {
  const std::lock_guard lock(mutex_);
  return {entries_.size() - given_out_, given_out_, timed_out_, crowded_out_};
}

}  // namespace skep::net
