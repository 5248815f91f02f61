#include "timeline/causes/case.h"

#include <algorithm>
#include <charconv>

#include "timeline/duration_text.h"

namespace smtpscope {
namespace {

bool was_lost(const TransactionTally& message) {
  return message.outcome != Outcome::kAccepted && message.outcome != Outcome::kOpen;
}

/// What a refusal with this reason follows from, where the client had tried it: a login that failed
/// is why the server then demands one.
std::optional<ReplyStage> follows_from(const RefusedReply& refusal) {
  switch (refusal.judged.reason) {
    case ReplyReason::kAuthRequired:
    case ReplyReason::kRelayDenied:
    case ReplyReason::kSenderNotAllowed:
      return ReplyStage::kAuth;
    case ReplyReason::kTlsRequired:
      return refusal.stage == ReplyStage::kStartTls ? std::nullopt
                                                    : std::optional(ReplyStage::kStartTls);
    default:
      return std::nullopt;
  }
}

}  // namespace

Case::Case(const SessionState& session, const SessionTotals& totals,
           std::span<const TransactionTally> messages, const Capabilities& offered,
           const RuleEngine& findings, const RuleSet& rules)
    : session_(session),
      totals_(totals),
      messages_(messages),
      offered_(offered),
      findings_(findings),
      rules_(rules) {
  const auto lost = std::ranges::find_if(messages, was_lost);
  if (lost != messages.end()) lost_ = &*lost;
  refusal_ = decisive();
}

bool Case::behind_client(const RefusedReply& refusal) const {
  const CloseRecord* close = close_of(Side::kClient);
  return refusal.code == 421 && close != nullptr && session_.first_closer == Side::kClient &&
         refusal.at > close->left;
}

const RefusedReply* Case::decisive() const {
  const RefusalNotes* notes = session_.refusals.get();
  if (notes == nullptr || notes->kept.empty()) return nullptr;
  const RefusedReply* found = nullptr;
  if (lost_ != nullptr) {
    if (lost_->refusal_entry != 0) found = notes->of_entry(lost_->refusal_entry);
    if (found == nullptr && lost_->refusal_code != 0) {
      for (const RefusedReply& one : notes->kept) {
        if (one.code == lost_->refusal_code && one.stage >= ReplyStage::kMail) {
          found = &one;
          break;
        }
      }
    }
    // For some of its recipients, behind the message.
    if (found == nullptr && lost_->data_sent) {
      for (const RefusedReply& one : notes->kept) {
        if (one.stage != ReplyStage::kEndOfData || one.transaction != lost_->number) continue;
        found = &one;
        break;
      }
    }
    // The server hung up inside it; a 421 to a client that had left is a consequence.
    if (found == nullptr && session_.hangup_entry != 0) {
      found = notes->of_entry(session_.hangup_entry);
      if (found != nullptr && behind_client(*found)) found = nullptr;
    }
    // The client had sent it without waiting for the replies before it, the first of which refused.
    if (found == nullptr && session_.hello == SessionState::Hello::kNone) {
      for (const RefusedReply& one : notes->kept) {
        if (one.stage != ReplyStage::kConnect && one.stage != ReplyStage::kEhlo) continue;
        found = &one;
        break;
      }
    }
  } else if (totals_.transactions == 0) {
    // Of what the client was refused before it left, the last counts, but for what it could do
    // without: EHLO, when HELO was accepted, and STARTTLS, when it went on.
    for (const RefusedReply& one : notes->kept) {
      const bool got_over = one.stage == ReplyStage::kEhlo &&
                            session_.hello != SessionState::Hello::kNone &&
                            one.entry < session_.last_hello.entry;
      if (!got_over && !behind_client(one)) found = &one;
    }
    // A command behind the refusal that it follows from says less: "503 log in first".
    if (found != nullptr && found->judged.reason == ReplyReason::kProtocolError) {
      for (const RefusedReply& one : notes->kept) {
        if (one.stage == ReplyStage::kAuth || one.stage == ReplyStage::kStartTls ||
            one.stage == ReplyStage::kConnect) {
          found = &one;
          break;
        }
      }
    }
  }
  if (found == nullptr) return nullptr;
  if (const std::optional<ReplyStage> root = follows_from(*found)) {
    const RefusedReply* last = nullptr;
    for (const RefusedReply& one : notes->kept) {
      if (one.stage == *root && one.entry < found->entry) last = &one;
    }
    if (last != nullptr && !session_.authenticated) return last;
  }
  return found;
}

const RuleEngine::Told* Case::told(const Rule& rule) const {
  const auto told = findings_.told();
  const auto at = std::ranges::find(told, &rule, &RuleEngine::Told::rule);
  return at == told.end() ? nullptr : &*at;
}

const RefusedReply* Case::any_refusal(ReplyReason reason) const {
  if (session_.refusals == nullptr) return nullptr;
  for (const RefusedReply& one : session_.refusals->kept) {
    if (one.judged.reason == reason) return &one;
  }
  return nullptr;
}

const LastSilence* Case::wait_given_up() const {
  if (session_.quit_sent && session_.quit_answered) return nullptr;
  const CloseRecord* close = close_of(Side::kClient);
  if (close == nullptr || close->by_proxy || session_.first_closer != Side::kClient) return nullptr;
  // It closed at the end of a silence of the server, or said QUIT and closed. What the server was
  // silent for after that is no wait of the client.
  const LastSilence* wait = session_.before_leaving.get();
  if (wait == nullptr || wait->silent != Party::kServer) return nullptr;
  return close->left - wait->to < std::chrono::seconds(1) ? wait : nullptr;
}

const RemarkNote* Case::remark(RemarkKind kind) const {
  return session_.remarks != nullptr ? session_.remarks->of(kind) : nullptr;
}

const TcpFigures* Case::tcp_of(Side side) const {
  if (session_.tcp == nullptr) return nullptr;
  const auto& last = session_.tcp->last[index(side)];
  return last ? &*last : nullptr;
}

const CloseRecord* Case::close_of(Side side) const {
  const auto& close = session_.closes[index(side)];
  return close ? &*close : nullptr;
}

std::uint16_t Case::server_port() const {
  const std::string& upstream = session_.upstream;
  const std::size_t colon = upstream.rfind(':');
  std::uint16_t port = 0;
  if (colon == std::string::npos) return 0;
  const char* end = upstream.data() + upstream.size();
  const auto [at, error] = std::from_chars(upstream.data() + colon + 1, end, port);
  return error == std::errc() && at == end ? port : std::uint16_t{0};
}

std::string Case::measured(Duration duration) const {
  return duration_text(duration, session_.fidelity.resolution);
}

}  // namespace smtpscope
