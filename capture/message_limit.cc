#include "capture/message_limit.h"

#include <algorithm>

namespace smtpscope {
namespace {

/// CRLF "." CRLF: how mail data ends (RFC 5321 4.1.1.4). Its last octets are no content.
constexpr std::size_t kEndOfData = 5;
constexpr std::size_t kTerminator = 3;

/// As many octets show what an end-of-data candidate is, if it has no NULs and no more CRs.
constexpr std::size_t kCandidate = 5;

}  // namespace

MessageLimit::MessageLimit(std::uint64_t limit, const Conversation& conversation, Side from,
                           std::span<const std::uint8_t> octets)
    : limit_(limit),
      conversation_(conversation),
      from_(from),
      octets_(octets),
      at_(conversation.received(from)) {
  if (from != conversation.commanding_side() || !conversation.may_leave_out()) return;
  watch_barrier();
  if (const MessageScanner* scanner = conversation.scanner()) begin_content(0, *scanner);
}

/// Behind a barrier the octets that follow decide, once the reply is lost or too much is held, what
/// those before them were. So these must be there for whoever reads the record.
void MessageLimit::watch_barrier() {
  if (conversation_.phase() == Conversation::Phase::kUndecided) barrier_ = true;
}

void MessageLimit::begin_content(std::size_t begin, const MessageScanner& before) {
  // The usual read lies below the limit: then there is nothing to remember.
  const std::uint64_t most = before.wire_octets() + (octets_.size() - begin);
  if (most > limit_) content_ = Content{begin, before};
}

void MessageLimit::on_item(const Item& item) {
  if (item.side != from_ || item.end < at_) return;
  const auto end = static_cast<std::size_t>(item.end - at_);
  if (content_) {
    std::size_t stays = 0;
    if (const auto* data = std::get_if<MailData>(&item.body)) {
      stays = kEndOfData;
      // What the rules are told of stays, with the candidate, so that whoever reads the record
      // finds it.
      const std::size_t behind = data->behind_candidate.size();
      if (behind > 0) stays = kCandidate + behind + kTerminator;
    }
    leave_out(end - std::min(end, stays));
    content_.reset();
  }
  watch_barrier();
  if (barrier_) return;
  // Behind a BDAT command a chunk begins at once (RFC 3030 2).
  const bool command = std::holds_alternative<Command>(item.body);
  const MessageScanner* scanner = command ? conversation_.scanner() : nullptr;
  if (scanner) begin_content(end, *scanner);
}

std::span<const MessageLimit::Hole> MessageLimit::finish() {
  if (content_ && conversation_.may_leave_out()) {
    std::size_t end = octets_.size();
    if (content_->before.framing() == MessageScanner::Framing::kDotTerminated) {
      // A CR may be an end-of-data candidate, which the octet behind it decides. The CRs stay, so
      // that whoever reads the record knows no less of where the candidate ends.
      while (end > content_->begin && octets_[end - 1] == '\r') --end;
    }
    leave_out(end);
  }
  content_.reset();
  return holes_;
}

/// Content up to `end` can go, but for what is within the limit.
void MessageLimit::leave_out(std::size_t end) {
  const std::uint64_t kept = content_->before.wire_octets();
  const std::uint64_t room = limit_ > kept ? limit_ - kept : 0;
  if (end <= content_->begin || end - content_->begin <= room) return;
  Hole hole{content_->begin + static_cast<std::size_t>(room), end, content_->before};
  // The conversation has scanned these octets and maybe more. When it stands just behind them,
  // its scanner is the one; otherwise they are scanned once more.
  const MessageScanner* now = conversation_.scanner();
  if (now && now->wire_octets() == kept + (end - content_->begin)) {
    hole.after = *now;
  } else {
    hole.after.scan(octets_.subspan(content_->begin, end - content_->begin));
  }
  holes_.push_back(hole);
}

}  // namespace smtpscope
