#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "parser/item.h"
#include "parser/verb.h"
#include "timeline/reasons/reply_reason.h"

namespace smtpscope {

class ReasonTable;
struct Entry;
struct PendingExchange;
struct SessionState;

/// A reply 4yz or 5yz of the server, with why.
struct RefusedReply {
  /// RFC 5321 4.5.3.1.5: a reply line has 512 octets; the words of all lines together are kept up
  /// to twice that.
  static constexpr std::size_t kKeptText = 1024;

  std::uint64_t entry = 0;
  std::uint64_t transaction = 0;
  std::uint64_t times = 1;  // in a row
  Time at;                  // of its last octet
  ReplyStage stage = ReplyStage::kUnknown;
  Verb verb = Verb::kUnknown;  // of the command that it answers, if it answers one
  std::uint16_t code = 0;
  std::string enhanced;  // "5.7.1", or ""
  std::string text;      // the words of all its lines, separated by '\n'
  ReasonVerdict judged;
  /// Of LMTP and PRDR, behind the message: whose copy it refuses, "<x@example.net>,
  /// <y@example.net>" up to kNamed of them. "" where it concerns all.
  std::string recipients;
  static constexpr std::size_t kNamed = 5;
};

/// The refusals of a session. Bounded: the first ones are kept, all are counted.
struct RefusalNotes {
  static constexpr std::size_t kKept = 8;

  std::vector<RefusedReply> kept;
  std::uint64_t count = 0;
  std::array<std::uint32_t, kReplyReasons> by_reason{};

  /// nullptr if it is none of those kept.
  const RefusedReply* of_entry(std::uint64_t entry) const;
};

/// What was refused, for a sentence: of EHLO, HELO and LHLO the one that was said. "" where the
/// stage is unknown.
std::string_view refused_command(const RefusedReply& refusal);

struct Transaction;

/// The transaction had a final reply for each recipient (RFC 2033 4.2): notes whose copies were
/// refused.
void note_recipients(const Transaction& transaction, RefusalNotes& notes);

/// Notes a reply that refuses what it answers, which may be nothing: a greeting, a 421 unasked for.
/// nullptr if it refuses nothing, or smtpscope said it. Valid until the next refusal.
const RefusedReply* note_refusal(const Reply& reply, const Entry& entry,
                                 const PendingExchange* asked, const ReasonTable& reasons,
                                 SessionState& state);

}  // namespace smtpscope
