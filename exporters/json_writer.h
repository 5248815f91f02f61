#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace smtpscope {

/// Writes JSON (RFC 8259) member by member, without a tree in memory. It sees to commas and quotes;
/// that the calls nest as the document does is the caller's business. A value.
///
/// Strings are safe to look at: controls, DEL, C1 and characters that hide or reorder text are
/// written as \u escapes, everything else as it is.
class JsonWriter {
 public:
  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void begin_object(std::string_view name);
  void begin_array(std::string_view name);

  /// UTF-8; an octet that is none becomes U+FFFD.
  void string(std::string_view name, std::string_view value);
  void element(std::string_view value);
  template <std::integral T>
  void number(std::string_view name, T value) {
    if constexpr (std::signed_integral<T>) {
      signed_number(name, value);
    } else {
      unsigned_number(name, value);
    }
  }
  void element_number(std::uint64_t value);
  void boolean(std::string_view name, bool value);
  /// A member only where it says something: numbers but 0, true, texts that are not empty.
  void number_if(std::string_view name, std::uint64_t value) {
    if (value != 0) unsigned_number(name, value);
  }
  void true_if(std::string_view name, bool value) {
    if (value) boolean(name, true);
  }
  void string_if(std::string_view name, std::string_view value) {
    if (!value.empty()) string(name, value);
  }

  /// Octets of the wire: as `name` where they are UTF-8. Else `name` is their escaped form, for the
  /// eye, and `name`_b64 holds the octets themselves.
  void wire(std::string_view name, std::string_view octets);
  /// "<name>_ns", nanoseconds since the run began.
  void time(std::string_view name, Time value);
  /// "<name>_ns", nanoseconds.
  void duration(std::string_view name, Duration value);
  /// RFC 3339, as in captures.
  void wall_time(std::string_view name, WallTime value);

  /// An object that was written before: "{…}".
  void object(std::string_view name, std::string_view object);
  /// Members of an object that was written before: "{…}", spliced into the one being written.
  void members_of(std::string_view object);

  /// Behind a whole document, where each stands on a line of its own.
  void end_line();

  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }
  /// Begins anew, in the same memory.
  void clear() { text_.clear(); }

 private:
  void separate();
  void name(std::string_view name, std::string_view suffix = {});
  void quote(std::string_view value);
  void signed_number(std::string_view name, std::int64_t value);
  void unsigned_number(std::string_view name, std::uint64_t value);

  std::string text_;
};

}  // namespace smtpscope
