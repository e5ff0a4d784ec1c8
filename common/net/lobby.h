// Where connections wait until there is something to do for them, so that clients that keep silent
// hold no thread. Private to the folder.
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/log.h"
#include "common/base/result.h"

namespace skep::net {

enum class Wire : std::uint8_t { kPlain, kTls };

struct LobbyOptions {
  std::size_t threads = 64;  // so many connections are given out at once
  Wire wire = Wire::kPlain;
  std::size_t max_head_bytes = 64UL << 10;  // a longer one is given out for its refusal
  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds send_patience{5'000};  // with an unread answer, while others wait
};

// civetweb has a thread for each open connection, also for one that says nothing. So this accepts
// connections, waits for the whole head of their first request (with TLS: the client's hello), and
// gives out only as many as there are threads:
//
//   arriving --head--> ready --a thread is free--> starting --> working <--> body, sending
//      |                                                           | ^
//      +--> closed: late, or the oldest of too many                v |
//                                                                 idle
//
// Connections with a thread whose client keeps it waiting (starting, body, sending, idle) are ended
// after their timeouts, and earlier while others wait for a thread: idle ones at once, the others
// when they have been slow for some time. Requests with a body get three of four threads at most,
// so that a scrape finds one whatever hangs. Thread-safe.
class Lobby {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = 0;

  // `listeners` stay the caller's and must outlive it. kIo: out of descriptors.
  static Result<std::unique_ptr<Lobby>> Open(const std::vector<int>& listeners,
                                             const LobbyOptions& options, Logger log);
  // Closes what waits. Connections that were given out are their taker's.
  ~Lobby();
  Lobby(const Lobby&) = delete;
  Lobby& operator=(const Lobby&) = delete;

  // Readable while Take has something.
  int gate() const { return gate_; }
  // The next connection, or -1; `name` carries its number, for IdOf. It counts until Closed.
  int Take(sockaddr_in& name);
  // Of the text that civetweb makes of `name`; kNone where it is none.
  static Id IdOf(std::string_view address);

  // ---- what its taker tells of a connection; unknown numbers are no error ----
  void Working(Id id);      // its request is being answered
  void ReadingBody(Id id);  // from now on the client is waited for
  void BodyArrived(Id id, std::size_t bytes);
  void Sending(Id id);
  void Idle(Id id);    // between two requests
  void Closed(Id id);  // called before its descriptor is

  // The peer's address without port: "127.0.0.1", "::1"; "" where unknown.
  std::string Peer(Id id) const;
  // -1 where unknown.
  int Descriptor(Id id) const;

  // Takes no more and ends the reading of all that were given out, now and later.
  void EndAll();

  struct Counts {
    std::size_t waiting = 0;  // arriving or ready
    std::size_t given_out = 0;
    std::uint64_t timed_out = 0;    // ended since a head, a handshake or a body was late
    std::uint64_t crowded_out = 0;  // ended earlier, since others waited
  };
  Counts counts() const;

 private:
  using Steady = std::chrono::steady_clock::time_point;
  enum class Phase : std::uint8_t {
    kArriving,
    kReady,
    kStarting,
    kWorking,
    kBody,
    kSending,
    kIdle
  };
  enum class Ending : std::uint8_t { kNone, kReading, kAll };

  struct Entry {
    int fd = -1;
    std::uint64_t cookie = 0;  // the socket's, whatever number it has
    std::string peer;
    Phase phase = Phase::kArriving;
    Steady since{};  // of the phase
    std::uint64_t body_bytes = 0;
    bool has_body = false;
    Ending ending = Ending::kNone;
  };
  using Entries = std::map<Id, Entry>;

  Lobby(const LobbyOptions& options, Logger log);
  Status Watch(const std::vector<int>& listeners);
  void Run();
  void RunOnce(int timeout_ms);
  void Accept(int listener);
  void Add(int fd, const sockaddr_storage& peer);
  void SetListening(bool on);
  void Look(Id id);
  bool IsReady(Entry& entry);
  bool IsHello(std::string_view bytes) const;
  bool HasRoom() const;
  void MakeRoom();
  void Drop(Entries::iterator entry);
  void EndLate(Steady now);
  void ForgetGone();
  void Forget(Entries::iterator entry);
  void GiveOut(Steady now);
  void Relieve(Steady now);
  void End(Entry& entry, Ending how);
  bool IsSameSocket(const Entry& entry) const;
  Steady DeadlineOf(const Entry& entry) const;
  Steady PatienceOf(const Entry& entry) const;
  Steady NextLook(Steady now) const;
  void SetPhase(Id id, Phase phase);
  void Wake();

  const LobbyOptions options_;
  const Logger log_;
  int epoll_ = -1;
  int gate_ = -1;  // an eventfd that counts given_
  int wake_ = -1;  // an eventfd
  std::vector<int> listeners_;
  std::vector<char> bytes_;  // the thread's: what was peeked

  mutable std::mutex mutex_;
  Entries entries_;                // guarded by mutex_
  std::deque<Id> ready_;           // guarded by mutex_; in order of arrival
  std::deque<Id> given_;           // guarded by mutex_; not taken yet
  std::size_t given_out_ = 0;      // guarded by mutex_; of entries_, given_ included
  std::size_t with_body_ = 0;      // guarded by mutex_; of those
  Id last_id_ = kNone;             // guarded by mutex_
  bool listening_ = true;          // guarded by mutex_
  bool ended_ = false;             // guarded by mutex_
  Steady next_look_{};             // guarded by mutex_
  Steady paused_until_{};          // guarded by mutex_; nothing is accepted before
  std::uint64_t timed_out_ = 0;    // guarded by mutex_
  std::uint64_t crowded_out_ = 0;  // guarded by mutex_
  std::atomic<bool> stopped_{false};
  std::jthread thread_;
};

}  // namespace skep::net
