#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
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
  std::string spacings;
  for (std::size_t i = 0; i + 1 < kept; ++i) {
    if (i > 0) spacings += ", ";
    spacings += duration_text(run->spacings[i]);
  }
  finding.text = fmt::format("RSET sent {} times in a row, {} apart: the repeats had no effect",
                             run->count, spacings);
  finding.entries.assign(run->entries.begin(),
                         run->entries.begin() + static_cast<std::ptrdiff_t>(kept));
  finding.attributes = {{"count", std::to_string(run->count)}, {"spacings", spacings}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kRsetRepeated = {
    .id = "rset-repeated",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "RSET was sent again although nothing had happened since the last one",
    .means =
        "After one RSET the next has nothing left to reset. Two layers seem to be clearing up "
        "independently (a library and its application, or an application and a scanning "
        "program), or something uses RSET to keep the connection awake.\n"
        "The spacing is the clue: if it follows the time that the client needs to produce its "
        "message, something in between sends one RSET when the client says DATA and another "
        "when the client has finished. Vary the client's input speed and see whether the "
        "spacing follows.",
    .caveats =
        "Connection pools that reset on return and again on reuse give pairs of RSET with any "
        "spacing and no lost transaction; then this is only an info.",
    .reference = "RFC 5321 4.1.1.5",
    .triggers = kOnRsetRunEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
