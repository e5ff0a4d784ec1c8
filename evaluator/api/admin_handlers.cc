// Snapshots and deletions, under /api/v1/admin/tsdb.
#include <optional>
#include <string>

#include "common/base/quote.h"
#include "evaluator/api/api.h"
#include "evaluator/api/envelope.h"
#include "evaluator/api/parameters.h"

namespace skep::api {
namespace {

net::HttpResponse Disabled() {
  return ErrorResponse(ErrorType::kUnavailable, "admin APIs disabled");
}

net::HttpResponse Failed(const Error& error) {
  return ErrorResponse(ErrorType::kInternal, error.message());
}

net::HttpResponse Done() { return net::HttpResponse::Text(204, ""); }

// As Go reads it; Prometheus's error names Go's function.
std::optional<bool> ReadBool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

}  // namespace

net::HttpResponse Api::Snapshot(const net::HttpRequest& request) const {
  if (sources_.admin == nullptr) return Disabled();
  const std::string_view text = request.Parameter("skip_head").value_or("");
  const std::optional<bool> skip_head = text.empty() ? false : ReadBool(text);
  if (!skip_head) {
    return BadParameter("skip_head", "unable to parse boolean: strconv.ParseBool: parsing " +
                                         Quote(text) + ": invalid syntax");
  }
  const Result<std::string> name = sources_.admin->Snapshot(
      *skip_head ? StoreAdmin::Copied::kBlocksOnly : StoreAdmin::Copied::kAll);
  if (!name) return Failed(name.error().Wrap("create snapshot"));
  return Success(
      [&name](json::JsonWriter& json) { json.BeginObject().Field("name", *name).EndObject(); });
}

net::HttpResponse Api::DeleteSeries(const net::HttpRequest& request) const {
  if (sources_.admin == nullptr) return Disabled();
  if (request.ParameterValues("match[]").empty()) {
    return ErrorResponse(ErrorType::kBadData, "no match[] parameter provided");
  }
  Parameters parameters(request);
  const storage::TimeRange range{parameters.Time("start", kMinTimestamp),
                                 parameters.Time("end", kMaxTimestamp)};
  const std::vector<std::vector<Matcher>> selectors = parameters.Selectors();
  if (parameters.failed()) return parameters.refusal();
  if (range.max < range.min) return Done();  // nothing lies there
  for (const std::vector<Matcher>& matchers : selectors) {
    const Status deleted = sources_.admin->Delete(matchers, range);
    if (!deleted) return Failed(deleted.error());
  }
  return Done();
}

net::HttpResponse Api::CleanTombstones(const net::HttpRequest&) const {
  if (sources_.admin == nullptr) return Disabled();
  const Status cleaned = sources_.admin->CleanTombstones();
  return cleaned ? Done() : Failed(cleaned.error());
}

}  // namespace skep::api
