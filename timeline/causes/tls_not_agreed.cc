#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "base/tls_alerts.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace tls_not_agreed_cause {
namespace {

/// RFC 8446 6: the numbers that alerts have.
bool is_one_of(std::optional<std::uint8_t> alert, std::initializer_list<int> numbers) {
  return alert && std::ranges::find(numbers, int{*alert}) != numbers.end();
}

void weigh(const Case& the_case, Explanation& explanation) {
  if (!the_case.found(kTlsHandshakeFailed)) return;
  const SessionState& session = the_case.session();
  std::optional<std::uint8_t> alert;
  std::string side = "one side";
  std::string failure;
  bool with_server = false;
  if (const TlsEnds* ends = session.tls_ends.get()) {
    if (const TlsFacts* failed = ends->failed()) {
      with_server = ends->facts(Side::kServer) == failed;
      alert = failed->alert;
      failure = failed->failure;
      side = failed->failed_by ? fmt::format("the {} side", to_string(*failed->failed_by))
                               : "smtpscope";
    }
  } else if (session.tls_state != nullptr && session.tls_state->alert_entry != 0) {
    alert = session.tls_state->alert_description;
    side = fmt::format("the {} side", to_string(session.tls_state->alert_from));
  }
  explanation.weight = kSpecific;
  explanation.certainty = Certainty::kSeen;
  const TlsAlert* known = alert ? find_tls_alert(*alert) : nullptr;
  if ((session.fidelity.unknown & kUnknownOctets) != 0 && !failure.empty()) {
    explanation.headline = fmt::format("TLS failed: the log says \"{}\"", failure);
  } else if (with_server && alert == std::nullopt &&
             failure.find("certificate") != std::string::npos) {
    explanation.headline = fmt::format(
        "TLS failed: smtpscope does not accept the server's certificate ({}); --upstream-ca names "
        "the CA to trust, --insecure-upstream accepts any",
        failure);
    explanation.side = Fault::kServer;
  } else if (is_one_of(alert, {70, 86})) {
    explanation.headline = fmt::format(
        "TLS failed: {} refuses the other's version of TLS (alert {}{}{}): one of them is too old, "
        "or set so",
        side, *alert, known != nullptr ? " " : "", known != nullptr ? known->name : "");
  } else if (is_one_of(alert, {40, 71})) {
    explanation.headline = fmt::format(
        "TLS failed: both sides have no cipher or parameter in common (alert {} from {})", *alert,
        side);
  } else if (alert && *alert >= 42 && *alert <= 49) {
    explanation.headline =
        fmt::format("TLS failed: {} does not accept the other's certificate (alert {}{}{}){}", side,
                    *alert, known != nullptr ? " " : "", known != nullptr ? known->name : "",
                    session.tls_ends != nullptr && side == "the client side"
                        ? "; it has to trust smtpscope's CA: smtpscope ca -o FILE"
                        : "");
  } else if (!failure.empty()) {
    explanation.headline =
        fmt::format("TLS failed with the {} side: {}", with_server ? "server" : "client", failure);
  } else if (const RuleEngine::Told* told = the_case.told(kTlsHandshakeFailed)) {
    explanation.headline = fmt::format("TLS failed: {}", told->text);
  } else {
    explanation.headline = "TLS failed";
  }
  explanation.covers = {
      &kTlsHandshakeFailed, &kTxnAbortedDisconnect, &kMissingQuit, &kServerClosedWithout421,
      &kStarttlsRefused,    &kNoDialogue,           &kHalfClose};
}

}  // namespace
}  // namespace tls_not_agreed_cause

const Cause kTlsNotAgreedCause = {
    .id = "tls-not-agreed", .side = Fault::kUnknown, .weigh = tls_not_agreed_cause::weigh};

}  // namespace smtpscope
