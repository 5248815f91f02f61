#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/reaction.h"

namespace smtpscope {
namespace command_out_of_order {
namespace {

using Hello = SessionState::Hello;

void fire(RuleContext& context, std::string text, std::uint64_t because_of = 0) {
  Finding finding = context.finding();
  finding.text = std::move(text);
  finding.entries.push_back(because_of);
  finding.attributes = {{"command", std::string(to_string(context.command()->verb))}};
  context.fire_when_answered(std::move(finding));
}

/// Told of the first one only.
void judge_behind_quit(RuleContext& context) {
  const SessionState& session = context.session();
  if (session.last_command.verb != Verb::kQuit) return;
  // A QUIT that was answered, but not with 2yz, was refused.
  if (!session.quit_answered && context.command()->pending_before == 0) return;
  const std::string_view word = to_string(context.command()->verb);
  fire(context,
       fmt::format("the client side went on with {} after QUIT",
                   word.empty() ? "something unknown" : word),
       session.last_command.entry);
}

void judge_mail(RuleContext& context) {
  const SessionState& session = context.session();
  if (session.hello != Hello::kNone) return;
  if (session.mid_session || session.holes > 0) {
    context.not_evaluated("whether the client had said EHLO or HELO is not in the trace");
    return;
  }
  const bool first = session.mails_sent == 0 || session.last_command.verb == Verb::kXclient;
  if (!first) return;
  const LastHello& hello = session.last_hello;
  if (hello.entry != 0 && hello.code == 0) return;  // its answer is on the way
  if (hello.code >= 400) {
    fire(context,
         fmt::format("the client side sent MAIL although {} had been refused with {}",
                     to_string(hello.verb), hello.code),
         hello.entry);
  } else {
    fire(context, "the client side sent MAIL without having said EHLO or HELO");
  }
}

/// RCPT, DATA, BDAT and BURL, which belong into a transaction.
void judge_outside(RuleContext& context) {
  if (context.entry()->transaction != 0) return;
  const SessionState& session = context.session();
  const Command& command = *context.command();
  if ((session.mid_session && session.transactions == 0) || session.holes > 0) {
    context.not_evaluated("whether a transaction was open is not in the trace");
    return;
  }
  const LastCommand& last = session.last_command;
  if (command.verb == Verb::kRcpt && last.verb == Verb::kRcpt) return;  // told of the first
  // Lines of a message that are read as commands.
  const UnknownRun* run = session.unknown_run.get();
  if (run != nullptr && !run->ended && (run->headers > 0 || run->behind_refused_data)) return;

  const TransactionSummary* before = session.previous.get();
  const bool mail_refused = before != nullptr && before->mail_code >= 400;
  if (mail_refused && command.pending_before > 0) return;  // it crossed the refusal
  const std::string_view verb = to_string(command.verb);
  if (mail_refused) {
    fire(context,
         fmt::format("the client side sent {} although MAIL had been refused with {}", verb,
                     before->mail_code),
         before->first_entry);
  } else if (command.verb == Verb::kBdat && last.verb == Verb::kBdat) {
    fire(context, "the client side sent another chunk with BDAT after the last one", last.entry);
  } else {
    fire(context, fmt::format("the client side sent {} without MAIL before it", verb));
  }
}

void judge_auth(RuleContext& context) {
  const SessionState& session = context.session();
  const Transaction* txn = context.transaction();
  if (session.authenticated) {
    fire(context, "the client side sent AUTH although it had logged in already");
  } else if (txn != nullptr && txn->opened()) {
    fire(context,
         fmt::format("the client side sent AUTH in the middle of transaction {}", txn->number),
         txn->first_entry);
  }
}

// STARTTLS under TLS, which the catalogue names, cannot be seen: what comes inside TLS is opaque.
// STARTTLS in a transaction is not forbidden by RFC 3207.
void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  if (session.quit_sent) {
    judge_behind_quit(context);
    return;
  }
  switch (context.command()->verb) {
    case Verb::kMail:
    case Verb::kSend:
    case Verb::kSoml:
    case Verb::kSaml:
    case Verb::kRcpt:
    case Verb::kData:
    case Verb::kBdat:
    case Verb::kBurl:
    case Verb::kAuth:
    case Verb::kXexps:
      break;
    default:
      return;
  }
  // The server had ended the session, or refused it: then any order is as good (RFC 5321 3.1, 3.8).
  if (session.hangup_code != 0 || session.greeting == SessionState::Greeting::kRefused) return;
  switch (context.command()->verb) {
    case Verb::kRcpt:
    case Verb::kData:
    case Verb::kBdat:
    case Verb::kBurl:
      judge_outside(context);
      return;
    case Verb::kAuth:
    case Verb::kXexps:
      judge_auth(context);
      return;
    default:
      judge_mail(context);
      return;
  }
}

}  // namespace
}  // namespace command_out_of_order

const Rule kCommandOutOfOrder = {
    .id = "command-out-of-order",
    .category = Category::kSequencing,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .triggers = kOnCommand,
    .evaluate = command_out_of_order::evaluate,
    .answered = answered_with_reaction,
};

}  // namespace smtpscope
