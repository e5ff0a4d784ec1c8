#include "evaluator/cmd/tool_tsdb.h"

#include <chrono>
#include <cmath>
#include <iomanip>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

#include "common/base/time.h"
#include "common/exposition/format.h"
#include "evaluator/promql/parser.h"
#include "evaluator/transfer/export.h"
#include "evaluator/transfer/import.h"
#include "evaluator/transfer/store_reader.h"

namespace skep::tool {
namespace {

using exposition::Format;
using transfer::ExportOptions;
using transfer::ExportSummary;
using transfer::ImportOptions;
using transfer::ImportProgress;
using transfer::ImportSummary;

// Text without milliseconds and OpenMetrics with them both land near 1970.
constexpr Timestamp kYear1980 = FromMillis(315'532'800'000);

// One line that is written over and over, at most a few times a second.
class ProgressLine {
 public:
  explicit ProgressLine(std::ostream& out) : out_(out) {}

  void Show(const ImportProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ < std::chrono::milliseconds(300)) return;
    shown_ = now;
    std::string line = progress.input + ": " +
                       std::to_string(static_cast<int>(std::floor(100 * progress.done))) + " %, " +
                       std::to_string(progress.samples) + " samples in all";
    const std::size_t size = line.size();
    if (size < width_) line.append(width_ - size, ' ');
    width_ = size;
    out_ << '\r' << line << std::flush;
  }
  void Clear() {
    if (width_ > 0) out_ << '\r' << std::string(width_, ' ') << '\r' << std::flush;
    width_ = 0;
  }

 private:
  std::ostream& out_;
  std::chrono::steady_clock::time_point shown_;
  std::size_t width_ = 0;
};

std::optional<Format> FormatOf(const std::string& name) {
  if (name == "openmetrics") return Format::kOpenMetrics;
  if (name == "text") return Format::kText;
  return std::nullopt;
}

void PrintSummary(ToolIo& io, const ImportSummary& summary) {
  const transfer::ImportedBlocks& in = summary.imported;
  io.out << "imported " << in.samples << " samples of " << in.series << " series";
  if (in.samples > 0) {
    io.out << ", from " << FormatTimestamp(in.min_time) << " to " << FormatTimestamp(in.max_time)
           << ", in " << in.blocks << " blocks of " << in.bytes << " bytes";
  }
  io.out << '\n';
  if (summary.samples > in.samples) {
    io.err << "skep: " << summary.samples - in.samples
           << " samples have a time of which their series has another: the last one that was read "
              "counts\n";
  }
  if (summary.future > 0) {
    io.err << "skep: " << summary.future
           << " samples have times that are yet to come: retention by age removes them no sooner "
              "than they are past\n";
  }
  if (in.samples > 0 && in.max_time < kYear1980) {
    io.err << "skep: all samples are from before 1980: Prometheus's text has time stamps in "
              "milliseconds, OpenMetrics (which ends with # EOF) in seconds\n";
  }
}

Result<Timestamp> ReadTime(std::string_view flag, const std::string& text, Timestamp absent) {
  if (text.empty()) return absent;
  Result<Timestamp> time = ParseTimestamp(text);
  if (!time) return time.error().Wrap(flag);
  return time;
}

Result<ExportOptions> ReadExportOptions(const TsdbOptions& options) {
  ExportOptions out;
  for (const std::string& text : options.selectors) {
    Result<std::vector<Matcher>> matchers = promql::ParseMetricSelector(text);
    if (!matchers) return matchers.error().Wrap("--match");
    out.selectors.push_back(*std::move(matchers));
  }
  const Result<Timestamp> min = ReadTime("--min-time", options.min_time, kMinTimestamp);
  if (!min) return min.error();
  const Result<Timestamp> max = ReadTime("--max-time", options.max_time, kMaxTimestamp);
  if (!max) return max.error();
  if (*max < *min) return Invalid("--max-time: is before --min-time");
  out.range = {*min, *max};
  out.format = FormatOf(options.output_format).value_or(Format::kOpenMetrics);
  return out;
}

void TellLosses(ToolIo& io, const ExportSummary& summary) {
  if (summary.histograms > 0) {
    io.err << "skep: " << summary.histograms
           << " native histograms were left out: text has no form for them\n";
  }
  if (summary.stale_markers > 0) {
    io.err << "skep: " << summary.stale_markers
           << " markers that a series ended were left out: text has no form for them\n";
  }
}

}  // namespace

ExitCode ImportHistory(ToolIo& io, const TsdbOptions& options) {
  ProgressLine line(io.err);
  bool damaged = false;
  ImportOptions wanted;
  wanted.format = FormatOf(options.input_format);
  wanted.now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  if (options.keep_going) wanted.on_damage = transfer::OnDamage::kSkip;
  if (!options.quiet) {
    wanted.progress = [&line](const ImportProgress& progress) { line.Show(progress); };
  }
  wanted.remark = [&](const std::string& message) {
    line.Clear();
    io.err << "skep: " << message << '\n';
  };
  wanted.stopped_by_damage = [&damaged] { damaged = true; };
  const Result<ImportSummary> summary = transfer::Import(options.store, options.inputs, wanted);
  line.Clear();
  if (!summary) {
    Refuse(io, summary.error().message());
    io.err << "skep: nothing was imported"
           << (damaged ? "; --keep-going leaves out what cannot be read\n" : "\n");
    return ExitCode::kRefused;
  }
  PrintSummary(io, *summary);
  if (summary->damaged == 0) return ExitCode::kGood;
  return Refuse(io, std::to_string(summary->damaged) +
                        " lines, series, chunks or ends of files were left out");
}

ExitCode ExportHistory(ToolIo& io, const TsdbOptions& options) {
  Result<ExportOptions> what = ReadExportOptions(options);
  if (!what) return Refuse(io, what.error().message());
  bool complete = true;
  const auto remark = [&](const std::string& message) {
    io.err << "skep: " << message << '\n';
    complete = false;
  };
  what->on_damage = remark;
  const auto store = transfer::StoreReader::Open(options.store, remark);
  if (!store) return Refuse(io, store.error().message());
  const Result<ExportSummary> summary =
      transfer::Export(**store, *what, [&io](std::string_view piece) {
        io.out << piece;
        return io.out.good();
      });
  if (!summary) return Refuse(io, summary.error().message());
  TellLosses(io, *summary);
  return complete ? ExitCode::kGood : ExitCode::kRefused;
}

}  // namespace skep::tool
