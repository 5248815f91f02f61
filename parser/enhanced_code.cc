#include "parser/enhanced_code.h"

#include "base/ascii.h"

namespace smtpscope {
namespace {

/// One to three digits, without leading zeros (RFC 3463 2), off the front of `text`.
std::optional<std::uint16_t> take_part(std::string_view& text) {
  std::size_t digits = 0;
  int number = 0;
  while (digits < text.size() && digits < 4 && is_digit(text[digits])) {
    number = number * 10 + (text[digits++] - '0');
  }
  if (digits == 0 || digits > 3 || (digits > 1 && text.front() == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<std::uint16_t>(number);
}

bool take_dot(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<EnhancedCode> enhanced_code(std::string_view text) {
  const auto status_class = take_part(text);
  if (!status_class || (*status_class != 2 && *status_class != 4 && *status_class != 5)) {
    return std::nullopt;
  }
  if (!take_dot(text)) return std::nullopt;
  const auto subject = take_part(text);
  if (!subject || !take_dot(text)) return std::nullopt;
  const auto detail = take_part(text);
  if (!detail || (!text.empty() && text.front() != ' ' && text.front() != '\t')) {
    return std::nullopt;
  }
  return EnhancedCode{*status_class, *subject, *detail};
}

}  // namespace smtpscope
