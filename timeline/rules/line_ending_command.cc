#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/session_notes.h"

namespace smtpscope {
namespace line_ending_command {
namespace {

void fire(RuleContext& context, std::string_view variant, std::string text) {
  Finding finding = context.finding();
  finding.variant = variant;
  finding.text = std::move(text);
  context.fire(std::move(finding));
}

// Each kind is reported once, at the first line that has it: a client that gets it wrong does so
// with every line.
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
             : fmt::format("a command line of the client side has a CR in its middle, after {} "
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
    .needs = kNeedsOctets,
    .triggers = kOnCommand,
    .only = kOddLine,
    .evaluate = line_ending_command::evaluate,
};

}  // namespace smtpscope
