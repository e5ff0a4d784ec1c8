#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "exporter/swarm/board_gauges.h"
#include "exporter/swarm/words.h"

namespace skep::swarm {
namespace {

// Who waits for whom. Ids of agents and tasks are one name space: sources make them unlike.
class WaitsFor {
 public:
  explicit WaitsFor(const Snapshot& snapshot) {
    if (snapshot.tasks) {
      for (const Task& task : *snapshot.tasks) AddTask(task);
    }
    if (snapshot.agents) {
      for (const Agent& agent : *snapshot.agents) {
        if (agent.waits_for.empty() || IsGone(AgentStatusWord(agent.status))) continue;
        for (const std::string& other : agent.waits_for) AddEdge(agent.id, other);
      }
    }
    // Nobody waits for what has ended.
    for (const std::size_t done : finished_) edges_[done].clear();
  }

  std::size_t nodes() const { return edges_.size(); }
  const std::vector<std::size_t>& edges(std::size_t node) const { return edges_[node]; }

 private:
  void AddTask(const Task& task) {
    if (IsFinished(TaskStatusWord(task.status))) {
      finished_.push_back(Node(task.id));
      return;
    }
    for (const std::string& other : task.depends_on) AddEdge(task.id, other);
    for (const std::string& agent : task.assigned_to) AddEdge(task.id, agent);
  }

  void AddEdge(std::string_view from, std::string_view to) {
    const std::size_t source = Node(from);
    const std::size_t target = Node(to);
    edges_[source].push_back(target);
  }

  std::size_t Node(std::string_view id) {
    const auto [at, is_new] = nodes_.try_emplace(id, edges_.size());
    if (is_new) edges_.emplace_back();
    return at->second;
  }

  std::unordered_map<std::string_view, std::size_t> nodes_;
  std::vector<std::vector<std::size_t>> edges_;
  std::vector<std::size_t> finished_;
};

// Tarjan's strongly connected components, without recursion: chains may be long.
class CircleCounter {
 public:
  explicit CircleCounter(const WaitsFor& graph)
      : graph_(graph), order_(graph.nodes(), 0), low_(graph.nodes(), 0), on_(graph.nodes(), 0) {}

  std::size_t Count() {
    for (std::size_t node = 0; node < graph_.nodes(); ++node) {
      if (order_[node] == 0) Visit(node);
    }
    return circles_;
  }

 private:
  struct Step {
    std::size_t node;
    std::size_t next_edge;
  };

  void Enter(std::size_t node) {
    order_[node] = low_[node] = ++counter_;
    on_[node] = 1;
    open_.push_back(node);
    path_.push_back({node, 0});
  }

  void Visit(std::size_t root) {
    Enter(root);
    while (!path_.empty()) {
      Step& step = path_.back();
      const std::size_t node = step.node;
      if (step.next_edge == graph_.edges(node).size()) {
        Leave(node);
        continue;
      }
      const std::size_t target = graph_.edges(node)[step.next_edge++];
      if (order_[target] == 0) {
        Enter(target);
      } else if (on_[target] != 0) {
        low_[node] = std::min(low_[node], order_[target]);
      }
    }
  }

  void Leave(std::size_t node) {
    path_.pop_back();
    if (!path_.empty()) {
      low_[path_.back().node] = std::min(low_[path_.back().node], low_[node]);
    }
    if (low_[node] != order_[node]) return;
    std::size_t members = 0;
    for (bool is_root = false; !is_root; ++members) {
      is_root = open_.back() == node;
      on_[open_.back()] = 0;
      open_.pop_back();
    }
    if (members > 1 || WaitsForItself(node)) ++circles_;
  }

  bool WaitsForItself(std::size_t node) const {
    const std::vector<std::size_t>& edges = graph_.edges(node);
    return std::find(edges.begin(), edges.end(), node) != edges.end();
  }

  const WaitsFor& graph_;
  std::vector<std::size_t> order_;  // 0: not visited
  std::vector<std::size_t> low_;
  std::vector<std::uint8_t> on_;  // open_ holds it
  std::vector<std::size_t> open_;
  std::vector<Step> path_;
  std::size_t counter_ = 0;
  std::size_t circles_ = 0;
};

}  // namespace

std::size_t CountDeadlocks(const Snapshot& snapshot) {
  const WaitsFor graph(snapshot);
  return CircleCounter(graph).Count();
}

}  // namespace skep::swarm
