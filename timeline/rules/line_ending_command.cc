#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/session_notes.h"

namespace smtpscope {
namespace line_ending_command {
namespace {

void fire(RuleContext& context, std::string_view variant, std::string text) {
  Finding finding = context.finding();
  finding.variant = variant;
  finding.text = std::move(text);
  context.fire(std::move(finding));
}

// Each kind is told once, at the first line that has it: a client that gets it wrong does so with
// every line.
void evaluate(RuleContext& context) {
  const Command& command = *context.command();
  const auto fresh =
      static_cast<std::uint8_t>(odd_endings(command) & ~context.session().odd_endings);
  if ((fresh & kBareLfSeen) != 0) {
    fire(context, "bare-lf", "the client side ends its lines with LF alone instead of CR LF");
  }
  if ((fresh & kCrCrLfSeen) != 0) {
    fire(context, "cr-cr-lf", "the client side ends its lines with CR CR LF instead of CR LF");
  }
  if ((fresh & kBareCrSeen) != 0) {
    const std::size_t at = command.text.find('\r');
    fire(context, "bare-cr",
         at == std::string_view::npos
             ? std::string("a command line of the client side has a CR in its middle")
             : fmt::format("a command line of the client side has a CR in its middle, behind {} "
                           "octets",
                           at));
  }
}

}  // namespace
}  // namespace line_ending_command

const Rule kLineEndingCommand = {
    .id = "line-ending-command",
    .category = Category::kSyntax,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .title = "Command lines do not end as they must",
    .means =
        "Every line in SMTP ends with the two octets CR LF, and neither of them may stand alone. "
        "What a server makes of anything else is its own affair: it may take the line, refuse it "
        "and hang up, or wait for a CR LF that never comes. Variants: bare-lf (LF without CR), "
        "bare-cr (CR in the middle of a line), cr-cr-lf (one CR too many).",
    .causes =
        "A script that pipes text into the connection (nc, telnet in a mode of its own, a shell's "
        "echo).\n"
        "A program that writes lines as its operating system has them, or that adds CR to lines "
        "which have one already (cr-cr-lf).\n"
        "bare-cr: an address or a name that was read from a file with other line ends; or somebody "
        "who tries to slip in a command.",
    .tell_apart =
        "If all lines of the session are affected, it is the program that writes them. If it is "
        "one line, it is what was put into it.",
    .advice =
        "Make the script write \\r\\n (nc -C, printf instead of echo).\n"
        "If the server seems to hang, this is the likely reason: it waits for the rest of a line.\n"
        "bare-cr: find out where the value in the middle of that line comes from.",
    .caveats =
        "Many servers take LF alone, so the session may go well. Each variant is told once per "
        "session.",
    .reference = "RFC 5321 2.3.8, 4.1.1; Postfix smtpd_forbid_bare_newline",
    .needs = kNeedsOctets,
    .triggers = kOnCommand,
    .only = kOddLine,
    .evaluate = line_ending_command::evaluate,
};

}  // namespace smtpscope
