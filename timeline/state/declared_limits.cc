#include "timeline/state/declared_limits.h"

#include <charconv>

#include "parser/path.h"
#include "timeline/state/envelope_hash.h"

namespace smtpscope {

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> declared_limit(const Capabilities& capabilities,
                                            std::string_view name) {
  if (!capabilities.has_limits()) return std::nullopt;
  const Capabilities::Keyword* limits = capabilities.find("LIMITS");
  for (const MailParameter limit : mail_parameters(limits->parameters())) {
    if (!same_keyword(limit.keyword, name)) continue;
    // RFC 9422 4.1: one to six digits, the first of them not 0.
    const std::string_view digits = limit.value;
    if (digits.empty() || digits.size() > 6 || digits.front() == '0') return std::nullopt;
    return decimal(digits);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> domain_of(std::string_view mailbox) {
  const std::size_t domain = find_domain(mailbox);
  if (domain == std::string_view::npos || domain == 0) return std::nullopt;
  // With its "@", which tells sender_hash() that letter case does not count.
  return sender_hash(mailbox.substr(domain - 1));
}

}  // namespace smtpscope
