// Samples that others push: two endpoints, both off until the program's flags switch them on.
#pragma once

#include <array>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/instrument/instruments.h"
#include "common/net/http_message.h"
#include "evaluator/intake/batch.h"
#include "evaluator/intake/series_refs.h"
#include "evaluator/storage/appender.h"

namespace skep::intake {

// Thread-safe. The samples of a remote write become visible together, those of a page of history
// some thousand at a time. Those that cannot be taken cost themselves alone: the answer is then
// 400, which no sender repeats, and says how many and why.
class Receiver {
 public:
  // All outlive the receiver. `commits` is told of each request; null: nobody.
  Receiver(storage::Appendable& store, const Clock& clock, instrument::Instruments& instruments,
           const storage::CommitFeed* commits = nullptr);

  // POST /api/v1/write: remote write 1.0. 204; 400; 413 beyond 64 MB unpacked; 415 for version 2;
  // 500 where the store fails, so that the sender tries again. Samples more than ten minutes ahead
  // are refused.
  net::HttpResponse Write(const net::HttpRequest& request);

  // POST /api/v1/import/prometheus: a page of samples with time stamps, in the text format
  // (milliseconds) or, by its Content-Type, OpenMetrics (seconds). Parameters: `timestamp` (ms) for
  // lines without one, otherwise now; `extra_label` (name=value), repeatable. 204; 400; 500: what
  // had come before may be taken, and does no harm when it comes again.
  net::HttpResponse Import(const net::HttpRequest& request);

  // Of the heap: what is remembered of the senders' series.
  std::size_t cache_bytes() const { return refs_.heap_bytes(); }

 private:
  struct Counters {
    instrument::Counter accepted;
    std::array<instrument::Counter, kRefusals> refused;
  };

  static Counters MakeCounters(instrument::Instruments& instruments, std::string_view protocol);
  // `committed`: what came of it.
  static net::HttpResponse Answer(const Batch& batch, const Status& committed,
                                  const Counters& counters);

  storage::Appendable& store_;
  const Clock& clock_;
  const storage::CommitFeed* commits_;
  SeriesRefs refs_;
  Counters write_counters_;
  Counters import_counters_;
};

}  // namespace skep::intake
