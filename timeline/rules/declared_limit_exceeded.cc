#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/declared_limits.h"

namespace smtpscope {
namespace declared_limit_exceeded {
namespace {

Finding limit_finding(const RuleContext& context, std::string_view variant, std::uint64_t limit,
                      std::uint64_t actual) {
  Finding finding = context.finding();
  finding.variant = variant;
  finding.attributes = {{"limit", std::to_string(limit)}, {"actual", std::to_string(actual)}};
  if (context.session().last_hello.entry != 0) {
    finding.entries.push_back(context.session().last_hello.entry);
  }
  return finding;
}

void judge_mail(RuleContext& context, const Capabilities& offered) {
  if (const auto limit = offered.size_limit(); limit && context.transaction() != nullptr) {
    const auto size = context.transaction()->declared.size;
    if (size && *size > *limit) {
      Finding finding = limit_finding(context, "size", *limit, *size);
      finding.text = fmt::format(
          "MAIL announces a message of {} octets, and the server had said that it takes {} at most",
          *size, *limit);
      context.fire_when_answered(std::move(finding));
    }
  }
  if (const auto limit = declared_limit(offered, kLimitMailMax)) {
    // Only the first one beyond it. RFC 9422 4.1: those that failed count.
    const std::uint64_t sent = std::uint64_t{context.session().mails_sent} + 1;
    if (sent != *limit + 1) return;
    Finding finding = limit_finding(context, "mailmax", *limit, sent);
    finding.text = fmt::format(
        "this is MAIL number {} of the session, and the server had said that it takes {}", sent,
        *limit);
    context.fire_when_answered(std::move(finding));
  }
}

void judge_rcpt(RuleContext& context, const Capabilities& offered) {
  if (!offered.has_limits()) return;
  const Transaction* txn = context.transaction();
  const auto per_message = declared_limit(offered, kLimitRcptMax);
  // RFC 9422 4.2: commands are counted, not recipients that were accepted.
  if (per_message && txn != nullptr && txn->rcpt_sent == *per_message + 1) {
    Finding finding = limit_finding(context, "rcptmax", *per_message, txn->rcpt_sent);
    finding.text = fmt::format(
        "this is recipient number {} of the message, and the server had said that it takes {}",
        txn->rcpt_sent, *per_message);
    context.fire_when_answered(std::move(finding));
  }
  const auto domains = declared_limit(offered, kLimitRcptDomainMax);
  const RecipientDomains* seen = context.session().rcpt_domains.get();
  if (!domains || seen == nullptr || seen->kept != *domains) return;
  const auto domain = domain_of(context.path().mailbox);
  if (!domain || seen->has(*domain)) return;
  Finding finding = limit_finding(context, "rcptdomainmax", *domains, seen->kept + 1);
  finding.text = fmt::format(
      "this recipient's domain is number {} of the session, and the server had said that it takes "
      "{}",
      seen->kept + 1, *domains);
  context.fire_when_answered(std::move(finding));
}

void judge_content(RuleContext& context, const Capabilities& offered) {
  const Transaction* ended = context.ended();
  const auto limit = offered.size_limit();
  if (!limit || !ended->data_sent || ended->facts.octets <= *limit) return;
  const auto size = ended->declared.size;
  if (size && *size > *limit) return;  // told at its MAIL
  Finding finding = limit_finding(context, "content", *limit, ended->facts.octets);
  finding.text =
      fmt::format("the message has {} octets, and the server had said that it takes {} at most",
                  ended->facts.octets, *limit);
  if (ended->final_code != 0) {
    finding.text += fmt::format("; it answered {}", ended->final_code);
    finding.attributes.emplace_back("reply", std::to_string(ended->final_code));
  }
  finding.entries.push_back(ended->data_entry);
  finding.entries.push_back(ended->final_entry);
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  const Capabilities& offered = context.conversation().capabilities();
  if (offered.keywords().empty()) return;
  if (context.ended() != nullptr) {
    judge_content(context, offered);
  } else if (const Command* command = context.command()) {
    command->verb == Verb::kMail ? judge_mail(context, offered) : judge_rcpt(context, offered);
  }
}

}  // namespace
}  // namespace declared_limit_exceeded

const Rule kDeclaredLimitExceeded = {
    .id = "declared-limit-exceeded",
    .category = Category::kExtension,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsReplyLines,
    .triggers = kOnCommand | kOnTransactionEnd,
    .verbs = verbs(Verb::kMail, Verb::kRcpt),
    .evaluate = declared_limit_exceeded::evaluate,
};

}  // namespace smtpscope
