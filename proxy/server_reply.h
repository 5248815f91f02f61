#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace smtpscope {

/// One reply of a server as it comes in, for a layer that speaks with the server itself. Not
/// thread-safe.
class ServerReply {
 public:
  /// Octets; more is no reply.
  static constexpr std::size_t kMost = std::size_t{64} * 1024;

  /// Takes octets up to the end of a reply at most, and gives how many. Behind a whole reply, or
  /// one without an end, it begins a new one.
  std::size_t receive(std::span<const std::uint8_t> octets);

  bool whole() const { return state_ == State::kWhole; }
  bool endless() const { return state_ == State::kEndless; }
  /// As it came, whole or not.
  const std::string& text() const { return text_; }
  /// Its first line, without the line's end.
  std::string first_line() const { return text_.substr(0, text_.find_first_of("\r\n")); }
  bool has_code(std::string_view code) const { return text_.starts_with(code); }

 private:
  enum class State : std::uint8_t { kPart, kWhole, kEndless };

  std::string text_;
  std::size_t line_ = 0;  // where in it the line being read begins
  State state_ = State::kPart;
};

}  // namespace smtpscope
