// What this machine serves by NFS: /proc/net/rpc/nfsd.
#include <array>

#include "common/base/file.h"
#include "exporter/collectors/nfs_fields.h"

namespace skep::exporter {

namespace {

// Operation numbers of RFC 7530; node_exporter 1.5 shows the counts of 35, 36 and 37 under the
// names of 37, 38 and 39, and leaves out what has no name here.
constexpr std::array<std::string_view, 40> kOperations4 = {"",
                                                           "",
                                                           "",
                                                           "Access",
                                                           "Close",
                                                           "Commit",
                                                           "Create",
                                                           "DelegPurge",
                                                           "DelegReturn",
                                                           "GetAttr",
                                                           "GetFH",
                                                           "Link",
                                                           "Lock",
                                                           "Lockt",
                                                           "Locku",
                                                           "Lookup",
                                                           "LookupRoot",
                                                           "Nverify",
                                                           "Open",
                                                           "OpenAttr",
                                                           "OpenConfirm",
                                                           "OpenDgrd",
                                                           "PutFH",
                                                           "",
                                                           "",
                                                           "Read",
                                                           "ReadDir",
                                                           "ReadLink",
                                                           "Remove",
                                                           "Rename",
                                                           "Renew",
                                                           "RestoreFH",
                                                           "SaveFH",
                                                           "SecInfo",
                                                           "SetAttr",
                                                           "",
                                                           "",
                                                           "Verify",
                                                           "Write",
                                                           "RelLockOwner"};

void AddCounter(FamilySet& families, std::string_view name, std::string_view help,
                LabelPairs labels, std::uint64_t value) {
  families.Add(name, help, MetricType::kCounter, labels, static_cast<double>(value));
}

void AddReplyCache(FamilySet& families, const RpcNumbers& n) {
  AddCounter(families, "node_nfsd_reply_cache_hits_total",
             "Total number of NFSd Reply Cache hits (client lost server response).", {}, n[0]);
  AddCounter(families, "node_nfsd_reply_cache_misses_total",
             "Total number of NFSd Reply Cache an operation that requires caching (idempotent).",
             {}, n[1]);
  AddCounter(families, "node_nfsd_reply_cache_nocache_total",
             "Total number of NFSd Reply Cache non-idempotent operations (rename/delete/…).", {},
             n[2]);
}

void AddReadAhead(FamilySet& families, const RpcNumbers& n) {
  families.Add("node_nfsd_read_ahead_cache_size_blocks",
               "How large the read ahead cache is in blocks.", MetricType::kGauge, {},
               static_cast<double>(n[0]));
  AddCounter(families, "node_nfsd_read_ahead_cache_not_found_total",
             "Total number of NFSd read ahead cache not found.", {}, n[11]);
}

void AddNetwork(FamilySet& families, const RpcNumbers& n) {
  constexpr std::string_view kPackets = "node_nfsd_packets_total";
  constexpr std::string_view kHelp = "Total NFSd network packets (sent+received) by protocol type.";
  AddCounter(families, kPackets, kHelp, {{"proto", "udp"}}, n[1]);
  AddCounter(families, kPackets, kHelp, {{"proto", "tcp"}}, n[2]);
  AddCounter(families, "node_nfsd_connections_total", "Total number of NFSd TCP connections.", {},
             n[3]);
}

void AddRpc(FamilySet& families, const RpcNumbers& n) {
  constexpr std::string_view kErrors = "node_nfsd_rpc_errors_total";
  constexpr std::string_view kHelp = "Total number of NFSd RPC errors by error type.";
  AddCounter(families, kErrors, kHelp, {{"error", "fmt"}}, n[2]);
  AddCounter(families, kErrors, kHelp, {{"error", "auth"}}, n[3]);
  AddCounter(families, kErrors, kHelp, {{"error", "cInt"}}, n[4]);
  AddCounter(families, "node_nfsd_server_rpcs_total", "Total number of NFSd RPCs.", {}, n[0]);
}

// "Null" of versions 2 and 3 is not shown for servers.
void AddRequests(FamilySet& families, std::string_view proto,
                 std::span<const std::string_view> methods, const RpcNumbers& numbers) {
  std::vector<std::string_view> shown(methods.begin(), methods.end());
  if (shown[0] == "Null") shown[0] = "";
  RpcProcedures procedures{"node_nfsd_requests_total",
                           "Total number NFSd Requests by method and protocol.", proto, shown};
  AddProcedures(families, procedures, numbers);
}

void AddLine(FamilySet& families, std::string_view word, const RpcNumbers& n) {
  if (word == "rc" && n.size() == 3) {
    AddReplyCache(families, n);
  } else if (word == "fh" && n.size() == 5) {
    AddCounter(families, "node_nfsd_file_handles_stale_total",
               "Total number of NFSd stale file handles", {}, n[0]);
  } else if (word == "io" && n.size() == 2) {
    AddCounter(families, "node_nfsd_disk_bytes_read_total", "Total NFSd bytes read.", {}, n[0]);
    AddCounter(families, "node_nfsd_disk_bytes_written_total", "Total NFSd bytes written.", {},
               n[1]);
  } else if (word == "th" && n.size() >= 2) {
    families.Add("node_nfsd_server_threads",
                 "Total number of NFSd kernel threads that are running.", MetricType::kGauge, {},
                 static_cast<double>(n[0]));
  } else if (word == "ra" && n.size() == 12) {
    AddReadAhead(families, n);
  } else if (word == "net" && n.size() == 4) {
    AddNetwork(families, n);
  } else if (word == "rpc" && n.size() == 5) {
    AddRpc(families, n);
  } else if (word == "proc2") {
    AddRequests(families, "2", kNfs2Methods, n);
  } else if (word == "proc3") {
    AddRequests(families, "3", kNfs3Methods, n);
  } else if (word == "proc4ops") {
    AddRequests(families, "4", kOperations4, n);
  }
}

}  // namespace

CollectorPtr MakeNfsdCollector(const Paths& paths) {
  std::string path = paths.Proc("net/rpc/nfsd");
  return MakeFunctionCollector("nfsd", [path](CollectContext& context) -> Status {
    Result<std::string> text = ReadFile(path);
    if (!text) return text.error();
    FamilySet families;
    ForEachRpcLine(*text, [&](std::string_view word, const RpcNumbers& numbers) {
      AddLine(families, word, numbers);
    });
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
