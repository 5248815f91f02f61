#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace scanner_answers_cause {
namespace {

/// How virus scanners on a user's machine or a gateway name the part that reads along with mail. A
/// server's own filter that refuses says so behind a message, not in place of the greeting.
bool names_scanner(std::string_view text) {
  constexpr std::array<std::string_view, 16> kNames = {
      "mail shield",   "email shield",     "e-mail shield", "mail scanner",
      "email scanner", "e-mail scanner",   "email proxy",   "e-mail proxy",
      "mail guard",    "antivirus",        "anti-virus",    "virus scanner",
      "virus shield",  "email protection", "mail anti",     "internet security"};
  const std::string words = in_lower_case(text);
  return std::ranges::any_of(
      kNames, [&](std::string_view name) { return words.find(name) != std::string::npos; });
}

void weigh(const Case& the_case, Explanation& explanation) {
  const RefusedReply* refusal = the_case.refusal();
  if (refusal == nullptr || refusal->stage != ReplyStage::kConnect) return;
  if (!names_scanner(refusal->text)) return;
  explanation.weight = kByWords + 5;
  explanation.side = Fault::kNetwork;
  explanation.certainty = Certainty::kLikely;
  explanation.headline =
      "a virus scanner that stands before the server answered in its place and refused; no word "
      "of the server itself is here";
  explanation.reason = refusal->judged.reason;
  explanation.entries = {refusal->entry};
  explanation.explains_refusal = true;
  explanation.covers = {&kGreetingRefused, &kNoDialogue};
}

}  // namespace
}  // namespace scanner_answers_cause

const Cause kScannerAnswersCause = {
    .id = "scanner-answers", .side = Fault::kNetwork, .weigh = scanner_answers_cause::weigh};

}  // namespace smtpscope
