// What templates compute with: Go's values as far as text/template shows them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"

namespace skep::templates {

class Value;
using List = std::vector<Value>;
using Entries = std::map<std::string, Value, std::less<>>;
// Go's time.Duration: templates see nanoseconds.
using Nanoseconds = std::chrono::nanoseconds;

// Methods of a list or map, as Alertmanager's `.Alerts.Firing` or `.GroupLabels.SortedPairs`:
// found where a field of that name is asked for. Lives longer than all values that name it.
struct Methods {
  using Method = std::function<Result<Value>(const Value& self, std::span<const Value> arguments)>;
  std::map<std::string, Method, std::less<>> by_name;
  // What messages call the type; "": as Go names a list or map without methods.
  std::string type_name = {};
};

// What a missing key of a map means.
enum class MapKind : std::uint8_t {
  kStrings,  // map[string]string: "" (missingkey=zero)
  kAny,      // map[string]interface{}: nothing, printed as `<no value>`
  kStruct,   // a struct: asking for a field it does not have is an error; no range over it
};

// Immutable; copies share lists, maps and their content. Thread-safe.
class Value {
 public:
  enum class Kind : std::uint8_t {
    kNil,
    kBool,
    kInt,
    kFloat,
    kString,
    kTime,
    kDuration,
    kList,
    kMap,
  };

  Value() = default;
  explicit Value(bool value) : state_(value) {}
  explicit Value(std::int64_t value) : state_(value) {}
  explicit Value(int value) : state_(static_cast<std::int64_t>(value)) {}
  explicit Value(double value) : state_(value) {}
  explicit Value(std::string value) : state_(std::move(value)) {}
  explicit Value(std::string_view value) : state_(std::string(value)) {}
  explicit Value(const char* value) : state_(std::string(value)) {}
  explicit Value(Timestamp value) : state_(value) {}
  explicit Value(Nanoseconds value) : state_(value) {}
  // Without a class where `methods` is null.
  static Value Of(List items, const Methods* methods = nullptr);
  static Value Of(Entries entries, MapKind kind, const Methods* methods = nullptr);
  // The pairs as map[string]string.
  static Value Of(const Labels& labels, const Methods* methods = nullptr);

  Kind kind() const { return static_cast<Kind>(state_.index()); }
  bool IsNil() const { return kind() == Kind::kNil; }

  // Requires: the kind fits.
  bool AsBool() const { return std::get<bool>(state_); }
  std::int64_t AsInt() const { return std::get<std::int64_t>(state_); }
  double AsFloat() const { return std::get<double>(state_); }
  const std::string& AsString() const { return std::get<std::string>(state_); }
  Timestamp AsTime() const { return std::get<Timestamp>(state_); }
  Nanoseconds AsDuration() const { return std::get<Nanoseconds>(state_); }
  const List& AsList() const;
  const Entries& AsMap() const;
  MapKind map_kind() const;
  // Of a list or map; null where it has none.
  const Methods* methods() const;

  // What `if` asks: not zero, not empty.
  bool Truth() const;
  // Go's name of the type: "string", "float64", "map[string]string", ...
  std::string_view TypeName() const;

 private:
  struct ListData {
    List items;
    const Methods* methods;
  };
  struct MapData {
    Entries entries;
    MapKind kind;
    const Methods* methods;
  };

  // In the order of Kind.
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Timestamp, Nanoseconds,
               std::shared_ptr<const ListData>, std::shared_ptr<const MapData>>
      state_;
};

}  // namespace skep::templates
