#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "parser/command_line.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace eod_nonstandard_seq {
namespace {

Verb verb_on(std::string_view line) { return verb_of(split_command(line).word); }

bool looks_like_command(std::string_view line) {
  switch (verb_on(line)) {
    case Verb::kMail:
    case Verb::kRcpt:
    case Verb::kData:
    case Verb::kEhlo:
    case Verb::kHelo:
    case Verb::kRset:
    case Verb::kQuit:
    case Verb::kBdat:
    case Verb::kStartTls:
      return true;
    default:
      return false;
  }
}

/// What became of the attempt. That it worked is told where the reply shows it, by
/// eod-nonstandard-accepted.
void on_session_end(RuleContext& context) {
  const SmuggledEnvelope* envelope = context.session().smuggled.get();
  if (envelope == nullptr || envelope->accepted_by != 0) return;
  Finding finding = context.finding();
  finding.variant = "smuggling-failed";
  finding.severity = Severity::kNotice;
  finding.text =
      envelope->replies_seen == 0
          ? std::string(
                "the server took the message with the second envelope in it for one "
                "message: nothing of what it hides was obeyed")
          : fmt::format(
                "the server answered {} of the {} commands hidden in the message, and did "
                "not accept a second one",
                envelope->replies_seen, envelope->replies_due);
  finding.entries = {envelope->entry};
  finding.attributes = {{"sender", envelope->sender}, {"recipient", envelope->recipient}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.entry() == nullptr) {
    on_session_end(context);
    return;
  }
  const auto* data = std::get_if<MailData>(&context.entry()->item->body);
  if (data == nullptr || data->facts.first_candidate_end == 0) return;
  const MessageFacts& facts = data->facts;
  const std::string_view behind = data->behind_candidate;
  const bool envelope = find_smuggled_envelope(behind).has_value();
  std::string_view rest = behind;
  const bool command = looks_like_command(next_lenient_line(rest));

  Finding finding = context.finding();
  if (envelope) finding.variant = "smuggled-command";
  if (!envelope && !command) finding.severity = Severity::kWarning;
  std::uint64_t count = 0;
  for (const std::uint32_t each : facts.candidates) count += each;
  finding.text = fmt::format(
      "the first {} octets of the message end in {}, which some servers take for its end",
      facts.first_candidate_end, to_string(facts.first_candidate));
  if (count > 1) finding.text += fmt::format(" ({} such sequences in all)", count);
  if (envelope) {
    finding.text += fmt::format("; a whole second envelope follows: {}", in_quotes(behind));
  } else if (!behind.empty()) {
    finding.text += fmt::format("; after it: {}", in_quotes(behind));
  }
  finding.attributes = {{"kind", std::string(to_string(facts.first_candidate))},
                        {"offset", std::to_string(facts.first_candidate_end)},
                        {"sequences", std::to_string(count)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace eod_nonstandard_seq

const Rule kEodNonstandardSeq = {
    .id = "eod-nonstandard-seq",
    .category = Category::kSecurity,
    .severity = Severity::kError,
    .fault = Fault::kClient,
    .needs = kNeedsContent | kNeedsOctets,
    .triggers = kOnData | kOnSessionEnd,
    .evaluate = eod_nonstandard_seq::evaluate,
};

}  // namespace smtpscope
