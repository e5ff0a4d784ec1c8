#include "evaluator/api/envelope.h"

namespace skep::api {
namespace {

struct TypeInfo {
  std::string_view name;
  int status;
};

TypeInfo Describe(ErrorType type) {
  switch (type) {
    case ErrorType::kBadData:
      return {"bad_data", 400};
    case ErrorType::kExecution:
      return {"execution", 422};
    case ErrorType::kTimeout:
      return {"timeout", 503};
    case ErrorType::kCanceled:
      return {"canceled", 499};
    case ErrorType::kInternal:
      return {"internal", 500};
    case ErrorType::kUnavailable:
      return {"unavailable", 503};
    case ErrorType::kNotFound:
      return {"not_found", 404};
  }
  return {"internal", 500};
}

void WriteList(json::JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  if (list.empty()) return;
  json.Key(key).BeginArray();
  for (const std::string& text : list) json.String(text);
  json.EndArray();
}

}  // namespace

net::HttpResponse ErrorResponse(ErrorType type, std::string_view message) {
  const TypeInfo info = Describe(type);
  std::string body;
  json::JsonWriter json(body);
  json.BeginObject()
      .Field("status", "error")
      .Field("errorType", info.name)
      .Field("error", message)
      .EndObject();
  return net::HttpResponse::Json(info.status, std::move(body));
}

net::HttpResponse BadParameter(std::string_view name, std::string_view message) {
  std::string text = "invalid parameter \"";
  text.append(name).append("\": ").append(message);
  return ErrorResponse(ErrorType::kBadData, text);
}

net::HttpResponse ExecutionError(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kTimeout:
      return ErrorResponse(ErrorType::kTimeout, error.message());
    case ErrorKind::kCanceled:
      return ErrorResponse(ErrorType::kCanceled, error.message());
    case ErrorKind::kUnavailable:
      return ErrorResponse(ErrorType::kUnavailable, error.message());
    case ErrorKind::kInternal:
    case ErrorKind::kIo:
    case ErrorKind::kCorrupt:
      return ErrorResponse(ErrorType::kInternal, error.message());
    case ErrorKind::kInvalid:
    case ErrorKind::kNotFound:
      break;
  }
  return ErrorResponse(ErrorType::kExecution, error.message());
}

void OpenEnvelope(json::JsonWriter& json) {
  json.BeginObject().Field("status", "success").Key("data");
}

void CloseEnvelope(json::JsonWriter& json, const Remarks& remarks) {
  WriteList(json, "warnings", remarks.warnings);
  WriteList(json, "infos", remarks.infos);
  json.EndObject();
}

net::HttpResponse Success(const std::function<void(json::JsonWriter&)>& write,
                          const Remarks& remarks) {
  std::string body;
  json::JsonWriter json(body);
  OpenEnvelope(json);
  write(json);
  CloseEnvelope(json, remarks);
  return net::HttpResponse::Json(200, std::move(body));
}

}  // namespace skep::api
