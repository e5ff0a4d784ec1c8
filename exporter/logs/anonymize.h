// Internet addresses cut to their network before anything is kept.
#pragma once

#include <string>
#include <string_view>

namespace skep::logs {

// How many bits stay; the others become 0.
struct AnonymizeOptions {
  int ipv4_bits = 24;
  int ipv6_bits = 48;
};

// Appends `text` with every IPv4 and IPv6 address in it cut. What only looks like one (a version
// of four numbers) is cut as well.
void AppendAnonymized(std::string_view text, const AnonymizeOptions& options, std::string& out);

}  // namespace skep::logs
