// The alert that tells of a store which cannot write. No rule could: the samples that it would look
// at are those that are not kept.
#pragma once

#include <optional>
#include <string>

#include "common/base/time.h"
#include "evaluator/rules/interfaces.h"

namespace skep::evaluator {

// Fires as SkepStoreCannotWrite while there is a problem and for a minute after it, then is
// resolved, which is said for 15 minutes. Thread-compatible.
class StoreAlert {
 public:
  // `alerts` must outlive it; `external_url` is that of this program.
  StoreAlert(rules::AlertSink& alerts, std::string external_url)
      : alerts_(alerts), external_url_(std::move(external_url)) {}

  // Called every second or so. `problem` is what is wrong, "" where nothing is.
  void Look(const std::string& problem, Timestamp now);

 private:
  void Send(Timestamp now) const;

  rules::AlertSink& alerts_;
  const std::string external_url_;
  std::string problem_;                   // the last one
  std::optional<Timestamp> started_at_;   // none: nothing to tell
  std::optional<Timestamp> resolved_at_;  // none while it fires
  Timestamp last_seen_;                   // the problem
  Timestamp next_send_;
};

}  // namespace skep::evaluator
