// Pages of a real target, recorded scrape after scrape: each after a line "#@ MILLISECONDS BYTES".
#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/number.h"
#include "common/base/time.h"

namespace skep::bench {

struct Recorded {
  std::string name;  // with its labels, as on the page
  std::vector<Timestamp> times;
  std::vector<double> values;
};

inline void AddPage(const std::string& page, Timestamp time,
                    std::unordered_map<std::string, Recorded>& all) {
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.rfind(' ');
    if (line.empty() || line[0] == '#' || space == std::string::npos) continue;
    const auto value = ParseDouble(std::string_view(line).substr(space + 1));
    if (!value) continue;
    Recorded& series = all[line.substr(0, space)];
    series.times.push_back(time);
    series.values.push_back(*value);
  }
}

// The pages taken as scrapes every 15 s from `begin` on; `times` gets those of the recording.
inline std::vector<Recorded> LoadPages(const char* file, Timestamp begin,
                                       std::vector<Timestamp>& times) {
  std::unordered_map<std::string, Recorded> all;
  std::ifstream in(file, std::ios::binary);
  long long millis = 0;
  std::size_t bytes = 0;
  for (std::string head; std::getline(in, head);) {
    if (std::sscanf(head.c_str(), "#@ %lld %zu", &millis, &bytes) != 2) break;
    std::string page(bytes, '\0');
    in.read(page.data(), static_cast<std::streamsize>(bytes));
    AddPage(page, begin + Duration(15'000) * static_cast<std::int64_t>(times.size()), all);
    times.push_back(FromMillis(millis));
  }
  std::vector<Recorded> out;
  for (auto& [name, series] : all) {
    series.name = name;
    out.push_back(std::move(series));
  }
  return out;
}

}  // namespace skep::bench
