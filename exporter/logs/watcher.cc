#include "exporter/logs/watcher.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace skep::logs {
namespace {

constexpr std::uint32_t kNames = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE;
constexpr std::uint32_t kEvents = kNames | IN_MODIFY | IN_ONLYDIR;

}  // namespace

Watcher::Watcher()
    : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      interrupt_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Watcher::~Watcher() {
  if (inotify_ >= 0) ::close(inotify_);
  if (interrupt_ >= 0) ::close(interrupt_);
}

void Watcher::Watch(const std::set<std::string>& folders) {
  if (!works()) return;
  const std::lock_guard lock(mutex_);
  std::map<int, std::set<std::string>> watched;
  for (const std::string& folder : folders) {
    // The same folder gives the same number again.
    const int watch = ::inotify_add_watch(inotify_, folder.c_str(), kEvents);
    if (watch >= 0) watched[watch].insert(folder);
  }
  for (const auto& [watch, old] : folders_) {
    if (!watched.contains(watch)) ::inotify_rm_watch(inotify_, watch);
  }
  folders_ = std::move(watched);
}

void Watcher::ReadEvents(std::map<std::string, bool>& folders) {
  alignas(inotify_event) std::array<char, 16384> buffer;
  const std::lock_guard lock(mutex_);
  while (true) {
    const ssize_t n = ::read(inotify_, buffer.data(), buffer.size());
    if (n <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(n);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      at += sizeof(event) + event.len;
      const bool overflow = (event.mask & IN_Q_OVERFLOW) != 0;
      for (const auto& [watch, names] : folders_) {
        if (!overflow && watch != event.wd) continue;
        for (const std::string& name : names) {
          folders[name] = folders[name] || overflow || (event.mask & kNames) != 0;
        }
      }
    }
  }
}

std::vector<Watcher::Event> Watcher::Wait(std::chrono::milliseconds timeout) {
  std::array<pollfd, 2> ready{{{interrupt_, POLLIN, 0}, {inotify_, POLLIN, 0}}};
  const nfds_t count = works() ? 2 : 1;
  const auto ms = std::clamp<std::int64_t>(timeout.count(), 0, 60'000);
  ::poll(ready.data(), count, static_cast<int>(ms));
  std::uint64_t ignored = 0;
  (void)!::read(interrupt_, &ignored, sizeof(ignored));
  std::map<std::string, bool> folders;
  if (works()) ReadEvents(folders);
  std::vector<Event> events;
  for (const auto& [folder, has_new_names] : folders) events.push_back({folder, has_new_names});
  return events;
}

void Watcher::Interrupt() {
  const std::uint64_t one = 1;
  (void)!::write(interrupt_, &one, sizeof(one));
}

}  // namespace skep::logs
