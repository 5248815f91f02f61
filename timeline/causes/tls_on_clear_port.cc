#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace tls_on_clear_port_cause {
namespace {

/// OpenSSL's words for octets that are no TLS in the place of the server's first.
bool tells_of_no_tls(const Case& the_case) {
  const RemarkNote* told = the_case.remark(RemarkKind::kTlsFailed);
  if (told == nullptr || told->by == Side::kServer) return false;
  return the_case.session().last_reply.entry == 0 &&
         told->text.find("wrong version number") < told->text.size();
}

void weigh(const Case& the_case, Explanation& explanation) {
  if (tells_of_no_tls(the_case)) {
    explanation.weight = kProven + 3;
    explanation.side = Fault::kClient;
    explanation.certainty = Certainty::kLikely;
    explanation.headline =
        "the client speaks TLS from the first octet, and what came back is no TLS: the server "
        "speaks in the clear on this port (25 and 587 do) and expects EHLO and STARTTLS";
    explanation.covers = {&kTlsHandshakeFailed, &kNoDialogue};
    return;
  }
  const bool expected = the_case.found(kNonSmtpProtocol, "tls-expected");
  if (!expected && !the_case.found(kNonSmtpProtocol, "tls-on-plaintext")) return;
  explanation.weight = kProven;
  const bool port_465 = expected || the_case.session().on_submissions_port();
  explanation.side = port_465 ? Fault::kServer : Fault::kClient;
  explanation.headline = port_465
                             ? "the client speaks TLS from the first octet, as port 465 asks, and "
                               "the server answers in the clear: it does not do TLS there"
                             : "the client speaks TLS from the first octet, and the server speaks "
                               "in the clear on this port: it expects EHLO and STARTTLS";
  explanation.covers = {&kNonSmtpProtocol, &kTlsHandshakeFailed, &kUnsolicitedReply,
                        &kNoDialogue,      &kMissingQuit,        &kUnknownCommand,
                        &kTooManyErrors,   &kNonprintableOctets, &kServerClosedWithout421,
                        &kClientTalksFirst};
}

}  // namespace
}  // namespace tls_on_clear_port_cause

const Cause kTlsOnClearPortCause = {
    .id = "tls-on-clear-port", .side = Fault::kClient, .weigh = tls_on_clear_port_cause::weigh};

}  // namespace smtpscope
