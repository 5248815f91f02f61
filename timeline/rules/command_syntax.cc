#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "parser/path.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/reaction.h"

namespace smtpscope {
namespace command_syntax {
namespace {

// RFC 5321 4.5.3.1.1 to 4.5.3.1.3.
constexpr std::size_t kLongestLocalPart = 64;
constexpr std::size_t kLongestDomain = 255;
constexpr std::size_t kLongestPath = 256;

/// Parameters that mean nothing without a value.
constexpr std::array<std::string_view, 12> kValued = {
    "SIZE", "BODY",  "AUTH", "RET",     "ENVID",     "NOTIFY",
    "BY",   "ORCPT", "RRVS", "HOLDFOR", "HOLDUNTIL", "MT-PRIORITY"};

/// The departures from the grammar in one command, in words, and the first of them as a variant.
struct Faults {
  std::string_view variant;
  std::string words;
  bool grave = false;  // more than a form that is merely out of use

  void add(std::string_view kind, std::string_view what, bool is_grave = true) {
    if (words.empty() || (is_grave && !grave)) variant = kind;
    if (!words.empty()) words += "; ";
    words += what;
    grave |= is_grave;
  }
};

void judge_path(const PathArgument& path, std::string_view keyword, Faults& faults) {
  if ((path.flags & kNoKeyword) != 0) {
    faults.add("keyword", fmt::format("\"{}\" is missing", keyword));
    return;
  }
  if ((path.flags & kSpaceBeforeColon) != 0) {
    faults.add("colon-space", "there is a space before the colon");
  }
  if ((path.flags & kSpaceAfterColon) != 0) {
    faults.add("colon-space", "there is a space after the colon");
  }
  if ((path.flags & kNoBrackets) != 0) {
    faults.add("no-brackets", "the address lacks \"<\" and \">\"");
  }
  if ((path.flags & kUnclosed) != 0) faults.add("unbalanced", "\">\" is missing");
  if ((path.flags & kNoSpaceBehind) != 0) {
    faults.add("no-space", "there is no space between \">\" and the parameters");
  }
  if ((path.flags & kSourceRoute) != 0) {
    // RFC 5321 App. C: servers must accept it, clients should not use it.
    faults.add("source-route", "the address has a source route, which nobody uses any more", false);
  }
}

void judge_lengths(const PathArgument& path, Faults& faults) {
  const std::size_t at = find_domain(path.mailbox);
  const std::size_t domain = at == std::string_view::npos ? 0 : path.mailbox.size() - at;
  const std::size_t local = at == std::string_view::npos ? path.mailbox.size() : at - 1;
  if (local > kLongestLocalPart) {
    faults.add("too-long", fmt::format("the local part has {} octets, {} are allowed", local,
                                       kLongestLocalPart));
  }
  if (domain > kLongestDomain) {
    faults.add("too-long",
               fmt::format("the domain has {} octets, {} are allowed", domain, kLongestDomain));
  }
  if (path.path.size() + 2 > kLongestPath) {
    faults.add("too-long", fmt::format("the path has {} octets, {} are allowed",
                                       path.path.size() + 2, kLongestPath));
  }
}

void judge_parameters(std::string_view parameters, Faults& faults) {
  for (const MailParameter parameter : mail_parameters(parameters)) {
    if (parameter.has_value) continue;
    const auto valued = std::ranges::find_if(
        kValued, [&](std::string_view each) { return same_keyword(parameter.keyword, each); });
    if (valued == kValued.end()) continue;
    faults.add("parameter", fmt::format("{} has no value", *valued));
  }
}

/// RFC 5321 4.1.1 asks servers to tolerate white space at the end.
void judge_no_argument(const Command& command, Faults& faults) {
  if (!without_trailing_blanks(command.arguments).empty()) {
    faults.add("argument",
               fmt::format("it takes no argument, but \"{}\" follows", excerpt(command.arguments)));
  } else if (command.text.ends_with(' ') || command.text.ends_with('\t')) {
    faults.add("argument", "there is a space at its end", false);
  }
}

// An octet beyond ASCII in an address, which the catalogue names here too, is left to
// nonprintable-octets: one line is enough.
void evaluate(RuleContext& context) {
  const Command& command = *context.command();
  // What is not whole cannot be judged.
  if ((command.flags & (kCutForDisplay | kAfterGap)) != 0) return;
  if (command.ending == LineEnding::kNone) return;

  Faults faults;
  const bool rcpt = command.verb == Verb::kRcpt;
  switch (command.verb) {
    case Verb::kData:
    case Verb::kRset:
    case Verb::kQuit:
    case Verb::kStartTls:
      if (command.text.size() == command.word.size()) return;  // the usual case
      judge_no_argument(command, faults);
      break;
    default: {
      const std::string_view keyword = rcpt ? "TO:" : "FROM:";
      const PathArgument& path = context.path();
      if (path.flags != 0) judge_path(path, keyword, faults);
      if (path.path.size() > kLongestLocalPart) judge_lengths(path, faults);
      const Transaction* txn = context.transaction();
      const bool plain = path.parameters.empty() ||
                         (!rcpt && txn != nullptr && txn->declared.plain);  // each as it should be
      if (!plain) judge_parameters(path.parameters, faults);
      // RFC 5321 4.1.1.3: the null path is for MAIL.
      if (rcpt && path.null_path()) faults.add("null-recipient", "\"<>\" names no recipient");
      break;
    }
  }
  if (faults.words.empty()) return;
  Finding finding = context.finding();
  finding.variant = faults.variant;
  if (!faults.grave) finding.severity = Severity::kInfo;
  finding.text = fmt::format("{} is not written as RFC 5321 has it: {}", to_string(command.verb),
                             faults.words);
  finding.attributes = {{"command", std::string(to_string(command.verb))}};
  context.fire_when_answered(std::move(finding));
}

}  // namespace
}  // namespace command_syntax

const Rule kCommandSyntax = {
    .id = "command-syntax",
    .category = Category::kSyntax,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .triggers = kOnCommand,
    .verbs = verbs(Verb::kMail, Verb::kRcpt, Verb::kSend, Verb::kSoml, Verb::kSaml, Verb::kData,
                   Verb::kRset, Verb::kQuit, Verb::kStartTls),
    .evaluate = command_syntax::evaluate,
    // A 501 to an argument where none belongs is right (RFC 5321 4.3.2); the reader sees it.
    .answered = answered_with_reaction,
};

}  // namespace smtpscope
