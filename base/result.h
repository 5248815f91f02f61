#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace smtpscope {

/// A fault of the environment (file, socket, name server), in words for the user: what happened,
/// where, and what to do. Never used for what came off the wire: that is data.
struct Error {
  std::string message;
};

/// Either a value or the Error that kept it from being made. Owns its content.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() {
    assert(ok());
    return *std::get_if<0>(&content_);
  }
  const T& value() const {
    assert(ok());
    return *std::get_if<0>(&content_);
  }
  const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&content_);
  }

 private:
  std::variant<T, Error> content_;
};

/// Success without a value.
struct Done {};

}  // namespace smtpscope
