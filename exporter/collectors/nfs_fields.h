// The lines of /proc/net/rpc/nfs and nfsd: a word, then numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "exporter/collectors/family_set.h"

namespace skep::exporter {

using RpcNumbers = std::vector<std::uint64_t>;

// Calls `handle` for each line whose fields behind the first are numbers (a fraction counts as its
// whole part). Others, as from a file cut short, are left out.
void ForEachRpcLine(std::string_view text,
                    const std::function<void(std::string_view word, const RpcNumbers&)>& handle);

// A line of procedure counts: how many follow, then one count for each of `methods`, "" for those
// that are not shown. Kernels that know fewer leave `missing_as_zero` to decide whether the rest is
// shown as 0.
struct RpcProcedures {
  std::string_view metric;
  std::string_view help;
  std::string_view proto;
  std::span<const std::string_view> methods;
  bool missing_as_zero = false;
};
void AddProcedures(FamilySet& families, const RpcProcedures& procedures, const RpcNumbers& numbers);

// Versions 2 and 3 are the same for client and server.
extern const std::span<const std::string_view> kNfs2Methods;
extern const std::span<const std::string_view> kNfs3Methods;

}  // namespace skep::exporter
