// What this machine asks of NFS servers: /proc/net/rpc/nfs.
#include <array>

#include "common/base/file.h"
#include "exporter/collectors/nfs_fields.h"

namespace skep::exporter {

namespace {

// In the order of the kernel's nfs4_procedures.
constexpr std::array<std::string_view, 59> kMethods4 = {"Null",
                                                        "Read",
                                                        "Write",
                                                        "Commit",
                                                        "Open",
                                                        "OpenConfirm",
                                                        "OpenNoattr",
                                                        "OpenDowngrade",
                                                        "Close",
                                                        "Setattr",
                                                        "FsInfo",
                                                        "Renew",
                                                        "SetClientID",
                                                        "SetClientIDConfirm",
                                                        "Lock",
                                                        "Lockt",
                                                        "Locku",
                                                        "Access",
                                                        "Getattr",
                                                        "Lookup",
                                                        "LookupRoot",
                                                        "Remove",
                                                        "Rename",
                                                        "Link",
                                                        "Symlink",
                                                        "Create",
                                                        "Pathconf",
                                                        "StatFs",
                                                        "ReadLink",
                                                        "ReadDir",
                                                        "ServerCaps",
                                                        "DelegReturn",
                                                        "GetACL",
                                                        "SetACL",
                                                        "FsLocations",
                                                        "ReleaseLockowner",
                                                        "Secinfo",
                                                        "FsidPresent",
                                                        "ExchangeID",
                                                        "CreateSession",
                                                        "DestroySession",
                                                        "Sequence",
                                                        "GetLeaseTime",
                                                        "ReclaimComplete",
                                                        "LayoutGet",
                                                        "GetDeviceInfo",
                                                        "LayoutCommit",
                                                        "LayoutReturn",
                                                        "SecinfoNoName",
                                                        "TestStateID",
                                                        "FreeStateID",
                                                        "GetDeviceList",
                                                        "BindConnToSession",
                                                        "DestroyClientID",
                                                        "Seek",
                                                        "Allocate",
                                                        "DeAllocate",
                                                        "LayoutStats",
                                                        "Clone"};

void AddCounter(FamilySet& families, std::string_view name, std::string_view help,
                LabelPairs labels, std::uint64_t value) {
  families.Add(name, help, MetricType::kCounter, labels, static_cast<double>(value));
}

void AddNetwork(FamilySet& families, const RpcNumbers& n) {
  constexpr std::string_view kPackets = "node_nfs_packets_total";
  constexpr std::string_view kHelp = "Total NFSd network packets (sent+received) by protocol type.";
  AddCounter(families, kPackets, kHelp, {{"protocol", "udp"}}, n[1]);
  AddCounter(families, kPackets, kHelp, {{"protocol", "tcp"}}, n[2]);
  AddCounter(families, "node_nfs_connections_total", "Total number of NFSd TCP connections.", {},
             n[3]);
}

void AddRpc(FamilySet& families, const RpcNumbers& n) {
  AddCounter(families, "node_nfs_rpcs_total", "Total number of RPCs performed.", {}, n[0]);
  AddCounter(families, "node_nfs_rpc_retransmissions_total",
             "Number of RPC transmissions performed.", {}, n[1]);
  AddCounter(families, "node_nfs_rpc_authentication_refreshes_total",
             "Number of RPC authentication refreshes performed.", {}, n[2]);
}

void AddLine(FamilySet& families, std::string_view word, const RpcNumbers& numbers) {
  RpcProcedures procedures{"node_nfs_requests_total", "Number of NFS procedures invoked.", "", {}};
  if (word == "net" && numbers.size() == 4) {
    AddNetwork(families, numbers);
  } else if (word == "rpc" && numbers.size() == 3) {
    AddRpc(families, numbers);
  } else if (word == "proc2") {
    procedures.proto = "2";
    procedures.methods = kNfs2Methods;
    AddProcedures(families, procedures, numbers);
  } else if (word == "proc3") {
    procedures.proto = "3";
    procedures.methods = kNfs3Methods;
    AddProcedures(families, procedures, numbers);
  } else if (word == "proc4") {
    procedures.proto = "4";
    procedures.methods = kMethods4;
    procedures.missing_as_zero = true;
    AddProcedures(families, procedures, numbers);
  }
}

}  // namespace

CollectorPtr MakeNfsCollector(const Paths& paths) {
  std::string path = paths.Proc("net/rpc/nfs");
  return MakeFunctionCollector("nfs", [path](CollectContext& context) -> Status {
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
