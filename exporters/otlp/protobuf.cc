#include "exporters/otlp/protobuf.h"

#include <array>

namespace smtpscope {
namespace {

/// A varint has seven bits in each octet, the least first; the eighth says that more follow.
constexpr std::size_t kMostVarint = 10;

std::size_t write_varint(std::uint64_t value, std::array<char, kMostVarint>& out) {
  std::size_t size = 0;
  for (; value >= 0x80; value >>= 7) out.at(size++) = static_cast<char>(value | 0x80);
  out.at(size++) = static_cast<char>(value);
  return size;
}

}  // namespace

void ProtobufWriter::append_varint(std::uint64_t value) {
  std::array<char, kMostVarint> octets{};
  out_.append(octets.data(), write_varint(value, octets));
}

void ProtobufWriter::tag(std::uint32_t field, Wire wire) {
  append_varint(std::uint64_t{field} << 3 | static_cast<std::uint64_t>(wire));
}

void ProtobufWriter::varint(std::uint32_t field, std::uint64_t value) {
  tag(field, Wire::kVarint);
  append_varint(value);
}

void ProtobufWriter::fixed64(std::uint32_t field, std::uint64_t value) {
  tag(field, Wire::kFixed64);
  for (int shift = 0; shift < 64; shift += 8) out_ += static_cast<char>(value >> shift & 0xff);
}

void ProtobufWriter::octets(std::uint32_t field, std::string_view value) {
  tag(field, Wire::kLengthDelimited);
  append_varint(value.size());
  out_ += value;
}

std::size_t ProtobufWriter::begin_message(std::uint32_t field) {
  tag(field, Wire::kLengthDelimited);
  return out_.size();
}

/// The length stands in front of the content, and is known behind it: messages are short, and
/// moving one costs less than measuring it before.
void ProtobufWriter::end_message(std::size_t begun) {
  std::array<char, kMostVarint> octets{};
  const std::size_t size = write_varint(out_.size() - begun, octets);
  out_.insert(begun, octets.data(), size);
}

std::optional<std::uint64_t> ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kMostVarint && i < rest_.size(); ++i) {
    const auto octet = static_cast<std::uint8_t>(rest_[i]);
    value |= std::uint64_t{octet & 0x7fU} << (7 * i);
    if (octet < 0x80) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ProtobufReader::fixed(std::size_t octets) {
  if (rest_.size() < octets) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < octets; ++i) {
    value |= std::uint64_t{static_cast<std::uint8_t>(rest_[i])} << (8 * i);
  }
  rest_.remove_prefix(octets);
  return value;
}

std::optional<ProtobufReader::Field> ProtobufReader::next() {
  const std::optional<std::uint64_t> tag = varint();
  if (!tag) return std::nullopt;
  Field field;
  field.number = static_cast<std::uint32_t>(*tag >> 3);
  std::optional<std::uint64_t> value;
  switch (*tag & 7) {
    case 0:
      value = varint();
      break;
    case 1:
      value = fixed(8);
      break;
    case 2:
      value = varint();
      if (!value || *value > rest_.size()) return std::nullopt;
      field.octets = rest_.substr(0, static_cast<std::size_t>(*value));
      rest_.remove_prefix(field.octets.size());
      break;
    case 5:
      value = fixed(4);
      break;
    default:  // groups, which nobody writes any more
      return std::nullopt;
  }
  if (!value) return std::nullopt;
  field.value = *value;
  return field;
}

}  // namespace smtpscope
