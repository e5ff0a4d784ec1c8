// Remote write messages as a sender makes them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/protobuf/message.h"

namespace skep::intake::test {

using protobuf::MessageWriter;

inline std::string Label(std::string_view name, std::string_view value) {
  std::string out;
  MessageWriter(out).Bytes(1, name).Bytes(2, value);
  return out;
}

inline std::string Point(double value, std::int64_t millis) {
  std::string out;
  MessageWriter(out).Double(1, value).Varint(2, static_cast<std::uint64_t>(millis));
  return out;
}

struct SeriesMessage {
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::string> points = {};
  std::vector<std::string> histograms = {};
};

inline std::string Request(const std::vector<SeriesMessage>& all) {
  std::string out;
  MessageWriter writer(out);
  for (const SeriesMessage& each : all) {
    std::string series;
    MessageWriter fields(series);
    for (const auto& [name, value] : each.labels) fields.Bytes(1, Label(name, value));
    for (const std::string& point : each.points) fields.Bytes(2, point);
    for (const std::string& histogram : each.histograms) fields.Bytes(4, histogram);
    writer.Bytes(1, series);
  }
  std::string metadata;
  MessageWriter(metadata).Varint(1, 1).Bytes(2, "a").Bytes(4, "help");
  writer.Bytes(3, metadata);
  return out;
}

inline std::string Span(std::int64_t offset, std::uint64_t length) {
  std::string out;
  MessageWriter(out).Sint(1, offset).Varint(2, length);
  return out;
}

inline std::uint64_t Zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

}  // namespace skep::intake::test
