// Reads what the machine's swarms keep on disk, in /proc and behind MCP servers, in a rhythm of its
// own, so that a scrape never waits for a disk and what happens between two scrapes is seen.
#pragma once

#include <memory>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "exporter/collectors/proc_files.h"
#include "exporter/registry/collector.h"
#include "exporter/state/store.h"
#include "exporter/stores/options.h"
#include "exporter/stores/positions.h"
#include "exporter/swarm/board.h"
#include "exporter/swarm/flow.h"

namespace skep::stores {

// What it works with. All of it outlives the Stores.
struct StoresSetup {
  swarm::Board& board;
  const swarm::Flow& flow;
  state::Store& store;
  Positions& positions;  // a Section of the store
  const exporter::Paths& paths;
  const Clock& clock;
  Logger log;
};

// Thread-safe.
//
//   Positions positions;                                  // a Section, before the store is opened
//   auto store = state::Store::Open(options, {&history, &pushed, &positions, …}, clock, log);
//   auto stores = Stores::Create(ReadOptions(node), setup);
//   registry.Add(board.MakeCollector());                  // what the stores say
//   registry.Add((*stores)->MakeCollector());             // "swarm_stores": what they say beyond
//   it
//   (*stores)->Start();
class Stores {
 public:
  // Defines the counters. kInvalid, kUnavailable as Store::Define. The board's options are the
  // caller's to set, from options.board.
  static Result<std::unique_ptr<Stores>> Create(Options options, const StoresSetup& setup);
  ~Stores();  // stops

  // One thread for files, databases and processes, one for each MCP server; again after Stop.
  void Start();
  // Ends them; a file system that does not answer holds it up.
  void Stop();

  // From the next round on; workspaces that are no more leave the page. An MCP server whose options
  // cannot be used is logged and shown as down.
  void Apply(Options options);

  // One round of all files, databases and processes: what the thread does at each interval. Not
  // beside a started thread.
  void Poll();
  // Asks each MCP server once. Not beside started threads.
  void AskMcpServers();

  // component_*, swarm_memory_rows, swarm_autopilot_*, …: what the board does not know. Must not
  // outlive the Stores.
  std::unique_ptr<exporter::Collector> MakeCollector();

 private:
  struct Impl;
  explicit Stores(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::stores
