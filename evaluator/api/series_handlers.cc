// Series, label names and label values.
#include <algorithm>
#include <set>

#include "evaluator/api/api.h"
#include "evaluator/api/encode.h"
#include "evaluator/api/envelope.h"
#include "evaluator/api/parameters.h"

namespace skep::api {
namespace {

net::HttpResponse StringList(std::vector<std::string> list, std::size_t limit) {
  Remarks remarks;
  if (limit > 0 && list.size() > limit) {
    list.resize(limit);
    remarks.warnings.emplace_back(kTruncated);
  }
  return Success(
      [&list](json::JsonWriter& json) {
        json.BeginArray();
        for (const std::string& text : list) json.String(text);
        json.EndArray();
      },
      remarks);
}

// The sorted union of what `ask` answers for each selector; with no selector it is asked once,
// without matchers.
template <typename Ask>
Result<std::vector<std::string>> Union(const std::vector<std::vector<Matcher>>& selectors,
                                       const Ask& ask) {
  if (selectors.empty()) return ask({});
  std::set<std::string> all;
  for (const std::vector<Matcher>& matchers : selectors) {
    Result<std::vector<std::string>> part = ask(matchers);
    if (!part) return part.error();
    all.insert(std::make_move_iterator(part->begin()), std::make_move_iterator(part->end()));
  }
  return std::vector<std::string>(all.begin(), all.end());
}

}  // namespace

net::HttpResponse Api::Series(const net::HttpRequest& request) {
  Parameters parameters(request);
  const storage::TimeRange range = parameters.Range();
  const std::vector<std::vector<Matcher>> selectors = parameters.Selectors();
  const std::size_t limit = parameters.Limit();
  if (parameters.failed()) return parameters.refusal();
  if (selectors.empty()) return ErrorResponse(ErrorType::kBadData, "no match[] parameter provided");

  Result<std::unique_ptr<storage::Querier>> querier = sources_.storage.NewQuerier(range);
  if (!querier) return ExecutionError(querier.error());
  std::set<Labels> found;
  Remarks remarks;
  for (const std::vector<Matcher>& matchers : selectors) {
    Result<std::unique_ptr<storage::SeriesSet>> set = (*querier)->Select(matchers, range);
    if (!set) return ExecutionError(set.error());
    while ((*set)->Next()) found.insert((*set)->labels());
    for (std::string& warning : (*set)->Warnings()) remarks.warnings.push_back(std::move(warning));
  }
  if (limit > 0 && found.size() > limit) {
    found.erase(std::next(found.begin(), static_cast<std::ptrdiff_t>(limit)), found.end());
    remarks.warnings.emplace_back(kTruncated);
  }
  return Success(
      [&found](json::JsonWriter& json) {
        json.BeginArray();
        for (const Labels& labels : found) WriteLabels(json, labels);
        json.EndArray();
      },
      remarks);
}

net::HttpResponse Api::LabelNames(const net::HttpRequest& request) {
  Parameters parameters(request);
  const storage::TimeRange range = parameters.Range();
  const std::vector<std::vector<Matcher>> selectors = parameters.Selectors();
  const std::size_t limit = parameters.Limit();
  if (parameters.failed()) return parameters.refusal();

  Result<std::unique_ptr<storage::Querier>> querier = sources_.storage.NewQuerier(range);
  if (!querier) return ExecutionError(querier.error());
  Result<std::vector<std::string>> names =
      Union(selectors,
            [&](const std::vector<Matcher>& matchers) { return (*querier)->LabelNames(matchers); });
  if (!names) return ExecutionError(names.error());
  return StringList(*std::move(names), limit);
}

net::HttpResponse Api::LabelValues(const net::HttpRequest& request) {
  constexpr std::string_view kPrefix = "/api/v1/label/";
  constexpr std::string_view kSuffix = "/values";
  std::string_view middle = request.path;
  if (!middle.ends_with(kSuffix) || middle.size() <= kPrefix.size() + kSuffix.size()) {
    return net::HttpResponse::Text(404, "404 page not found\n");
  }
  middle.remove_prefix(kPrefix.size());
  middle.remove_suffix(kSuffix.size());
  const std::string name = UnescapeName(middle);
  if (!IsUtf8Name(name))
    return ErrorResponse(ErrorType::kBadData,
                         "invalid label name: \"" + std::string(middle) + "\"");

  Parameters parameters(request);
  const storage::TimeRange range = parameters.Range();
  const std::vector<std::vector<Matcher>> selectors = parameters.Selectors();
  const std::size_t limit = parameters.Limit();
  if (parameters.failed()) return parameters.refusal();

  Result<std::unique_ptr<storage::Querier>> querier = sources_.storage.NewQuerier(range);
  if (!querier) return ExecutionError(querier.error());
  Result<std::vector<std::string>> values =
      Union(selectors, [&](const std::vector<Matcher>& matchers) {
        return (*querier)->LabelValues(name, matchers);
      });
  if (!values) return ExecutionError(values.error());
  return StringList(*std::move(values), limit);
}

}  // namespace skep::api
