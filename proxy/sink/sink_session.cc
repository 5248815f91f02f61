#include "proxy/sink/sink_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/ascii.h"
#include "base/octets.h"
#include "parser/command_line.h"
#include "parser/path.h"

namespace smtpscope {
namespace {

bool is_size(std::string_view text) {
  return !text.empty() && text.size() <= 20 && std::ranges::all_of(text, is_digit);
}

/// The path can be read and is spelled as RFC 5321 4.1.2 has it, but for what servers tolerate.
bool is_acceptable(const PathArgument& path) {
  return (path.flags & (kNoKeyword | kUnclosed | kNoSpaceBehind)) == 0;
}

/// Empty, or the reply that refuses the parameter.
std::string_view refuse_mail_parameter(const MailParameter& parameter) {
  if (same_keyword(parameter.keyword, "SIZE")) {
    return is_size(parameter.value) ? "" : "501 5.5.4 SIZE needs a number of octets";
  }
  if (same_keyword(parameter.keyword, "BODY")) {
    const bool known =
        same_keyword(parameter.value, "7BIT") || same_keyword(parameter.value, "8BITMIME");
    return known ? "" : "501 5.5.4 BODY is 7BIT or 8BITMIME here";
  }
  if (same_keyword(parameter.keyword, "SMTPUTF8")) {
    return parameter.has_value ? "501 5.5.4 SMTPUTF8 takes no value" : "";
  }
  return "555 5.5.4 A parameter of MAIL is not known here";  // RFC 5321 4.1.1.11
}

}  // namespace

void SinkSession::begin(std::string& replies) {
  reply("220 localhost ESMTP smtpscope sink, accepts and discards");
  hand_over(replies);
}

void SinkSession::receive(std::span<const std::uint8_t> octets, std::string& replies) {
  if (over_) return;
  conversation_.receive(Side::kClient, octets);
  drain();
  hand_over(replies);
}

/// Shows our own replies to the conversation too: what the client's octets mean may depend on
/// them, and then there is more to answer.
void SinkSession::hand_over(std::string& replies) {
  while (!unsent_.empty()) {
    const std::string said = std::exchange(unsent_, {});
    replies += said;
    conversation_.receive(Side::kServer, octets_of(said));
    drain();
  }
}

void SinkSession::drain() {
  while (const Item* item = conversation_.next()) {
    if (!over_) handle(*item, item->end - item->begin);
  }
}

void SinkSession::handle(const Item& item, std::uint64_t octets) {
  if (item.side == Side::kServer) return;
  if (const auto* command = std::get_if<Command>(&item.body)) {
    if (octets > kMaxLine) {
      reply("500 5.5.6 The line is too long");
    } else {
      answer(*command);
    }
  } else if (const auto* data = std::get_if<MailData>(&item.body)) {
    answer(*data);
  } else if (const auto* chunk = std::get_if<Chunk>(&item.body)) {
    answer(*chunk);
  } else if (std::holds_alternative<TlsRecord>(item.body) ||
             std::holds_alternative<Junk>(item.body)) {
    over_ = true;  // no reply could be understood
  }
}

void SinkSession::answer(const Command& command) {
  if (command.exchange == kNoExchange) return;  // cut off by the end of the stream
  const bool bare = without_trailing_blanks(command.arguments).empty();
  switch (command.verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
      return answer_hello(command);
    case Verb::kMail:
      return answer_mail(command);
    case Verb::kRcpt:
      return answer_rcpt(command);
    case Verb::kData:
      return answer_data(command);
    case Verb::kBdat:
      return answer_bdat(command);
    case Verb::kRset:
      if (!bare) return reply("501 5.5.4 RSET takes no argument");
      reset_transaction();
      return reply("250 2.0.0 Ok");
    case Verb::kNoop:
      return reply("250 2.0.0 Ok");
    case Verb::kQuit:
      if (!bare) return reply("501 5.5.4 QUIT takes no argument");
      reply("221 2.0.0 Bye");
      over_ = true;
      return;
    case Verb::kVrfy:
      if (bare) return reply("501 5.5.4 VRFY needs an address");
      return reply("252 2.0.0 Not verified, but mail for it would be accepted");
    case Verb::kHelp:
      return reply("214 2.0.0 This is the sink of smtpscope; it follows RFC 5321");
    case Verb::kExpn:
    case Verb::kAuth:
    case Verb::kStartTls:
    case Verb::kEtrn:
    case Verb::kTurn:
    case Verb::kSend:
    case Verb::kSoml:
    case Verb::kSaml:
      return reply("502 5.5.1 Not implemented by this sink");
    default:
      return reply("500 5.5.2 Unknown command");
  }
}

void SinkSession::answer_hello(const Command& command) {
  if (without_trailing_blanks(command.arguments).empty()) {
    return reply("501 5.5.4 Say who you are");
  }
  greeted_ = true;
  reset_transaction();
  // No enhanced status code here (RFC 2034 4).
  if (command.verb == Verb::kHelo) return reply("250 localhost");
  for (const std::string_view line : {"250-localhost", "250-PIPELINING", "250-SIZE", "250-8BITMIME",
                                      "250-SMTPUTF8", "250-CHUNKING", "250 ENHANCEDSTATUSCODES"}) {
    reply(line);
  }
}

void SinkSession::answer_mail(const Command& command) {
  if (!greeted_) return reply("503 5.5.1 EHLO first");
  if (mail_) return reply("503 5.5.1 A transaction is open already");
  const PathArgument path = parse_path(command.arguments, "FROM:");
  if (!is_acceptable(path)) return reply("501 5.5.4 Syntax: MAIL FROM:<address>");
  for (const MailParameter& parameter : mail_parameters(path.parameters)) {
    const std::string_view refusal = refuse_mail_parameter(parameter);
    if (!refusal.empty()) return reply(refusal);
  }
  mail_ = true;
  reply("250 2.1.0 Ok");
}

void SinkSession::answer_rcpt(const Command& command) {
  if (!mail_) return reply("503 5.5.1 MAIL first");
  if (chunks_ != Chunks::kNone) return reply("503 5.5.1 The message has begun");
  const PathArgument path = parse_path(command.arguments, "TO:");
  if (!is_acceptable(path) || path.mailbox.empty()) {
    return reply("501 5.1.3 Syntax: RCPT TO:<address>");
  }
  if (!without_trailing_blanks(path.parameters).empty()) {
    return reply("555 5.5.4 Parameters of RCPT are not known here");
  }
  ++recipients_;
  reply("250 2.1.5 Ok");
}

void SinkSession::answer_data(const Command& command) {
  if (!without_trailing_blanks(command.arguments).empty()) {
    return reply("501 5.5.4 DATA takes no argument");
  }
  if (chunks_ != Chunks::kNone) return reply("503 5.5.1 DATA does not go with BDAT");
  if (!mail_) return reply("503 5.5.1 MAIL first");
  if (recipients_ == 0) return reply("554 5.5.1 No valid recipients");
  reply("354 End data with <CR><LF>.<CR><LF>");
}

/// Only what is not followed by a chunk: that is answered when its octets have come.
void SinkSession::answer_bdat(const Command& command) {
  if (!parse_chunk_argument(command.arguments)) {
    return reply("501 5.5.4 Syntax: BDAT size [LAST]");
  }
  // Without CHUNKING in force its octets would be read as commands.
  if (!conversation_.capabilities().has("CHUNKING")) return reply("503 5.5.1 EHLO first");
}

void SinkSession::answer(const MailData& data) {
  if (data.exchange == kNoExchange) return;
  accept_message(data.facts.octets);
}

void SinkSession::answer(const Chunk& chunk) {
  if (!chunk.complete) return;
  if (recipients_ == 0 || chunks_ == Chunks::kFailed) {
    // RFC 3030 2: after a failed chunk nothing but RSET helps; its octets were swallowed.
    chunks_ = mail_ ? Chunks::kFailed : Chunks::kNone;
    return reply(mail_ ? "503 5.5.1 No valid recipients, chunk discarded"
                       : "503 5.5.1 MAIL first, chunk discarded");
  }
  if (chunk.last) return accept_message(chunk.facts.octets);
  chunks_ = Chunks::kOpen;
  reply(fmt::format("250 2.0.0 {} octets received", chunk.declared));
}

void SinkSession::accept_message(std::uint64_t octets) {
  ++messages_;
  reset_transaction();
  reply(fmt::format("250 2.0.0 Ok: {} octets accepted and discarded", octets));
}

void SinkSession::reset_transaction() {
  mail_ = false;
  recipients_ = 0;
  chunks_ = Chunks::kNone;
}

void SinkSession::reply(std::string_view line) {
  unsent_ += line;
  unsent_ += "\r\n";
}

}  // namespace smtpscope
