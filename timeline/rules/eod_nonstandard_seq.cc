#include <fmt/format.h>

#include <algorithm>
#include <array>
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

/// Takes the next line off `text`, which may end in anything that a lenient server takes for an
/// end.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(text.find_first_not_of("\r\n", end), text.size()));
  return line;
}

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

/// MAIL, RCPT and DATA stand on lines in this order: a second envelope.
bool holds_envelope(std::string_view text) {
  constexpr std::array kWanted = {Verb::kMail, Verb::kRcpt, Verb::kData};
  std::size_t found = 0;
  while (!text.empty() && found < kWanted.size()) {
    if (verb_on(next_line(text)) == kWanted[found]) ++found;
  }
  return found == kWanted.size();
}

void evaluate(RuleContext& context) {
  const auto* data = std::get_if<MailData>(&context.entry()->item->body);
  if (data == nullptr || data->facts.first_candidate_end == 0) return;
  const MessageFacts& facts = data->facts;
  std::string_view behind = data->behind_candidate;
  const bool envelope = holds_envelope(behind);
  std::string_view rest = behind;
  const bool command = looks_like_command(next_line(rest));

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
    finding.text += fmt::format("; a whole second envelope stands behind it: {}", quoted(behind));
  } else if (!behind.empty()) {
    finding.text += fmt::format("; behind it: {}", quoted(behind));
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
    .title = "The message holds a sequence that some servers take for its end",
    .means =
        "A message ends with CR LF, a dot, CR LF, and nothing else. This one holds a dot between "
        "other line ends. A strict server takes it for text, a lenient one for the end, and then "
        "reads what follows as commands. That is SMTP smuggling: a forged second mail that passes "
        "the checks which the first one earned.",
    .causes =
        "Somebody tries to smuggle a mail (then commands follow, above all with the variant "
        "smuggled-command).\n"
        "A program that writes LF instead of CR LF sends a text with a single dot on a line, such "
        "as a quoted mailbox or a patch.\n"
        "A relay or gateway that passes bare LF or CR on, or changes line ends on the way.",
    .tell_apart =
        "Look at what stands behind the sequence. MAIL, RCPT and DATA are an attack or a test for "
        "one; ordinary text is a program with wrong line ends.",
    .advice =
        "Find out where the message entered: a strict outbound relay must not pass it on.\n"
        "Update the server and let it refuse or repair bare line ends (Postfix: "
        "smtpd_forbid_bare_newline).\n"
        "Correct the line ends of the program that wrote it.\n"
        "On a gateway, switch off a repair of line ends that turns bare CR or LF into CR LF: it "
        "creates the end where none was.",
    .caveats =
        "Text with LF . LF from a program with bare LF happens honestly. What follows the sequence "
        "is only told where the trace has kept it.",
    .reference =
        "RFC 5321 4.1.1.4, 2.3.8; CVE-2023-51764, CVE-2023-51765, CVE-2023-51766; SEC Consult, "
        "SMTP Smuggling (2023)",
    .needs = kNeedsContent | kNeedsOctets,
    .triggers = kOnData,
    .evaluate = eod_nonstandard_seq::evaluate,
};

}  // namespace smtpscope
