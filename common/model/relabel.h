// Relabelling: rules that rewrite, keep or drop label sets. Targets, scraped series and alerts go
// through it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "common/model/regex.h"

namespace skep {

enum class RelabelAction : std::uint8_t {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase
};

std::string_view RelabelActionName(RelabelAction action);
// "replace", "labelmap", ... in any case, as Prometheus takes it.
std::optional<RelabelAction> ParseRelabelAction(std::string_view name);

// The fields of one entry of `relabel_configs`. Default: Prometheus's defaults.
struct RelabelOptions {
  std::vector<std::string> source_labels = {};
  std::string separator = ";";
  std::string regex = "(.*)";
  std::uint64_t modulus = 0;
  std::string target_label = {};
  std::string replacement = "$1";
  RelabelAction action = RelabelAction::kReplace;
};

// One rule, checked and compiled. Immutable, cheap to copy, thread-safe.
class RelabelRule {
 public:
  // kInvalid: a bad regular expression, or fields that do not go with the action.
  static Result<RelabelRule> Create(RelabelOptions options);

  const RelabelOptions& options() const { return options_; }

  // Changes `labels`. False: the label set is to be dropped, and `labels` is as it was.
  bool Apply(LabelsBuilder& labels) const;

 private:
  RelabelRule(RelabelOptions options, Regex regex)
      : options_(std::move(options)), regex_(std::move(regex)) {}

  std::string JoinSources(const LabelsBuilder& labels) const;
  void Replace(LabelsBuilder& labels, const std::string& source) const;
  void MapNames(LabelsBuilder& labels) const;
  void FilterNames(LabelsBuilder& labels, bool keep) const;

  RelabelOptions options_;
  Regex regex_;
};

// All rules in order. False: dropped by one of them; `labels` is then of no use.
bool Relabel(std::span<const RelabelRule> rules, LabelsBuilder& labels);

}  // namespace skep
