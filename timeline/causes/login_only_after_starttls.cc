#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace login_only_after_starttls_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!left_after_hello(the_case) || the_case.session().reply_rewritten) return;
  if (the_case.offered().has("AUTH") || !the_case.offered().has("STARTTLS")) return;
  if (the_case.session().encrypted) return;
  explanation.weight = kUsual + 10;
  explanation.side = Fault::kClient;
  explanation.headline =
      "the client left after EHLO; the server offers no login before STARTTLS, which the client "
      "did not ask for. A client that has to log in gives up here";
  // Between servers, where few log in, a look at the EHLO reply and QUIT is what a monitor does.
  const bool between_servers = the_case.server_port() == 25 && the_case.session().quit_sent;
  explanation.certainty = between_servers ? Certainty::kPossible : Certainty::kLikely;
  if (const RemarkNote* told = the_case.remark(RemarkKind::kNotOffered)) {
    explanation.weight = kProven;
    explanation.certainty = Certainty::kSeen;
    explanation.headline += fmt::format("; its log says \"{}\"", told->text);
  } else if (between_servers) {
    explanation.headline += "; so does a health check";
  }
  explanation.covers = {&kMissingQuit, &kNoDialogue, &kStarttlsNotUsed};
}

}  // namespace
}  // namespace login_only_after_starttls_cause

const Cause kLoginOnlyAfterStarttlsCause = {.id = "login-only-after-starttls",
                                            .side = Fault::kClient,
                                            .weigh = login_only_after_starttls_cause::weigh};

}  // namespace smtpscope
