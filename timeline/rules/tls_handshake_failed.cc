#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/tls_alerts.h"
#include "capture/fidelity.h"
#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/tls_words.h"

namespace smtpscope {
namespace tls_handshake_failed {
namespace {

constexpr std::uint8_t kFatal = 2;
constexpr std::uint8_t kIllegalParameter = 47;
/// In TLS 1.3 a Finished message with its tag is not shorter: 4 octets and a SHA-256 hash, a type,
/// 16 octets of tag (RFC 8446 4.4.4, 5.2). What is shorter can only be an alert.
constexpr std::uint32_t kShortestFinished = 53;

/// The side has shown that the handshake is over for it.
bool done(const TlsState& tls, Side side) {
  return tls.data_seen[index(side)] || tls.finished_seen[index(side)];
}

bool only_an_alert(const TlsState& tls, Side side) {
  return !tls.finished_seen[index(side)] && tls.data_records[index(side)] == 1 &&
         tls.first_data_octets[index(side)] < kShortestFinished;
}

void add_versions(const TlsState& tls, Finding& finding) {
  for (const Side side : {Side::kClient, Side::kServer}) {
    if (!tls.hello_seen[index(side)]) continue;
    finding.attributes.emplace_back(fmt::format("{}_hello_version", to_string(side)),
                                    fmt::format("0x{:04x}", tls.version[index(side)]));
  }
}

/// What the hellos and the server's certificate say, as far as they can be read.
void add_handshake(const TlsState& tls, Finding& finding) {
  if (const auto& hello = tls.client_hello) {
    finding.attributes.emplace_back("client_versions", versions_text(*hello));
    if (!hello->server_name.empty())
      finding.attributes.emplace_back("server_name", hello->server_name);
  }
  if (const auto& hello = tls.server_hello) {
    finding.attributes.emplace_back("server_version", tls_version_text(hello->version));
    finding.attributes.emplace_back("cipher", tls_cipher_text(hello->cipher_suite));
  }
  if (const auto& certificate = tls.certificate) {
    finding.attributes.emplace_back("certificate_subject", certificate->subject);
    finding.attributes.emplace_back("certificate_names", names_text(*certificate));
    if (!certificate->not_after.empty()) {
      finding.attributes.emplace_back("certificate_until", day_of(certificate->not_after));
    }
  }
}

/// Who refused what, where alert and handshake together tell more than either; "" where not.
std::string refusal_text(const TlsState& tls, std::uint8_t alert, Side from) {
  constexpr std::uint8_t kProtocolVersion = 70, kUnrecognizedName = 112;
  constexpr std::uint8_t kFirstCertificateAlert = 42, kLastCertificateAlert = 48;
  const auto& hello = tls.client_hello;
  if (alert == kProtocolVersion && from == Side::kServer && hello) {
    return fmt::format("the server wants a version that the client does not offer; it offers {}",
                       versions_text(*hello));
  }
  if (alert == kProtocolVersion && from == Side::kClient && tls.server_hello) {
    return fmt::format("the client refused the server's choice of {}",
                       tls_version_text(tls.server_hello->version));
  }
  if (alert == kUnrecognizedName && hello && !hello->server_name.empty()) {
    return fmt::format("the client asked for {}", hello->server_name);
  }
  const bool about_certificate = alert >= kFirstCertificateAlert &&
                                 alert <= kLastCertificateAlert && alert != kIllegalParameter;
  if (!about_certificate || from != Side::kClient || !tls.certificate) return {};
  std::string text = fmt::format("the client refused the server's certificate {}",
                                 certificate_text(*tls.certificate));
  if (hello && !hello->server_name.empty() && !tls.certificate->names_host(hello->server_name)) {
    text += fmt::format("; the client asked for {} by SNI, and the certificate names {} only",
                        hello->server_name, names_text(*tls.certificate));
  }
  return text;
}

void fire(RuleContext& context, Finding finding, const TlsState* tls, Time until) {
  if (tls != nullptr) {
    finding.entries.push_back(tls->starttls_entry);
    finding.attributes.emplace_back("duration", seconds_text(until - tls->began));
    add_versions(*tls, finding);
    add_handshake(*tls, finding);
  }
  if (const StartTlsNotes* starttls = context.session().starttls.get()) {
    finding.entries.push_back(starttls->sent);
  }
  context.fire(std::move(finding));
}

void judge_alert(RuleContext& context, const TlsRecord& record, Side side) {
  if (record.alert_level != kFatal) return;
  const TlsState* tls = context.session().tls_state.get();
  const TlsAlert* alert = find_tls_alert(record.alert_description);
  Finding finding = context.finding();
  finding.variant = "alert";
  finding.text = fmt::format("the {} side ended the TLS handshake with alert {}{}{}{}",
                             to_string(side), record.alert_description,
                             alert != nullptr ? fmt::format(" ({})", alert->name) : "",
                             alert != nullptr && !alert->meaning.empty() ? ": " : "",
                             alert != nullptr ? alert->meaning : "");
  if (tls != nullptr) {
    const std::string refusal = refusal_text(*tls, record.alert_description, side);
    if (!refusal.empty()) finding.text += fmt::format(" ({})", refusal);
  }
  finding.attributes = {{"side", std::string(to_string(side))},
                        {"alert", std::to_string(record.alert_description)}};
  if (alert != nullptr) finding.attributes.emplace_back("alert_name", alert->name);
  fire(context, std::move(finding), tls, context.entry()->first);
}

/// How far the handshake had come, as seen from outside.
std::string how_far(const TlsState* tls) {
  if (tls == nullptr || !tls->hello_seen[index(Side::kClient)]) return "before any ClientHello";
  if (!tls->hello_seen[index(Side::kServer)]) return "after the ClientHello, without a ServerHello";
  for (const Side side : {Side::kClient, Side::kServer}) {
    if (only_an_alert(*tls, side)) {
      return fmt::format(
          "after one encrypted record of {} octets of the {} side, which is too short for anything "
          "but an alert",
          tls->first_data_octets[index(side)], to_string(side));
    }
  }
  return "after both hellos";
}

/// A client that looks at the certificate once the handshake is over, as those with GnuTLS do, and
/// does not like it: it closes, and no alert says why.
void judge_silent(RuleContext& context, const Closed& closed) {
  const SessionState& session = context.session();
  if (closed.from != Side::kClient || closed.by_proxy || session.first_closer != Side::kClient ||
      session.hangup_code != 0) {
    return;
  }
  Finding finding = context.finding();
  finding.variant = "silent";
  finding.severity = Severity::kWarning;
  finding.fault = Fault::kClient;
  finding.certainty = Certainty::kLikely;
  finding.text =
      "the client side closed right after the TLS handshake, without a word in TLS: so does a "
      "client that looks at the certificate then, and does not accept it";
  finding.attributes = {{"side", "client"}, {"close", std::string(to_string(closed.kind))}};
  fire(context, std::move(finding), nullptr, context.now());
}

/// smtpscope itself spoke TLS, and knows.
void judge_own(RuleContext& context, const TlsEnds& ends, const Closed& closed) {
  const TlsFacts* failed = ends.failed();
  if (failed == nullptr) {
    if (context.session().silent_in_tls()) judge_silent(context, closed);
    return;
  }
  const Side with = ends.facts(Side::kClient) == failed ? Side::kClient : Side::kServer;
  Finding finding = context.finding();
  finding.variant = failed->alert ? "alert" : "closed";
  // One that leaves while smtpscope speaks with the other leaves nobody to speak for.
  const bool other_left = !failed->failed_by && context.session().first_closer == other(with);
  finding.fault = (with == Side::kClient) != other_left ? Fault::kClient : Fault::kServer;
  finding.text = fmt::format("the TLS handshake of smtpscope with the {} side failed: {}",
                             to_string(with), failed->failure);
  finding.attributes = {{"side", std::string(to_string(with))}};
  if (failed->alert) {
    finding.attributes.emplace_back("alert", std::to_string(*failed->alert));
    if (const TlsAlert* alert = find_tls_alert(*failed->alert)) {
      finding.attributes.emplace_back("alert_name", alert->name);
    }
  }
  fire(context, std::move(finding), nullptr, context.now());
}

void judge_close(RuleContext& context, const Closed& closed) {
  const SessionState& session = context.session();
  if (session.tls_ends != nullptr) {
    if (context.fired(kTlsHandshakeFailed) == 0) judge_own(context, *session.tls_ends, closed);
    return;
  }
  if (!session.tls || closed.by_proxy || session.first_closer != closed.from) return;
  if (context.fired(kTlsHandshakeFailed) > 0) return;
  const TlsState* tls = session.tls_state.get();
  if (tls != nullptr) {
    const bool alerted = only_an_alert(*tls, Side::kClient) || only_an_alert(*tls, Side::kServer);
    if (done(*tls, Side::kClient) && done(*tls, Side::kServer) && !alerted) return;
    // The outside of TLS alone is a handshake only if it was seen from its beginning.
    if (session.mid_session && session.starttls == nullptr) return;
  }
  if (session.holes > 0) {
    context.not_evaluated("octets are missing from the trace");
    return;
  }
  Finding finding = context.finding();
  finding.variant = "closed";
  finding.text = fmt::format("the {} side {} during the TLS handshake, {}", to_string(closed.from),
                             closed.kind == CloseKind::kReset     ? "reset the connection"
                             : closed.kind == CloseKind::kTimeout ? "timed out"
                                                                  : "closed",
                             how_far(tls));
  if (tls != nullptr && tls->alert_entry != 0) {
    finding.text += fmt::format(" (alert {} of the {} side before)", tls->alert_description,
                                to_string(tls->alert_from));
    finding.entries.push_back(tls->alert_entry);
  }
  finding.attributes = {{"side", std::string(to_string(closed.from))},
                        {"close", std::string(to_string(closed.kind))}};
  fire(context, std::move(finding), tls, context.now());
}

/// A program's own text knows no records; but it may say that a handshake failed.
bool is_told(const SessionState& session) {
  return (session.fidelity.unknown & kUnknownOctets) != 0;
}

void judge_told(RuleContext& context) {
  const TlsEnds* ends = context.session().tls_ends.get();
  const TlsFacts* failed = ends != nullptr ? ends->failed() : nullptr;
  if (failed == nullptr || context.fired(kTlsHandshakeFailed) > 0) return;
  Finding finding = context.finding();
  finding.variant = "told";
  finding.fault = !failed->failed_by                    ? Fault::kUnknown
                  : *failed->failed_by == Side::kClient ? Fault::kClient
                                                        : Fault::kServer;
  finding.text = fmt::format("the TLS handshake failed; the log says: {}", failed->failure);
  fire(context, std::move(finding), nullptr, context.now());
}

void evaluate(RuleContext& context) {
  const bool ends = context.closed() == nullptr && context.entry() == nullptr;
  if (is_told(context.session())) {
    if (ends || context.closed() != nullptr) judge_told(context);
    return;
  }
  if (context.closed() != nullptr) {
    judge_close(context, *context.closed());
  } else if (context.entry() != nullptr) {
    const Item& item = *context.entry()->item;
    if (const auto* record = std::get_if<TlsRecord>(&item.body)) {
      judge_alert(context, *record, item.side);
    }
  }
}

}  // namespace
}  // namespace tls_handshake_failed

const Rule kTlsHandshakeFailed = {
    .id = "tls-handshake-failed",
    .category = Category::kTls,
    .severity = Severity::kError,
    .fault = Fault::kUnknown,
    .uses = kNeedsTlsRecords | kNeedsCloseKind,
    .triggers = kOnOtherEntry | kOnClose | kOnSessionEnd,
    .evaluate = tls_handshake_failed::evaluate,
};

}  // namespace smtpscope
