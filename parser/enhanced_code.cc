#include "parser/enhanced_code.h"

#include "base/ascii.h"

namespace smtpscope {
namespace {

/// One to three digits without leading zeros (RFC 3463 2) from `at` on, which moves behind them;
/// -1 when they are something else.
int take_part(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  int number = 0;
  while (at < text.size() && at - begin < 4 && is_digit(text[at])) {
    number = number * 10 + (text[at++] - '0');
  }
  const std::size_t digits = at - begin;
  if (digits == 0 || digits > 3 || (digits > 1 && text[begin] == '0')) return -1;
  return number;
}

}  // namespace

std::optional<EnhancedCode> enhanced_code(std::string_view text) {
  constexpr std::size_t kShortest = 5;  // "2.0.0"
  if (text.size() < kShortest || text[1] != '.') return std::nullopt;
  if (text[0] != '2' && text[0] != '4' && text[0] != '5') return std::nullopt;
  const auto code = [&](int subject, int detail) {
    return EnhancedCode{static_cast<std::uint16_t>(text[0] - '0'),
                        static_cast<std::uint16_t>(subject), static_cast<std::uint16_t>(detail)};
  };
  // Of one digit each, as nearly all are.
  if (is_digit(text[2]) && text[3] == '.' && is_digit(text[4]) &&
      (text.size() == kShortest || is_blank(text[kShortest]))) {
    return code(text[2] - '0', text[4] - '0');
  }
  std::size_t at = 2;
  const int subject = take_part(text, at);
  if (subject < 0 || at == text.size() || text[at++] != '.') return std::nullopt;
  const int detail = take_part(text, at);
  if (detail < 0 || (at < text.size() && !is_blank(text[at]))) return std::nullopt;
  return code(subject, detail);
}

}  // namespace smtpscope
