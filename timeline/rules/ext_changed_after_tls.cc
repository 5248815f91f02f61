// Named after the usual moment. What is offered inside TLS is not visible; AUTH and XCLIENT also
// set the offers back, and nothing keeps a client from asking twice.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/declared_limits.h"

namespace smtpscope {
namespace ext_changed_after_tls {
namespace {

struct Difference {
  std::string gone, added, changed;  // keywords, separated by ", "
  Severity severity = Severity::kInfo;

  bool empty() const { return gone.empty() && added.empty() && changed.empty(); }
};

void append(std::string& list, std::string_view word) {
  if (!list.empty()) list += ", ";
  list += word;
}

bool among(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// How grave it is that a keyword is not offered any more.
Severity loss_of(std::string_view name, Verb voided_by) {
  // What has done its work goes: TLS, a login, the right to speak for others (RFC 3207 4.2).
  if (among(name, {"STARTTLS", "AUTH"})) return Severity::kInfo;
  if (voided_by == Verb::kXclient && among(name, {"XCLIENT", "XFORWARD"})) return Severity::kInfo;
  if (among(name, {"PIPELINING", "8BITMIME", "CHUNKING"})) return Severity::kWarning;
  return Severity::kNotice;
}

bool limit_shrank(const Capabilities& before, const Capabilities& now) {
  const auto old_limit = before.size_limit();
  const auto new_limit = now.size_limit();
  return new_limit && (!old_limit || *new_limit < *old_limit);
}

Difference compare(const Capabilities& before, const Capabilities& now, Verb voided_by) {
  Difference found;
  for (const Capabilities::Keyword& old : before.keywords()) {
    // RFC 3207 4.2: behind TLS it must not be offered again.
    if (old.name() == "STARTTLS" && voided_by == Verb::kStartTls) continue;
    const Capabilities::Keyword* here = now.find(old.name());
    if (here == nullptr) {
      append(found.gone, old.name());
      found.severity = std::max(found.severity, loss_of(old.name(), voided_by));
    } else if (here->parameters() != old.parameters()) {
      append(found.changed, fmt::format("{} from \"{}\" to \"{}\"", old.name(), old.parameters(),
                                        here->parameters()));
      if (old.name() == "SIZE" && limit_shrank(before, now)) found.severity = Severity::kWarning;
    }
  }
  for (const Capabilities::Keyword& keyword : now.keywords()) {
    if (!before.has(keyword.name())) append(found.added, keyword.name());
  }
  return found;
}

void judge_hello(RuleContext& context, const Reply& reply) {
  const Offers* offers = context.session().offers.get();
  if (offers == nullptr || reply.first_digit() != 2 || context.answered() == nullptr) return;
  if (context.session().holes > 0) return;
  // Turned around (TURN, ATRN) it is another party that offers.
  if (context.entry()->item->side == Side::kClient) return;
  const Capabilities& now = context.conversation().capabilities();
  if (now.dropped() > 0 || offers->before.dropped() > 0) return;
  const Difference found = compare(offers->before, now, offers->voided_by);
  if (found.empty()) return;
  Finding finding = context.finding();
  finding.severity = found.severity;
  std::string what;
  const auto add = [&](std::string_view word, const std::string& list) {
    if (!list.empty()) append(what, fmt::format("{} {}", list, word));
  };
  add("gone", found.gone);
  add("new", found.added);
  add("changed", found.changed);
  const std::string_view since = offers->voided_by == Verb::kUnknown
                                     ? std::string_view("asked again")
                                     : to_string(offers->voided_by);
  finding.text = fmt::format("{}{} the server offers something else than before: {}",
                             offers->voided_by == Verb::kUnknown ? "" : "after ", since, what);
  finding.entries.push_back(context.answered()->entry);
  finding.attributes = {{"since", std::string(since)}};
  if (!found.gone.empty()) finding.attributes.emplace_back("gone", found.gone);
  if (!found.added.empty()) finding.attributes.emplace_back("added", found.added);
  if (!found.changed.empty()) finding.attributes.emplace_back("changed", found.changed);
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (const Reply* reply = context.reply()) {
    judge_hello(context, *reply);
  } else if (context.session().tls_hides() && context.session().offers != nullptr) {
    context.not_evaluated("what the server offers inside TLS is not visible");
  }
}

}  // namespace
}  // namespace ext_changed_after_tls

const Rule kExtChangedAfterTls = {
    .id = "ext-changed-after-tls",
    .category = Category::kTls,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .needs = kNeedsReplyLines,
    .uses = kNeedsTlsRecords,
    .triggers = kOnReply | kOnSessionEnd,
    .verbs = verbs(Verb::kEhlo, Verb::kLhlo),
    .evaluate = ext_changed_after_tls::evaluate,
};

}  // namespace smtpscope
