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
    .triggers = kOnRsetRunEnd,
    .evaluate = rset_repeated::evaluate,
};

}  // namespace smtpscope
