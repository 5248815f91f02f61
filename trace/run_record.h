#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "capture/wire_event.h"
#include "parser/item.h"
#include "parser/message_facts.h"
#include "parser/verb.h"
#include "timeline/event.h"
#include "timeline/state/message_content.h"
#include "timeline/state/transaction.h"
#include "trace/text_pool.h"

namespace smtpscope {

/// What one exchange is about.
enum class ExchangeKind : std::uint8_t {
  kGreeting,      // what the server says first
  kCommand,       // a command, with the chunk that follows it if it is BDAT
  kAuthResponse,  // the answer to a challenge
  kMailData,      // the content behind a 354
  kUnasked,       // a reply or a line of the server that answers nothing
  kTls,           // TLS records in a row
  kOther,         // PROXY header, blob, junk
};

/// A reply, all its lines.
struct ReplyRecord {
  std::uint16_t code = 0;
  bool complete = true;
  bool by_proxy = false;     // smtpscope said it, no server
  bool undelivered = false;  // the client was gone
  TextId text = 0;           // its lines with their codes, as on the wire, joined by LF
  Time first, last;          // arrival of its first and last octet
  std::uint64_t entry = 0;
  std::uint32_t reads = 0;
};

/// A command or what else the client sends, and what was answered. Everything that a run says is
/// in one of these.
struct ExchangeRecord {
  ExchangeKind kind = ExchangeKind::kCommand;
  Verb verb = Verb::kUnknown;
  LineEnding ending = LineEnding::kCrLf;
  TextId text = 0;  // the line as sent, credentials hidden; kOther, kTls: what it is, in words
  std::uint64_t entry = 0;
  std::uint64_t transaction = 0;  // number within the session; 0: outside
  Time first, last;               // arrival of what the client sent; of the reply if it sent none
  std::optional<Duration> pause;  // how long the client took to begin, nothing being owed to it
  std::uint32_t reads = 0;
  std::uint64_t octets = 0;       // that the client sent
  std::uint32_t first_reply = 0;  // in SessionRecord::replies
  std::uint32_t reply_count = 0;  // more than one only where one element is owed several
  std::optional<Duration> think;  // how long the first reply took
};

/// A transaction and its message.
struct TransactionRecord {
  std::uint64_t number = 0;
  /// Indices of MAIL's exchange and of the last that carried it: RCPT, DATA, the message. What
  /// ended it, such as RSET, is behind that.
  std::size_t first = 0, last = 0;
  std::uint64_t envelope_hash = 0;  // domains folded; see Transaction
  std::string reverse_path;
  std::vector<std::string> recipients;  // forward-paths, the first of them
  std::uint64_t rcpt_sent = 0;
  Outcome outcome = Outcome::kOpen;
  AbortedBy aborted_by = AbortedBy::kNothing;
  std::uint16_t final_code = 0;
  bool has_data = false;  // mail data or chunks were sent; else facts and content are empty
  MessageFacts facts;
  KeptContent content;  // on the wire: dots stuffed, without the terminator
};

/// An annotation that stood when its session ended, or was folded.
struct AnnotationRecord {
  const Rule* rule = nullptr;
  std::string_view variant;
  Severity severity = Severity::kInfo;
  std::uint64_t number = 0;
  std::uint64_t transaction = 0;
  std::uint64_t entry = 0;  // the first that proves it; 0: none
  bool folded = false;
  std::string text;
  std::vector<Attribute> attributes;
};

/// One direction closed.
struct RecordedClose {
  Side from = Side::kClient;
  CloseKind kind = CloseKind::kFin;
  bool by_proxy = false;
  Time time;
};

/// A session, all of it.
struct SessionRecord {
  SessionId id = 0;
  std::string client, listener, upstream, server;
  std::string connect_failed;  // why; "" where a server answered
  bool mid_session = false;
  Fidelity fidelity;  // what the trace could know
  bool ended = false;
  bool ended_cleanly = false;  // QUIT and 221 were seen
  std::uint64_t holes = 0;     // gaps in its trace
  Time began, finished;
  std::vector<ExchangeRecord> exchanges;  // in order of their entries
  std::vector<ReplyRecord> replies;       // those of one exchange lie together
  std::vector<TransactionRecord> transactions;
  std::vector<AnnotationRecord> annotations;
  std::vector<RecordedClose> closes;
  std::uint64_t octets[2] = {0, 0};  // by index(Side)
};

/// A run in memory, to be compared with another: some 150 octets for each exchange, each text once,
/// and of the messages what RunRecorder keeps.
struct RunRecord {
  std::string name;  // for people: the file's
  RunInfo info;
  std::vector<SessionRecord> sessions;  // in order of their numbers
  TextPool commands;                    // what ExchangeRecord::text names
  TextPool replies;                     // what ReplyRecord::text names
  std::uint64_t holes = 0;              // gaps of the whole run
};

}  // namespace smtpscope
