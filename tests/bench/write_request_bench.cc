// What remote write costs once a message is unpacked: CPU per sample of messages with one sample
// for each of 2,000 series, as Prometheus sends them. The first round reads all labels; the others
// know the series by their bytes. A plain path beside them forgets what was known.
//
//   write_request_bench [SERIES [ROUNDS]]     default 20,000 series, 60 rounds at 5 s
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/protobuf/message.h"
#include "evaluator/intake/write_request.h"
#include "evaluator/tsdb/head.h"
#include "tests/bench/cpu_seconds.h"

namespace {

using skep::bench::CpuSeconds;

using namespace skep;  // NOLINT: a small program of its own

constexpr int kBatch = 2000;

std::string LabelsOf(int i) {
  std::string out;
  const auto label = [&out](std::string_view name, std::string_view value) {
    std::string pair;
    protobuf::MessageWriter(pair).Bytes(1, name).Bytes(2, value);
    protobuf::MessageWriter(out).Bytes(1, pair);
  };
  label("__name__", "http_request_duration_seconds_bucket");
  label("cluster", "eu-west-1");
  label("handler", "/api/v1/items/" + std::to_string(i % 10));
  label("instance", "10.0." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256));
  label("job", "service-" + std::to_string(i / 1000));
  label("le", std::to_string(i));
  return out;
}

// The messages of one round.
std::vector<std::string> MakeRound(const std::vector<std::string>& labels, int round) {
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i % kBatch == 0) messages.emplace_back();
    std::string point, series = labels[i];
    const double value = i % 2 == 0 ? std::floor(static_cast<double>(i) * round) : round;
    protobuf::MessageWriter(point).Double(1, value).Varint(
        2, static_cast<std::uint64_t>(round) * 5000);
    protobuf::MessageWriter(series).Bytes(2, point);
    protobuf::MessageWriter(messages.back()).Bytes(1, series);
  }
  return messages;
}

// CPU seconds.
double Take(const std::vector<std::string>& messages, intake::SeriesRefs& refs, tsdb::Head& head) {
  const double before = CpuSeconds();
  for (const std::string& message : messages) {
    intake::Batch batch(head, kMaxTimestamp);
    if (!intake::ReadWriteRequest(message, refs, batch) || !batch.Commit()) std::abort();
  }
  return CpuSeconds() - before;
}

}  // namespace

int main(int argc, char** argv) {
  const int series = argc > 1 ? std::atoi(argv[1]) : 20'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 60;
  if (series <= 0 || rounds <= 1) return 1;
  std::vector<std::string> labels;
  for (int i = 0; i < series; ++i) labels.push_back(LabelsOf(i));
  tsdb::Head head{tsdb::HeadOptions{}};
  tsdb::Head plain_head{tsdb::HeadOptions{}};
  intake::SeriesRefs refs;
  double first = 0, known = 0, plain = 0;
  for (int round = 1; round <= rounds; ++round) {
    const std::vector<std::string> messages = MakeRound(labels, round);
    (round == 1 ? first : known) += Take(messages, refs, head);
    intake::SeriesRefs none;
    if (round > 1) plain += Take(messages, none, plain_head);
  }
  const double later = static_cast<double>(series) * (rounds - 1);
  std::printf("%d series, %d rounds: first %.0f ns a sample, known %.0f, labels read %.0f\n",
              series, rounds, first / series * 1e9, known / later * 1e9, plain / later * 1e9);
  return 0;
}
