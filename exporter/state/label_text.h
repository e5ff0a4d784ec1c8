// The labels of a series as they stand on the page: `a="b",c="d"`. The same text is the key of the
// series in memory and in the state file, so that a page is made by copying.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/state/store.h"

namespace skep::state {

// Longer values are cut: a label is a name, not a text.
inline constexpr std::size_t kMaxValueBytes = 1024;

// Replaces `out` by the text of `labels`. Escapes values; checks nothing.
void RenderLabelText(LabelsView labels, std::string& out);

// Whether the label `le` is the series' own to have: a histogram's lines have another meaning for
// it.
enum class Le : std::uint8_t { kFree, kReserved };

// Legal names in rising order, none twice, none reserved (`__x` too), and no empty value.
bool AreGoodLabels(LabelsView labels, Le le);

// `value` as it may stand on a page: bytes that are no UTF-8 become U+FFFD, at most kMaxValueBytes.
std::string CleanValue(std::string_view value);
bool IsCleanValue(std::string_view value);

// Whether `text`, which may come from a file, is what RenderLabelText makes of good labels.
bool IsGoodLabelText(std::string_view text, Le le);

// One label of such a text, its value still escaped.
struct TextLabel {
  std::string_view name;
  std::string_view value;
};

// Views into `text`. Overwrites `out`. False: `text` is no such text.
bool SplitLabelText(std::string_view text, std::vector<TextLabel>& out);

}  // namespace skep::state
