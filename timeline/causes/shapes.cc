#include "timeline/causes/shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "base/ascii.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {

bool left_after_hello(const Case& the_case) {
  const SessionState& session = the_case.session();
  if (session.transactions > 0 || session.auth != nullptr || session.starttls != nullptr) {
    return false;
  }
  if (session.hello == SessionState::Hello::kNone || session.last_hello.code / 100 != 2) {
    return false;
  }
  if (session.tls_state != nullptr || the_case.refusal() != nullptr || session.mid_session) {
    return false;
  }
  if (session.holes > 0) return false;  // what is missing may be what it sent
  const bool left = session.quit_sent || session.first_closer == Side::kClient ||
                    the_case.remark(RemarkKind::kNotOffered) != nullptr;
  const Verb last = session.last_command.verb;
  return left &&
         (last == Verb::kQuit || last == Verb::kEhlo || last == Verb::kHelo || last == Verb::kLhlo);
}

bool never_replied(const SessionState& session) {
  return session.connected && !session.mid_session && session.holes == 0 &&
         session.greeting == SessionState::Greeting::kPending && session.orphans == 0;
}

bool never_greeted(const SessionState& session) {
  return never_replied(session) && !session.greeted_oddly;
}

bool client_tells_of_errors(const Case& the_case) {
  constexpr std::array kErrors = {RemarkKind::kNotOffered, RemarkKind::kTlsFailed,
                                  RemarkKind::kTimeout, RemarkKind::kLostConnection,
                                  RemarkKind::kException};
  return std::ranges::any_of(kErrors, [&](RemarkKind kind) {
    const RemarkNote* told = the_case.remark(kind);
    return told != nullptr && told->by != Side::kServer;
  });
}

bool accepted_without_envelope(const Case& the_case) {
  const LastMailData* data = the_case.session().last_mail_data.get();
  return the_case.totals().transactions == 0 && data != nullptr && data->entry != 0 &&
         the_case.found(kDataWithoutRcpt, "accepted-354") && the_case.refusal() == nullptr;
}

bool confirmed_all(const Case& the_case, Side side) {
  const TcpFigures* figures = the_case.tcp_of(side);
  return figures != nullptr && figures->confirmed();
}

bool in_list(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (equal_ignoring_case(list.substr(0, end), name)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

bool mentions_bare_lf(std::string_view text) {
  constexpr std::array<std::string_view, 6> kWords = {"bare <lf>",    "bare lf",  "bare line",
                                                      "bare newline", "naked lf", "barelf"};
  const std::string words = in_lower_case(text);
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return words.find(word) != std::string::npos; });
}

std::string where_the_trace_ends(const Case& the_case) {
  const SessionState& session = the_case.session();
  const LastSilence& last = session.last_silence;
  std::string words = "the trace ends before the session does";
  if (last.owed == kOwedConnection) {
    words += ", without a connection to the server";
  } else if (last.silent == Party::kServer || last.silent == Party::kClient) {
    const Side side = last.silent == Party::kServer ? Side::kServer : Side::kClient;
    words +=
        fmt::format("; the {} owes {}", to_string(side), last.owed.empty() ? "a word" : last.owed);
    if (confirmed_all(the_case, side)) words += ", and its host has confirmed all that it was sent";
  }
  // Shorter waits than this say nothing of who is slow.
  constexpr Duration kWorthTelling = std::chrono::seconds(1);
  if (last.length() >= kWorthTelling) {
    words += fmt::format(", {} silent", the_case.measured(last.length()));
  }
  for (const TransactionTally& message : the_case.messages()) {
    if (message.outcome != Outcome::kOpen) continue;
    if (message.data_sent) {
      words += fmt::format("; {} octets of the message were sent, to its end", message.octets);
    } else if (message.octets > 0) {
      words += fmt::format("; {} octets of the message have come", message.octets);
    }
  }
  return words;
}

}  // namespace smtpscope
