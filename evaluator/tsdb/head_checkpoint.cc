#include "evaluator/tsdb/head_checkpoint.h"

#include <mutex>
#include <shared_mutex>

#include "evaluator/tsdb/head_restore.h"
#include "evaluator/tsdb/series_codec.h"

namespace skep::tsdb {
namespace {

// A record of series, about; and of samples, if the next series is not larger alone.
constexpr std::size_t kRecordBytes = std::size_t{256} << 10U;

Status WriteSeries(const HeadState& state, const SeriesList& list, CheckpointWriter& writer) {
  SeriesEncoder encoder;
  for (const Series* series : list.series) {
    encoder.Add(series->number(), state.CopyLabels(*series));
    if (encoder.bytes().size() < kRecordBytes) continue;
    RETURN_IF_ERROR(writer.Append(RecordKind::kSeries, encoder.bytes()));
    encoder.Clear();
  }
  return encoder.empty() ? Status() : writer.Append(RecordKind::kSeries, encoder.bytes());
}

Status WriteSamples(HeadState& state, const SeriesList& list, CheckpointWriter& writer) {
  ByteWriter run;
  for (const Series* series : list.series) {
    {
      const std::lock_guard lock(state.stripes.Of(series->number()));
      if (series->empty()) continue;
      run.Varint(series->number());
      series->Save(run);
    }
    if (run.size() < kRecordBytes) continue;
    RETURN_IF_ERROR(writer.Append(kHeadSamples, run.view()));
    run.Clear();
  }
  return run.empty() ? Status() : writer.Append(kHeadSamples, run.view());
}

}  // namespace

Status WriteHead(HeadState& state, CheckpointWriter& writer) {
  SeriesList list;
  {
    const std::shared_lock lock(state.index_mutex);
    std::vector<Series*> all;
    all.reserve(state.index.all().size());
    for (const std::uint32_t number : state.index.all()) all.push_back(state.pages.Get(number));
    list.Take(std::move(all));
  }
  RETURN_IF_ERROR(WriteSeries(state, list, writer));
  return WriteSamples(state, list, writer);
}

}  // namespace skep::tsdb
