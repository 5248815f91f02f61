#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smtpscope {

/// Writes messages of Protocol Buffers (https://protobuf.dev/programming-guides/encoding) field by
/// field, behind what `out` holds. Fields of proto3: what has its default is left out by its
/// caller.
class ProtobufWriter {
 public:
  /// `out` must outlive this.
  explicit ProtobufWriter(std::string& out) : out_(out) {}

  /// Integers, enums and booleans.
  void varint(std::uint32_t field, std::uint64_t value);
  void fixed64(std::uint32_t field, std::uint64_t value);
  /// Texts and octets.
  void octets(std::uint32_t field, std::string_view value);

  /// A message in a message: what is written until end_message() is its content.
  std::size_t begin_message(std::uint32_t field);
  /// `begun`: what begin_message() gave.
  void end_message(std::size_t begun);

 private:
  enum class Wire : std::uint8_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2 };
  void tag(std::uint32_t field, Wire wire);
  void append_varint(std::uint64_t value);

  std::string& out_;
};

/// Reads the fields of a message, whoever wrote it.
class ProtobufReader {
 public:
  struct Field {
    std::uint32_t number = 0;
    std::uint64_t value = 0;  // of varints and fixed numbers
    std::string_view octets;  // of what is length-delimited
  };

  explicit ProtobufReader(std::string_view message) : rest_(message) {}
  /// The next field; nothing at the end, and where it is no message any more.
  std::optional<Field> next();

 private:
  std::optional<std::uint64_t> varint();
  std::optional<std::uint64_t> fixed(std::size_t octets);

  std::string_view rest_;
};

}  // namespace smtpscope
