#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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

  /// Names are ours: printable ASCII without quotation marks. Values are UTF-8; an octet that is
  /// none becomes U+FFFD.
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
  void null(std::string_view name);
  /// A member only where it says something: numbers but 0, true, texts that are not empty.
  /// Under a name that is not ours: it may hold anything.
  void number_of(std::string_view anything, std::uint64_t value);
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

  std::string_view text() const { return {text_.data(), size_}; }
  std::string take() {
    text_.resize(std::exchange(size_, 0));
    return std::move(text_);
  }
  /// Begins anew, in the same memory.
  void clear() { size_ = 0; }

 private:
  /// Room for `octets` more; what of it is used is told by used_up_to().
  char* room(std::size_t octets) {
    if (text_.size() - size_ < octets) grow(octets);
    return text_.data() + size_;
  }
  void used_up_to(const char* end) { size_ = static_cast<std::size_t>(end - text_.data()); }
  void grow(std::size_t octets);
  void append(std::string_view text) {
    char* const out = room(text.size());
    used_up_to(std::copy(text.begin(), text.end(), out));
  }
  void append(char octet) {
    *room(1) = octet;
    ++size_;
  }
  template <typename Number>
  void append_number(Number value);
  bool wants_comma() const {
    if (size_ == 0) return false;
    const char last = text_[size_ - 1];
    return last != '{' && last != '[' && last != ':';
  }
  void separate() {
    if (wants_comma()) append(',');
  }
  // Here, so that the lengths of names are known where they are written down.
  void name(std::string_view name, std::string_view suffix = {}) {
    char* out = room(name.size() + suffix.size() + 4);
    if (wants_comma()) *out++ = ',';
    *out++ = '"';
    out = std::copy(name.begin(), name.end(), out);
    out = std::copy(suffix.begin(), suffix.end(), out);
    *out++ = '"';
    *out++ = ':';
    used_up_to(out);
  }
  void quote(std::string_view value);
  void signed_number(std::string_view name, std::int64_t value);
  void unsigned_number(std::string_view name, std::uint64_t value);

  std::string text_;  // the room: its first size_ octets are the text
  std::size_t size_ = 0;
};

}  // namespace smtpscope
