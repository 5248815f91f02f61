#include "timeline/state/refusal_notes.h"

#include <algorithm>
#include <memory>

#include "timeline/event.h"
#include "timeline/reasons/reason_table.h"
#include "timeline/state/session_state.h"
#include "timeline/state/transaction.h"

namespace smtpscope {
namespace {

ReplyStage stage_of(const Reply& reply, const PendingExchange* asked) {
  if (reply.answers == Answers::kGreeting) return ReplyStage::kConnect;
  if (reply.answers == Answers::kEndOfData) return ReplyStage::kEndOfData;
  if (reply.answers == Answers::kAuthResponse) return ReplyStage::kAuth;
  if (asked == nullptr) return ReplyStage::kUnknown;
  // Who hangs up over a chunk has not waited for its octets.
  const bool hangs_up = reply.code == 421 || reply.code == 521;
  if (asked->ends_message && !hangs_up) return ReplyStage::kEndOfData;
  switch (asked->verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      return ReplyStage::kEhlo;
    case Verb::kStartTls:
      return ReplyStage::kStartTls;
    case Verb::kAuth:
      return ReplyStage::kAuth;
    case Verb::kMail:
      return ReplyStage::kMail;
    case Verb::kRcpt:
      return ReplyStage::kRcpt;
    case Verb::kData:
    case Verb::kBdat:
      return ReplyStage::kData;
    default:
      return ReplyStage::kUnknown;
  }
}

/// The words of all lines, and the enhanced code that the last of them carries.
void read_words(const Reply& reply, RefusedReply& into) {
  for (const ReplyLine& line : reply.lines) {
    std::string_view text = line.text;
    if (const std::string_view code = take_enhanced_code(text); !code.empty()) {
      into.enhanced = code;
    }
    if (!into.text.empty()) into.text += '\n';
    into.text += text.substr(0, RefusedReply::kKeptText - into.text.size());
    if (into.text.size() >= RefusedReply::kKeptText) return;
  }
}

}  // namespace

const RefusedReply* RefusalNotes::of_entry(std::uint64_t entry) const {
  const auto at = std::ranges::find(kept, entry, &RefusedReply::entry);
  return at == kept.end() ? nullptr : &*at;
}

std::string_view refused_command(const RefusedReply& refusal) {
  const bool named = refusal.stage == ReplyStage::kEhlo && refusal.verb != Verb::kUnknown;
  return named ? to_string(refusal.verb) : to_string(refusal.stage);
}

void note_recipients(const Transaction& transaction, RefusalNotes& notes) {
  auto one = notes.kept.begin();
  std::uint64_t named = 0;  // of the same replies in a row
  for (const Recipient& recipient : transaction.recipients) {
    if (recipient.code / 100 != 2 || recipient.final_code / 100 < 4) continue;
    while (one != notes.kept.end() &&
           (one->stage != ReplyStage::kEndOfData || one->transaction != transaction.number ||
            named == one->times)) {
      ++one;
      named = 0;
    }
    if (one == notes.kept.end() || one->code != recipient.final_code) return;
    if (++named > RefusedReply::kNamed) continue;
    one->recipients += named == 1 ? "" : ", ";
    one->recipients += '<' + recipient.path + '>';
  }
}

const RefusedReply* note_refusal(const Reply& reply, const Entry& entry,
                                 const PendingExchange* asked, const ReasonTable& reasons,
                                 SessionState& state) {
  if (reply.first_digit() != 4 && reply.first_digit() != 5) return nullptr;
  if (entry.by_proxy) return nullptr;
  RefusedReply one;
  one.entry = entry.number;
  one.transaction = entry.transaction;
  one.at = entry.last;
  one.stage = stage_of(reply, asked);
  if (asked != nullptr) one.verb = asked->verb;
  one.code = reply.code;
  read_words(reply, one);
  if (state.refusals == nullptr) state.refusals = std::make_unique<RefusalNotes>();
  RefusalNotes& notes = *state.refusals;
  ++notes.count;
  // The same again, as to each recipient of a list, has the same reason.
  RefusedReply* last = notes.kept.empty() ? nullptr : &notes.kept.back();
  if (last != nullptr && last->code == one.code && last->stage == one.stage &&
      last->text == one.text) {
    ++last->times;
    ++notes.by_reason[static_cast<std::size_t>(last->judged.reason)];
    return last;
  }
  one.judged = reasons.judge(
      {.code = one.code, .enhanced = one.enhanced, .stage = one.stage, .text = one.text});
  ++notes.by_reason[static_cast<std::size_t>(one.judged.reason)];
  if (notes.kept.size() < RefusalNotes::kKept) {
    notes.kept.push_back(std::move(one));
  } else {
    notes.kept.back() = std::move(one);  // the last one may be what ended the session
  }
  return &notes.kept.back();
}

}  // namespace smtpscope
