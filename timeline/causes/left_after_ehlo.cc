#include <fmt/format.h>

#include <string>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/causes/shapes.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace left_after_ehlo_cause {
namespace {

void weigh(const Case& the_case, Explanation& explanation) {
  if (!left_after_hello(the_case)) return;
  explanation.weight = kUsual;
  explanation.certainty = Certainty::kPossible;
  explanation.side = Fault::kClient;
  const Capabilities::Keyword* auth = the_case.offered().find("AUTH");
  std::string missed;
  if (the_case.session().hello == SessionState::Hello::kHelo) {
    missed = "it said HELO, and so learns of no extension: neither STARTTLS nor a login";
  } else if (auth != nullptr) {
    missed = fmt::format(
        "to log in the server offers {}: a client that knows none of these gives up here",
        auth->parameters().empty() ? "no mechanism" : auth->parameters());
  } else if (!the_case.offered().has("STARTTLS")) {
    missed =
        "the server offers neither STARTTLS nor a login (AUTH): a client that needs one of them "
        "gives up here";
  } else {
    missed = "nothing was refused";
  }
  if (const RemarkNote* told = the_case.remark(RemarkKind::kNotOffered)) {
    explanation.weight = kProven;
    explanation.certainty = Certainty::kSeen;
    missed += fmt::format("; its log says \"{}\"", told->text);
  }
  explanation.headline =
      fmt::format("the client left after {} without sending anything; {}",
                  the_case.session().hello == SessionState::Hello::kHelo ? "HELO" : "EHLO", missed);
  explanation.covers = {&kMissingQuit, &kNoDialogue};
}

}  // namespace
}  // namespace left_after_ehlo_cause

const Cause kLeftAfterEhloCause = {
    .id = "left-after-ehlo", .side = Fault::kClient, .weigh = left_after_ehlo_cause::weigh};

}  // namespace smtpscope
