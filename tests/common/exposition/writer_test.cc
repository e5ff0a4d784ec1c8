#include "common/exposition/writer.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>

namespace skep::exposition {
namespace {

std::string Page(Format format, NameEscaping escaping,
                 const std::function<void(PageWriter&)>& write) {
  std::string page;
  PageWriter writer(format, page, escaping);
  write(writer);
  writer.Finish();
  return page;
}

TEST_CASE("Accept headers choose the form with the highest q", "[exposition]") {
  struct Case {
    std::string_view accept;
    Format format;
    NameEscaping escaping;
  };
  const Case cases[] = {
      {"", Format::kText, NameEscaping::kUnderscores},
      {"*/*", Format::kText, NameEscaping::kUnderscores},
      {"application/json", Format::kText, NameEscaping::kUnderscores},
      {"application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.2",
       Format::kOpenMetrics, NameEscaping::kUnderscores},
      {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
       "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.2",
       Format::kOpenMetrics, NameEscaping::kAllowUtf8},
      {"application/openmetrics-text; version=2.0.0, text/plain", Format::kText,
       NameEscaping::kUnderscores},
      {"application/openmetrics-text;q=0.1, text/plain;version=1.0.0;escaping=allow-utf-8;q=0.9",
       Format::kText, NameEscaping::kAllowUtf8},
      {"application/openmetrics-text;q=0", Format::kText, NameEscaping::kUnderscores},
      {"APPLICATION/OpenMetrics-Text; Version=\"1.0.0\"", Format::kOpenMetrics,
       NameEscaping::kUnderscores},
      {"application/openmetrics-text;q=oops,text/plain;q=0.1", Format::kText,
       NameEscaping::kUnderscores},
  };
  for (const Case& c : cases) {
    CAPTURE(c.accept);
    CHECK(NegotiateFormat(c.accept) == c.format);
    CHECK(NegotiateEscaping(c.accept) == c.escaping);
  }
}

TEST_CASE("Content types name the form of a page", "[exposition]") {
  CHECK(FormatOfContentType("text/plain; version=0.0.4") == Format::kText);
  CHECK(FormatOfContentType(ContentType(Format::kOpenMetrics)) == Format::kOpenMetrics);
  CHECK_FALSE(FormatOfContentType("text/html").has_value());
  CHECK_FALSE(FormatOfContentType("").has_value());
}

TEST_CASE("Writer prints families and samples in text 0.0.4", "[exposition]") {
  const std::string page = Page(Format::kText, NameEscaping::kUnderscores, [](PageWriter& w) {
    w.Family("a_total", "back\\slash,\nnew \"line\"", MetricType::kCounter);
    w.Sample(1);
    w.Sample({{"x", "q\"b\\n\n"}, {"y", ""}}, 1e6);
    w.Family("h", "", MetricType::kHistogram);
    w.SuffixedSample("_bucket", RenderLabels({{"le", "+Inf"}}), 3);
    w.SuffixedSample("_sum", "", 0.1);
    w.Family("i_info", "i", MetricType::kInfo);
    w.RenderedSample(RenderLabels({{"version", "1"}}), 1);
  });
  CHECK(page ==
        "# HELP a_total back\\\\slash,\\nnew \"line\"\n# TYPE a_total counter\n"
        "a_total 1\na_total{x=\"q\\\"b\\\\n\\n\",y=\"\"} 1e+06\n"
        "# HELP h \n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum 0.1\n"
        "# HELP i_info i\n# TYPE i_info gauge\ni_info{version=\"1\"} 1\n");
}

TEST_CASE("Writer prints families and samples in OpenMetrics", "[exposition]") {
  const std::string page =
      Page(Format::kOpenMetrics, NameEscaping::kUnderscores, [](PageWriter& w) {
        w.Family("a_seconds_total", "say \"a\"", MetricType::kCounter, "seconds");
        w.Sample(1.5);
        w.Family("node_intr", "no suffix", MetricType::kCounter);
        w.Sample(2);
        w.Family("i_info", "i", MetricType::kInfo);
        w.Sample({{"version", "1"}}, 1);
      });
  CHECK(page ==
        "# HELP a_seconds say \\\"a\\\"\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n"
        "a_seconds_total 1.5\n# HELP node_intr no suffix\n# TYPE node_intr unknown\nnode_intr 2\n"
        "# HELP i i\n# TYPE i info\ni_info{version=\"1\"} 1\n# EOF\n");
}

TEST_CASE("Writer quotes or flattens names that are not legacy", "[exposition]") {
  const auto write = [](PageWriter& w) {
    w.Family("my.métric", "h", MetricType::kGauge);
    w.Sample(1);
    w.Sample({{"a.b", "c"}}, 2);
  };
  CHECK(Page(Format::kText, NameEscaping::kAllowUtf8, write) ==
        "# HELP \"my.métric\" h\n# TYPE \"my.métric\" gauge\n{\"my.métric\"} 1\n"
        "{\"my.métric\",\"a.b\"=\"c\"} 2\n");
  CHECK(Page(Format::kText, NameEscaping::kUnderscores, write) ==
        "# HELP my_m_tric h\n# TYPE my_m_tric gauge\nmy_m_tric 1\nmy_m_tric{a_b=\"c\"} 2\n");
}

TEST_CASE("Writer prints every double so that it reads back", "[exposition]") {
  const std::pair<double, std::string_view> cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {999999, "999999"},
      {-999999, "-999999"},
      {1000000, "1e+06"},
      {2478268416, "2.478268416e+09"},
      {0.1, "0.1"},
      {1e-7, "1e-07"},
      {std::nan(""), "NaN"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
      {9007199254740993.0, "9.007199254740992e+15"},
  };
  for (const auto& [value, text] : cases) {
    const std::string page = Page(Format::kText, NameEscaping::kUnderscores, [&](PageWriter& w) {
      w.Family("a", "", MetricType::kGauge);
      w.Sample(value);
    });
    CHECK(page == "# HELP a \n# TYPE a gauge\na " + std::string(text) + "\n");
  }
}

}  // namespace
}  // namespace skep::exposition
