// Network interfaces and their counters, from the kernel's routing socket.
#pragma once

#include <linux/if_link.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace skep::exporter {

struct LinkRow {
  std::string name;
  rtnl_link_stats64 stats{};
};

// Appends the interfaces of one datagram to `rows`. Returns whether the dump goes on after it. An
// error message of the kernel is its errno as kIo; a message that is cut is kCorrupt. An interface
// without counters is left out.
Result<bool> ParseLinkMessages(std::string_view datagram, std::vector<LinkRow>& rows);

// Keeps one socket. Thread-compatible.
class LinkDump {
 public:
  LinkDump() = default;
  ~LinkDump();
  LinkDump(const LinkDump&) = delete;
  LinkDump& operator=(const LinkDump&) = delete;

  // All interfaces of our network namespace, in the kernel's order.
  Status Read(std::vector<LinkRow>& rows);

 private:
  Status Open();
  void Close();
  Status Exchange(std::vector<LinkRow>& rows);

  int socket_ = -1;
  unsigned sequence_ = 0;
  std::string buffer_;
};

}  // namespace skep::exporter
