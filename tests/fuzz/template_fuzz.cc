// Any text as the template of an alert: parsed and, with small limits, executed.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "evaluator/template/alert_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skep;
  using namespace skep::templates;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<Template> parsed = Template::Parse("fuzz", text, PrometheusFunctions());
  if (!parsed) return 0;
  PrometheusContext context;
  context.query = [](const std::string&) -> Result<std::vector<QuerySample>> {
    return std::vector<QuerySample>{{{{"a", "1"}}, Value(1.0)}, {{{"a", "0"}}, Value(2.0)}};
  };
  context.external_url = "http://localhost/x";
  const Limits limits{.max_output_bytes = 10'000, .max_iterations = 1'000};
  (void)parsed->Execute(AlertData({{"job", "x"}}, {}, "http://localhost/x", Value(1.5)), &context,
                        limits);
  return 0;
}
