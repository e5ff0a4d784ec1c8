#include "evaluator/intake/receiver.h"

#include <charconv>
#include <optional>

#include "common/base/ascii.h"
#include "common/base/quote.h"
#include "common/exposition/format.h"
#include "common/protobuf/snappy.h"
#include "evaluator/intake/import.h"
#include "evaluator/intake/write_request.h"

namespace skep::intake {
namespace {

constexpr std::size_t kMaxMessageBytes = 64UL << 20;
constexpr Duration kMaxAhead = std::chrono::minutes(10);

net::HttpResponse Plain(int status, std::string text) {
  return net::HttpResponse::Text(status, std::move(text) + "\n");
}

// Empty where the request is one of remote write 1.0.
std::optional<net::HttpResponse> RefuseWrite(const net::HttpRequest& request) {
  const std::string_view type = request.Header("Content-Type");
  const std::string_view media = Trim(type.substr(0, type.find(';')));
  if (!media.empty() && media != "application/x-protobuf") {
    return Plain(415, "Content-Type: expected application/x-protobuf, got " + Quote(type));
  }
  if (type.find("io.prometheus.write.v2") != std::string_view::npos) {
    return Plain(415, "remote write 2.0 is not supported: send prometheus.WriteRequest");
  }
  const std::string_view encoding = request.Header("Content-Encoding");
  if (!encoding.empty() && encoding != "snappy") {
    return Plain(415, "Content-Encoding: expected snappy, got " + Quote(encoding));
  }
  return std::nullopt;
}

Status ReadImportOptions(const net::HttpRequest& request, ImportOptions& options) {
  options.format = exposition::FormatOfContentType(request.Header("Content-Type"))
                       .value_or(exposition::Format::kText);
  const std::string_view time = request.Parameter("timestamp").value_or("");
  if (!time.empty()) {
    std::int64_t millis = 0;
    const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), millis);
    if (error != std::errc() || end != time.data() + time.size()) {
      return Invalid("parameter timestamp: expected milliseconds, got " + Quote(time));
    }
    options.time = FromMillis(millis);
  }
  for (const std::string_view extra : request.ParameterValues("extra_label")) {
    const std::size_t equals = extra.find('=');
    if (equals == std::string_view::npos || !IsUtf8Name(extra.substr(0, equals))) {
      return Invalid("parameter extra_label: expected name=value, got " + Quote(extra));
    }
    options.extra_labels.push_back({extra.substr(0, equals), extra.substr(equals + 1)});
  }
  return {};
}

}  // namespace

Receiver::Receiver(storage::Appendable& store, const Clock& clock,
                   instrument::Instruments& instruments, const storage::CommitFeed* commits)
    : store_(store),
      clock_(clock),
      commits_(commits),
      write_counters_(MakeCounters(instruments, "remote_write")),
      import_counters_(MakeCounters(instruments, "import")) {}

Receiver::Counters Receiver::MakeCounters(instrument::Instruments& instruments,
                                          std::string_view protocol) {
  Counters counters;
  counters.accepted = instruments.AddCounter("skep_evaluator_pushed_samples_total",
                                             "Samples that were pushed to us and taken.",
                                             {{"protocol", std::string(protocol)}});
  for (std::size_t i = 0; i < kRefusals; ++i) {
    counters.refused[i] = instruments.AddCounter(
        "skep_evaluator_pushed_samples_refused_total", "Samples that were pushed and not taken.",
        {{"protocol", std::string(protocol)},
         {"reason", std::string(RefusalName(static_cast<Refusal>(i)))}});
  }
  return counters;
}

net::HttpResponse Receiver::Answer(const Batch& batch, const Status& committed,
                                   const Counters& counters) {
  for (std::size_t i = 0; i < kRefusals; ++i) {
    const std::size_t count = batch.refused(static_cast<Refusal>(i));
    if (count != 0) counters.refused[i].Increment(static_cast<double>(count));
  }
  counters.accepted.Increment(static_cast<double>(batch.committed()));
  if (!committed) {
    const std::size_t taken = batch.committed();
    return Plain(
        500, (taken == 0 ? std::string("nothing") : "only " + std::to_string(taken) + " samples") +
                 " taken: " + committed.error().message());
  }
  if (batch.refused() != 0) return Plain(400, batch.Complaint());
  return net::HttpResponse::Text(204, "");
}

net::HttpResponse Receiver::Write(const net::HttpRequest& request) {
  if (std::optional<net::HttpResponse> refusal = RefuseWrite(request)) return *std::move(refusal);
  if (protobuf::UnpackedSnappyBytes(request.body).value_or(0) > kMaxMessageBytes) {
    return Plain(413, "more than " + std::to_string(kMaxMessageBytes) + " bytes when unpacked");
  }
  const Result<std::string> message = protobuf::UnpackSnappy(request.body);
  if (!message) return Plain(400, message.error().message());
  const Timestamp now = clock_.Now();
  Batch batch(store_, now + kMaxAhead, CommitNote(commits_, now));
  refs_.Turn(clock_.SteadyNow());
  const Status read = ReadWriteRequest(*message, refs_, batch);
  if (!read) return Plain(400, "nothing taken: " + read.error().message());
  const Status committed = batch.Commit();
  return Answer(batch, committed, write_counters_);
}

net::HttpResponse Receiver::Import(const net::HttpRequest& request) {
  ImportOptions options;
  options.time = clock_.Now();
  const Status read = ReadImportOptions(request, options);
  if (!read) return Plain(400, read.error().message());
  Batch batch(store_, kMaxTimestamp, CommitNote(commits_, clock_.Now()));
  const Status committed = ImportPage(request.body, options, batch);
  return Answer(batch, committed, import_counters_);
}

}  // namespace skep::intake
