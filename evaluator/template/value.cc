#include "evaluator/template/value.h"

namespace skep::templates {

Value Value::Of(List items, const Methods* methods) {
  Value value;
  value.state_ = std::make_shared<const ListData>(ListData{std::move(items), methods});
  return value;
}

Value Value::Of(Entries entries, MapKind kind, const Methods* methods) {
  Value value;
  value.state_ = std::make_shared<const MapData>(MapData{std::move(entries), kind, methods});
  return value;
}

Value Value::Of(const Labels& labels, const Methods* methods) {
  Entries entries;
  for (const LabelView label : labels) {
    entries.emplace_hint(entries.end(), std::string(label.name), Value(label.value));
  }
  return Of(std::move(entries), MapKind::kStrings, methods);
}

const List& Value::AsList() const {
  return std::get<std::shared_ptr<const ListData>>(state_)->items;
}

const Entries& Value::AsMap() const {
  return std::get<std::shared_ptr<const MapData>>(state_)->entries;
}

MapKind Value::map_kind() const { return std::get<std::shared_ptr<const MapData>>(state_)->kind; }

const Methods* Value::methods() const {
  if (const auto* list = std::get_if<std::shared_ptr<const ListData>>(&state_)) {
    return (*list)->methods;
  }
  if (const auto* map = std::get_if<std::shared_ptr<const MapData>>(&state_)) {
    return (*map)->methods;
  }
  return nullptr;
}

bool Value::Truth() const {
  switch (kind()) {
    case Kind::kNil:
      return false;
    case Kind::kBool:
      return AsBool();
    case Kind::kInt:
      return AsInt() != 0;
    case Kind::kFloat:
      return AsFloat() != 0;
    case Kind::kString:
      return !AsString().empty();
    case Kind::kTime:
      return true;
    case Kind::kDuration:
      return AsDuration().count() != 0;
    case Kind::kList:
      return !AsList().empty();
    case Kind::kMap:
      return map_kind() == MapKind::kStruct || !AsMap().empty();
  }
  return false;
}

std::string_view Value::TypeName() const {
  if (methods() != nullptr && !methods()->type_name.empty()) return methods()->type_name;
  switch (kind()) {
    case Kind::kNil:
      return "<nil>";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float64";
    case Kind::kString:
      return "string";
    case Kind::kTime:
      return "time.Time";
    case Kind::kDuration:
      return "time.Duration";
    case Kind::kList:
      return "[]interface {}";
    case Kind::kMap:
      switch (map_kind()) {
        case MapKind::kStrings:
          return "map[string]string";
        case MapKind::kAny:
          return "map[string]interface {}";
        case MapKind::kStruct:
          return "struct";
      }
  }
  return "";
}

}  // namespace skep::templates
