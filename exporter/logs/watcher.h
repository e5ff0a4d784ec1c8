// Tells when something happens in folders, through inotify.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace skep::logs {

// Thread-safe.
class Watcher {
 public:
  // Where the kernel gives no inotify, nothing is ever told, and callers poll.
  Watcher();
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  bool works() const { return inotify_ >= 0; }

  // Folders in which something happens are reported from now on; those not named any more are not.
  // A folder that does not exist is passed over: name it again later.
  void Watch(const std::set<std::string>& folders);

  struct Event {
    std::string folder;
    bool has_new_names = false;  // made, renamed or deleted: more than written to
  };
  // Waits for events until `timeout` has passed or Interrupt was called, and gives back each folder
  // once.
  std::vector<Event> Wait(std::chrono::milliseconds timeout);
  // Ends one Wait, the present or the next.
  void Interrupt();

 private:
  void ReadEvents(std::map<std::string, bool>& folders);

  int inotify_ = -1;
  int interrupt_ = -1;
  std::mutex mutex_;
  std::map<int, std::set<std::string>> folders_;  // by watch; guarded by mutex_
};

}  // namespace skep::logs
