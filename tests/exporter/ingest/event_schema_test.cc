#include "exporter/ingest/event_schema.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "common/base/file.h"
#include "common/json/value.h"

namespace skep::ingest {
namespace {

bool Has(const KindSpec& kind, std::string_view field) {
  return std::any_of(kind.fields.begin(), kind.fields.end(),
                     [field](const FieldSpec& spec) { return spec.name == field; });
}

std::set<std::string> FamilyNames() {
  std::set<std::string> names = {"errors_total", "http_requests_total",
                                 "http_request_duration_seconds"};
  for (const state::FamilySpec& family : EventFamilies()) names.insert(family.name);
  return names;
}

TEST_CASE("The table of kinds is in order and holds together", "[events]") {
  const std::set<std::string> families = FamilyNames();
  std::string_view before;
  for (const KindSpec& kind : Kinds()) {
    CAPTURE(kind.name);
    CHECK(before < kind.name);
    before = kind.name;
    CHECK(kind.fields.size() <= kMaxFields);
    for (const FieldSpec& field : kind.fields) {
      CHECK((field.type == FieldType::kChoice) == !field.choices.empty());
      CHECK(std::is_sorted(field.choices.begin(), field.choices.end()));
    }
    for (const std::string_view field : kind.any_of) CHECK(Has(kind, field));
    for (const EffectSpec& effect : kind.effects) {
      CAPTURE(effect.family);
      CHECK(families.contains(std::string(effect.family)));
      for (const std::string_view field : {effect.value, effect.when_field}) {
        CHECK((field.empty() || field == "count" || Has(kind, field)));
      }
      for (const LabelSpec& label : effect.labels) {
        CHECK((label.field.empty() ? !label.missing.empty() : Has(kind, label.field)));
      }
    }
  }
}

TEST_CASE("Families follow the rules for names and have help", "[events]") {
  for (const state::FamilySpec& family : EventFamilies()) {
    CAPTURE(family.name);
    CHECK((family.type == exposition::MetricType::kCounter) == family.name.ends_with("_total"));
    CHECK(family.help.ends_with("."));
    CHECK(std::is_sorted(family.bounds.begin(), family.bounds.end()));
    CHECK(std::adjacent_find(family.bounds.begin(), family.bounds.end()) == family.bounds.end());
    CHECK((family.type == exposition::MetricType::kHistogram) == !family.bounds.empty());
  }
}

TEST_CASE("The published schema is the table's", "[events]") {
  const Result<std::string> published =
      ReadFile(SKEP_SOURCE_DIR "/deploy/schemas/events.schema.json");
  REQUIRE(published);
  // If it differs: curl http://127.0.0.1:7537/v1/events/schema.json > that file.
  CHECK(*published == EventJsonSchema());
  const Result<json::Value> schema = json::Value::Parse(EventJsonSchema());
  REQUIRE(schema);
  CHECK((*schema)["oneOf"].items().size() == Kinds().size());
}

}  // namespace
}  // namespace skep::ingest
