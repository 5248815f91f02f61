#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

/// Words by which servers say that they would wait no longer, and RFC 3463's 4.4.2.
bool speaks_of_timeout(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  for (const std::string_view word :
       {"timeout", "time out", "time-out", "timed out", "timed-out", "idle", "inactiv", "4.4.2"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (ended->rcpt_accepted == 0) return;
  const SessionState& session = context.session();
  const LastSilence& silence = session.last_silence;
  const Reply* reply = context.reply();
  // A transaction that waits for replies ends later than the close that was its reason.
  const bool by_close = reply == nullptr && session.first_closer.has_value();
  const bool by_client = by_close && *session.first_closer == Side::kClient;
  const bool by_server = by_close && *session.first_closer == Side::kServer;

  constexpr Duration kClientFloor = std::chrono::seconds(60);
  constexpr Duration kServerFloor = std::chrono::seconds(30);
  const bool server_said_so = reply != nullptr && reply->code == 421 && !reply->lines.empty() &&
                              speaks_of_timeout(reply->lines.back().text);
  // What ended the transaction also ended the silence, or the silence is not its reason.
  const bool at_its_end = by_close
                              ? silence.to == session.closes[index(*session.first_closer)]->time
                              : context.entry() && silence.to == context.entry()->first;
  const bool client_silent = at_its_end && silence.silent == Party::kClient &&
                             silence.length() >= kClientFloor && by_server;
  const bool server_silent = at_its_end && silence.silent == Party::kServer &&
                             silence.length() >= kServerFloor && by_client;
  if (!server_said_so && !client_silent && !server_silent) return;

  Finding finding = context.finding();
  const bool server_gave_up = server_said_so || client_silent;
  finding.fault = server_gave_up ? Fault::kClient : Fault::kServer;
  finding.variant = server_gave_up ? "client-silent" : "server-silent";
  const Duration length = at_its_end ? silence.length() : Duration::zero();
  finding.text = fmt::format("the {} side was silent for {}, then the {} gave up{}",
                             server_gave_up ? "client" : "server", duration_text(length),
                             server_gave_up ? "server" : "client side",
                             server_said_so ? " (421, timeout)" : "");
  finding.entries = {ended->first_entry};
  if (context.entry() != nullptr) finding.entries.push_back(context.entry()->number);
  finding.attributes = {{"silent", server_gave_up ? "client" : "server"},
                        {"silence", seconds_text(length)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kTxnAbortedTimeout = {
    .id = "txn-aborted-timeout",
    .category = Category::kTiming,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .title = "A transaction ended because one side stayed silent too long",
    .means =
        "Recipients had been accepted, then one side said nothing until the other gave up. "
        "First look at who was silent.\n"
        "A silent client: the application hung, waited for its user, a disk, or a scanner. A "
        "silent server: name service, blocklists, filters or a slow queue.",
    .caveats =
        "A suspended laptop or virtual machine looks the same; then all sessions fall silent at "
        "once.",
    .reference = "RFC 5321 4.5.3.2, 3.8",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
