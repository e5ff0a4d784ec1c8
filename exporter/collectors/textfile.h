// Metrics that scripts leave in *.prom files, put on the page as they are.
#pragma once

#include <string>
#include <vector>

#include "common/base/log.h"
#include "exporter/collectors/device_collectors.h"

namespace skep::exporter {

struct TextfileOptions {
  // --collector.textfile.directory: shell patterns of folders. Default: Debian's.
  std::vector<std::string> folders = {"/var/lib/prometheus/node-exporter"};
  // Whether a folder that does not exist is an error: it is where somebody named it, not where it
  // is the default.
  bool folders_must_exist = false;
  // A larger file is refused; a page must stay readable within a scrape.
  std::size_t max_file_bytes = 16UL << 20;
};

// Families of the same name in several files are put together. A file is refused as a whole, and
// node_textfile_scrape_error is 1, where it cannot be read or parsed, has time stamps, or gives a
// family another type or a series a second time; the other files stay. Scripts should write beside
// and rename, else a half-written file is what is read.
CollectorPtr MakeTextfileCollector(TextfileOptions options, Logger logger);

}  // namespace skep::exporter
