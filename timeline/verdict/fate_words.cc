#include "timeline/verdict/fate_words.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "base/counted.h"

namespace smtpscope {
namespace {

/// What ended a transaction early, as the end of a sentence.
std::string_view by_whom(AbortedBy cause) {
  switch (cause) {
    case AbortedBy::kNothing:
      return "nothing in the trace says why";
    case AbortedBy::kRset:
      return "the client side dropped it with RSET";
    case AbortedBy::kHello:
      return "the client side started over with EHLO or HELO";
    case AbortedBy::kMail:
      return "the client side began another one with MAIL";
    case AbortedBy::kQuit:
      return "the client side said QUIT instead";
    case AbortedBy::kClientClose:
      return "the client side closed the connection";
    case AbortedBy::kServerClose:
      return "the server side closed the connection";
    case AbortedBy::kReset:
      return "the connection was reset";
    case AbortedBy::kTimeout:
      return "the connection timed out";
    case AbortedBy::k421:
      return "the server ended the session";  // its words, 421 or 521, are quoted
    case AbortedBy::kStartTls:
      return "STARTTLS set the session back";
    case AbortedBy::kXclient:
      return "XCLIENT set the session back";
    case AbortedBy::kProxy:
      return "smtpscope ended the session";
  }
  return "";
}

std::string_view why_unknown(AbortedBy cause) {
  switch (cause) {
    case AbortedBy::kClientClose:
    case AbortedBy::kServerClose:
    case AbortedBy::kReset:
    case AbortedBy::kTimeout:
    case AbortedBy::k421:
    case AbortedBy::kProxy:
      return by_whom(cause);
    default:
      return "it is missing from the trace";
  }
}

std::string refused(const TransactionTally& txn) {
  const std::uint16_t code = txn.final_code / 100 > 3 ? txn.final_code : txn.refusal_code;
  // RFC 5321 4.2.1: 4yz asks to try again, 5yz not to.
  return fmt::format("refused: nothing was delivered{}",
                     code / 100 == 4 ? "; a client with a queue tries again later, another one "
                                       "has lost it"
                                     : "");
}

std::string size_of(const TransactionTally& txn) {
  return txn.unseen && txn.octets == 0 ? "of unknown size" : counted(txn.octets, "octet");
}

std::string never_sent(const TransactionTally& txn) {
  const std::string_view why = by_whom(txn.aborted_by);
  if (txn.data_began) {
    return fmt::format("cut off in the middle, after {}: {}. None of it may be delivered",
                       size_of(txn), why);
  }
  if (txn.rcpt_accepted > 0) {
    return fmt::format("never sent: {} {} accepted, then {}",
                       counted(txn.rcpt_accepted, "recipient"),
                       txn.rcpt_accepted == 1 ? "was" : "were", why);
  }
  return fmt::format("never sent: {} before any recipient was accepted", why);
}

}  // namespace

std::string fate(const TransactionTally& txn) {
  switch (txn.outcome) {
    case Outcome::kAccepted:
      return fmt::format("delivered: the server took it for {} ({}){}",
                         counted(txn.rcpt_accepted, "recipient"), size_of(txn),
                         txn.undelivered
                             ? ", but the client side was gone and does not know. It will probably "
                               "send it again, and the recipients get it twice"
                             : "");
    case Outcome::kPartial:
      return fmt::format("delivered in part: the server took it for {} of {}", txn.delivered,
                         counted(txn.rcpt_sent, "recipient"));
    case Outcome::kRejected:
      return refused(txn);
    case Outcome::kAborted:
      return never_sent(txn);
    case Outcome::kUnknown:
      if (!txn.data_sent) return "fate unknown: its end is not in the trace";
      return fmt::format(
          "fate unknown: it was sent, but no final reply was seen ({}). It may have been delivered "
          "or not",
          why_unknown(txn.aborted_by));
    case Outcome::kOpen:
      break;
  }
  return "still under way";
}

std::string fate_in_short(const TransactionTally& txn) {
  switch (txn.outcome) {
    case Outcome::kAccepted:
      return "delivered";
    case Outcome::kPartial:
      return fmt::format("delivered to {} of {}", txn.delivered,
                         counted(txn.rcpt_sent, "recipient"));
    case Outcome::kRejected:
      return "refused";
    case Outcome::kAborted:
      if (txn.data_began) return "broken off in the middle";
      return txn.refusal_code / 100 > 3 && txn.rcpt_accepted == 0 ? "refused" : "never sent";
    case Outcome::kUnknown:
      return "fate unknown";
    case Outcome::kOpen:
      break;
  }
  return "still under way";
}

std::string by_outcome(const SessionTotals& totals) {
  constexpr std::array<std::pair<Outcome, std::string_view>, 6> kWords = {{
      {Outcome::kAccepted, "delivered"},
      {Outcome::kPartial, "delivered in part"},
      {Outcome::kRejected, "refused"},
      {Outcome::kAborted, "never sent"},
      {Outcome::kUnknown, "unknown"},
      {Outcome::kOpen, "still under way"},
  }};
  std::string text;
  for (const auto& [outcome, words] : kWords) {
    const std::uint64_t count = totals.outcomes[static_cast<std::size_t>(outcome)];
    if (count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, words);
  }
  return fmt::format("{} messages: {}", totals.transactions, text);
}

std::string without_message(const SessionState& state) {
  if (state.connect_failed) return "no message: the server could not be reached";
  if (state.turned_away) return "no message: smtpscope itself turned the client away";
  if (state.tls_hides())
    return "no message was seen before TLS began; what was inside TLS is not visible";
  if (state.greeting == SessionState::Greeting::kPending && !state.mid_session) {
    return "no message: the server never greeted";
  }
  if (state.greeting == SessionState::Greeting::kRefused) {
    return "no message: the server refused the session in its greeting";
  }
  return "no message was begun";
}

}  // namespace smtpscope
