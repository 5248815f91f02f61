#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/reaction.h"

namespace smtpscope {
namespace helo_name_suspicious {
namespace {

using Address = std::array<std::uint8_t, 16>;

/// An IPv4 address as the IPv6 address that stands for it (RFC 4291 2.5.5.2).
std::optional<Address> read_address(std::string_view text) {
  const std::string terminated(text.substr(0, INET6_ADDRSTRLEN));
  Address address{};
  if (inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
  address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (inet_pton(AF_INET, terminated.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

/// RFC 5321 2.3.5: letters, digits and hyphens between the dots, none of the labels empty.
bool is_domain(std::string_view name) {
  char before = '.';
  for (const char c : name) {
    const bool letter = is_alphanumeric(c);
    if (!letter && c != '-' && c != '.') return false;
    if (!letter && before == '.') return false;
    if (c == '.' && before == '-') return false;
    before = c;
  }
  return before != '.' && before != '-';
}

/// What is wrong with a name, and how much it says of a client on the same host or of one that
/// hands in mail.
struct Suspicion {
  std::string_view variant;
  std::string_view words;
  bool grammar = false;  // against the grammar of RFC 5321 4.1.2, whoever says it
};

/// RFC 5321 4.1.3: "[192.0.2.1]", "[IPv6:2001:db8::1]".
std::optional<Suspicion> judge_literal(std::string_view name, std::string_view peer) {
  constexpr std::string_view kTag = "ipv6:";
  std::optional<Address> address;
  if (name.ends_with(']')) {
    std::string_view inside = name.substr(1, name.size() - 2);
    if (equal_ignoring_case(inside.substr(0, kTag.size()), kTag)) inside.remove_prefix(kTag.size());
    address = read_address(inside);
  }
  if (!address) return Suspicion{"bad-literal", "is no valid address literal", true};
  const std::optional<Address> seen = read_address(peer);
  if (!seen || *seen == *address) return std::nullopt;
  return Suspicion{"literal-mismatch", "is not the address that the client comes from"};
}

/// XCLIENT_README: what follows is said for another client, which has its own name and address.
bool speaks_for_another(const SessionState& session) {
  return session.offers != nullptr && session.offers->voided_by == Verb::kXclient;
}

std::optional<Suspicion> judge(std::string_view name, const SessionState& session) {
  if (name.empty()) return Suspicion{"empty", "", true};
  if (name.starts_with('[')) {
    // Behind a PROXY header or XCLIENT the address that the literal would have to be is another.
    const bool another = session.client_is_told || speaks_for_another(session);
    return judge_literal(name, another ? std::string_view() : session.client_host);
  }
  const bool may_be_address = is_digit(name.back()) || name.find(':') != std::string_view::npos;
  if (may_be_address && read_address(name))
    return Suspicion{"bare-address", "is an address without brackets", true};
  if (!is_domain(name)) {
    return Suspicion{"bad-character", "has characters that a host name cannot have", true};
  }
  if (equal_ignoring_case(name, "localhost") ||
      equal_ignoring_case(name, "localhost.localdomain")) {
    return Suspicion{"localhost", "is the name that every host has for itself"};
  }
  if (equal_ignoring_case(name, session.server_name)) {
    return Suspicion{"server-name", "is the name that the server gives itself"};
  }
  if (name.find('.') == std::string_view::npos) {
    return Suspicion{"no-dot", "is no full domain name"};
  }
  const std::string& before = session.last_hello.name;
  // Another name is no wonder where the server refused the first.
  if (!before.empty() && session.last_hello.code < 400 && !speaks_for_another(session) &&
      !equal_ignoring_case(name, before)) {
    return Suspicion{"changed", "is not the name that the client gave before"};
  }
  return std::nullopt;
}

/// RFC 6409, RFC 8314: clients that hand in mail may not know a name for themselves.
bool is_submission(std::string_view upstream) {
  const std::size_t colon = upstream.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view port = upstream.substr(colon + 1);
  return port == "587" || port == "465";
}

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  const Command& command = *context.command();
  if (context.entry()->item->side != Side::kClient) return;  // turned around (TURN, ATRN)
  const std::string_view name = without_trailing_blanks(command.arguments);
  // The same name again, behind a refused EHLO or at the beginning of TLS: told before.
  if (session.last_hello.entry != 0 && equal_ignoring_case(name, session.last_hello.name)) return;
  const std::optional<Suspicion> found = judge(name, session);
  if (!found) return;

  Finding finding = context.finding();
  finding.variant = found->variant;
  if (is_submission(session.upstream) || (session.client_is_local && !found->grammar)) {
    finding.severity = Severity::kInfo;
  }
  if (name.empty()) {
    finding.text = fmt::format("the client side gave no name with {}", to_string(command.verb));
  } else {
    finding.text = fmt::format("the name given with {}, \"{}\", {}", to_string(command.verb),
                               excerpt(name), found->words);
  }
  if (found->variant == "literal-mismatch") {
    finding.text += fmt::format(", {}", session.client_host);
  } else if (found->variant == "changed") {
    finding.text += fmt::format(", \"{}\"", excerpt(session.last_hello.name));
    finding.entries.push_back(session.last_hello.entry);
  }
  finding.attributes = {{"name", excerpt(name)}, {"client", session.client_host}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace helo_name_suspicious

const Rule kHeloNameSuspicious = {
    .id = "helo-name-suspicious",
    .category = Category::kSyntax,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .triggers = kOnCommand,
    .verbs = verbs(Verb::kHelo, Verb::kEhlo, Verb::kLhlo),
    .evaluate = helo_name_suspicious::evaluate,
};

}  // namespace smtpscope
