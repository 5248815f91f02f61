#include "diff/runs/exchange_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "diff/exchange_name.h"
#include "diff/reply_text.h"
#include "parser/enhanced_code.h"
#include "timeline/duration_text.h"

namespace smtpscope {

/// Two exchanges that correspond, and where what differs goes.
struct ExchangeComparison::Pair {
  const SessionRecord& session_before;
  const ExchangeRecord& before;
  const SessionRecord& session_after;
  const ExchangeRecord& after;
  std::vector<Difference>& differences;
  SetAsideLog& set_aside;

  Difference& add(DifferenceKind kind, std::string subject, std::string said_before,
                  std::string said_after) {
    Difference& difference = differences.emplace_back();
    difference.kind = kind;
    difference.entry_before = before.entry;
    difference.entry_after = after.entry;
    difference.transaction_before = before.transaction;
    difference.transaction_after = after.transaction;
    difference.subject = std::move(subject);
    difference.before = std::move(said_before);
    difference.after = std::move(said_after);
    return difference;
  }
};

void ExchangeComparison::compare(const SessionRecord& session_before, const ExchangeRecord& before,
                                 const SessionRecord& session_after, const ExchangeRecord& after,
                                 std::vector<Difference>& differences,
                                 SetAsideLog& set_aside) const {
  Pair pair{session_before, before, session_after, after, differences, set_aside};
  commands(pair);
  replies(pair);
  if (options_.timing) timing(pair);
  if (options_.reads) reads(pair);
}

void ExchangeComparison::commands(Pair& pair) const {
  const std::string_view before = before_.run.commands.text(pair.before.text);
  const std::string_view after = after_.run.commands.text(pair.after.text);
  if (before_.commands.shared(pair.before.text) != after_.commands.shared(pair.after.text)) {
    pair.add(DifferenceKind::kCommandChanged, exchange_name(before_.run, pair.before),
             std::string(before), std::string(after));
  } else if (before != after) {
    pair.set_aside.add(before_.commands.values(pair.before.text),
                       after_.commands.values(pair.after.text));
  }
  if (pair.before.ending != pair.after.ending) {
    pair.add(DifferenceKind::kCommandChanged, exchange_name(before_.run, pair.before),
             ending_words(pair.before.ending), ending_words(pair.after.ending));
  }
}

void ExchangeComparison::replies(Pair& pair) const {
  const std::uint32_t count = std::max(pair.before.reply_count, pair.after.reply_count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const ReplyRecord* before = i < pair.before.reply_count
                                    ? &pair.session_before.replies[pair.before.first_reply + i]
                                    : nullptr;
    const ReplyRecord* after = i < pair.after.reply_count
                                   ? &pair.session_after.replies[pair.after.first_reply + i]
                                   : nullptr;
    if (before != nullptr && after != nullptr) {
      reply(pair, *before, *after);
    } else if (before != nullptr) {
      pair.add(DifferenceKind::kReplyRemoved, exchange_name(before_.run, pair.before),
               std::string(before_.run.replies.text(before->text)), {});
    } else {
      pair.add(DifferenceKind::kReplyAdded, exchange_name(before_.run, pair.before), {},
               std::string(after_.run.replies.text(after->text)));
    }
  }
}

void ExchangeComparison::reply(Pair& pair, const ReplyRecord& before,
                               const ReplyRecord& after) const {
  const std::string_view said_before = before_.run.replies.text(before.text);
  const std::string_view said_after = after_.run.replies.text(after.text);
  if (before_.replies.shared(before.text) == after_.replies.shared(after.text)) {
    if (said_before != said_after) {
      pair.set_aside.add(before_.replies.values(before.text), after_.replies.values(after.text));
    }
    return;
  }
  const auto add = [&](DifferenceKind kind) {
    pair.add(kind, exchange_name(before_.run, pair.before), std::string(said_before),
             std::string(said_after));
  };
  if (before.code != after.code) {
    add(DifferenceKind::kReplyCode);
    return;
  }
  if (is_ehlo_offer(pair.before, before) && is_ehlo_offer(pair.after, after)) {
    capabilities(pair, before, after);
    return;
  }
  const auto code_of = [](std::string_view text) {
    return enhanced_code(reply_lines(text).back());
  };
  add(code_of(said_before) != code_of(said_after) ? DifferenceKind::kEnhancedCode
                                                  : DifferenceKind::kReplyText);
}

void ExchangeComparison::capabilities(Pair& pair, const ReplyRecord& before,
                                      const ReplyRecord& after) const {
  const std::string_view said_before = before_.run.replies.text(before.text);
  const std::string_view said_after = after_.run.replies.text(after.text);
  const std::size_t known = pair.differences.size();
  // The first line greets, the others offer (RFC 5321 4.1.1.1).
  const NormalizedText greeting_before =
      normalizers_.apply(first_reply_line(said_before), kInReply);
  const NormalizedText greeting_after = normalizers_.apply(first_reply_line(said_after), kInReply);
  if (greeting_before.text.substr(std::min<std::size_t>(4, greeting_before.text.size())) !=
      greeting_after.text.substr(std::min<std::size_t>(4, greeting_after.text.size()))) {
    pair.add(DifferenceKind::kReplyText, exchange_name(before_.run, pair.before),
             std::string(first_reply_line(said_before)), std::string(first_reply_line(said_after)));
  } else {
    pair.set_aside.add(greeting_before.values, greeting_after.values);
  }
  const Capabilities offered_before = offered_by(said_before),
                     offered_after = offered_by(said_after);
  for (const Capabilities::Keyword& keyword : offered_before.keywords()) {
    const Capabilities::Keyword* other = offered_after.find(keyword.name());
    const std::string name(keyword.name());
    if (other == nullptr) {
      pair.add(DifferenceKind::kCapabilityRemoved, name, keyword_line(keyword), {});
    } else if (normalizers_.apply(keyword.parameters(), kInReply).text !=
               normalizers_.apply(other->parameters(), kInReply).text) {
      pair.add(DifferenceKind::kCapabilityChanged, name, keyword_line(keyword),
               keyword_line(*other));
    }
  }
  for (const Capabilities::Keyword& keyword : offered_after.keywords()) {
    if (!offered_before.has(keyword.name())) {
      pair.add(DifferenceKind::kCapabilityAdded, std::string(keyword.name()), {},
               keyword_line(keyword));
    }
  }
  if (pair.differences.size() != known) return;
  // The same keywords in another order, or spelled otherwise.
  if (normalizers_.is_on(kEhloOrder)) {
    pair.set_aside.add(kEhloOrder, said_before, said_after);
  } else {
    pair.add(DifferenceKind::kReplyText, exchange_name(before_.run, pair.before),
             std::string(said_before), std::string(said_after));
  }
}

void ExchangeComparison::timing(Pair& pair) const {
  const auto of = [](const std::optional<Duration>& wait) { return wait.value_or(Duration{}); };
  if (pair.before.pause || pair.after.pause) {
    wait(pair, "the client's pause before", of(pair.before.pause), of(pair.after.pause));
  }
  if (pair.before.kind != ExchangeKind::kGreeting && pair.before.kind != ExchangeKind::kUnasked) {
    wait(pair, "the sending of", pair.before.last - pair.before.first,
         pair.after.last - pair.after.first);
  }
  if (pair.before.think && pair.after.think) {
    wait(pair, pair.before.kind == ExchangeKind::kGreeting ? "the wait for" : "the reply to",
         *pair.before.think, *pair.after.think);
  }
}

void ExchangeComparison::wait(Pair& pair, std::string_view what, Duration before,
                              Duration after) const {
  const Fidelity& a = pair.session_before.fidelity;
  const Fidelity& b = pair.session_after.fidelity;
  if (((a.unknown | b.unknown) & kUnknownTimes) != 0) return;
  const Duration longer = std::max(before, after), shorter = std::min(before, after);
  if (longer - shorter - a.resolution - b.resolution < options_.timing_threshold) return;
  if (static_cast<double>(longer.count()) <
      static_cast<double>(shorter.count()) * options_.timing_ratio) {
    return;
  }
  Difference& difference = pair.add(
      DifferenceKind::kTiming, fmt::format("{} {}", what, exchange_name(before_.run, pair.before)),
      duration_text(before, a.resolution), duration_text(after, b.resolution));
  difference.time_before = before;
  difference.time_after = after;
}

void ExchangeComparison::reads(Pair& pair) const {
  const Fidelity& a = pair.session_before.fidelity;
  const Fidelity& b = pair.session_after.fidelity;
  if (((a.unknown | b.unknown) & kUnknownReads) != 0) return;
  if (pair.before.reads != pair.after.reads) {
    pair.add(DifferenceKind::kReads, exchange_name(before_.run, pair.before),
             counted(pair.before.reads, "read"), counted(pair.after.reads, "read"));
  }
  const std::uint32_t replies = std::min(pair.before.reply_count, pair.after.reply_count);
  for (std::uint32_t i = 0; i < replies; ++i) {
    const ReplyRecord& before = pair.session_before.replies[pair.before.first_reply + i];
    const ReplyRecord& after = pair.session_after.replies[pair.after.first_reply + i];
    if (before.reads == after.reads) continue;
    pair.add(DifferenceKind::kReads,
             fmt::format("the reply to {}", exchange_name(before_.run, pair.before)),
             counted(before.reads, "read"), counted(after.reads, "read"));
  }
}

}  // namespace smtpscope
