#include "exporter/ingest/otlp_buckets.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/number.h"

namespace skep::ingest {
namespace {

constexpr std::size_t kMaxBounds = 128;

constexpr double kTokens[] = {1,     4,     16,     64,      256,     1024,     4096,
                              16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};
constexpr double kRequestSeconds[] = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                      1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
constexpr double kTokenSeconds[] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,
                                    0.3,  0.4,   0.5,  0.75,  1,   2.5};
constexpr double kFirstTokenSeconds[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                         0.25,  0.5,   0.75, 1,    2.5,  5,    7.5,  10};
constexpr double kAgentSeconds[] = {0.1,  0.2,  0.4,  0.8,   1.6,   3.2,  6.4,
                                    12.8, 25.6, 51.2, 102.4, 204.8, 409.6};
constexpr double kWorkflowSeconds[] = {1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200};
constexpr double kCalls[] = {1, 2, 4, 8, 16, 32, 64, 128};
constexpr double kMcpSeconds[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300};

struct Recommendation {
  std::string_view metric;
  std::span<const double> bounds;
};

constexpr Recommendation kRecommendations[] = {
    {"gen_ai.client.token.usage", kTokens},
    {"gen_ai.client.operation.duration", kRequestSeconds},
    {"gen_ai.client.operation.time_to_first_chunk", kRequestSeconds},
    {"gen_ai.client.operation.time_per_output_chunk", kRequestSeconds},
    {"gen_ai.server.request.duration", kRequestSeconds},
    {"gen_ai.server.time_per_output_token", kTokenSeconds},
    {"gen_ai.server.time_to_first_token", kFirstTokenSeconds},
    {"gen_ai.invoke_agent.duration", kAgentSeconds},
    {"gen_ai.execute_tool.duration", kRequestSeconds},
    {"gen_ai.workflow.duration", kWorkflowSeconds},
    {"gen_ai.invoke_workflow.duration", kWorkflowSeconds},
    {"gen_ai.invoke_agent.inference_calls", kCalls},
    {"gen_ai.invoke_agent.tool_calls", kCalls},
    {"mcp.client.operation.duration", kMcpSeconds},
    {"mcp.server.operation.duration", kMcpSeconds},
    {"mcp.client.session.duration", kMcpSeconds},
    {"mcp.server.session.duration", kMcpSeconds},
};

constexpr std::uint64_t kMaxCount = std::numeric_limits<std::uint64_t>::max();

// False where the sum would wrap.
bool AddTo(std::uint64_t& sum, std::uint64_t count) {
  if (count > kMaxCount - sum) return false;
  sum += count;
  return true;
}

constexpr const char* kWrongCount = "count is not the sum of the bucket counts";

// Puts counts by bucket into buckets by upper bounds.
class Distributor {
 public:
  Distributor(std::span<const double> bounds, std::vector<std::uint64_t>& counts)
      : bounds_(bounds), counts_(counts) {
    counts_.assign(bounds.size() + 1, 0);
  }

  // Values that are at most `upper`; false where the total would wrap. A bound that differs by
  // rounding only is the same one.
  bool Add(double upper, std::uint64_t count) {
    const double lowest = upper - std::fabs(upper) * 1e-12;
    const auto place = std::lower_bound(bounds_.begin(), bounds_.end(), lowest);
    counts_[static_cast<std::size_t>(place - bounds_.begin())] += count;
    return AddTo(total_, count);
  }
  std::uint64_t total() const { return total_; }

 private:
  std::span<const double> bounds_;
  std::vector<std::uint64_t>& counts_;
  std::uint64_t total_ = 0;
};

}  // namespace

std::span<const double> RecommendedBounds(std::string_view metric_name) {
  const auto* const found =
      std::find_if(std::begin(kRecommendations), std::end(kRecommendations),
                   [&](const Recommendation& one) { return one.metric == metric_name; });
  return found == std::end(kRecommendations) ? std::span<const double>() : found->bounds;
}

std::span<const double> PowersOfFour() { return kTokens; }

bool AreGoodBounds(std::span<const double> bounds) {
  if (bounds.size() > kMaxBounds) return false;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) return false;
  }
  return true;
}

bool IsSubset(std::span<const double> some, std::span<const double> all) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

std::string CumulateClassic(const HistogramData& data, std::span<const double> bounds,
                            std::vector<std::uint64_t>& cumulated) {
  if (data.counts.size() != data.bounds.size() + 1) {
    return data.counts.empty() ? "the histogram has no buckets"
                               : "bucket counts are not one more than bounds";
  }
  if (!AreGoodBounds(data.bounds)) return "bounds do not rise or are more than 128";
  cumulated.clear();
  std::uint64_t sum = 0;
  std::size_t next = 0;
  for (const double bound : bounds) {
    while (next < data.bounds.size() && data.bounds[next] <= bound) {
      if (!AddTo(sum, data.counts[next++])) return kWrongCount;
    }
    if (next == 0 || data.bounds[next - 1] != bound) {
      return "its buckets cannot be joined to those of the metric, which has the bound " +
             FormatDouble(bound);
    }
    cumulated.push_back(sum);
  }
  for (; next < data.counts.size(); ++next) {
    if (!AddTo(sum, data.counts[next])) return kWrongCount;
  }
  if (sum != data.count) return kWrongCount;
  cumulated.push_back(sum);
  return "";
}

std::string CumulateExponential(const HistogramData& data, std::span<const double> bounds,
                                std::vector<std::uint64_t>& cumulated) {
  if (data.scale < -20 || data.scale > 20) return "scale is beyond -20 to 20";
  // The upper bound of bucket i is base^(i + 1); 2^x is exact where x is whole.
  const auto power = [&](std::int64_t exponent) {
    return std::exp2(std::ldexp(static_cast<double>(exponent), -data.scale));
  };
  Distributor distributor(bounds, cumulated);
  bool fits = distributor.Add(0, data.zero_count);
  for (std::size_t i = 0; i < data.positive.size(); ++i) {
    if (data.positive[i] == 0) continue;
    const auto index = static_cast<std::int64_t>(i) + data.positive_offset;
    fits = distributor.Add(power(index + 1), data.positive[i]) && fits;
  }
  for (std::size_t i = 0; i < data.negative.size(); ++i) {
    if (data.negative[i] == 0) continue;
    const auto index = static_cast<std::int64_t>(i) + data.negative_offset;
    fits = distributor.Add(-power(index), data.negative[i]) && fits;
  }
  if (!fits || distributor.total() != data.count) return kWrongCount;
  for (std::size_t i = 1; i < cumulated.size(); ++i) cumulated[i] += cumulated[i - 1];
  return "";
}

void AddIncrease(std::vector<std::uint64_t>& before, std::span<const std::uint64_t> now,
                 std::vector<std::uint64_t>& added) {
  const std::size_t size = before.size();
  added.assign(size, 0);
  // How much each cumulated count may rise so that no bucket falls: at most as much as any above.
  std::uint64_t rise = kMaxCount;
  for (std::size_t i = size; i > 0; --i) {
    const std::uint64_t grown = now[i - 1] > before[i - 1] ? now[i - 1] - before[i - 1] : 0;
    rise = std::min(rise, grown);
    added[i - 1] = rise;
    before[i - 1] += rise;
  }
  for (std::size_t i = size; i > 1; --i) added[i - 1] -= added[i - 2];
}

}  // namespace skep::ingest
