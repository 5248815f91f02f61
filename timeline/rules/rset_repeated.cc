#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace rset_repeated {
namespace {

void evaluate(RuleContext& context) {
  const RsetRun* run = context.session().rset_run.get();
  if (run == nullptr || run->count < 2) return;
  Finding finding = context.finding();
  // Pools that reset on return and on reuse give pairs without any effect at all.
  if (run->aborted == 0) finding.severity = Severity::kInfo;
  finding.time = run->last;
  finding.transaction = run->aborted;
  const std::size_t kept = std::min<std::size_t>(run->count, RsetRun::kKept);
  std::string in_words;
  std::string in_seconds;
  for (std::size_t i = 0; i + 1 < kept; ++i) {
    if (i > 0) {
      in_words += ", ";
      in_seconds += ", ";
    }
    in_words += context.measured(run->spacings[i]);
    in_seconds += seconds_text(run->spacings[i]);
  }
  if (kept < run->count) in_words += ", ...";
  finding.text = fmt::format(
      "RSET sent {} times in a row, {} apart: {}", run->count, in_words,
      run->all_accepted ? "the repeats had no effect" : "not all of them were accepted");
  finding.entries.assign(run->entries.begin(),
                         run->entries.begin() + static_cast<std::ptrdiff_t>(kept));
  finding.attributes = {{"count", std::to_string(run->count)},
                        {"spacings", in_seconds},
                        {"first_aborted", run->aborted == 0 ? "nothing" : "transaction"}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace rset_repeated

const Rule kRsetRepeated = {
    .id = "rset-repeated",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "RSET was sent again although nothing had happened since the last one",
    .means =
        "RSET makes the server forget the sender and the recipients. After one RSET the next has "
        "nothing left to reset. Nothing is lost by the repeats, but they tell of two layers that "
        "clear up without knowing of each other, or of something that uses RSET to keep the "
        "connection awake.",
    .causes =
        "Something in between that takes the message itself: it sends one RSET when the client "
        "says DATA, and another when the client has handed its message over.\n"
        "A library and its application that both reset.\n"
        "A connection pool that resets when a connection comes back and again when it goes out; "
        "then the first RSET had no effect either.\n"
        "A keep-alive: RSETs at even intervals while nothing else happens.",
    .tell_apart =
        "The spacing is the clue. If it follows the time that the client needs to produce its "
        "message, something in between takes the message (see txn-replayed-after-rset). If it is "
        "always the same number of seconds, it is a timer. If it is next to nothing, two layers of "
        "one program clear up one after the other.",
    .advice =
        "Look whether the first RSET dropped a transaction (attribute first_aborted), and whether "
        "the same envelope follows.\n"
        "Let the client produce its message more slowly, and see whether the spacing follows.\n"
        "Compare with the client's own log: how many RSETs does it know of?",
    .caveats =
        "Connection pools give pairs of RSET with any spacing and no lost transaction; then this "
        "is only an info.",
    .reference = "RFC 5321 4.1.1.5",
    .triggers = kOnRsetRunEnd,
    .evaluate = rset_repeated::evaluate,
};

}  // namespace smtpscope
