#include "exporters/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <limits>

#include "base/base64.h"
#include "capture/wall_time.h"
#include "exporters/escape.h"

namespace smtpscope {
namespace {

/// RFC 8259 7: beyond U+FFFF as a pair of surrogates.
std::string unicode_escape(char32_t value) {
  std::string out;
  const auto append = [&](std::uint32_t unit) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", unit);
  };
  const auto code = static_cast<std::uint32_t>(value);
  if (code < 0x10000) {
    append(code);
  } else {
    append(0xD800 + ((code - 0x10000) >> 10));
    append(0xDC00 + ((code - 0x10000) & 0x3FF));
  }
  return out;
}

}  // namespace

void JsonWriter::grow(std::size_t octets) {
  constexpr std::size_t kLeast = 512;
  text_.resize(std::max({2 * text_.size(), size_ + octets, kLeast}));
}

template <typename Number>
void JsonWriter::append_number(Number value) {
  constexpr std::size_t kMost = std::numeric_limits<Number>::digits10 + 2;
  char* const out = room(kMost);
  used_up_to(std::to_chars(out, out + kMost, value).ptr);
}

void JsonWriter::quote(std::string_view value) {
  append('"');
  while (true) {
    const std::size_t plain = plain_octets(value);
    append(value.substr(0, plain));
    value.remove_prefix(plain);
    if (value.empty()) break;
    const CodePoint point = first_code_point(value);
    if (!point.valid) {
      append("\xEF\xBF\xBD");
    } else if (point.value == '"' || point.value == '\\') {
      append('\\');
      append(static_cast<char>(point.value));
    } else if (point.value == '\r') {
      append("\\r");
    } else if (point.value == '\n') {
      append("\\n");
    } else if (point.value == '\t') {
      append("\\t");
    } else if (is_unsafe(point.value)) {
      append(unicode_escape(point.value));
    } else {
      append(value.substr(0, point.octets));
    }
    value.remove_prefix(point.octets);
  }
  append('"');
}

void JsonWriter::begin_object() {
  separate();
  append('{');
}

void JsonWriter::end_object() { append('}'); }

void JsonWriter::begin_array() {
  separate();
  append('[');
}

void JsonWriter::end_array() { append(']'); }

void JsonWriter::begin_object(std::string_view name) {
  this->name(name);
  append('{');
}

void JsonWriter::begin_array(std::string_view name) {
  this->name(name);
  append('[');
}

void JsonWriter::string(std::string_view name, std::string_view value) {
  this->name(name);
  quote(value);
}

void JsonWriter::element(std::string_view value) {
  separate();
  quote(value);
}

void JsonWriter::element_number(std::uint64_t value) {
  separate();
  append_number(value);
}

void JsonWriter::signed_number(std::string_view name, std::int64_t value) {
  this->name(name);
  append_number(value);
}

void JsonWriter::unsigned_number(std::string_view name, std::uint64_t value) {
  this->name(name);
  append_number(value);
}

void JsonWriter::number_of(std::string_view anything, std::uint64_t value) {
  element(anything);
  append(':');
  append_number(value);
}

void JsonWriter::boolean(std::string_view name, bool value) {
  this->name(name);
  append(value ? "true" : "false");
}

void JsonWriter::null(std::string_view name) {
  this->name(name);
  append("null");
}

void JsonWriter::wire(std::string_view name, std::string_view octets) {
  if (is_utf8(octets)) {
    string(name, octets);
    return;
  }
  string(name, escape(octets, Wording::kWire, Charset::kUtf8));
  string(fmt::format("{}_b64", name), encode_base64(octets));
}

void JsonWriter::time(std::string_view name, Time value) {
  this->name(name, "_ns");
  append_number(ns_of(value));
}

void JsonWriter::duration(std::string_view name, Duration value) {
  this->name(name, "_ns");
  append_number(value.count());
}

void JsonWriter::wall_time(std::string_view name, WallTime value) {
  this->name(name);
  append('"');
  const std::string text = format_wall_time(value);
  append(text);
  append('"');
}

void JsonWriter::object(std::string_view name, std::string_view object) {
  this->name(name);
  append(object);
}

void JsonWriter::members_of(std::string_view object) {
  assert(object.size() >= 2 && object.front() == '{' && object.back() == '}');
  if (object.size() == 2) return;
  separate();
  append(object.substr(1, object.size() - 2));
}

void JsonWriter::end_line() { append('\n'); }

}  // namespace smtpscope
