#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "parser/item.h"

namespace smtpscope {

/// What a temporary refusal says of its reason, as far as greylisting is concerned.
enum class DeferralWords : std::uint8_t {
  kNone,      // nothing of it, or another reason
  kRetry,     // asks to come back, which greylisting servers do, and others
  kGreylist,  // names it
};

/// The words of greylisting servers, and the enhanced codes that they use (RFC 3463; RFC 6647
/// 2.7). Texts that give another reason for the same code do not count: quotas, busy mailboxes,
/// names that could not be looked up, limits.
inline DeferralWords deferral_words(const Reply& reply) {
  constexpr std::array<std::string_view, 2> kGreylisting = {"grey", "gray"};
  constexpr std::array<std::string_view, 7> kComeBack = {
      "try again later",      "try again in", "retry", "temporarily rejected",
      "temporarily deferred", "4.2.0",        "4.7.1"};
  constexpr std::array<std::string_view, 12> kOtherReason = {
      "quota",   "mailbox full", "mailbox busy", "locked", "lookup",  "dns",
      "resolve", "hostname",     "too many",     "disk",   "storage", "domain not found"};
  const auto contains = [](std::string_view text) {
    return [text](std::string_view word) { return text.find(word) != std::string_view::npos; };
  };
  DeferralWords words = DeferralWords::kNone;
  bool other_reason = false;
  for (const ReplyLine& line : reply.lines) {
    std::string lower(line.text.substr(0, 512));  // RFC 5321 4.5.3.1.5
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    }
    for (const std::string_view grey : kGreylisting) {
      // "greylist", "grey list", "grey-listed": one octet at most between the words.
      for (std::size_t at = lower.find(grey); at != std::string::npos;
           at = lower.find(grey, at + 1)) {
        if (lower.compare(at + 4, 4, "list") == 0) return DeferralWords::kGreylist;
        if (at + 5 <= lower.size() && lower.compare(at + 5, 4, "list") == 0) {
          return DeferralWords::kGreylist;
        }
      }
    }
    if (std::ranges::any_of(kComeBack, contains(lower))) words = DeferralWords::kRetry;
    other_reason |= std::ranges::any_of(kOtherReason, contains(lower));
  }
  return other_reason ? DeferralWords::kNone : words;
}

/// The codes with which servers greylist: 450 and 451 as a rule, 421 and 452 now and then.
constexpr bool may_greylist(std::uint16_t code) {
  return code == 450 || code == 451 || code == 421 || code == 452;
}

}  // namespace smtpscope
