#include "exporters/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <limits>

#include "capture/wall_time.h"
#include "exporters/escape.h"

namespace smtpscope {
namespace {

std::string base64(std::string_view octets) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";  // RFC 4648 4
  const auto at = [&](std::size_t i) -> std::uint32_t {
    return i < octets.size() ? static_cast<std::uint8_t>(octets[i]) : 0;
  };
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += i + 1 < octets.size() ? kAlphabet[group >> 6 & 63] : '=';
    out += i + 2 < octets.size() ? kAlphabet[group & 63] : '=';
  }
  return out;
}

/// RFC 8259 7: beyond U+FFFF as a pair of surrogates.
void append_unicode_escape(std::string& out, char32_t value) {
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
}

template <typename Number>
void append_number(std::string& out, Number value) {
  std::array<char, std::numeric_limits<Number>::digits10 + 2> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void JsonWriter::separate() {
  if (text_.empty()) return;
  const char last = text_.back();
  if (last != '{' && last != '[' && last != ':') text_ += ',';
}

void JsonWriter::name(std::string_view name, std::string_view suffix) {
  separate();
  if (plain_octets(name) != name.size()) {
    quote(std::string(name).append(suffix));
    text_ += ':';
    return;
  }
  // In one piece: there are more names than anything else, and nearly all are ours.
  const std::size_t at = text_.size();
  text_.resize(at + name.size() + suffix.size() + 3);
  char* out = text_.data() + at;
  *out++ = '"';
  out = std::copy(name.begin(), name.end(), out);
  out = std::copy(suffix.begin(), suffix.end(), out);
  *out++ = '"';
  *out = ':';
}

void JsonWriter::quote(std::string_view value) {
  text_ += '"';
  while (true) {
    const std::size_t plain = plain_octets(value);
    text_ += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) break;
    const CodePoint point = first_code_point(value);
    if (!point.valid) {
      text_ += "\xEF\xBF\xBD";
    } else if (point.value == '"' || point.value == '\\') {
      text_ += '\\';
      text_ += static_cast<char>(point.value);
    } else if (point.value == '\r') {
      text_ += "\\r";
    } else if (point.value == '\n') {
      text_ += "\\n";
    } else if (point.value == '\t') {
      text_ += "\\t";
    } else if (is_unsafe(point.value)) {
      append_unicode_escape(text_, point.value);
    } else {
      text_ += value.substr(0, point.octets);
    }
    value.remove_prefix(point.octets);
  }
  text_ += '"';
}

void JsonWriter::begin_object() {
  separate();
  text_ += '{';
}

void JsonWriter::end_object() { text_ += '}'; }

void JsonWriter::begin_array() {
  separate();
  text_ += '[';
}

void JsonWriter::end_array() { text_ += ']'; }

void JsonWriter::begin_object(std::string_view name) {
  this->name(name);
  text_ += '{';
}

void JsonWriter::begin_array(std::string_view name) {
  this->name(name);
  text_ += '[';
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
  append_number(text_, value);
}

void JsonWriter::signed_number(std::string_view name, std::int64_t value) {
  this->name(name);
  append_number(text_, value);
}

void JsonWriter::unsigned_number(std::string_view name, std::uint64_t value) {
  this->name(name);
  append_number(text_, value);
}

void JsonWriter::boolean(std::string_view name, bool value) {
  this->name(name);
  text_ += value ? "true" : "false";
}

void JsonWriter::wire(std::string_view name, std::string_view octets) {
  if (is_utf8(octets)) {
    string(name, octets);
    return;
  }
  string(name, escape(octets, Wording::kWire, Charset::kUtf8));
  string(fmt::format("{}_b64", name), base64(octets));
}

void JsonWriter::time(std::string_view name, Time value) {
  this->name(name, "_ns");
  append_number(text_, ns_of(value));
}

void JsonWriter::duration(std::string_view name, Duration value) {
  this->name(name, "_ns");
  append_number(text_, value.count());
}

void JsonWriter::wall_time(std::string_view name, WallTime value) {
  this->name(name);
  text_ += '"';
  append_wall_time(text_, value);
  text_ += '"';
}

void JsonWriter::object(std::string_view name, std::string_view object) {
  this->name(name);
  text_ += object;
}

void JsonWriter::members_of(std::string_view object) {
  assert(object.size() >= 2 && object.front() == '{' && object.back() == '}');
  if (object.size() == 2) return;
  separate();
  text_ += object.substr(1, object.size() - 2);
}

void JsonWriter::end_line() { text_ += '\n'; }

}  // namespace smtpscope
