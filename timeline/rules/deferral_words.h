#pragma once

#include <cstdint>
#include <string_view>

#include "parser/item.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {

/// What a temporary refusal says of its reason, as far as greylisting is concerned.
enum class DeferralWords : std::uint8_t {
  kNone,      // nothing of it, or another reason
  kRetry,     // asks to come back, which greylisting servers do, and others
  kGreylist,  // names it
};

/// "greylist", "Gray list", "grey-listed": one octet at most between the words.
inline bool names_greylisting(std::string_view text) {
  return mentions(text, {"greylist", "graylist", "grey list", "gray list", "grey-list", "gray-list",
                         "grey_list", "gray_list"});
}

/// The words of greylisting servers, and the enhanced codes that they use (RFC 3463; RFC 6647
/// 2.7). Texts that give another reason for the same code do not count: quotas, busy mailboxes,
/// names that could not be looked up, limits.
inline DeferralWords deferral_words(const Reply& reply) {
  bool asks_back = false;
  bool other_reason = false;
  for (const ReplyLine& line : reply.lines) {
    if (names_greylisting(line.text)) return DeferralWords::kGreylist;
    asks_back |=
        mentions(line.text, {"try again later", "try again in", "retry", "temporarily rejected",
                             "temporarily deferred", "4.2.0", "4.7.1"});
    other_reason |= mentions(
        line.text, {"quota", "mailbox full", "mailbox busy", "locked", "lookup", "dns", "resolve",
                    "hostname", "too many", "disk", "storage", "domain not found"});
  }
  return asks_back && !other_reason ? DeferralWords::kRetry : DeferralWords::kNone;
}

/// The codes with which servers greylist: 450 and 451 as a rule, 421 and 452 now and then.
constexpr bool may_greylist(std::uint16_t code) {
  return code == 450 || code == 451 || code == 421 || code == 452;
}

}  // namespace smtpscope
