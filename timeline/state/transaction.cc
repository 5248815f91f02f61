#include "timeline/state/transaction.h"

#include <array>

namespace smtpscope {

std::string_view to_string(Outcome outcome) {
  constexpr std::array<std::string_view, 6> kNames = {"open",     "accepted", "partial",
                                                      "rejected", "aborted",  "unknown"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view to_string(AbortedBy cause) {
  constexpr std::array<std::string_view, 13> kNames = {
      "nothing",   "RSET",    "EHLO", "MAIL",     "QUIT",    "client close", "server close",
      "TCP reset", "timeout", "421",  "STARTTLS", "XCLIENT", "smtpscope"};
  return kNames[static_cast<std::size_t>(cause)];
}

}  // namespace smtpscope
