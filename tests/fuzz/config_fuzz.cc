// The configuration file and the notification file, whatever their bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "evaluator/config/configuration.h"
#include "evaluator/config/notifications.h"
#include "evaluator/config/yaml_echo.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)skep::config::ParseNotifications(text, "/nowhere/am.yml");
  // A `notifications:` could name any file of this machine, devices included.
  if (text.find("notifications") != std::string_view::npos) return 0;
  (void)skep::config::ParseConfiguration(text, "/nowhere/skep.yml", {});
  const auto config =
      skep::config::ParseConfiguration(text, "/nowhere/skep.yml", {.ignore_unsupported = true});
  if (!config) return 0;
  // What is shown must read back.
  const auto again = skep::yaml::Node::Parse(config->echo, "echo.yml");
  if (!again || skep::config::YamlText(*again) != config->echo) __builtin_trap();
  return 0;
}
