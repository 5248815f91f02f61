#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "parser/message_facts.h"
#include "parser/verb.h"
#include "timeline/state/declared_message.h"

namespace smtpscope {

/// How a transaction ended; one vocabulary for all.
enum class Outcome : std::uint8_t {
  kOpen,      // not ended yet
  kAccepted,  // the message was accepted for every recipient
  kPartial,   // for some recipients
  kRejected,  // the server refused: all recipients, or the data, or MAIL
  kAborted,   // ended before end-of-data; see AbortedBy
  kUnknown,   // end-of-data sent, its reply never seen; or the trace ends before it does
};
std::string_view to_string(Outcome outcome);

/// What ended a transaction before the reply to its end-of-data.
enum class AbortedBy : std::uint8_t {
  kNothing,
  kRset,
  kHello,
  kMail,
  kQuit,
  kClientClose,
  kServerClose,
  kReset,
  kTimeout,
  k421,
  kStartTls,
  kXclient,
  kProxy
};
std::string_view to_string(AbortedBy cause);

/// One RCPT and what became of it.
struct Recipient {
  std::string path;        // forward-path as sent, without the angle brackets
  std::uint16_t code = 0;  // reply to RCPT; 0 while none
  std::uint16_t final_code =
      0;                    // of the message for this recipient (LMTP, PRDR differ per recipient)
  std::uint64_t entry = 0;  // number of the RCPT's entry
};

/// A mail transaction (RFC 5321 3.3): MAIL, RCPTs, message. Bounded: the first kKeptRecipients
/// recipients are kept one by one, all are counted.
struct Transaction {
  static constexpr std::size_t kKeptRecipients = 100;

  std::uint64_t number = 0;       // from 1 within the session
  std::uint64_t first_entry = 0;  // MAIL
  std::uint64_t last_entry = 0;   // the entry that ended it; 0 while open, or a close did
  Time began;                     // first octet of MAIL
  Time ended;
  std::string reverse_path;     // without the angle brackets; "" is the null reverse-path
  std::string parameters;       // behind the path of MAIL
  DeclaredMessage declared;     // by them
  std::uint16_t mail_code = 0;  // reply to MAIL; 0 while none
  std::vector<Recipient> recipients;
  std::uint64_t rcpt_sent = 0;
  std::uint64_t rcpt_accepted = 0;
  std::uint64_t rcpt_refused = 0;
  std::uint64_t envelope_hash = 0;  // of reverse-path and ordered forward-paths, domains folded
  std::uint64_t nested_in = 0;  // the transaction that the client had not left when it sent MAIL
  Verb data_verb = Verb::kUnknown;  // DATA, BDAT or BURL once sent
  bool data_pipelined = false;      // the last of them was sent while replies were owed
  bool mixed_data = false;          // DATA and BDAT, which RFC 3030 2 forbids
  std::uint64_t data_entry = 0;     // of the mail data, or of the last chunk; 0 while none
  std::uint64_t data_reads = 0;     // reads that carried the mail data
  std::uint16_t data_code = 0;      // reply to DATA or to the last BDAT/BURL before the final one
  bool data_sent = false;           // end-of-data went out
  Duration dot_pause{};             // how long the final dot came after the content; 0: with it
  Time data_began;                  // when DATA was answered 354, or the first chunk began
  Time data_ended;                  // last octet of the terminator or last chunk
  MessageFacts facts;
  std::uint64_t refused_at = 0;       // entry of the reply that left nobody to send to; 0: none did
  bool given_up = false;              // the client has gone on to something else
  std::uint64_t wire_octets = 0;      // of the content on the wire
  std::uint64_t missing_octets = 0;   // of the content, lost in holes of the trace: not in `facts`
  std::uint16_t final_code = 0;       // reply to end-of-data; 0 while none
  std::string final_text;             // of its last line
  std::uint64_t final_entry = 0;      // of that reply
  bool final_undelivered = false;     // that reply came when the client was gone
  std::uint32_t finals = 0;           // final replies seen (LMTP, PRDR: one per recipient)
  std::uint32_t finals_accepted = 0;  // of them 2yz
  std::uint16_t refusal_code = 0;     // first refusal in it, of MAIL, RCPT, DATA or BDAT
  std::string refusal_text;           // of that reply's last line
  std::uint64_t refusal_entry = 0;
  bool temporary_only = true;  // every refusal so far was 4yz
  Outcome outcome = Outcome::kOpen;
  /// What ended it, when that was not the reply to its end-of-data. Also set where the outcome is
  /// kRejected (all recipients refused, then RSET) or kUnknown (end-of-data sent, then a close).
  AbortedBy aborted_by = AbortedBy::kNothing;

  /// MAIL was answered 2yz (RFC 5321 4.1.1.2): only then there is something to abort.
  /// The size of the content, with what the trace has lost of it.
  std::uint64_t octets() const { return facts.octets + missing_octets; }
  bool opened() const { return mail_code / 100 == 2; }
};

}  // namespace smtpscope
