#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace strip_took_the_login_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!left_after_hello(the_case) || !the_case.session().reply_rewritten) return;
  explanation.weight = kSpecific;
  explanation.certainty = Certainty::kLikely;
  explanation.side = Fault::kProxy;
  explanation.headline =
      the_case.offered().has("AUTH")
          ? "the client left after EHLO; smtpscope hid STARTTLS from it (--tls strip), and a "
            "client "
            "that insists on encryption gives up here"
          : "the client left after EHLO; smtpscope hid STARTTLS from it (--tls strip), and without "
            "STARTTLS this server offers no login";
  explanation.covers = {&kMissingQuit, &kNoDialogue, &kStarttlsStripped};
}

}  // namespace
}  // namespace strip_took_the_login_cause

const Cause kStripTookTheLoginCause = {.id = "strip-took-the-login",
                                       .side = Fault::kProxy,
                                       .weigh = strip_took_the_login_cause::weigh};

}  // namespace smtpscope
