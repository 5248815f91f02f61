#include "timeline/reasons/reply_reason.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/ascii.h"
#include "base/lines.h"

namespace smtpscope {
namespace {

constexpr std::array<std::string_view, kReplyReasons> kReasonNames = {
    "recipient-unknown",
    "recipient-disabled",
    "recipient-moved",
    "recipient-domain-unknown",
    "recipient-restricted",
    "relay-denied",
    "mailbox-full",
    "sender-unknown",
    "sender-not-allowed",
    "sender-blocked",
    "client-blocklisted",
    "client-no-reverse-dns",
    "client-name-rejected",
    "client-dynamic-address",
    "too-many-connections",
    "rate-limited",
    "too-many-recipients",
    "quota-of-sender",
    "greylisted",
    "auth-required",
    "auth-failed",
    "auth-mechanism",
    "auth-backend-broken",
    "tls-required",
    "tls-failed",
    "spf",
    "dkim",
    "dmarc",
    "sender-unauthenticated",
    "message-too-large",
    "content-spam",
    "content-virus",
    "content-attachment",
    "content-malformed",
    "protocol-error",
    "unsupported-command",
    "loop",
    "server-full",
    "server-busy",
    "server-trouble",
    "upstream-trouble",
    "domain-takes-no-mail",
    "policy-unspecified",
    "unknown",
};
constexpr std::array<std::string_view, kReplyStages> kStageNames = {
    "", "CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "EOD"};
constexpr std::array<std::string_view, kWhoActs> kWhoNames = {"client-admin", "server-admin",
                                                              "recipient", "sender", "nobody-wait"};

template <typename Name, std::size_t size>
std::optional<Name> named(const std::array<std::string_view, size>& names, std::string_view name) {
  const auto at = std::ranges::find(names, name);
  if (at == names.end()) return std::nullopt;
  return static_cast<Name>(at - names.begin());
}

/// A line without "550 " or "550-"; its code goes to `code`.
std::string_view without_code(std::string_view line, std::uint16_t& code) {
  if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit)) return line;
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return line;
  code = static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0');
  return line.substr(std::min<std::size_t>(4, line.size()));
}

}  // namespace

std::string_view to_string(ReplyReason reason) {
  return kReasonNames[static_cast<std::size_t>(reason)];
}

std::optional<ReplyReason> reply_reason(std::string_view name) {
  return named<ReplyReason>(kReasonNames, name);
}

std::string_view to_string(ReplyStage stage) {
  return kStageNames[static_cast<std::size_t>(stage)];
}

std::optional<ReplyStage> reply_stage(std::string_view name) {
  return named<ReplyStage>(kStageNames, name);
}

std::string_view to_string(WhoActs who) { return kWhoNames[static_cast<std::size_t>(who)]; }

std::optional<WhoActs> who_acts(std::string_view name) { return named<WhoActs>(kWhoNames, name); }

std::string_view in_words(WhoActs who) {
  constexpr std::array<std::string_view, kWhoActs> kWords = {
      "whoever runs the client side", "whoever runs the server", "the recipient", "the sender",
      "nobody: wait and try again"};
  return kWords[static_cast<std::size_t>(who)];
}

std::string_view to_string(HowKnown how) {
  constexpr std::array<std::string_view, 4> kNames = {"words", "enhanced-code", "both", "stage"};
  return kNames[static_cast<std::size_t>(how)];
}

std::string_view take_enhanced_code(std::string_view& text) {
  // RFC 3463 2: class "." subject "." detail, of one, three and three digits at most.
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return {};
  std::size_t at = 1;
  for (int part = 0; part < 2; ++part) {
    if (at >= text.size() || text[at] != '.') return {};
    const std::size_t begin = ++at;
    while (at < text.size() && at - begin < 3 && is_digit(text[at])) ++at;
    if (at == begin) return {};
  }
  if (at < text.size() && (is_digit(text[at]) || text[at] == '.')) return {};
  const std::string_view code = text.substr(0, at);
  text.remove_prefix(at);
  while (!text.empty() && (text.front() == ' ' || text.front() == ':')) text.remove_prefix(1);
  return code;
}

ReplyText take_apart(std::string_view reply) {
  ReplyText parts;
  while (!reply.empty()) {
    std::string_view line = take_line(reply);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    line = without_code(line, parts.code);
    if (const std::string_view enhanced = take_enhanced_code(line); !enhanced.empty()) {
      parts.enhanced = enhanced;
    }
    if (!parts.text.empty()) parts.text += '\n';
    parts.text += line;
  }
  return parts;
}

}  // namespace smtpscope
