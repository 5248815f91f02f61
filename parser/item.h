#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/side.h"
#include "parser/message_facts.h"
#include "parser/tls_messages.h"
#include "parser/verb.h"

namespace smtpscope {

/// How a line ended. RFC 5321 2.3.8 knows CRLF only; the others happen.
enum class LineEnding : std::uint8_t {
  kCrLf,
  kLf,      // bare LF
  kCrCrLf,  // two or more CR, then LF
  kNone,    // the stream ended, or a gap began, inside the line
};

/// Everything that is owed a reply gets a number of its own, in the order in which replies are
/// owed: 0 is the greeting, then commands, AUTH responses, ends of data. Replies name the number
/// they answer. kNoExchange: a reply that answers nothing (orphan, unsolicited 421).
using Exchange = std::uint64_t;
inline constexpr Exchange kNoExchange = ~Exchange{0};

/// Oddities of a line, as bits.
enum LineFlag : std::uint16_t {
  kHasNul = 1 << 0,
  kHasEightBit = 1 << 1,
  kHasBareCr = 1 << 2,
  kHasControl = 1 << 3,     // other control octets, tab excepted
  kCutForDisplay = 1 << 4,  // longer than what is kept; `text` holds its beginning
  kEarly =
      1 << 5,  // arrived while a barrier stood (behind DATA, AUTH, STARTTLS … before the reply)
  kAfterGap = 1 << 6,          // octets are missing before it; the pairing may be off
  kTlsNeverCame = 1 << 8,      // the first command behind a granted STARTTLS, in the clear
  kAfterMergedLines = 1 << 7,  // bare-LF lines before it are owed no reply after all: the server
                               // answered them as one
};

/// One line from the side that speaks commands.
struct Command {
  Verb verb = Verb::kUnknown;
  std::string_view word;       // the verb as spelled
  std::string_view arguments;  // behind the verb and its white space, trailing white space kept
  std::string_view text;       // the line without its ending; credentials are not in it
  Exchange exchange = 0;       // kNoExchange when no reply is owed (cut by the end of the stream)
  std::uint32_t pending_before = 0;  // replies owed when its first octet arrived
  std::uint16_t flags = 0;           // LineFlag
  LineEnding ending = LineEnding::kCrLf;
};

/// A client line that answers a 334 (RFC 4954 4). Its content is never shown. The client may give
/// up instead: with "*", as it should, or with QUIT, which servers take for a response. That is no
/// secret: as base64 it stands for octets of which one is a control, in no user's name or password.
struct AuthResponse {
  Exchange exchange = 0;
  std::uint64_t octets = 0;  // without the line ending
  bool cancelled = false;    // the line was "*" or QUIT
  bool quit = false;         // it was QUIT
  LineEnding ending = LineEnding::kCrLf;
};

/// One line of a reply.
struct ReplyLine {
  std::uint16_t code = 0;    // 0: the line has none (garbage inside a multi-line reply)
  std::string_view text;     // behind the code and its separator; the whole line if garbage
  std::uint64_t end = 0;     // stream offset behind the line: its arrival time can be looked up
  std::uint64_t octets = 0;  // with its ending
  std::uint16_t flags = 0;   // LineFlag
  LineEnding ending = LineEnding::kCrLf;
};

/// What a reply answers.
enum class Answers : std::uint8_t {
  kGreeting,
  kCommand,
  kAuthResponse,
  kEndOfData,
  kBlob,         // the octets of XEXCH50
  kOrphan,       // nothing was owed
  kUnsolicited,  // a 421/521 while nothing was owed: the session is ending
};

/// A whole reply, all its lines (RFC 5321 4.2.1). The code of the last line is the one that counts.
struct Reply {
  std::uint16_t code = 0;
  std::span<const ReplyLine> lines;  // the first kKeptReplyLines of them
  std::uint64_t line_count = 0;
  Answers answers = Answers::kCommand;
  Verb verb = Verb::kUnknown;  // of the command it answers (DATA for its end of data)
  Exchange exchange = 0;
  std::uint32_t ordinal = 0;     // 0-based, where one element is owed several (LMTP, PRDR, XEXCH50)
  std::uint32_t owed_after = 0;  // replies still owed once this one is counted
  bool codes_differ = false;
  bool complete = true;     // false: the stream ended, or a gap began, inside it
  std::uint16_t flags = 0;  // LineFlag, of all lines together

  /// 2 for 2yz and so on.
  int first_digit() const { return code / 100; }
  /// "" if it has no line.
  std::string_view last_text() const {
    return lines.empty() ? std::string_view() : lines.back().text;
  }
};

/// A server line that is no reply and lies outside any. It answers no command.
struct GarbageLine {
  std::string_view text;
  std::uint16_t flags = 0;
  LineEnding ending = LineEnding::kCrLf;
};

/// How mail data came to its end.
enum class DataEnd : std::uint8_t {
  kStrict,     // CRLF.CRLF
  kCandidate,  // a looser sequence, and the server's answer shows that it took it
  kCut,        // the stream ended first
  kGap,        // octets are missing; the end was not seen
};

/// By what people know a message: its Subject and Message-ID, as HeadlineReader shows them. Octets
/// of the wire; "" where there are none, or they are not to be told.
struct Headline {
  std::string_view subject;
  std::string_view message_id;

  bool empty() const { return subject.empty() && message_id.empty(); }
};

/// The content sent after a 354, its terminator included in the item's range.
struct MailData {
  MessageFacts facts;
  Exchange exchange = 0;  // of the end of data; kNoExchange when there was none
  DataEnd end = DataEnd::kStrict;
  std::uint64_t early_octets = 0;    // of it arrived before the reply to DATA
  std::uint64_t missing_octets = 0;  // lost in gaps
  bool assumed = false;              // taken for content without having seen the 354
  bool answered_early = false;       // the final reply came before the end of data
  /// What followed the first end-of-data candidate, without the ".CRLF" of the strict end. Empty if
  /// there was none; if that and the ".CRLF" is more than kMaxTail; behind a gap; and if the
  /// candidate was the end, for then what followed is in the next items.
  std::string_view behind_candidate;
  Headline headline;
};

/// The octets of one BDAT chunk (RFC 3030 2).
struct Chunk {
  Exchange exchange = 0;       // that of its BDAT command
  std::uint64_t declared = 0;  // octets; the item's range tells how many came
  bool last = false;
  MessageFacts facts;  // of the message up to here, all chunks together
  std::uint64_t missing_octets = 0;
  bool complete = true;
  Headline headline;  // of the last chunk, that of the message
};

/// The octets that XEXCH50 announced.
struct Blob {
  Exchange exchange = 0;
  std::uint64_t declared = 0;
  bool complete = true;
};

/// A PROXY protocol header, version 1 or 2, before anything else from the client.
struct ProxyHeader {
  int version = 1;
  bool local = false;     // v2 LOCAL, v1 UNKNOWN: no addresses
  std::string_view text;  // v1: the line without its ending; v2: empty
};

/// One TLS record. Of what is inside only what is not encrypted is told. Emitted when complete, or
/// at the end.
struct TlsRecord {
  std::uint8_t type = 0;  // RFC 8446 5.1: 20 change_cipher_spec, 21 alert, 22 handshake, 23 data
  std::uint16_t version = 0;
  std::uint32_t length = 0;
  std::uint8_t handshake_type = 0;     // of the message that an unencrypted handshake record begins
                                       // with; 0: none, or it goes on with one
  std::uint8_t alert_level = 0;        // of an unencrypted alert, else 0
  std::uint8_t alert_description = 0;  // likewise
  bool encrypted = false;              // application data, or behind ChangeCipherSpec
  bool complete = true;
  /// An unencrypted handshake record: the messages that ended in it. nullptr for others.
  const TlsMessages* messages = nullptr;
};

/// Why octets could not be read as SMTP.
enum class JunkReason : std::uint8_t {
  kBehindStartTls,  // plaintext between STARTTLS (or its 220) and the first TLS record
  kNotTls,          // after the switch to TLS, octets that are no TLS record
  kUndecided,       // waiting behind a barrier when the session ended
  kOverflow,        // more waited behind a barrier than is kept
  kResync,          // skipped while finding the next plausible line after a gap
  kMidSession,      // before the first plausible line of a trace that began in mid-session
  kCut,             // an unfinished line, unreadable because of a gap
};
std::string_view to_string(JunkReason reason);

/// Octets that fit no grammar. `text` holds their beginning.
struct Junk {
  JunkReason reason = JunkReason::kUndecided;
  std::string_view text;
  std::uint16_t flags = 0;
};

using ItemBody = std::variant<Command, AuthResponse, Reply, GarbageLine, MailData, Chunk, Blob,
                              ProxyHeader, TlsRecord, Junk>;

/// A piece of one side's stream and what it is. The ranges of a side's items follow each other
/// without hole or overlap, but for gaps. Views point into memory of the Conversation and are
/// valid until its next call.
struct Item {
  Side side = Side::kClient;
  std::uint64_t begin = 0;  // stream offset of the first octet
  std::uint64_t end = 0;    // behind the last
  /// The part of [begin, end) that holds credentials; empty when equal. AUTH arguments, AUTH
  /// responses, and lines behind a refused AUTH that may be responses.
  std::uint64_t secret_begin = 0;
  std::uint64_t secret_end = 0;
  ItemBody body;
};

}  // namespace smtpscope
