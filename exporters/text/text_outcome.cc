#include "exporters/text/text_outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "base/counted.h"
#include "exporters/text/text_style.h"
#include "exporters/time_words.h"

namespace smtpscope {
namespace {

std::string refusal(const Transaction& transaction) {
  if (transaction.mail_code / 100 > 3) {
    return fmt::format(", the sender was refused with {}", transaction.mail_code);
  }
  if (transaction.final_code / 100 > 3) {
    return fmt::format(", the message was refused with {}", transaction.final_code);
  }
  if (transaction.data_code / 100 > 3) {
    return fmt::format(", {} was refused with {}", to_string(transaction.data_verb),
                       transaction.data_code);
  }
  if (transaction.rcpt_refused > 0 && transaction.rcpt_accepted == 0) {
    return fmt::format(", {} refused", counted(transaction.rcpt_refused, "recipient"));
  }
  return {};
}

/// Recipients with their fates, where they differ.
std::string recipients(const Transaction& transaction) {
  if (transaction.rcpt_sent == 0) return ", no recipient was given";
  if (transaction.rcpt_accepted == transaction.rcpt_sent) {
    return fmt::format(", {} accepted", counted(transaction.rcpt_accepted, "recipient"));
  }
  return fmt::format(", {} of {} accepted", transaction.rcpt_accepted,
                     counted(transaction.rcpt_sent, "recipient"));
}

/// Verbs in the order in which a session uses them; the others behind, by name.
std::size_t rank(std::string_view verb) {
  constexpr std::array<std::string_view, 14> kOrder = {
      "helo", "ehlo", "lhlo", "starttls", "auth", "xclient", "xforward",
      "mail", "rcpt", "data", "bdat",     "rset", "noop",    "quit"};
  return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), verb) - kOrder.begin());
}

std::string commands_words(const SessionTotals& totals) {
  struct Count {
    std::string_view verb;
    std::uint64_t accepted, sent;
  };
  std::vector<Count> counts;
  for (const auto& [verb, pair] : totals.commands) {
    counts.push_back({verb, pair.first, pair.second});
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const Count& a, const Count& b) { return rank(a.verb) < rank(b.verb); });
  std::string words = "commands:";
  for (const Count& count : counts) {
    words += count.accepted == count.sent
                 ? fmt::format(" {}={}", count.verb, count.sent)
                 : fmt::format(" {}={}/{}", count.verb, count.accepted, count.sent);
  }
  if (counts.empty()) words += " none";
  return words;
}

std::string message(const Transaction& transaction) {
  if (transaction.facts.unseen && transaction.facts.octets == 0) return {};
  if (transaction.missing_octets > 0) {
    return fmt::format(", {}, {} of them not in the trace", counted(transaction.octets(), "octet"),
                       transaction.missing_octets);
  }
  return fmt::format(", {}", counted(transaction.octets(), "octet"));
}

}  // namespace

std::string outcome_words(const Transaction& transaction) {
  std::string words(to_string(transaction.outcome));
  if (transaction.outcome == Outcome::kAborted && transaction.aborted_by != AbortedBy::kNothing) {
    words += fmt::format(" by {}", to_string(transaction.aborted_by));
  }
  return words;
}

std::string outcome_details(const Transaction& transaction) {
  switch (transaction.outcome) {
    case Outcome::kAccepted:
      return fmt::format(", {}{}", counted(transaction.rcpt_accepted, "recipient"),
                         message(transaction));
    case Outcome::kPartial:
      return recipients(transaction) + message(transaction);
    case Outcome::kRejected: {
      std::string words = refusal(transaction);
      if (transaction.data_sent) words += message(transaction);
      return words;
    }
    case Outcome::kAborted:
      return recipients(transaction) + (transaction.wire_octets > 0
                                            ? fmt::format(", {} of the message sent",
                                                          counted(transaction.wire_octets, "octet"))
                                            : ", nothing sent");
    case Outcome::kUnknown:
      return recipients(transaction) + message(transaction) +
             (transaction.data_sent ? " sent, its reply was not seen" : " sent");
    case Outcome::kOpen:
      break;
  }
  return {};
}

std::string remark_words(const Remark& remark) {
  return remark.by ? fmt::format("{} logs: {}", to_string(*remark.by), remark.text)
                   : fmt::format("the log says: {}", remark.text);
}

std::string gap_words(const Gap& gap) {
  std::string words = "the trace has a hole: ";
  if (gap.octets > 0) {
    words += counted(gap.octets, "octet");
  } else if (gap.events > 0) {
    words += counted(gap.events, "event");
  } else {
    words += "an unknown number of octets";
  }
  if (gap.from) words += fmt::format(" from the {}", to_string(*gap.from));
  if (gap.octets > 0 && gap.events > 0)
    words += fmt::format(" in {}", counted(gap.events, "event"));
  if (!gap.why.empty()) words += fmt::format(" ({})", gap.why);
  return words;
}

namespace {

std::string tls_words(const TlsTotals& tls, const Fidelity& fidelity) {
  std::string words = tls.version != 0 ? tls_version_text(tls.version) : "TLS";
  if (tls.cipher_suite != 0) words += fmt::format(" {}", tls_cipher_text(tls.cipher_suite));
  if (tls.resumed) words += " resumed";
  words += ':';
  if (tls.handshake) {
    words += fmt::format(" handshake {}", short_duration(*tls.handshake, fidelity));
    if (tls.server_took && tls.client_took) {
      words += fmt::format(" (server {}, client {})", short_duration(*tls.server_took, fidelity),
                           short_duration(*tls.client_took, fidelity));
    }
    words += ',';
  }
  for (const Side side : {Side::kClient, Side::kServer}) {
    words += fmt::format("{} {} {} in {}", side == Side::kClient ? "" : ",", to_string(side),
                         counted(tls.octets[index(side)], "octet"),
                         counted(tls.records[index(side)], "record"));
  }
  return words;
}

}  // namespace

std::vector<std::string> totals_words(const SessionTotals& totals, const Fidelity& fidelity,
                                      bool in_short) {
  std::vector<std::string> pieces;

  pieces.push_back(commands_words(totals));

  std::string outcomes;
  for (std::size_t i = 0; i < totals.outcomes.size(); ++i) {
    if (totals.outcomes[i] == 0) continue;
    outcomes += fmt::format("{} {} {}", outcomes.empty() ? "" : ",", totals.outcomes[i],
                            to_string(static_cast<Outcome>(i)));
  }
  if (!outcomes.empty() && !in_short) pieces.push_back("transactions:" + outcomes);

  const std::array<std::pair<std::string_view, Duration>, 3> idle = {{
      {"client", totals.idle_client},
      {"server", totals.idle_server},
      {"smtpscope", totals.idle_proxy},
  }};
  // In short: nobody looks for a millisecond in a session of seconds.
  const Duration least =
      std::max<Duration>(std::chrono::milliseconds(1),
                         in_short ? (totals.ended - totals.began) / 100 : Duration::zero());
  std::string waits;
  for (const auto& [party, duration] : idle) {
    if (duration < least) continue;
    waits += fmt::format("{} {} {}", waits.empty() ? "" : ",", party,
                         short_duration(duration, fidelity));
  }
  if (!waits.empty()) pieces.push_back("idle:" + waits);

  if (totals.tls) pieces.push_back(tls_words(*totals.tls, fidelity));

  // Of a log these would be the octets of what it tells.
  if ((fidelity.unknown & kUnknownOctets) == 0 && !in_short) {
    pieces.push_back(fmt::format("octets: client {}, server {}",
                                 totals.octets[index(Side::kClient)],
                                 totals.octets[index(Side::kServer)]));
  }
  const std::string took = short_duration(totals.ended - totals.began, fidelity);
  if (!took.empty()) pieces.push_back(fmt::format("took {}", took));
  return pieces;
}

}  // namespace smtpscope
