// Series, label names and label values.
#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "evaluator/api/api.h"
#include "evaluator/api/encode.h"
#include "evaluator/api/envelope.h"
#include "evaluator/api/parameters.h"
#include "evaluator/api/series_merge.h"

namespace skep::api {
namespace {

constexpr std::size_t kPieceBytes = 256UL << 10;

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

// A list of label sets that is encoded as far as it is sent.
class SeriesText {
 public:
  SeriesText(SeriesMerge merge, std::size_t limit) : merge_(std::move(merge)), limit_(limit) {
    OpenEnvelope(json_);
    json_.BeginArray();
  }
  SeriesText(const SeriesText&) = delete;
  SeriesText& operator=(const SeriesText&) = delete;

  // The next piece, which replaces `piece`. False where it is the last one.
  bool Next(std::string& piece) {
    bool more = true;
    while (more && buffer_.size() < kPieceBytes) more = WriteOne();
    piece.clear();
    piece.swap(buffer_);
    return more;
  }

 private:
  bool WriteOne() {
    const Labels* const labels = merge_.Next();
    if (labels != nullptr && (limit_ == 0 || written_ < limit_)) {
      WriteLabels(json_, *labels);
      ++written_;
      return true;
    }
    json_.EndArray();
    Remarks remarks{merge_.Warnings(), {}};
    if (labels != nullptr) remarks.warnings.emplace_back(kTruncated);
    CloseEnvelope(json_, remarks);
    return false;
  }

  SeriesMerge merge_;
  std::size_t limit_;  // 0: none
  std::size_t written_ = 0;
  std::string buffer_;
  json::JsonWriter json_{buffer_};
};

// What fits into one piece is sent whole; more is made while it is sent.
net::HttpResponse SeriesResponse(SeriesMerge merge, std::size_t limit) {
  net::HttpResponse response = net::HttpResponse::Json(200, "");
  auto text = std::make_shared<SeriesText>(std::move(merge), limit);
  if (!text->Next(response.body)) return response;
  response.stream = [text, first = std::exchange(response.body, {})](
                        const std::function<bool(std::string_view)>& write) {
    if (!write(first)) return;
    std::string piece;
    for (bool more = true; more;) {
      more = text->Next(piece);
      if (!write(piece)) return;
    }
  };
  return response;
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
  SeriesMerge merge;
  for (const std::vector<Matcher>& matchers : selectors) {
    Result<std::unique_ptr<storage::SeriesSet>> set = (*querier)->Select(matchers, range);
    if (!set) return ExecutionError(set.error());
    merge.Add(*std::move(set));
  }
  return SeriesResponse(std::move(merge), limit);
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
