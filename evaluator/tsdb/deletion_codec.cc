#include "evaluator/tsdb/deletion_codec.h"

namespace skep::tsdb {
namespace {

std::vector<std::uint32_t> ReadNumbers(ByteReader& reader) {
  std::vector<std::uint32_t> numbers;
  std::uint32_t number = 0;
  while (!reader.done()) {
    number += static_cast<std::uint32_t>(reader.Signed());
    if (reader.ok()) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

void WriteForgotten(std::span<const std::uint32_t> numbers, ByteWriter& out) {
  std::uint32_t before = 0;
  for (const std::uint32_t number : numbers) {
    out.Signed(static_cast<std::int64_t>(number) - before);
    before = number;
  }
}

void WriteDeletion(const Deletion& deletion, ByteWriter& out) {
  out.Signed(ToMillis(deletion.range.min));
  out.Signed(ToMillis(deletion.range.max));
  WriteForgotten(deletion.numbers, out);
}

Result<std::vector<std::uint32_t>> ReadForgotten(std::string_view payload) {
  ByteReader reader(payload);
  std::vector<std::uint32_t> numbers = ReadNumbers(reader);
  if (!reader.ok()) return Corrupt("a list of series that is none");
  return numbers;
}

Result<Deletion> ReadDeletion(std::string_view payload) {
  ByteReader reader(payload);
  Deletion deletion;
  deletion.range.min = FromMillis(reader.Signed());
  deletion.range.max = FromMillis(reader.Signed());
  deletion.numbers = ReadNumbers(reader);
  if (!reader.ok()) return Corrupt("a deletion that is none");
  return deletion;
}

}  // namespace skep::tsdb
