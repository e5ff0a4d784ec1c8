// Error lines of one source as templates, and which of them are new since the last deployment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "exporter/logs/options.h"
#include "exporter/logs/sections.h"
#include "exporter/logs/template_set.h"
#include "exporter/state/store.h"

namespace skep::logs {

// Thread-compatible. Works on a copy of what the section has; Write puts the differences into a
// unit of the store, and either Written or Reset follows.
class TemplateMiner {
 public:
  // `section` must outlive the miner.
  TemplateMiner(const TemplateOptions& options, std::string source, TemplateSection& section);

  // Takes what the section has. Within Store::Update.
  void Reset();

  // One error line. True: a new template, to be counted.
  bool Learn(std::string_view text, Timestamp now);
  // Lines that fit no template, since there were too many, since the last call.
  std::uint64_t TakeOverflow() { return std::exchange(overflow_, 0); }

  // A deployment at `at`: what was first seen since then is new. Returns how many templates are to
  // be counted by that. An older one than the last is passed over.
  std::size_t ApplyDeployment(Timestamp at);

  void Write(state::Changes& changes);
  void Written() { times_changed_ = false; }

  std::size_t size() const { return set_.size(); }
  // Nothing before the first deployment.
  std::optional<std::size_t> SinceDeployment() const;

 private:
  TemplateOptions options_;
  std::string source_;
  TemplateSection& section_;
  TemplateSet set_;
  KnownTemplates times_;  // its templates are in set_
  bool times_changed_ = false;
  std::uint64_t overflow_ = 0;
  TemplateTokens tokens_;
};

}  // namespace skep::logs
