#include "parser/path.h"

#include <algorithm>

#include "base/ascii.h"

namespace smtpscope {
namespace {

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

/// The position of the first octet outside quotes for which `wanted` holds, or text.size().
/// Inside quotes a backslash takes the meaning from what follows it (RFC 5321 4.1.2).
template <typename Wanted>
std::size_t find_unquoted(std::string_view text, Wanted wanted) {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      quoted = !quoted;
    } else if (quoted && text[at] == '\\') {
      ++at;
    } else if (!quoted && wanted(text[at])) {
      return at;
    }
  }
  return text.size();
}

/// "@a,@b:" before the mailbox (RFC 5321 4.1.2, A-d-l).
std::size_t source_route_size(std::string_view path) {
  if (!path.starts_with('@')) return 0;
  const std::size_t colon = path.find(':');
  return colon == std::string_view::npos ? 0 : colon + 1;
}

/// Takes "FROM", ":" and the white space around them off `text`.
std::uint8_t take_keyword(std::string_view& text, std::string_view keyword) {
  const std::string_view name = keyword.substr(0, keyword.size() - 1);
  if (text.size() < name.size() || !equal_ignoring_case(text.substr(0, name.size()), name)) {
    return kNoKeyword;
  }
  std::string_view rest = text.substr(name.size());
  std::uint8_t flags = 0;
  if (!rest.empty() && is_blank(rest.front())) flags |= kSpaceBeforeColon;
  skip_blanks(rest);
  if (!rest.starts_with(':')) return kNoKeyword;
  rest.remove_prefix(1);
  if (!rest.empty() && is_blank(rest.front())) flags |= kSpaceAfterColon;
  skip_blanks(rest);
  text = rest;
  return flags;
}

}  // namespace

PathArgument parse_path(std::string_view arguments, std::string_view keyword) {
  PathArgument result;
  skip_blanks(arguments);
  result.flags = take_keyword(arguments, keyword);
  std::string_view rest;
  if (arguments.starts_with('<')) {
    arguments.remove_prefix(1);
    std::size_t end = find_unquoted(arguments, [](char c) { return c == '>'; });
    if (end == arguments.size()) {
      // A quote that is never closed hides the ">": look for it without regard to quotes.
      end = std::min(arguments.find('>'), arguments.size());
    }
    if (end == arguments.size()) {
      result.flags |= kUnclosed;
      end = find_unquoted(arguments, is_blank);
      rest = arguments.substr(end);
    } else {
      rest = arguments.substr(end + 1);
      if (!rest.empty() && !is_blank(rest.front())) result.flags |= kNoSpaceBehind;
    }
    result.path = arguments.substr(0, end);
  } else {
    result.flags |= kNoBrackets;
    const std::size_t end = find_unquoted(arguments, is_blank);
    result.path = arguments.substr(0, end);
    rest = arguments.substr(end);
  }
  skip_blanks(rest);
  result.parameters = rest;
  const std::size_t route = source_route_size(result.path);
  if (route > 0) result.flags |= kSourceRoute;
  result.mailbox = result.path.substr(route);
  return result;
}

std::size_t find_domain(std::string_view mailbox) {
  std::size_t domain = std::string_view::npos;
  for (std::size_t at = 0; at < mailbox.size();) {
    at += find_unquoted(mailbox.substr(at), [](char c) { return c == '@'; });
    if (at < mailbox.size()) domain = ++at;
  }
  return domain;
}

bool equal_paths(std::string_view a, std::string_view b) {
  const std::string_view mailbox_a = a.substr(source_route_size(a));
  const std::string_view mailbox_b = b.substr(source_route_size(b));
  const std::size_t domain_a = find_domain(mailbox_a);
  const std::size_t domain_b = find_domain(mailbox_b);
  if (domain_a != domain_b) return false;
  if (domain_a == std::string_view::npos) {
    // "Postmaster" without a domain is the one local part without case (RFC 5321 4.5.1).
    constexpr std::string_view kPostmaster = "postmaster";
    return mailbox_a == mailbox_b || (equal_ignoring_case(mailbox_a, kPostmaster) &&
                                      equal_ignoring_case(mailbox_b, kPostmaster));
  }
  return mailbox_a.substr(0, domain_a) == mailbox_b.substr(0, domain_b) &&
         equal_ignoring_case(mailbox_a.substr(domain_a), mailbox_b.substr(domain_b));
}

bool same_keyword(std::string_view keyword, std::string_view upper_case) {
  return equal_ignoring_case(keyword, upper_case);
}

void MailParameters::Iterator::advance() {
  skip_blanks(rest_);
  if (rest_.empty()) {
    current_ = {};
    return;
  }
  std::size_t equals = 0;
  while (equals < rest_.size() && rest_[equals] != '=' && !is_blank(rest_[equals])) ++equals;
  std::size_t end = equals;
  while (end < rest_.size() && !is_blank(rest_[end])) ++end;
  current_.has_value = end > equals;
  current_.keyword = rest_.substr(0, equals);
  const std::size_t value = std::min(equals + 1, end);
  current_.value = rest_.substr(value, end - value);
  rest_.remove_prefix(end);
}

}  // namespace smtpscope
